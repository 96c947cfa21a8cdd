// Which layers of a build hold which ONNX nodes. Built once a build; immutable; any thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sessions/session.h"
#include "views/models/selection.h"

namespace strobe {

class BuildIndex {
public:
    /// `build` may be null: then only the parsed network is known.
    BuildIndex(std::shared_ptr<const Model> model, std::shared_ptr<const Build> build);

    const std::shared_ptr<const Model>& model() const { return m_model; }
    const std::shared_ptr<const Build>& build() const { return m_build; }
    /// The network of a stage; null when there is none.
    const Network* network(GraphStage stage) const;
    /// The layer in its network; null when the reference names another build or nothing.
    const Layer* layer(const LayerRef& ref) const;
    /// Only for LayerRefs of stage Engine; null otherwise.
    const EngineLayer* engineLayer(const LayerRef& ref) const;

    /// ONNX nodes of a layer; empty for a layer that the builder put in (Reformat) without any.
    std::vector<int> nodesOf(const LayerRef& ref) const;
    /// Layers of a stage that hold any of the nodes, each once, in id (Engine: execution) order; no Reformat layers.
    std::vector<LayerRef> layersOf(GraphStage stage, const std::vector<int>& nodes) const;
    /// The layers of another stage that stand for this one: by name where it is the same, else by its ONNX nodes.
    std::vector<LayerRef> counterparts(const LayerRef& ref, GraphStage stage) const;
    /// The layer of another build's same state that does this one's work: by name, else the one that shares most of its ONNX nodes.
    std::optional<LayerRef> sameLayerIn(const BuildIndex& other, const LayerRef& ref) const;
    /// Index into Profile::layers of an engine layer; −1 without a profile.
    int profileIndex(int engineLayer) const;

private:
    using LayersOfNode = std::vector<std::vector<int>>;
    std::optional<LayerRef> namedLayer(GraphStage stage, const std::string& name) const;
    void indexNetwork(const Network& network, LayersOfNode& into) const;
    int buildId() const { return m_build ? m_build->id : 0; }

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const Build> m_build;
    LayersOfNode m_parsed, m_fused, m_engine;
    std::vector<int> m_engineIndex;   // LayerId in the engine's network → index into CompiledGraph::layers
    std::vector<int> m_profileIndex;  // index into CompiledGraph::layers → index into Profile::layers
};

}  // namespace strobe
