#include "views/pages/inspector/inspector_sections.h"

#include <QCoreApplication>
#include <algorithm>

#include "engine_core/ops/op_definition.h"
#include "views/models/display_text.h"
#include "views/pages/inspector/inspector_records.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

constexpr size_t kMaxNodeLinks = 16;
constexpr qsizetype kLongShape = 40;

QString tr(const char* text) {
    return QCoreApplication::translate("Inspector", text);
}

QString stageName(GraphStage stage) {
    return stage == GraphStage::Parsed ? tr("node of the file") : stage == GraphStage::Fused ? tr("fused layer") : tr("engine layer");
}

QString layerLink(const LayerRef& ref) {
    return QStringLiteral("layer:%1:%2").arg(static_cast<int>(ref.stage)).arg(ref.index);
}

KeyValueRow tensorRow(const QString& key, const Tensor& tensor, const SymbolValues* symbols) {
    const QString symbolic = tensorShapeText(tensor), concrete = tensorShapeText(tensor, symbols);
    // An expression that fills lines says less than the extents; the tensor's own page and the tip have it whole.
    const bool isShort = concrete != symbolic && symbolic.size() > kLongShape;
    QString text =
        QStringLiteral("%1\n%2 %3")
            .arg(toQString(tensor.name), toQString(dataTypeName(tensor.type)), isShort ? concrete : symbolic);
    if (concrete != symbolic && !isShort) text += QStringLiteral(" = ") + concrete;
    if (tensor.constant) text += tr(" · constant, %1").arg(formatBytes(static_cast<double>(tensor.constant->bytes)));
    if (tensor.isSymbolicConstant()) text += tr(" · known from the shapes");
    // A link is rich text, where a line break is markup.
    return {key, text.replace('\n', QStringLiteral(" · ")), QStringLiteral("tensor:") + toQString(tensor.name), true,
            isShort ? symbolic : QString()};
}

KeyValueSection tensorList(const QString& heading, const Network& network, const std::vector<TensorId>& ids, const SymbolValues* symbols) {
    KeyValueSection section{heading, {}};
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != kNone) section.rows.push_back(tensorRow(QString::number(i), network.tensor(ids[i]), symbols));
    return section;
}

KeyValueSection attributeSection(const Layer& layer) {
    KeyValueSection section{tr("Attributes"), {}};
    for (const auto& [name, value] : layer.attributes.values()) section.rows.push_back({toQString(name), toQString(toString(value)), {}, true, {}});
    if (layer.program) {
        const bool isChain = layer.op && layer.op->name == "Pointwise";
        section.rows.push_back({isChain ? tr("computes") : tr("then"), programSteps(*layer.program).join(QStringLiteral(" → ")), {}, true, toQString(layer.program->toString())});
    }
    return section;
}

KeyValueSection provenanceSection(const BuildIndex& index, const LayerRef& ref, const Layer& layer) {
    KeyValueSection section{ref.stage == GraphStage::Parsed ? tr("Became") : tr("Made from"), {}};
    const auto& sources = index.network(ref.stage)->sourceNodes();
    if (ref.stage != GraphStage::Parsed)
        for (const int node : layer.provenance) {
            if (section.rows.size() == kMaxNodeLinks) {
                section.rows.push_back({{}, tr("and %1 more").arg(layer.provenance.size() - kMaxNodeLinks), {}, false, {}});
                break;
            }
            const SourceNode& source = sources[static_cast<size_t>(node)];
            section.rows.push_back({{}, QStringLiteral("%1 %2").arg(toQString(source.opType), toQString(source.name)), QStringLiteral("node:%1").arg(node), true, {}});
        }
    for (const GraphStage stage : {GraphStage::Fused, GraphStage::Engine}) {
        if (stage == ref.stage || !index.network(stage)) continue;
        const auto others = index.counterparts(ref, stage);
        for (const LayerRef& other : others) section.rows.push_back({stageName(stage), toQString(index.layer(other)->name), layerLink(other), true, {}});
        if (others.empty()) section.rows.push_back({stageName(stage), tr("none: folded or removed"), {}, false, {}});
    }
    return section;
}

