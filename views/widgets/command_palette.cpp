#include "views/widgets/command_palette.h"

#include <QFrame>
#include <QGridLayout>
#include <QHash>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QScrollArea>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kActionRole = Qt::UserRole, kKeysRole = Qt::UserRole + 1;

// A command at the left, its keys at the right.
class CommandDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyleOptionViewItem o = option;
        initStyleOption(&o, index);
        const QString text = std::exchange(o.text, QString());
        o.widget->style()->drawControl(QStyle::CE_ItemViewItem, &o, painter, o.widget);
        const QRect area = o.rect.adjusted(kGrid, 0, -kGrid, 0);
        painter->save();
        painter->setPen(o.palette.color(o.state.testFlag(QStyle::State_Enabled) ? QPalette::Active : QPalette::Disabled, QPalette::Text));
        painter->drawText(area, Qt::AlignLeft | Qt::AlignVCenter, text);
        painter->setFont(Theme::monoFont(-1));
        painter->setPen(Theme::instance().colours().secondary);
        painter->drawText(area, Qt::AlignRight | Qt::AlignVCenter, index.data(kKeysRole).toString());
        painter->restore();
    }
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return {QStyledItemDelegate::sizeHint(option, index).width(), option.fontMetrics.height() + kGrid};
    }
};

/// Points for the letters of the query in their order, each where it comes first from a place on; 0 where one is missing.
int scoreFrom(qsizetype at, const QString& query, const QString& text) {
    int score = 1;
    qsizetype previous = -2;
    for (const QChar wanted : query) {
        if (wanted.isSpace()) continue;
        while (at < text.size() && text[at].toCaseFolded() != wanted.toCaseFolded()) ++at;
        if (at == text.size()) return 0;
        const bool startsWord = at == 0 || !text[at - 1].isLetterOrNumber();
        score += 1 + (startsWord ? 8 : 0) + (at == previous + 1 ? 5 : 0);
        previous = at++;
    }
    return score;
}

}  // namespace

int fuzzyScore(const QString& query, const QString& text) {
    int score = query.isEmpty() ? 1 : 0;
    for (qsizetype at = 0; at < text.size(); ++at) score = std::max(score, scoreFrom(at, query, text));
    if (score <= 1) return score;
    // Of two equal fits the shorter text is meant.
    return score * 100 - static_cast<int>(std::min<qsizetype>(text.size(), 99));
}

QString actionLabel(const QAction& action) {
    QString text = action.text();
    text.replace(QStringLiteral("&&"), QString(QChar(1))).remove('&').replace(QChar(1), '&');
    return text;
}

CommandPalette::CommandPalette(QWidget* parent)
    : QDialog(parent, Qt::Popup | Qt::FramelessWindowHint), m_edit(new QLineEdit(this)), m_list(new QListWidget(this)) {
    // A popup has no border of the desktop's.
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto* frame = new QFrame(this);
    frame->setObjectName(QStringLiteral("popupFrame"));
    outer->addWidget(frame);
    auto* layout = new QVBoxLayout(frame);
    layout->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    layout->setSpacing(kGrid);
    layout->addWidget(m_edit);
    layout->addWidget(m_list);
    m_edit->setPlaceholderText(tr("Type a command or a setting"));
    m_edit->installEventFilter(this);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setUniformItemSizes(true);
    m_list->setItemDelegate(new CommandDelegate(m_list));
    connect(m_edit, &QLineEdit::textChanged, this, &CommandPalette::refill);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::run);
}

void CommandPalette::showFor(const QList<QAction*>& actions) {
    m_actions = actions;
    m_edit->clear();
    refill();
    resize(560, 360);
    if (const QWidget* host = parentWidget()) {
        const QPoint top = host->mapToGlobal(QPoint((host->width() - width()) / 2, 64));
        move(top);
    }
    show();
    m_edit->setFocus();
}

void CommandPalette::refill() {
    struct Entry {
        int score;
        QAction* action;
    };
    std::vector<Entry> entries;
    for (QAction* action : m_actions) {
        if (action->isSeparator() || action->text().isEmpty() || action->menu() != nullptr) continue;
        const int score = fuzzyScore(m_edit->text(), actionLabel(*action));
        if (score > 0) entries.push_back({action->isEnabled() ? score : score - 100'000, action});
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.score > b.score; });
    m_list->clear();
    for (const Entry& entry : entries) {
        const QString keys = entry.action->shortcut().toString(QKeySequence::NativeText);
        auto* item = new QListWidgetItem(m_list);
        item->setData(kActionRole, QVariant::fromValue(entry.action));
        item->setData(kKeysRole, keys);
        item->setText(actionLabel(*entry.action));
        if (!entry.action->isEnabled()) item->setFlags(item->flags() & ~Qt::ItemIsEnabled);
    }
    if (entries.empty()) {
        auto* none = new QListWidgetItem(tr("No command matches “%1”").arg(m_edit->text()), m_list);
        none->setFlags(Qt::NoItemFlags);
    }
    m_list->setCurrentRow(0);
}

void CommandPalette::run() {
    const QListWidgetItem* item = m_list->currentItem();
    auto* action = item == nullptr ? nullptr : item->data(kActionRole).value<QAction*>();
    if (action == nullptr || !action->isEnabled()) return;
    // Closed first: the action may open a window of its own.
    accept();
    action->trigger();
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched != m_edit || event->type() != QEvent::KeyPress) return QDialog::eventFilter(watched, event);
    const int key = static_cast<QKeyEvent*>(event)->key();
    const int step = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
    if (step != 0 && m_list->count() > 0) {
        m_list->setCurrentRow((m_list->currentRow() + step + m_list->count()) % m_list->count());
        return true;
    }
    if (key != Qt::Key_Return && key != Qt::Key_Enter) return QDialog::eventFilter(watched, event);
    run();
    return true;
}

KeySheet::KeySheet(const QList<QAction*>& actions, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keys"));
    // In the order in which the actions come, as in the menus.
    QStringList order;
    QHash<QString, QList<QAction*>> categories;
    for (QAction* action : actions) {
        if (action->shortcut().isEmpty() || action->text().isEmpty()) continue;
        const QString given = action->property("category").toString(), category = given.isEmpty() ? tr("General") : given;
        if (!order.contains(category)) order += category;
        categories[category].append(action);
    }
    auto* content = new QWidget;
    auto* grid = new QGridLayout(content);
    grid->setContentsMargins(2 * kGrid, kGrid, 2 * kGrid, kGrid);
    grid->setHorizontalSpacing(3 * kGrid);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(0, 1);
    int row = 0;
    for (const QString& category : order) {
        auto* heading = new QLabel(category);
        heading->setFont(Theme::systemFont(0, true));
        heading->setContentsMargins(0, row == 0 ? 0 : 2 * kGrid, 0, 0);
        grid->addWidget(heading, row++, 0, 1, 2);
        for (const QAction* action : categories[category]) {
            auto* keys = new QLabel(QKeySequence::listToString(action->shortcuts(), QKeySequence::NativeText).replace(QStringLiteral("; "), tr(" or ")));
            keys->setFont(Theme::monoFont(-1));
            keys->setForegroundRole(QPalette::PlaceholderText);
            grid->addWidget(new QLabel(actionLabel(*action)), row, 0);
            grid->addWidget(keys, row++, 1);
        }
    }
    grid->setRowStretch(row, 1);
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    layout->addWidget(scroll);
    resize(560, 680);
}

}  // namespace strobe
