#include "views/pages/session/session_page.h"

#include <QHeaderView>
#include <QIcon>
#include <QMenu>
#include <QPainter>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "engine_core/onnx/importer.h"
#include "views/models/build_label.h"
#include "views/models/compare_table.h"
#include "views/models/display_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/number_format.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kTreePadding = 4;  // as in the style sheet

enum ItemKind : int { kModel = QTreeWidgetItem::UserType, kBuild, kComparison, kHint };

QString buildTooltip(const Build& build) {
    QStringList lines{toQString(build.name), QStringLiteral("built %1").arg(toQString(build.createdAt))};
    lines += QStringLiteral("engine %1, %2 layers").arg(formatBytes(static_cast<double>(build.engineBytes)), formatCount(static_cast<int64_t>(build.engine->graph().layers.size())));
    if (build.profile) {
        const Statistics& latency = build.profile->latency;
        lines += QStringLiteral("%1, %2 runs").arg(latencyText(latency), formatCount(latency.count));
        if (const QString doubt = doubtText(build); !doubt.isEmpty()) lines += doubt;
    }
    return lines.join('\n');
}

QColor precisionColour(const Build& build) {
    return Theme::instance().precision(toQString(precisionModeName(build.settings.builder.precision)));
}

template <class Paint>
QIcon mark(double ratio, Paint paint) {
    constexpr int kSide = 16;
    QPixmap pixmap(QSize(kSide, kSide) * ratio);
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    paint(painter, QRectF(4, 4, kSide - 8, kSide - 8));
    return QIcon(pixmap);
}

/// A disc in the colour of the build's precision; a ring for one that is not shown.
QIcon buildMark(const Build& build, bool isCurrent, double ratio) {
    return mark(ratio, [&](QPainter& painter, const QRectF& disc) {
        painter.setPen(QPen(precisionColour(build), 2));
        painter.setBrush(isCurrent ? QBrush(precisionColour(build)) : QBrush(Qt::NoBrush));
        painter.drawEllipse(disc);
    });
}

/// Both builds' colours, half and half.
QIcon comparisonMark(const Build& a, const Build& b, double ratio) {
    return mark(ratio, [&](QPainter& painter, const QRectF& disc) {
        painter.setPen(Qt::NoPen);
        const QRectF whole = disc.adjusted(-1, -1, 1, 1);
        painter.setBrush(precisionColour(a));
        painter.drawPie(whole, 90 * 16, 180 * 16);
        painter.setBrush(precisionColour(b));
        painter.drawPie(whole, -90 * 16, 180 * 16);
    });
}

}  // namespace

SessionPage::SessionPage(WorkbenchContext& workbench, QWidget* parent)
    : Page("sessionPage", tr("Session"), tr("What have I built?"), workbench, parent), m_tree(new QTreeWidget(this)) {
    m_tree->setObjectName("sessionTree");
    m_tree->setColumnCount(2);
    m_tree->setHeaderHidden(true);
    m_tree->setRootIsDecorated(false);
    m_tree->setIndentation(kGrid);
    m_tree->setContextMenuPolicy(Qt::CustomContextMenu);
    m_tree->header()->setStretchLastSection(false);
    m_tree->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_tree->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    body().addWidget(m_tree);
    connect(m_tree, &QTreeWidget::itemClicked, this, &SessionPage::choose);
    connect(m_tree, &QTreeWidget::itemActivated, this, &SessionPage::choose);
    connect(m_tree, &QWidget::customContextMenuRequested, this, &SessionPage::showMenu);
    for (const auto signal : {&WorkbenchContext::modelChanged, &WorkbenchContext::buildsChanged, &WorkbenchContext::comparisonsChanged,
                              &WorkbenchContext::currentBuildChanged, &WorkbenchContext::currentComparisonChanged, &WorkbenchContext::documentChanged})
        connect(&workbench, signal, this, &SessionPage::fill);
    connect(&Theme::instance(), &Theme::themeChanged, this, &SessionPage::fill);
    fill();
}

QWidget* SessionPage::focusTarget() {
    return m_tree;
}

void SessionPage::fill() {
    m_tree->clear();
    if (!context().model()) {
        addHint(tr("No model is open · Ctrl+O"));
        return;
    }
    addModel();
    addBuilds();
    addComparisons();
    showRows();
}

/// Without scrolling, up to a point: the settings below want their room too.
void SessionPage::showRows() {
    constexpr int kFewest = 4, kMost = 8;  // fewest: the model, two builds and what they compare to
    const int rows = std::clamp(m_tree->topLevelItemCount(), kFewest, kMost);
    const int rowHeight = std::max(m_tree->sizeHintForRow(0), fontMetrics().height() + kGrid);
    m_tree->setMinimumHeight(rows * rowHeight + 2 * (m_tree->frameWidth() + kTreePadding));
}

