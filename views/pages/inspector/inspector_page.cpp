#include "views/pages/inspector/inspector_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "views/models/background.h"
#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/models/workbench_context.h"
#include "views/pages/inspector/inspector_sections.h"
#include "views/widgets/bar_chart.h"
#include "views/widgets/elided_label.h"
#include "views/widgets/key_value_view.h"
#include "views/widgets/number_format.h"
#include "views/widgets/status_widgets.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr DataType kForced[] = {DataType::Float32, DataType::BFloat16, DataType::Float16};

QToolButton* menuButton(const QString& text, const QString& tip, QWidget* parent) {
    auto* button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(tip);
    button->setPopupMode(QToolButton::InstantPopup);
    button->setMenu(new QMenu(button));
    return button;
}

}  // namespace

InspectorPage::InspectorPage(WorkbenchContext& workbench, QWidget* parent)
    : Page("inspectorPage", tr("Inspector"), tr("What exactly is this one?"), workbench, parent),
      m_stack(new QStackedWidget(this)),
      m_empty(new EmptyState({}, this)) {
    body().addWidget(m_stack, 1);
    m_stack->addWidget(m_empty);
    buildContent();
    connect(&workbench, &WorkbenchContext::selectionChanged, this, &InspectorPage::follow);
    connect(&workbench, &WorkbenchContext::currentBuildChanged, this, &InspectorPage::follow);
    connect(&workbench, &WorkbenchContext::currentComparisonChanged, this, &InspectorPage::follow);
    connect(&workbench, &WorkbenchContext::comparisonsChanged, this, &InspectorPage::follow);
    follow();
}

void InspectorPage::buildContent() {
    auto* content = new QWidget(this);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_title = new ElidedLabel({}, content);
    m_title->setFont(Theme::systemFont(2, true));
    m_title->setContentsMargins(kGrid, kGrid, kGrid, 0);
    m_name = new ElidedLabel({}, content, Qt::ElideMiddle);
    m_name->setObjectName("layerName");
    m_name->setFont(Theme::monoFont(-1));
    m_name->setForegroundRole(QPalette::PlaceholderText);
    m_name->setContentsMargins(kGrid, 0, kGrid, 4);
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(4, 0, 4, 4);
    m_precision = menuButton(tr("Precision"), tr("Force a precision for this layer in the next build"), content);
    m_pin = menuButton(tr("Pin tactic"), tr("Use this tactic for this layer in the next build"), content);
    m_ban = menuButton(tr("Ban tactic"), tr("Never use this tactic, in any layer"), content);
    m_precision->setObjectName("forcePrecision");
    m_pin->setObjectName("pinTactic");
    m_ban->setObjectName("banTactic");
    for (QToolButton* button : {m_precision, m_pin, m_ban}) buttons->addWidget(button);
    buttons->addStretch(1);
    connect(m_precision->menu(), &QMenu::aboutToShow, this, [this] { fillPrecisionMenu(*m_precision->menu()); });
    connect(m_pin->menu(), &QMenu::aboutToShow, this, [this] { fillTacticMenu(*m_pin->menu(), false); });
    connect(m_ban->menu(), &QMenu::aboutToShow, this, [this] { fillTacticMenu(*m_ban->menu(), true); });
    m_details = new KeyValueView(content);
    m_weightsTitle = new ElidedLabel({}, content);
    m_weightsTitle->setObjectName("weightsTitle");
    m_weightsTitle->setForegroundRole(QPalette::PlaceholderText);
    m_weightsTitle->setContentsMargins(kGrid, 6, kGrid, 0);
    m_weights = new BarChart(content);
    m_weights->setFixedHeight(104);
    layout->addWidget(m_title);
    layout->addWidget(m_name);
    layout->addLayout(buttons);
    layout->addWidget(m_details, 1);
    layout->addWidget(m_weightsTitle);
    layout->addWidget(m_weights);
    connect(m_details, &KeyValueView::linkActivated, this, &InspectorPage::followLink);
    m_stack->addWidget(content);
}

QWidget* InspectorPage::focusTarget() {
    return m_details;
}

