#include "views/pages/graph/graph_page.h"

#include <QAction>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QVBoxLayout>
#include <algorithm>

#include "views/models/background.h"
#include "views/models/workbench_context.h"
#include "views/widgets/filter_bar.h"
#include "views/widgets/graph_canvas.h"
#include "views/widgets/number_format.h"
#include "views/widgets/segmented_control.h"
#include "views/widgets/theme.h"

namespace strobe {

GraphPage::GraphPage(WorkbenchContext& workbench, QWidget* parent)
    : Page("graphPage", tr("Graph"), tr("What is this network, and what became of it?"), workbench, parent),
      m_stages(new SegmentedControl(SegmentedControl::Mode::One, this)),
      m_colours(new QComboBox(this)),
      m_search(new FilterBar(tr("Find: name, op:Conv, /regex/, time>1ms"), this)),
      m_canvas(new GraphCanvas(this)),
      m_notice(new QLabel(this)) {
    buildHeader();
    body().addWidget(m_notice);
    body().addWidget(m_canvas, 1);
    m_notice->setContentsMargins(kGrid, 2, kGrid, 4);
    m_notice->setForegroundRole(QPalette::PlaceholderText);
    m_notice->hide();
    m_rebuild.setSingleShot(true);
    m_rebuild.setInterval(0);
    connectAll();
    updateStages();
    rebuildSoon();
}

void GraphPage::buildHeader() {
    m_stages->addSegment(tr("Parsed"), tr("The nodes of the ONNX file"));
    m_stages->addSegment(tr("Fused"), tr("After the passes: what was fused, folded and removed"));
    m_stages->addSegment(tr("Engine"), tr("The layers that run, in their precisions and layouts"));
    m_stages->setObjectName("graphStages");
    m_stages->setCurrent(0);
    for (const QString& name : {tr("Op family"), tr("Time"), tr("Precision"), tr("Memory"), tr("Divergence")})
        m_colours->addItem(name);
    m_colours->setObjectName("graphColours");
    m_colours->setToolTip(tr("What the colours mean"));
    m_search->setObjectName("graphSearch");
    auto* colourLabel = new QLabel(tr("Colour"), this);
    colourLabel->setForegroundRole(QPalette::PlaceholderText);
    colourLabel->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
    m_colours->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    leadingControls().addWidget(m_stages);
    headerControls().addWidget(colourLabel);
    headerControls().addWidget(m_colours);
    headerControls().addWidget(m_search, 1);
    fitSearch();
}

void GraphPage::connectAll() {
    WorkbenchContext& shared = context();
    const auto later = [this] { rebuildSoon(); };
    connect(&m_rebuild, &QTimer::timeout, this, &GraphPage::rebuild);
    connect(&shared, &WorkbenchContext::modelChanged, this, [this] {
        m_stageChosen = false;
        setStage(GraphStage::Parsed);
        rebuildSoon();
    });
    connect(&shared, &WorkbenchContext::currentBuildChanged, this, &GraphPage::followNewBuild);
    connect(&shared, &WorkbenchContext::currentComparisonChanged, this, later);
    connect(&shared, &WorkbenchContext::comparisonsChanged, this, later);
    connect(&shared, &WorkbenchContext::problemsChanged, this, later);
    connect(&shared, &WorkbenchContext::selectionChanged, this, [this](const Selection& selection) {
        if (selection.origin != objectName()) showSelection();
    });
    connect(&Theme::instance(), &Theme::themeChanged, this, &GraphPage::recolour);
    connect(m_stages, &SegmentedControl::currentChanged, this, [this](int index) {
        m_stageChosen = true;
        setStage(static_cast<GraphStage>(index));
    });
    connect(m_colours, &QComboBox::activated, this, [this](int index) { setColour(static_cast<GraphColour>(index)); });
    connect(m_search, &FilterBar::filterChanged, this, &GraphPage::runQuery);
    connect(m_search, &FilterBar::nextRequested, m_canvas, &GraphCanvas::nextSearchHit);
    connect(m_search, &FilterBar::previousRequested, m_canvas, &GraphCanvas::previousSearchHit);
    connect(m_search, &FilterBar::dismissed, m_canvas, [this] { m_canvas->setFocus(); });
    connect(m_canvas, &GraphCanvas::selectionChanged, this, &GraphPage::takeSelection);
    connect(m_canvas, &GraphCanvas::searchHitChanged, this, &GraphPage::showHit);
    connect(m_canvas, &GraphCanvas::menuRequested, this, &GraphPage::showMenu);
    connect(m_canvas, &GraphCanvas::layoutFinished, this, [this] {
        const auto selected = m_canvas->selection();
        if (!selected.empty()) m_canvas->reveal(selected.front());
    });
    connect(m_canvas, &GraphCanvas::nodeActivated, this, [this] { context().showPage("inspectorPage"); });
}

void GraphPage::fitSearch() {
    // How many layers became of the nodes needs its room first; the rest of the line are margins.
    constexpr int kLeast = 130, kMost = 420, kRest = 56;
    int others = questionWidth() + kRest;
    for (const QLayout* controls : {static_cast<const QLayout*>(&leadingControls()), static_cast<const QLayout*>(&headerControls())})
        for (int at = 0; at < controls->count(); ++at)
            if (controls->itemAt(at)->widget() != m_search) others += controls->itemAt(at)->sizeHint().width();
    m_search->setFixedWidth(std::clamp(width() - others, kLeast, kMost));
}

void GraphPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    fitSearch();
}