KeyValueSection differenceSection(const InspectorSubject& subject, const Layer& layer) {
    KeyValueSection section{tr("Against the reference"), {}};
    if (!subject.comparison || !subject.comparison->accuracy) return section;
    for (const LayerDifference& each : subject.comparison->accuracy->layers) {
        const bool shared = std::any_of(each.provenance.begin(), each.provenance.end(),
                                        [&](int node) { return std::find(layer.provenance.begin(), layer.provenance.end(), node) != layer.provenance.end(); });
        if (!shared) continue;
        const TensorDifference& d = each.difference;
        section.rows.push_back({tr("tensor"), toQString(d.tensor), QStringLiteral("tensor:") + toQString(d.tensor), true, {}});
        section.rows.push_back({tr("signal to error"), snrText(d.snrDb, true), {}, false, {}});
        section.rows.push_back({tr("largest error"), tr("%1 (%2 of the range)").arg(formatNumber(d.maxAbs), formatPercent(d.maxRel)), {}, false, {}});
    }
    return section;
}

KeyValueSection problemSection(const InspectorSubject& subject, const Layer& layer) {
    KeyValueSection section{tr("Problems"), {}};
    for (const ProblemEntry& problem : subject.problems) {
        const bool isHere = std::any_of(problem.provenance.begin(), problem.provenance.end(),
                                        [&](int node) { return std::find(layer.provenance.begin(), layer.provenance.end(), node) != layer.provenance.end(); });
        if (!isHere && (problem.layer.empty() || problem.layer != layer.name)) continue;
        const QString severity = problem.severity == ProblemSeverity::Error ? tr("error") : problem.severity == ProblemSeverity::Warning ? tr("warning") : tr("note");
        section.rows.push_back({severity, toQString(problem.message), {}, false, {}});
        if (!problem.fix.empty()) section.rows.push_back({tr("what to do"), toQString(problem.fix), {}, false, {}});
    }
    return section;
}

void append(std::vector<KeyValueSection>& sections, KeyValueSection section) {
    if (!section.rows.empty()) sections.push_back(std::move(section));
}

}  // namespace

const SymbolValues* buildSymbols(const BuildIndex& index) {
    return index.build() && index.build()->engine ? &index.build()->engine->parts().optSymbols : nullptr;
}

std::vector<KeyValueSection> layerSections(const InspectorSubject& subject, const LayerRef& ref) {
    const BuildIndex& index = *subject.index;
    const Layer* layer = index.layer(ref);
    if (!layer) return {};
    const Network& network = *index.network(ref.stage);
    const SymbolValues* symbols = buildSymbols(index);
    std::vector<KeyValueSection> sections;
    sections.push_back({{},
                        {{tr("what"), stageName(ref.stage), {}, false, {}},
                         {tr("op"), isUnsupported(*layer) ? tr("%1, not supported").arg(opText(*layer)) : opText(*layer), {}, false, {}}}});
    if (!isUnsupported(*layer)) sections.front().rows.push_back({tr("family"), toQString(opFamilyName(layer->op->family)), {}, false, {}});
    append(sections, problemSection(subject, *layer));
    append(sections, timeSection(index, ref));
    append(sections, provenanceSection(index, ref, *layer));
    append(sections, candidateSection(index, ref));
    append(sections, fusionSection(index, *layer));
    append(sections, nearMissSection(index, *layer));
    append(sections, differenceSection(subject, *layer));
    append(sections, tensorList(tr("Inputs"), network, layer->inputs, symbols));
    append(sections, tensorList(tr("Outputs"), network, layer->outputs, symbols));
    append(sections, attributeSection(*layer));
    return sections;
}

