#include "views/pages/layers/layers_page.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "views/delegates/cell_delegates.h"
#include "views/models/build_label.h"
#include "views/models/workbench_context.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/number_format.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/table_view.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr int kColumnWidths[] = {40, 166, 250, 74, 150, 76, 116, 106, 82, 64, 70, 60, 76, 60, 190, 330, 88, 80, 56, 80};
static_assert(std::size(kColumnWidths) == LayerTableModel::ColumnTotal);
constexpr int kGroupWidths[] = {190, 70, 90, 160, 90, 90, 80, 80};
static_assert(std::size(kGroupWidths) == LayerGroupModel::ColumnTotal);

}  // namespace

LayersPage::LayersPage(WorkbenchContext& context, QWidget* parent)
    : Page(QStringLiteral("layersPage"), tr("Layers"), tr("Where does the time go?"), context, parent),
      m_filter(new FilterBar(tr("Filter: conv op:Conv* time>1ms precision:bf16"), this)),
      m_grouper(new SegmentedControl(SegmentedControl::Mode::One, this)),
      m_stack(new QStackedWidget(this)),
      m_empty(new EmptyState(tr("Build and profile to see layer times · Ctrl+B"), this)),
      m_layerPane(new TablePane(this)),
      m_groupPane(new TablePane(this)) {
    buildHeader();
    buildLayerTable();
    buildGroupTable();
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_layerPane);
    m_stack->addWidget(m_groupPane);
    body().addWidget(m_stack);
    connect(&context, &WorkbenchContext::currentBuildChanged, this, &LayersPage::followBuild);
    connect(&context, &WorkbenchContext::selectionChanged, this, &LayersPage::followSelection);
    followBuild();
}

void LayersPage::buildHeader() {
    for (const auto& [text, tip] : {std::pair{tr("Layers"), tr("One row a layer")}, {tr("By op"), tr("Add up by op")},
                                    {tr("By precision"), tr("Add up by the type of the result")}, {tr("By scope"), tr("Add up by name scope")}})
        m_grouper->addSegment(text, tip);
    m_grouper->setCurrent(0);
    fitFilter();
    m_filter->setToolTip(tr("Words look in names, op, tactic and ONNX nodes. Conditions: op: precision: scope: tactic: why: shape: node:, "
                            "and time share cumulative flops bytes gflops gbps with < > =. A leading - turns a term round."));
    headerControls().addWidget(m_grouper);
    headerControls().addWidget(m_filter);
    connect(m_grouper, &SegmentedControl::currentChanged, this, [this](int index) { setGrouping(static_cast<LayerGrouping>(index)); });
    connect(m_filter, &FilterBar::filterChanged, this, &LayersPage::applyFilter);
    connect(m_filter, &FilterBar::nextRequested, this, [this] { m_layerPane->table().setFocus(); });
}

void LayersPage::buildLayerTable() {
    TableView& table = m_layerPane->table();
    table.setObjectName(QStringLiteral("layerTable"));
    m_layerPane->setModel(&m_filtered);
    table.setEmptyText(tr("No layer passes the filter"));
    table.setTextElideMode(Qt::ElideRight);
    table.setItemDelegate(new TextDelegate(&table));
    table.setItemDelegateForColumn(LayerTableModel::Name, new NameDelegate(&table));
    table.setItemDelegateForColumn(LayerTableModel::Op, new ChipDelegate(ChipDelegate::Look::Dot, &table));
    table.setItemDelegateForColumn(LayerTableModel::Precision, new ChipDelegate(ChipDelegate::Look::Filled, &table));
    table.setItemDelegateForColumn(LayerTableModel::Share, new ShareDelegate(&table));
    table.setColumnWidths(kColumnWidths);
    // Where the time goes stands beside the name; what the layer is like comes after.
    QHeaderView& header = *table.horizontalHeader();
    int place = header.visualIndex(LayerTableModel::Op);
    for (const int column : {LayerTableModel::Time, LayerTableModel::Share, LayerTableModel::Cumulative}) header.moveSection(header.visualIndex(column), ++place);
    header.moveSection(header.visualIndex(LayerTableModel::PrecisionNote), header.visualIndex(LayerTableModel::Precision) + 1);
    table.sortByColumn(LayerTableModel::Time, Qt::DescendingOrder);
    table.setMenuBuilder([this](QMenu& menu, const QModelIndex& index) { fillMenu(menu, index); });
    connect(&table, &TableView::rowSelectionChanged, this, &LayersPage::publishLayers);
    connect(&table, &TableView::rowActivated, this, [this] { context().showPage(QStringLiteral("graphPage")); });
}