void InspectorPage::follow() {
    ++m_generation;
    m_shown.reset();
    m_weights->hide();
    m_weightsTitle->hide();
    const Selection& selection = context().selection();
    const BuildIndex& index = *context().index();
    if (selection.layer && index.layer(*selection.layer)) {
        showLayer(*selection.layer);
    } else if (!selection.tensor.isEmpty()) {
        showTensor(selection.tensor);
    } else if (!selection.nodes.empty()) {
        const auto parsed = index.layersOf(GraphStage::Parsed, selection.nodes);
        if (parsed.size() == 1)
            showLayer(parsed.front());
        else
            showNodes(selection.nodes);
    } else {
        m_empty->setText(context().model() ? tr("Select a node or a layer to see what it is, why it is so, and what else was possible")
                                           : tr("Open a model, then select a node or a layer to see what it is · Ctrl+O"));
        m_stack->setCurrentIndex(0);
    }
    updateButtons();
}

void InspectorPage::present(const QString& title, const QString& name, std::vector<KeyValueSection> sections) {
    m_title->setText(title);
    m_name->setText(name);
    m_sections = std::move(sections);
    m_details->setSections(m_sections);
    m_stack->setCurrentIndex(1);
}

void InspectorPage::showLayer(const LayerRef& ref) {
    const auto index = context().index();
    const Layer& layer = *index->layer(ref);
    m_shown = ref;
    present(layerTitle(layer), toQString(layer.name),
            layerSections({index, context().comparisonOfCurrentBuild(), context().session().problems()}, ref));
    loadWeights(ref);
}

void InspectorPage::showTensor(const QString& name) {
    const auto index = context().index();
    for (const GraphStage stage : {GraphStage::Parsed, GraphStage::Fused}) {
        const Network* network = index->network(stage);
        const TensorId id = network ? network->findTensor(name.toStdString()) : kNone;
        if (id == kNone || !network->isAlive(id)) continue;
        present(tr("Tensor"), name, tensorSections({index, context().comparisonOfCurrentBuild(), {}}, stage, id));
        if (const WeightsPtr& constant = network->tensor(id).constant) loadWeights(name, constant);
        return;
    }
    present(tr("Tensor"), name, {{{}, {{{}, tr("It exists only inside the engine"), {}, false, {}}}}});
}

void InspectorPage::showNodes(const std::vector<int>& nodes) {
    present(tr("%1 nodes").arg(nodes.size()), {},
            manySections({context().index(), context().comparisonOfCurrentBuild(), {}}, nodes));
}

void InspectorPage::loadWeights(const LayerRef& ref) {
    const auto constants = layerConstants(*context().index(), ref);
    const auto largest = std::max_element(constants.begin(), constants.end(), [](const auto& a, const auto& b) { return a.second->bytes < b.second->bytes; });
    if (largest != constants.end() && largest->second->count() > 1) loadWeights(largest->first, largest->second);
}

void InspectorPage::loadWeights(const QString& name, std::shared_ptr<const Weights> weights) {
    const int generation = m_generation;
    runInBackground(
        this, [weights] { return weightStatistics(*weights); },
        [this, name, weights, generation](const WeightStatistics& statistics) {
            if (generation != m_generation) return;
            m_sections.push_back(weightSection(name, *weights, statistics));
            m_details->setSections(m_sections);
            BarChartData bars;
            bars.title = tr("Values of %1").arg(name);
            bars.values = statistics.histogram;
            bars.low = statistics.min;
            bars.high = statistics.max;
            bars.valueName = tr("values");
            m_weightsTitle->setText(bars.title);
            m_weightsTitle->setVisible(!bars.values.empty());
            m_weights->setVisible(!bars.values.empty());
            m_weights->setData(std::move(bars));
        });
}

