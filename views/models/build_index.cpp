#include "views/models/build_index.h"

#include <algorithm>

#include "engine_core/runtime/engine.h"

namespace strobe {

BuildIndex::BuildIndex(std::shared_ptr<const Model> model, std::shared_ptr<const Build> build)
    : m_model(std::move(model)), m_build(std::move(build)) {
    if (const Network* parsed = network(GraphStage::Parsed)) indexNetwork(*parsed, m_parsed);
    if (const Network* fused = network(GraphStage::Fused)) indexNetwork(*fused, m_fused);
    if (!m_build || !m_build->engine) return;
    const CompiledGraph& graph = m_build->engine->graph();
    m_engineIndex.assign(static_cast<size_t>(graph.network.layerIdCount()), kNone);
    for (size_t i = 0; i < graph.layers.size(); ++i) {
        const LayerId id = graph.layers[i].layer;
        m_engineIndex[static_cast<size_t>(id)] = static_cast<int>(i);
        // A Reformat carries its producer's nodes, but is no answer to "where did this node go".
        if (isReformat(graph, graph.layers[i])) continue;
        for (const int node : graph.network.layer(id).provenance) {
            if (m_engine.size() <= static_cast<size_t>(node)) m_engine.resize(static_cast<size_t>(node) + 1);
            m_engine[static_cast<size_t>(node)].push_back(static_cast<int>(i));
        }
    }
    if (!m_build->profile) return;
    m_profileIndex.assign(graph.layers.size(), kNone);
    const auto& layers = m_build->profile->layers;
    for (size_t i = 0; i < layers.size(); ++i)
        if (static_cast<size_t>(layers[i].layer) < m_profileIndex.size())
            m_profileIndex[static_cast<size_t>(layers[i].layer)] = static_cast<int>(i);
}

void BuildIndex::indexNetwork(const Network& network, LayersOfNode& into) const {
    into.resize(network.sourceNodes().size());
    for (LayerId id = 0; id < network.layerIdCount(); ++id) {
        const Layer& layer = network.layer(id);
        if (layer.removed) continue;
        for (const int node : layer.provenance)
            if (static_cast<size_t>(node) < into.size()) into[static_cast<size_t>(node)].push_back(id);
    }
}

const Network* BuildIndex::network(GraphStage stage) const {
    switch (stage) {
        case GraphStage::Parsed:
            return m_model ? m_model->parsed.get() : nullptr;
        case GraphStage::Fused:
            return m_build ? m_build->report.fused.get() : nullptr;
        case GraphStage::Engine:
            return m_build && m_build->engine ? &m_build->engine->graph().network : nullptr;
    }
    return nullptr;
}

const EngineLayer* BuildIndex::engineLayer(const LayerRef& ref) const {
    if (ref.stage != GraphStage::Engine || ref.build != buildId() || !network(GraphStage::Engine)) return nullptr;
    const auto& layers = m_build->engine->graph().layers;
    return ref.index >= 0 && static_cast<size_t>(ref.index) < layers.size() ? &layers[static_cast<size_t>(ref.index)]
                                                                            : nullptr;
}

const Layer* BuildIndex::layer(const LayerRef& ref) const {
    const Network* net = network(ref.stage);
    if (!net || (ref.stage != GraphStage::Parsed && ref.build != buildId())) return nullptr;
    if (ref.stage == GraphStage::Engine) {
        const EngineLayer* found = engineLayer(ref);
        return found ? &net->layer(found->layer) : nullptr;
    }
    if (ref.index < 0 || ref.index >= net->layerIdCount() || net->layer(ref.index).removed) return nullptr;
    return &net->layer(ref.index);
}

std::vector<int> BuildIndex::nodesOf(const LayerRef& ref) const {
    const Layer* found = layer(ref);
    return found ? found->provenance : std::vector<int>();
}

std::vector<LayerRef> BuildIndex::layersOf(GraphStage stage, const std::vector<int>& nodes) const {
    const LayersOfNode& map = stage == GraphStage::Parsed ? m_parsed : stage == GraphStage::Fused ? m_fused : m_engine;
    std::vector<int> found;
    for (const int node : nodes)
        if (node >= 0 && static_cast<size_t>(node) < map.size()) {
            const auto& layers = map[static_cast<size_t>(node)];
            found.insert(found.end(), layers.begin(), layers.end());
        }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<LayerRef> refs;
    for (const int index : found) refs.push_back({stage, stage == GraphStage::Parsed ? 0 : buildId(), index});
    return refs;
}

std::vector<LayerRef> BuildIndex::counterparts(const LayerRef& ref, GraphStage stage) const {
    const Layer* from = layer(ref);
    if (!from || !network(stage)) return {};
    if (ref.stage == stage) return {ref};
    // A parsed layer keeps its name when it grows by fusion, so its name alone would miss what it swallowed.
    if (stage != GraphStage::Parsed && ref.stage != GraphStage::Parsed)
        if (const auto named = namedLayer(stage, from->name)) return {*named};
    return layersOf(stage, from->provenance);
}

std::optional<LayerRef> BuildIndex::namedLayer(GraphStage stage, const std::string& name) const {
    const Network* net = network(stage);
    const LayerId id = net ? net->findLayer(name) : kNone;
    const int index = id == kNone || stage != GraphStage::Engine ? id : m_engineIndex[static_cast<size_t>(id)];
    if (index == kNone) return std::nullopt;
    return LayerRef{stage, stage == GraphStage::Parsed ? 0 : buildId(), index};
}

std::optional<LayerRef> BuildIndex::sameLayerIn(const BuildIndex& other, const LayerRef& ref) const {
    const Layer* from = layer(ref);
    if (!from || m_model != other.m_model) return std::nullopt;
    if (const auto named = other.namedLayer(ref.stage, from->name)) return named;
    std::optional<LayerRef> best;
    long most = 0;
    for (const LayerRef& each : other.layersOf(ref.stage, from->provenance)) {
        const auto nodes = other.nodesOf(each);
        const long shared = std::count_if(from->provenance.begin(), from->provenance.end(), [&](int node) { return std::find(nodes.begin(), nodes.end(), node) != nodes.end(); });
        if (shared <= most) continue;
        most = shared;
        best = each;
    }
    return best;
}

int BuildIndex::profileIndex(int engineLayer) const {
    const auto at = static_cast<size_t>(engineLayer);
    return engineLayer >= 0 && at < m_profileIndex.size() ? m_profileIndex[at] : kNone;
}

}  // namespace strobe
