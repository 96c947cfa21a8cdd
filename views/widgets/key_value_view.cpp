#include "views/widgets/key_value_view.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QScrollBar>
#include <QTimer>

#include "views/widgets/breakable_text.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

/// A value that wraps wherever its parts divide, and is copied as it is.
class ValueLabel : public QLabel {
public:
    explicit ValueLabel(const KeyValueRow& row) {
        setWordWrap(true);
        setTextFormat(row.link.isEmpty() ? Qt::PlainText : Qt::RichText);
        const QString text = row.mono ? breakable(row.value) : row.value;
        setText(row.link.isEmpty() ? text
                                   : QStringLiteral("<a style=\"text-decoration:none\" href=\"%1\">%2</a>")
                                         .arg(row.link.toHtmlEscaped(), text.toHtmlEscaped()));
        setTextInteractionFlags(Qt::TextBrowserInteraction);
        setFont(row.mono ? Theme::monoFont(-1) : Theme::figuresFont());
        setMinimumWidth(40);
        auto* copy = new QAction(QObject::tr("Copy"), this);
        QObject::connect(copy, &QAction::triggered, this, [this, value = row.value] {
            QApplication::clipboard()->setText(hasSelectedText() ? unbroken(selectedText()) : value);
        });
        addAction(copy);
    }

protected:
    void keyPressEvent(QKeyEvent* event) override {
        if (event->matches(QKeySequence::Copy))
            actions().front()->trigger();
        else
            QLabel::keyPressEvent(event);
    }
    void contextMenuEvent(QContextMenuEvent* event) override { event->ignore(); }  // the view has one for all
};

}  // namespace

KeyValueView::KeyValueView(QWidget* parent) : QScrollArea(parent) {
    setWidgetResizable(true);
    setFrameShape(NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setBackgroundRole(QPalette::Base);
    // Rich text keeps the link colour that it was laid out with.
    connect(&Theme::instance(), &Theme::themeChanged, this, [this] {
        const int at = verticalScrollBar()->value();
        rebuild();
        QTimer::singleShot(0, this, [this, at] { verticalScrollBar()->setValue(at); });  // once it knows its height
    });
}

void KeyValueView::setSections(std::vector<KeyValueSection> sections) {
    // A finished build is told of in several ways: making a label for each row takes long enough to do it once.
    if (sections == m_sections && widget() != nullptr) return;
    m_sections = std::move(sections);
    rebuild();
}

void KeyValueView::rebuild() {
    auto* content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    content->setAutoFillBackground(true);
    auto* grid = new QGridLayout(content);
    grid->setContentsMargins(kGrid, kGrid, kGrid, kGrid);
    grid->setHorizontalSpacing(kGrid + 4);
    grid->setVerticalSpacing(3);
    grid->setColumnStretch(1, 1);
    int at = 0;
    for (const KeyValueSection& section : m_sections) {
        if (!section.heading.isEmpty()) {
            auto* heading = new ElidedLabel(section.heading, nullptr, Qt::ElideMiddle);  // a tensor's long name must not widen the page
            heading->setFont(Theme::systemFont(0, true));
            heading->setContentsMargins(0, at == 0 ? 0 : kGrid, 0, 2);
            grid->addWidget(heading, at++, 0, 1, 2);
        }
        for (const KeyValueRow& row : section.rows) addRow(*grid, at++, row);
    }
    grid->setRowStretch(at, 1);
    setWidget(content);
}

void KeyValueView::addRow(QGridLayout& grid, int at, const KeyValueRow& row) {
    auto* value = new ValueLabel(row);
    value->setToolTip(row.tooltip);
    connect(value, &QLabel::linkActivated, this, &KeyValueView::linkActivated);
    if (row.key.isEmpty()) {
        value->setForegroundRole(QPalette::PlaceholderText);
        grid.addWidget(value, at, 0, 1, 2);
        return;
    }
    auto* key = new QLabel(row.key);
    key->setForegroundRole(QPalette::PlaceholderText);
    key->setToolTip(row.tooltip);
    grid.addWidget(key, at, 0, Qt::AlignTop);
    grid.addWidget(value, at, 1);
}

QString KeyValueView::plainText() const {
    QString text;
    for (const KeyValueSection& section : m_sections) {
        if (!section.heading.isEmpty()) text += section.heading + '\n';
        for (const KeyValueRow& row : section.rows)
            text += (row.key.isEmpty() ? row.value : row.key + QStringLiteral(": ") + row.value) + '\n';
    }
    return text;
}

void KeyValueView::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu(this);
    // The value under the pointer.
    if (QWidget* value = childAt(event->pos()); value != nullptr) menu.addActions(value->actions());
    menu.addAction(tr("Copy all"), this, [this] { QApplication::clipboard()->setText(plainText()); });
    menu.exec(event->globalPos());
}

}  // namespace strobe