QWidget* GraphPage::focusTarget() {
    return m_canvas;
}

void GraphPage::startSearch() {
    m_search->edit().setFocus(Qt::ShortcutFocusReason);
    m_search->edit().selectAll();
}

void GraphPage::setStage(GraphStage stage) {
    m_stages->setCurrent(static_cast<int>(stage));
    if (stage == m_stage) return;
    m_stage = stage;
    rebuildSoon();
}

void GraphPage::setColour(GraphColour colour) {
    m_colour = colour;
    m_colours->setCurrentIndex(static_cast<int>(colour));
    recolour();
}

void GraphPage::updateStages() {
    const auto index = context().index();
    for (const GraphStage stage : {GraphStage::Fused, GraphStage::Engine})
        m_stages->setSegmentEnabled(static_cast<int>(stage), index->network(stage) != nullptr, context().model() ? tr("Build first") : tr("Open a model first"));
    if (!index->network(m_stage)) setStage(GraphStage::Parsed);
}

void GraphPage::followNewBuild() {
    updateStages();
    // The first result is what was asked for: show it, unless another state was chosen by hand.
    if (context().currentBuild() && m_stage == GraphStage::Parsed && !m_stageChosen) {
        setStage(GraphStage::Engine);
        if (m_colour == GraphColour::Family) setColour(GraphColour::Time);
        m_stageChosen = true;
    }
    rebuildSoon();
}

void GraphPage::rebuildSoon() {
    m_isStale = true;
    m_rebuild.start();
}

void GraphPage::rebuild() {
    const int generation = ++m_generation;
    GraphSceneRequest request{context().index(), m_stage, context().comparisonOfCurrentBuild(),
                              context().session().problems()};
    runInBackground(
        this, [request = std::move(request)] { return std::make_shared<const GraphSceneData>(buildGraphScene(request)); },
        [this, generation, model = context().model()](const std::shared_ptr<const GraphSceneData>& built) {
            if (generation != m_generation) return;
            m_shownModel = model;
            showScene(built);
        });
}

void GraphPage::showScene(std::shared_ptr<const GraphSceneData> scene) {
    m_data = std::move(scene);
    m_isStale = m_rebuild.isActive();
    m_canvas->setEmptyText(context().model() ? tr("This network has no layers") : tr("Open a model to see its graph · Ctrl+O"));
    m_canvas->setScene(m_data->scene);
    showCounts();
    recolour();
    showSelection();
    if (!m_query.isEmpty()) m_canvas->setSearchHits(m_query.find(*m_data));
}

void GraphPage::showCounts() {
    const auto model = context().model();
    if (!model) {
        setQuestion(tr("What is this network, and what became of it?"));
        return fitSearch();
    }
    const QString nodes = formatCount(static_cast<int64_t>(model->parsed->sourceNodes().size()));
    const auto layers = std::count_if(m_data->facts.begin(), m_data->facts.end(), [](const GraphNodeFacts& facts) { return facts.layer.has_value(); });
    if (m_data->stage == GraphStage::Parsed)
        setQuestion(tr("%1 nodes").arg(nodes));
    else
        setQuestion(tr("%1 nodes → %2 layers").arg(nodes, formatCount(layers)));
    fitSearch();
}