void InspectorPage::followLink(const QString& link) {
    const QString kind = link.section(':', 0, 0), rest = link.section(':', 1);
    if (kind == QLatin1String("tensor")) {
        context().selectTensor(rest, objectName());
    } else if (kind == QLatin1String("node")) {
        const auto layers = context().index()->layersOf(GraphStage::Parsed, {rest.toInt()});
        if (layers.size() == 1)
            context().selectLayer(layers.front(), objectName());
        else
            context().selectNodes({rest.toInt()}, objectName());
    } else if (kind == QLatin1String("layer")) {
        const auto stage = static_cast<GraphStage>(rest.section(':', 0, 0).toInt());
        const auto build = context().currentBuild();
        context().selectLayer({stage, stage == GraphStage::Parsed || !build ? 0 : build->id, rest.section(':', 1).toInt()}, objectName());
    }
}

const Layer* InspectorPage::ruledLayer() const {
    if (!m_shown) return nullptr;
    const auto index = context().index();
    const auto engine = index->counterparts(*m_shown, GraphStage::Engine);
    return index->layer(engine.size() == 1 ? engine.front() : *m_shown);
}

void InspectorPage::updateButtons() {
    const Layer* layer = ruledLayer();
    m_precision->setVisible(layer != nullptr);
    const bool hasTactics = m_shown && context().index()->counterparts(*m_shown, GraphStage::Engine).size() == 1;
    m_pin->setVisible(hasTactics);
    m_ban->setVisible(hasTactics);
}

void InspectorPage::fillPrecisionMenu(QMenu& menu) {
    menu.clear();
    const Layer* layer = ruledLayer();
    if (!layer) return;
    const auto& rules = context().session().settings().builder.precisionRules;
    const auto rule = std::find_if(rules.rbegin(), rules.rend(), [&](const PrecisionRule& each) { return each.pattern == layer->name; });
    const auto add = [&](const QString& text, std::optional<DataType> type, bool checked) {
        QAction* action = menu.addAction(text, this, [this, type] { forcePrecision(type); });
        action->setCheckable(true);
        action->setChecked(checked);
    };
    add(tr("As the build decides"), std::nullopt, rule == rules.rend());
    for (const DataType type : kForced) add(tr("Force %1").arg(precisionLabel(type)), type, rule != rules.rend() && rule->type == type);
}

void InspectorPage::forcePrecision(std::optional<DataType> type) {
    const Layer* layer = ruledLayer();
    if (!layer) return;
    Settings settings = context().session().settings();
    auto& rules = settings.builder.precisionRules;
    rules.erase(std::remove_if(rules.begin(), rules.end(), [&](const PrecisionRule& each) { return each.pattern == layer->name; }), rules.end());
    if (type) rules.push_back({layer->name, *type});
    context().session().setSettings(std::move(settings), "precision of " + layer->name);
}

void InspectorPage::fillTacticMenu(QMenu& menu, bool ban) {
    menu.clear();
    const Layer* layer = ruledLayer();
    const auto refs = m_shown ? context().index()->counterparts(*m_shown, GraphStage::Engine) : std::vector<LayerRef>();
    if (!layer || refs.size() != 1) return;
    QStringList tactics;
    for (const CandidateRecord& record : context().index()->engineLayer(refs.front())->candidates)
        if (record.declined.empty()) tactics += toQString(record.tactic);
    tactics.removeDuplicates();
    const Settings now = context().session().settings();
    const auto pinned = now.builder.pinnedTactics.find(layer->name);
    for (const QString& tactic : tactics) {
        const std::string name = tactic.toStdString();
        const bool on = ban ? now.builder.bannedTactics.count(name) != 0 : pinned != now.builder.pinnedTactics.end() && pinned->second == name;
        QAction* action = menu.addAction(tactic, this, [this, name, on, ban, layerName = layer->name] {
            Settings settings = context().session().settings();
            if (ban && on)
                settings.builder.bannedTactics.erase(name);
            else if (ban)
                settings.builder.bannedTactics.insert(name);
            else if (on)
                settings.builder.pinnedTactics.erase(layerName);
            else
                settings.builder.pinnedTactics[layerName] = name;
            const std::string verb = ban ? (on ? "allow " : "ban ") : (on ? "unpin " : "pin ");
            context().session().setSettings(std::move(settings), verb + name);
        });
        action->setCheckable(true);
        action->setChecked(on);
    }
}

}  // namespace strobe
