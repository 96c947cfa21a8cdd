#include "views/models/graph_scene_builder.h"

#include <QHash>
#include <algorithm>
#include <cmath>
#include <set>

#include "engine_core/runtime/engine.h"
#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/widgets/number_format.h"

namespace strobe {
namespace {

class SceneBuilder {
public:
    explicit SceneBuilder(const GraphSceneRequest& request)
        : m_request(request), m_index(*request.index), m_network(*m_index.network(request.stage)) {
        if (m_index.build() && m_index.build()->engine) m_symbols = &m_index.build()->engine->parts().optSymbols;
    }

    GraphSceneData build() {
        collectProblems();
        collectDifferences();
        for (const TensorId input : m_network.inputs()) addTensorNode(input, kInputNodeBit);
        addLayers();
        for (const TensorId output : m_network.outputs()) addTensorNode(output, kOutputNodeBit);
        addEdges();
        pruneScopes(m_scene->nodes);
        return {std::move(m_scene), std::move(m_facts), m_request.stage, m_request.index};
    }

private:
    void collectProblems();
    void collectDifferences();
    void addTensorNode(TensorId id, int64_t bit);
    void addLayers();
    void addLayer(LayerId id, int refIndex);
    void measure(GraphNodeFacts& facts, const LayerRef& ref);
    double bytesOf(const Layer& layer, const EngineLayer* made) const;
    void describe(GraphNode& node, const GraphNodeFacts& facts, const Layer& layer);
    void addEdges();
    void addEdge(int from, int to, const Tensor& tensor);
    QString shapeOf(const Tensor& tensor) const { return tensorShapeText(tensor, m_symbols); }