void LayersPage::buildGroupTable() {
    TableView& table = m_groupPane->table();
    table.setObjectName(QStringLiteral("groupTable"));
    m_sortedGroups.setSourceModel(&m_groupModel);
    m_groupPane->setModel(&m_sortedGroups);
    table.setEmptyText(tr("No layer passes the filter"));
    table.setItemDelegate(new TextDelegate(&table));
    table.setItemDelegateForColumn(LayerGroupModel::Share, new ShareDelegate(&table));
    table.setItemDelegateForColumn(LayerGroupModel::Key, new ChipDelegate(ChipDelegate::Look::Dot, &table));
    table.setColumnWidths(kGroupWidths);
    table.sortByColumn(LayerGroupModel::Time, Qt::DescendingOrder);
    connect(&table, &TableView::rowSelectionChanged, this, &LayersPage::publishGroups);
    connect(&table, &TableView::rowActivated, this, &LayersPage::openGroup);
}

void LayersPage::fitFilter() {
    // The headline needs its room first; the rest of the line are margins and the close button.
    constexpr int kLeast = 120, kMost = 300, kRest = 84;
    m_filter->setFixedWidth(std::clamp(width() - questionWidth() - m_grouper->sizeHint().width() - kRest, kLeast, kMost));
}

void LayersPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    fitFilter();
}

QWidget* LayersPage::focusTarget() {
    return m_filter;
}

void LayersPage::setFilter(const QString& text) {
    m_filter->setText(text);
}

void LayersPage::setGrouping(LayerGrouping grouping) {
    m_grouping = grouping;
    m_grouper->setCurrent(static_cast<int>(grouping));
    updateGroups();
    if (m_layers) m_stack->setCurrentWidget(grouping == LayerGrouping::None ? m_layerPane : m_groupPane);
}

QString LayersPage::question() const {
    QStringList parts{layersHeadline(*m_layers)};
    const auto slow = std::count_if(m_layers->rows.begin(), m_layers->rows.end(), [](const LayerRow& r) { return r.facts.isReference; });
    if (!m_doubt.isEmpty()) parts << tr("! measured on a busy machine");
    if (slow > 0) parts << tr("%n layer(s) on the slow reference kernel", nullptr, static_cast<int>(slow));
    return parts.join(QStringLiteral(" · "));
}

void LayersPage::followBuild() {
    const auto build = context().currentBuild();
    m_isFollowing = true;
    m_layers = build ? makeLayerTable(*build) : nullptr;
    m_doubt = build ? doubtText(*build) : QString();
    for (TablePane* pane : {m_layerPane, m_groupPane}) pane->setNote(build ? clocksText(*build) : QString());
    TableView& table = m_layerPane->table();
    const bool hasCounters = m_layers && m_layers->hasCounters;
    for (const int column : {LayerTableModel::Cycles, LayerTableModel::InstructionsPerCycle, LayerTableModel::CacheMisses})
        table.setColumnHidden(column, !hasCounters);
    const bool isCalledOnce = !m_layers || std::all_of(m_layers->rows.begin(), m_layers->rows.end(),
                                                       [](const LayerRow& r) { return r.calls > 0.99 && r.calls < 1.01; });
    table.setColumnHidden(LayerTableModel::Calls, isCalledOnce);
    table.setColumnHidden(LayerTableModel::PrecisionNote, !(m_layers && m_layers->hasPrecisionNotes));
    // After the hiding: the footer adds up what is visible.
    m_model.setTable(m_layers);
    m_isFollowing = false;
    const bool hasModel = context().model() != nullptr;
    m_empty->setAction(hasModel ? context().action(QStringLiteral("build")) : nullptr);
    m_empty->setText(!hasModel ? tr("Open a model, then build and profile it to see where its time goes · Ctrl+O")
                     : build && !build->profile ? tr("%1 was built without a profile. Build and profile to see layer times · Ctrl+B").arg(QString::fromStdString(build->name))
                                              : tr("Build and profile to see layer times · Ctrl+B"));
    setQuestion(m_layers ? question() : tr("Where does the time go?"));
    fitFilter();
    applyFilter(m_filter->text());
    setGrouping(m_grouping);
    if (!m_layers) m_stack->setCurrentWidget(m_empty);
    followSelection(context().selection());
}