void GraphPage::recolour() {
    if (!m_data || !m_data->scene) return;
    const QString missing = whyNoColour(*m_data, m_colour);
    m_notice->setText(missing);
    m_notice->setVisible(!missing.isEmpty());
    m_canvas->setColouring(colourGraph(m_data, m_colour));
}

void GraphPage::showSelection() {
    if (!m_data || !m_data->scene || m_isStale) return;
    const Selection& selection = context().selection();
    GraphCanvas::Ids ids;
    for (const LayerRef& ref : context().selectedLayers(m_stage)) ids.push_back(ref.index);
    if (!selection.tensor.isEmpty())
        for (size_t i = 0; i < m_data->facts.size(); ++i)
            if (m_data->facts[i].tensor == selection.tensor) ids.push_back(m_data->scene->nodes[i].id);
    // A layer of another state is shown as the nodes that it is made of: framed, the rest dimmed.
    const bool isForeign = m_stage == GraphStage::Parsed && selection.layer && selection.layer->stage != m_stage;
    m_canvas->setHighlight(isForeign ? ids : GraphCanvas::Ids(), isForeign);
    m_canvas->setSelection(ids, true);
}

const GraphNodeFacts* GraphPage::factsOf(int64_t id) const {
    if (!m_data || !m_data->scene) return nullptr;
    const auto& nodes = m_data->scene->nodes;
    const auto found = std::find_if(nodes.begin(), nodes.end(), [id](const GraphNode& node) { return node.id == id; });
    return found == nodes.end() ? nullptr : &m_data->facts[static_cast<size_t>(found - nodes.begin())];
}

void GraphPage::takeSelection(const std::vector<int64_t>& ids) {
    m_canvas->setHighlight({}, false);
    Selection selection;
    selection.origin = objectName();
    for (const int64_t id : ids) {
        const GraphNodeFacts* facts = factsOf(id);
        if (!facts) continue;
        selection.nodes.insert(selection.nodes.end(), facts->nodes.begin(), facts->nodes.end());
        if (ids.size() > 1) continue;
        selection.layer = facts->layer;
        selection.tensor = facts->tensor;
    }
    context().select(std::move(selection));
}

void GraphPage::runQuery() {
    m_query = GraphQuery::parse(m_search->text());
    if (!m_query.error().isEmpty()) {
        m_canvas->setSearchHits({});
        m_search->setHint(m_query.error(), true);
        return;
    }
    m_canvas->setSearchHits(m_data ? m_query.find(*m_data) : std::vector<int64_t>());
}

void GraphPage::showHit(int index, int count) {
    if (m_query.isEmpty())
        m_search->setHint({});
    else if (count == 0)
        m_search->setHint(tr("none"), true);
    else
        m_search->setHint(index < 0 ? tr("%1 found").arg(count) : tr("%1 of %2").arg(index + 1).arg(count));
}

void GraphPage::addFoldActions(QMenu& menu, int64_t id) {
    QString group;
    if (m_data && m_data->scene)
        for (const GraphNode& node : m_data->scene->nodes)
            if (node.id == id) group = node.group;
    if (!group.isEmpty()) {
        const bool folded = m_canvas->isGroupCollapsed(group);
        menu.addAction(folded ? tr("Unfold %1").arg(group) : tr("Fold %1").arg(group), this,
                       [this, group, folded] { m_canvas->setGroupCollapsed(group, !folded); });
    }
    if (m_canvas->groupPaths().isEmpty()) return;
    menu.addAction(tr("Fold all"), this, [this] { m_canvas->collapseToDepth(1); });
    menu.addAction(tr("Unfold all"), this, [this] { m_canvas->expandAll(); });
}

void GraphPage::showMenu(const QPoint& at, int64_t id) {
    QMenu menu(this);
    if (id >= 0) {
        menu.addAction(tr("Frame selection"), m_canvas, &GraphCanvas::zoomToSelection)->setShortcut(Qt::Key_F);
        menu.addAction(tr("Show in Inspector"), this, [this] { context().showPage("inspectorPage"); });
        menu.addAction(tr("Show in Layers"), this, [this] { context().showPage("layersPage"); });
        menu.addSeparator();
    }
    addFoldActions(menu, id);
    menu.addSeparator();
    for (const char* name : {"fitGraph", "exportGraphPng", "exportGraphSvg"})
        if (QAction* action = context().action(name)) menu.addAction(action);
    menu.exec(at);
}

}  // namespace strobe
