#include "views/models/layer_table.h"

#include <QObject>
#include <algorithm>
#include <map>
#include <numeric>

#include "engine_core/ops/op_definition.h"
#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

bool isDepthwise(const Layer& layer, const Network& network) {
    if (layer.inputs.size() < 2 || layer.inputs[0] == kNone || layer.inputs[1] == kNone) return false;
    const Tensor& weights = network.tensor(layer.inputs[1]);
    const int64_t groups = layer.attributes.getInt("group", 1);
    return groups > 1 && weights.shape.size() > 1 && weights.shape[1].isConstant(1);
}

QString kindOf(const Layer& layer, const Network& network) {
    const QString op = QString::fromStdString(layer.op->name);
    if (op == "Conv") return isDepthwise(layer, network) ? QObject::tr("depthwise convolution") : QObject::tr("convolution");
    if (op == "ConvTranspose") return QObject::tr("transposed convolution");
    if (op == "MatMul" || op == "Gemm") return QObject::tr("matrix product");
    if (op == "Pointwise") return QObject::tr("pointwise chain");
    return op + ' ' + QObject::tr("layer");
}

void addCumulativeShares(std::vector<LayerRow>& rows) {
    std::vector<size_t> order(rows.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rows[a].seconds > rows[b].seconds; });
    double sum = 0;
    for (const size_t at : order) rows[at].cumulative = sum += rows[at].share;
}

QString plural(const QString& kind, size_t count) {
    return count == 1 ? kind : kind.endsWith('s') ? kind : kind + 's';
}

QString counted(const QString& kind, size_t count) {
    return formatCount(static_cast<int64_t>(count)) + ' ' + plural(kind, count);
}

/// "38 convolutions, 14 of them depthwise": kinds of one op, of which the plain one names all.
QString countedKinds(const std::map<QString, size_t>& kinds) {
    const auto isShorter = [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); };
    const QString plain = std::min_element(kinds.begin(), kinds.end(), isShorter)->first;
    size_t total = 0;
    QString special;
    for (const auto& [kind, count] : kinds) {
        total += count;
        if (kind != plain && kind.endsWith(' ' + plain))
            special += QObject::tr(", %1 of them %2").arg(count).arg(kind.chopped(plain.size() + 1));
    }
    return counted(plain, total) + special;
}

}  // namespace

LayerTablePtr makeLayerTable(const Profile& profile, std::span<const LayerFacts> facts,
                             std::span<const SourceNode> nodes) {
    auto table = std::make_shared<LayerTable>();
    table->latency = profile.latency.median / 1000;
    table->layersSum = profile.layersSum / 1000;
    for (const LayerProfile& layer : profile.layers) {
        LayerRow row;
        row.layer = layer.layer;
        row.name = QString::fromStdString(layer.name);
        row.op = QString::fromStdString(layer.op);
        row.precision = QString::fromStdString(layer.precision).toUpper();
        row.shape = QString::fromStdString(layer.outputShape);
        row.tactic = QString::fromStdString(layer.tactic);
        row.facts.kind = row.op + ' ' + QObject::tr("layer");
        row.facts.title = row.op;
        if (const auto at = static_cast<size_t>(layer.layer); at < facts.size()) row.facts = facts[at];
        row.provenance = layer.provenance;
        for (const int node : layer.provenance)
            if (node >= 0 && static_cast<size_t>(node) < nodes.size())
                row.nodes << QString::fromStdString(nodes[static_cast<size_t>(node)].name);
        row.scope = scopeOf(row.name);
        row.seconds = layer.milliseconds.median / 1000;
        row.spread = layer.milliseconds.spread();
        row.error = layer.milliseconds.medianError / 1000;
        row.share = layer.share;
        if (profile.instrumented.count > 0)
            row.calls = static_cast<double>(layer.milliseconds.count) / profile.instrumented.count;
        row.flops = layer.flops;
        row.bytes = layer.bytes;
        row.counters = layer.counters;
        table->hasCounters = table->hasCounters || layer.counters.has_value();
        table->hasPrecisionNotes = table->hasPrecisionNotes || !row.facts.precisionNote.isEmpty();
        table->rows.push_back(std::move(row));
    }
    addCumulativeShares(table->rows);
    return table;
}

std::vector<LayerFacts> layerFacts(const Engine& engine) {
    std::vector<LayerFacts> all;
    const Network& network = engine.graph().network;
    const BuilderConfig& config = engine.parts().config;
    const bool isAllFp32 = config.precision == PrecisionMode::Fp32 && config.precisionRules.empty();
    for (const EngineLayer& chosen : engine.graph().layers) {
        const Layer& layer = network.layer(chosen.layer);
        const Tactic* tactic = engine.kernels().findByName(chosen.tactic);
        LayerFacts facts;
        facts.family = nodeFamily(layer.op);
        facts.kind = isReformat(engine.graph(), chosen) ? QObject::tr("reformat") : kindOf(layer, network);
        facts.title = layerTitle(layer);
        facts.isReference = tactic != nullptr && tactic->isReference();
        facts.isPreview = chosen.roundOutputs != DataType::Undefined;
        if (!isAllFp32) facts.precisionNote = QString::fromStdString(chosen.precisionNote);
        all.push_back(std::move(facts));
    }
    return all;
}

LayerTablePtr makeLayerTable(const Build& build) {
    if (!build.profile) return nullptr;
    if (!build.engine) return makeLayerTable(*build.profile, {}, {});
    return makeLayerTable(*build.profile, layerFacts(*build.engine), build.engine->graph().network.sourceNodes());
}

QString layersHeadline(const LayerTable& table) {
    // Counted as the table by op counts them.
    struct Op {
        double share = 0;
        std::map<QString, size_t> kinds;
    };
    std::map<QString, Op> ops;
    for (const LayerRow& row : table.rows) {
        Op& op = ops[row.op];
        op.share += row.share;
        ++op.kinds[row.facts.kind];
    }
    if (ops.empty()) return {};
    const auto most = std::max_element(ops.begin(), ops.end(),
                                       [](const auto& a, const auto& b) { return a.second.share < b.second.share; });
    return QObject::tr("%1 of the layers’ %2 is in %3")
        .arg(formatPercent(most->second.share), formatTime(table.layersSum), countedKinds(most->second.kinds));
}

}  // namespace strobe