    const GraphSceneRequest& m_request;
    const BuildIndex& m_index;
    const Network& m_network;
    const SymbolValues* m_symbols = nullptr;
    std::shared_ptr<GraphScene> m_scene = std::make_shared<GraphScene>();
    std::vector<GraphNodeFacts> m_facts;
    QHash<int, int> m_nodeOfLayer;   // LayerId → scene node
    QHash<int, int> m_nodeOfTensor;  // network input → scene node
    QHash<int, GraphBadge> m_badgeOfNode;
    QHash<QString, GraphBadge> m_badgeOfLayer;
    QHash<int, double> m_snrOfNode;
};

GraphBadge badgeOf(ProblemSeverity severity) {
    return severity == ProblemSeverity::Error     ? GraphBadge::Error
           : severity == ProblemSeverity::Warning ? GraphBadge::Warning
                                                  : GraphBadge::Note;
}

void SceneBuilder::collectProblems() {
    for (const ProblemEntry& problem : m_request.problems) {
        const GraphBadge badge = badgeOf(problem.severity);
        for (const int node : problem.provenance) m_badgeOfNode[node] = std::max(m_badgeOfNode.value(node), badge);
        if (problem.provenance.empty() && !problem.layer.empty()) {
            GraphBadge& known = m_badgeOfLayer[toQString(problem.layer)];
            known = std::max(known, badge);
        }
    }
}

void SceneBuilder::collectDifferences() {
    if (!m_request.comparison || !m_request.comparison->accuracy) return;
    for (const LayerDifference& layer : m_request.comparison->accuracy->layers)
        for (const int node : layer.provenance) {
            const auto known = m_snrOfNode.constFind(node);
            if (known == m_snrOfNode.constEnd() || layer.difference.snrDb < *known)
                m_snrOfNode[node] = layer.difference.snrDb;
        }
}

void SceneBuilder::addTensorNode(TensorId id, int64_t bit) {
    const Tensor& tensor = m_network.tensor(id);
    GraphNode node;
    GraphNodeFacts facts;
    node.id = bit | id;
    node.title = bit == kInputNodeBit ? QStringLiteral("Input") : QStringLiteral("Output");
    node.subtitle = toQString(tensor.name);
    node.tooltip = QStringLiteral("%1 %2\n%3 %4").arg(node.title, node.subtitle, toQString(dataTypeName(tensor.type)), shapeOf(tensor));
    facts.tensor = node.subtitle;
    facts.op = node.title;
    if (bit == kInputNodeBit) m_nodeOfTensor[id] = static_cast<int>(m_scene->nodes.size());
    m_scene->nodes.push_back(std::move(node));
    m_facts.push_back(std::move(facts));
}

void SceneBuilder::addLayers() {
    if (m_request.stage == GraphStage::Engine) {
        const auto& layers = m_index.build()->engine->graph().layers;
        for (size_t i = 0; i < layers.size(); ++i) addLayer(layers[i].layer, static_cast<int>(i));
        return;
    }
    // The canvas keeps this order where edges leave it free.
    for (const LayerId id : m_network.topologicalOrder()) addLayer(id, id);
}

void SceneBuilder::addLayer(LayerId id, int refIndex) {
    const Layer& layer = m_network.layer(id);
    GraphNode node;
    GraphNodeFacts facts;
    const bool isParsed = m_request.stage == GraphStage::Parsed;
    facts.layer = LayerRef{m_request.stage, isParsed ? 0 : m_index.build()->id, refIndex};
    facts.nodes = layer.provenance;
    facts.op = layer.op ? toQString(layer.op->name) : QString();
    facts.attributes = toQString(layer.attributes.toString());
    measure(facts, *facts.layer);
    facts.bytes = bytesOf(layer, m_index.engineLayer(*facts.layer));
    node.id = refIndex;
    describe(node, facts, layer);
    m_nodeOfLayer[id] = static_cast<int>(m_scene->nodes.size());
    m_scene->nodes.push_back(std::move(node));
    m_facts.push_back(std::move(facts));
}

void SceneBuilder::measure(GraphNodeFacts& facts, const LayerRef& ref) {
    for (const LayerRef& engineRef : m_index.counterparts(ref, GraphStage::Engine)) {
        const EngineLayer& engineLayer = *m_index.engineLayer(engineRef);
        const int profiled = m_index.profileIndex(engineRef.index);
        const double time = profiled != kNone ? m_index.build()->profile->layers[static_cast<size_t>(profiled)].milliseconds.median
                                              : engineLayer.buildMilliseconds;
        facts.isTimed = facts.isTimed || profiled != kNone;
        if (time >= 0) facts.milliseconds = std::max(facts.milliseconds, 0.0) + time;
        if (engineLayer.outputs.empty()) continue;
        facts.preview = engineLayer.roundOutputs != DataType::Undefined;
        const DataType type = facts.preview ? engineLayer.roundOutputs : engineLayer.outputs.front().type;
        if (isFloatingPoint(type) || isInteger(type)) facts.precision = precisionLabel(type);
    }
    for (const int node : facts.nodes) {
        const auto snr = m_snrOfNode.constFind(node);
        if (snr != m_snrOfNode.constEnd() && (!facts.snrDb || *snr < *facts.snrDb)) facts.snrDb = *snr;
    }
}

double SceneBuilder::bytesOf(const Layer& layer, const EngineLayer* made) const {
    const SymbolValues& symbols = m_symbols ? *m_symbols : m_index.model()->assumed.values;
    double bytes = 0;
    for (size_t slot = 0; slot < layer.outputs.size(); ++slot) {
        if (layer.outputs[slot] == kNone) continue;
        const Tensor& tensor = m_network.tensor(layer.outputs[slot]);
        const auto dims = tensor.rankKnown ? evaluate(tensor.shape, symbols) : std::nullopt;
        if (!dims) return -1;
        const DataType type = made && slot < made->outputs.size() ? made->outputs[slot].type : tensor.type;
        bytes += static_cast<double>(dataTypeBytes(type, elementCount(*dims)));
    }
    std::set<TensorId> read;
    for (const TensorId id : layer.inputs)
        if (id != kNone && m_network.tensor(id).constant && read.insert(id).second)
            bytes += static_cast<double>(m_network.tensor(id).constant->bytes);
    return bytes;
}

void SceneBuilder::describe(GraphNode& node, const GraphNodeFacts& facts, const Layer& layer) {
    node.title = layerTitle(layer);
    node.subtitle = toQString(layer.name);
    node.family = isUnsupported(layer) ? NodeFamily::Other : nodeFamily(layer.op);
    node.group = scopeOf(node.subtitle);
    node.precision = m_request.stage == GraphStage::Engine ? facts.precision : QString();
    node.preview = facts.preview;
    for (const int source : layer.provenance) node.badge = std::max(node.badge, m_badgeOfNode.value(source));
    node.badge = std::max(node.badge, m_badgeOfLayer.value(node.subtitle));
    const QString time = facts.milliseconds >= 0 ? formatTime(facts.milliseconds / 1e3) : QString();
    // A parsed node that shares its engine layer has no time of its own.
    if (m_request.stage != GraphStage::Parsed) node.chip = time;
    QStringList lines{node.title, node.subtitle};
    for (const TensorId output : layer.outputs)
        if (output != kNone)
            lines += QStringLiteral("→ %1 %2").arg(toQString(dataTypeName(m_network.tensor(output).type)), shapeOf(m_network.tensor(output)));
    if (!time.isEmpty())
        lines += (m_request.stage == GraphStage::Parsed ? QStringLiteral("in a layer of %1") : QStringLiteral("%1"))
                     .arg(time) + (facts.isTimed ? QString() : QStringLiteral(" while building"));
    if (facts.bytes > 0) lines += QStringLiteral("%1 of outputs and weights").arg(formatBytes(facts.bytes));
    if (m_request.stage != GraphStage::Parsed && layer.provenance.size() > 1)
        lines += QStringLiteral("made from %1 ONNX nodes").arg(layer.provenance.size());
    node.tooltip = lines.join('\n');
}

void SceneBuilder::addEdges() {
    for (auto at = m_nodeOfLayer.constBegin(); at != m_nodeOfLayer.constEnd(); ++at) {
        std::vector<TensorId> seen;
        for (const TensorId id : m_network.layer(at.key()).inputs) {
            if (id == kNone || std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
            seen.push_back(id);
            const Tensor& tensor = m_network.tensor(id);
            const int from = tensor.producer != kNone ? m_nodeOfLayer.value(tensor.producer, -1) : m_nodeOfTensor.value(id, -1);
            addEdge(from, at.value(), tensor);
        }
    }
    // Inputs stand first in the scene and outputs last.
    const int firstOutput = static_cast<int>(m_scene->nodes.size() - m_network.outputs().size());
    for (size_t i = 0; i < m_network.outputs().size(); ++i) {
        const Tensor& tensor = m_network.tensor(m_network.outputs()[i]);
        const int from = tensor.producer != kNone ? m_nodeOfLayer.value(tensor.producer, -1) : m_nodeOfTensor.value(tensor.id, -1);
        addEdge(from, firstOutput + static_cast<int>(i), tensor);
    }
    // Hash order differs from run to run; the layout should not.
    std::sort(m_scene->edges.begin(), m_scene->edges.end(), [](const GraphEdge& a, const GraphEdge& b) {
        return std::tie(a.to, a.from, a.label) < std::tie(b.to, b.from, b.label);
    });
}

void SceneBuilder::addEdge(int from, int to, const Tensor& tensor) {
    if (from < 0) return;  // constants are no nodes
    m_scene->edges.push_back({from, to, shapeOf(tensor)});
}

}  // namespace

GraphSceneData buildGraphScene(const GraphSceneRequest& request) {
    if (!request.index || !request.index->network(request.stage)) return {nullptr, {}, request.stage, request.index};
    return SceneBuilder(request).build();
}

void pruneScopes(std::vector<GraphNode>& nodes, int smallest) {
    const auto parent = [](const QString& path) {
        const qsizetype slash = path.lastIndexOf('/');
        return slash < 0 ? QString() : path.left(slash);
    };
    QHash<QString, int> members;
    for (const GraphNode& node : nodes)
        for (QString path = node.group; !path.isEmpty(); path = parent(path)) ++members[path];
    for (GraphNode& node : nodes)
        while (!node.group.isEmpty() && members.value(node.group) < smallest) node.group = parent(node.group);
}

}  // namespace strobe