std::vector<KeyValueSection> tensorSections(const InspectorSubject& subject, GraphStage stage, TensorId id) {
    const BuildIndex& index = *subject.index;
    const Network& network = *index.network(stage);
    const Tensor& tensor = network.tensor(id);
    const SymbolValues* symbols = buildSymbols(index);
    const QString what = tensor.isInput ? tr("input of the network") : tensor.constant ? tr("constant") : tensor.isOutput ? tr("output of the network") : tr("tensor");
    KeyValueSection head{{},
                         {{tr("what"), what, {}, false, {}},
                          {tr("type"), toQString(dataTypeName(tensor.type)), {}, false, {}},
                          {tr("shape"), tensorShapeText(tensor), {}, true, {}}}};
    if (symbols && tensorShapeText(tensor, symbols) != tensorShapeText(tensor)) head.rows.push_back({tr("measured at"), tensorShapeText(tensor, symbols), {}, true, {}});
    std::vector<KeyValueSection> sections{std::move(head)};
    KeyValueSection links{tr("Layers"), {}};
    const auto refTo = [&](LayerId layer) {
        const LayerRef own{stage, stage == GraphStage::Parsed || !index.build() ? 0 : index.build()->id, layer};
        return KeyValueRow{{}, toQString(network.layer(layer).name), layerLink(own), true, {}};
    };
    // An engine's layers are numbered in execution order, not by id; tensors are looked up in the other two stages.
    if (stage != GraphStage::Engine) {
        if (tensor.producer != kNone) {
            links.rows.push_back(refTo(tensor.producer));
            links.rows.back().key = tr("made by");
        }
        for (const TensorUse& use : tensor.uses) {
            links.rows.push_back(refTo(use.layer));
            links.rows.back().key = tr("read by");
        }
    }
    append(sections, std::move(links));
    return sections;
}

std::vector<KeyValueSection> manySections(const InspectorSubject& subject, const std::vector<int>& nodes) {
    const BuildIndex& index = *subject.index;
    std::vector<KeyValueSection> sections{{{}, {{tr("selected"), tr("%1 ONNX nodes").arg(nodes.size()), {}, false, {}}}}};
    const auto layers = index.layersOf(GraphStage::Engine, nodes);
    if (layers.empty()) return sections;
    double sum = 0;
    KeyValueSection list{tr("Engine layers"), {}};
    for (const LayerRef& ref : layers) {
        const int profiled = index.profileIndex(ref.index);
        const double time = profiled != kNone ? index.build()->profile->layers[static_cast<size_t>(profiled)].milliseconds.median : index.engineLayer(ref)->buildMilliseconds;
        sum += std::max(0.0, time);
        if (list.rows.size() < kMaxNodeLinks) list.rows.push_back({time >= 0 ? formatTime(time / 1e3) : QString("–"), toQString(index.layer(ref)->name), layerLink(ref), true, {}});
    }
    sections.front().rows.push_back({tr("in"), tr("%1 engine layers, %2").arg(layers.size()).arg(formatTime(sum / 1e3)), {}, false, {}});
    sections.push_back(std::move(list));
    return sections;
}

KeyValueSection weightSection(const QString& name, const Weights& weights, const WeightStatistics& s) {
    KeyValueSection section{tr("Weights: %1").arg(name), {}};
    section.rows.push_back({tr("values"), tr("%1, %2").arg(formatCount(s.count), formatBytes(static_cast<double>(weights.bytes))), {}, false, {}});
    if (weights.type == DataType::String) return section;
    section.rows.push_back({tr("range"), tr("%1 … %2").arg(formatNumber(s.min), formatNumber(s.max)), {}, false, {}});
    section.rows.push_back({tr("mean ± σ"), tr("%1 ± %2").arg(formatNumber(s.mean), formatNumber(s.deviation)), {}, false, {}});
    section.rows.push_back({tr("zeros"), formatPercent(s.sparsity()), {}, false, {}});
    if (s.notFinite > 0) section.rows.push_back({tr("NaN or ∞"), formatCount(s.notFinite), {}, false, {}});
    QStringList first;
    for (const double value : s.firstValues) first += formatNumber(value);
    section.rows.push_back({tr("first"), first.join(QStringLiteral(", ")), {}, true, {}});
    return section;
}

std::vector<std::pair<QString, WeightsPtr>> layerConstants(const BuildIndex& index, const LayerRef& ref) {
    std::vector<std::pair<QString, WeightsPtr>> constants;
    const Layer* layer = index.layer(ref);
    if (!layer) return constants;
    for (const TensorId id : layer->inputs) {
        if (id == kNone) continue;
        const Tensor& tensor = index.network(ref.stage)->tensor(id);
        if (tensor.constant) constants.push_back({toQString(tensor.name), tensor.constant});
    }
    return constants;
}

}  // namespace strobe