void SessionPage::addModel() {
    const auto model = context().model();
    auto* item = new QTreeWidgetItem(m_tree, {toQString(model->name), formatBytes(static_cast<double>(model->imported->fileBytes))}, kModel);
    item->setFont(0, Theme::systemFont(0, true));
    item->setForeground(1, Theme::instance().colours().secondary);
    item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
    item->setToolTip(0, toQString(model->path));
}

void SessionPage::addHint(const QString& text) {
    auto* hint = new QTreeWidgetItem(m_tree, {text}, kHint);
    hint->setForeground(0, Theme::instance().colours().secondary);
    hint->setFlags(Qt::ItemIsEnabled);
}

void SessionPage::addBuilds() {
    const auto builds = context().session().builds();
    if (builds.empty()) addHint(tr("No build yet · Ctrl+B"));
    const auto current = context().currentBuild();
    for (const auto& build : builds) {
        const QString time =
            build->profile ? markedTime(*build, formatTime(build->profile->latency.median / 1e3)) : tr("not profiled");
        const bool isCurrent = current == build;
        auto* item = new QTreeWidgetItem(m_tree, {toQString(build->name), time}, kBuild);
        item->setData(0, Qt::UserRole, build->id);
        item->setIcon(0, buildMark(*build, isCurrent, devicePixelRatioF()));
        item->setFont(1, Theme::figuresFont());
        item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
        for (const int column : {0, 1}) item->setToolTip(column, buildTooltip(*build));
        if (!doubtText(*build).isEmpty()) item->setForeground(1, Theme::instance().colours().warning);
        if (isCurrent) {
            item->setForeground(0, Theme::instance().colours().accent);
            m_tree->setCurrentItem(item);
        }
    }
}

void SessionPage::addComparisons() {
    Session& session = context().session();
    for (const auto& comparison : session.comparisons()) {
        const auto a = session.build(comparison->a), b = session.build(comparison->b);
        if (!a || !b) continue;
        const bool isCurrent = context().currentComparison() == comparison;
        const CompareAnswer speed = speedAnswer(*a, *b, comparison.get());
        auto* item = new QTreeWidgetItem(
            m_tree, {tr("%1 ↔ %2").arg(toQString(a->name), toQString(b->name)), speed.brief}, kComparison);
        item->setData(0, Qt::UserRole, comparison->id);
        item->setIcon(0, comparisonMark(*a, *b, devicePixelRatioF()));
        item->setFont(1, Theme::figuresFont());
        item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
        item->setToolTip(0, tr("%1 is the reference, %2 the candidate").arg(toQString(a->name), toQString(b->name)));
        item->setToolTip(1, speed.headline + '\n' + speed.detail);
        if (speed.isDoubtful) item->setForeground(1, Theme::instance().colours().warning);
        if (isCurrent) item->setForeground(0, Theme::instance().colours().accent);
    }
}

void SessionPage::choose(QTreeWidgetItem* item) {
    const int id = item->data(0, Qt::UserRole).toInt();
    if (item->type() == kBuild) {
        context().setCurrentBuild(id);
    } else if (item->type() == kComparison) {
        context().setCurrentComparison(id);
        context().showPage("comparePage");
    }
}

void SessionPage::fillBuildMenu(QMenu& menu, int build) {
    Session& session = context().session();
    QMenu* compare = menu.addMenu(tr("Compare with"));
    for (const auto& other : session.builds())
        if (other->id != build)
            compare->addAction(tr("%1 as the reference").arg(toQString(other->name)), this, [this, build, id = other->id] { context().session().compare(id, build); });
    compare->setEnabled(!compare->isEmpty());
    menu.addAction(tr("Measure again"), this, [this, build] { context().session().profileAgain(build); });
    menu.addAction(tr("Use its settings"), this, [this, build] {
        if (const auto chosen = context().session().build(build)) context().session().setSettings(chosen->settings, "settings of " + chosen->name);
    });
    if (QAction* action = context().action("export")) menu.addAction(action);
    menu.addSeparator();
    menu.addAction(tr("Remove"), this, [this, build] { context().session().removeBuild(build); });
}

void SessionPage::showMenu(const QPoint& at) {
    QTreeWidgetItem* item = m_tree->itemAt(at);
    QMenu menu(this);
    if (item && item->type() == kBuild)
        fillBuildMenu(menu, item->data(0, Qt::UserRole).toInt());
    else
        for (const char* id : {"build", "reload"})
            if (QAction* action = context().action(id)) menu.addAction(action);
    if (!menu.isEmpty()) menu.exec(m_tree->viewport()->mapToGlobal(at));
}

}  // namespace strobe