void LayersPage::applyFilter(const QString& text) {
    LayerFilter filter = LayerFilter::parse(text);
    const QString error = filter.error();
    const bool isEmpty = filter.isEmpty();
    m_isFollowing = true;
    m_filtered.setFilter(std::move(filter));
    m_isFollowing = false;
    if (!error.isEmpty())
        m_filter->setHint(error, true);
    else
        m_filter->setHint(isEmpty || !m_layers ? QString() : tr("%1 of %2").arg(m_filtered.rowCount()).arg(m_model.rowCount()));
    updateGroups();
}

void LayersPage::updateGroups() {
    std::vector<int> rows;
    for (int row = 0; row < m_filtered.rowCount(); ++row) rows.push_back(m_filtered.mapToSource(m_filtered.index(row, 0)).row());
    m_isFollowing = true;
    m_groupModel.setGroups(m_layers, rows, m_grouping == LayerGrouping::None ? LayerGrouping::Op : m_grouping);
    m_isFollowing = false;
}

void LayersPage::publishLayers() {
    const QItemSelectionModel* selected = m_layerPane->table().selectionModel();
    const auto build = context().currentBuild();
    if (m_isFollowing || !build || selected == nullptr || !selected->hasSelection()) return;
    Selection selection;
    selection.origin = objectName();
    const QModelIndexList rows = selected->selectedRows();
    for (const QModelIndex& index : rows) {
        const LayerRow& row = m_model.row(m_filtered.mapToSource(index).row());
        selection.nodes.insert(selection.nodes.end(), row.provenance.begin(), row.provenance.end());
    }
    // A single layer is pointed at; several are their nodes.
    if (rows.size() == 1)
        selection.layer = LayerRef{GraphStage::Engine, build->id, m_model.row(m_filtered.mapToSource(rows.front()).row()).layer};
    context().select(std::move(selection));
}

void LayersPage::publishGroups() {
    const QItemSelectionModel* selected = m_groupPane->table().selectionModel();
    if (m_isFollowing || !m_layers || selected == nullptr || !selected->hasSelection()) return;
    std::vector<int> nodes;
    for (const QModelIndex& index : selected->selectedRows())
        for (const int row : m_groupModel.group(m_sortedGroups.mapToSource(index).row()).rows) {
            const auto& provenance = m_layers->rows[static_cast<size_t>(row)].provenance;
            nodes.insert(nodes.end(), provenance.begin(), provenance.end());
        }
    context().selectNodes(std::move(nodes), objectName());
}

void LayersPage::followSelection(const Selection& selection) {
    if (!m_layers) return;
    const bool isOwn = selection.origin == objectName();
    // What was picked here is shown already; a group's nodes must not pick rows of the hidden table twice over.
    if (isOwn && m_stack->currentWidget() == m_layerPane) return;
    QItemSelection rows;
    for (const LayerRef& layer : context().selectedLayers(GraphStage::Engine)) {
        const QModelIndex index = m_filtered.mapFromSource(m_model.index(m_model.rowOfLayer(layer.index), 0));
        if (index.isValid()) rows.select(index, index);
    }
    m_isFollowing = true;
    TableView& table = m_layerPane->table();
    table.selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (!rows.isEmpty()) {
        const QModelIndex first = rows.indexes().front();
        table.selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate);
        table.scrollTo(first.siblingAtColumn(LayerTableModel::Name));
    }
    m_isFollowing = false;
}

void LayersPage::openGroup(const QModelIndex& index) {
    const QString term = m_groupModel.filterFor(m_sortedGroups.mapToSource(index).row());
    setGrouping(LayerGrouping::None);
    setFilter((m_filter->text() + ' ' + term).trimmed());
}

void LayersPage::fillMenu(QMenu& menu, const QModelIndex& index) {
    if (!index.isValid()) return;
    const LayerRow& row = m_model.row(m_filtered.mapToSource(index).row());
    menu.addAction(tr("Show in Graph"), this, [this] { context().showPage(QStringLiteral("graphPage")); });
    menu.addAction(tr("Show only op %1").arg(row.op), this,
                   [this, term = LayerFilter::term(QStringLiteral("op"), row.op)] { setFilter(term); });
    if (!row.scope.isEmpty())
        menu.addAction(tr("Show only scope %1").arg(row.scope), this,
                       [this, term = LayerFilter::term(QStringLiteral("scope"), row.scope)] { setFilter(term); });
    if (!m_filter->text().isEmpty()) menu.addAction(tr("Show all layers"), this, [this] { setFilter({}); });
}

}  // namespace strobe
