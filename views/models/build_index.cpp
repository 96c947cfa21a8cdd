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
        if (graph.network.layer(id).op->name == "Reformat") continue;
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
    const Network* target = network(stage);
    if (!from || !target) return {};
    if (ref.stage == stage) return {ref};
    // A parsed layer keeps its name when it grows by fusion, so its name alone would miss what it swallowed.
    if (stage != GraphStage::Parsed && ref.stage != GraphStage::Parsed) {
        const LayerId id = target->findLayer(from->name);
        const int index = id == kNone || stage != GraphStage::Engine ? id : m_engineIndex[static_cast<size_t>(id)];
        if (index != kNone) return {{stage, buildId(), index}};
    }
    return layersOf(stage, from->provenance);
}

int BuildIndex::profileIndex(int engineLayer) const {
    const auto at = static_cast<size_t>(engineLayer);
    return engineLayer >= 0 && at < m_profileIndex.size() ? m_profileIndex[at] : kNone;
}

}  // namespace strobe
