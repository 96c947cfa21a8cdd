// The one selection of the window: which ONNX nodes, which layer of a build, which tensor. A value; any thread.
#pragma once

#include <QString>
#include <cstdint>
#include <optional>
#include <vector>

namespace strobe {

/// The three states of a network.
enum class GraphStage : uint8_t { Parsed, Fused, Engine };

/// One layer of one network.
struct LayerRef {
    GraphStage stage = GraphStage::Parsed;
    int build = 0;  // Build::id; 0 for Parsed
    int index = 0;  // LayerId in Model::parsed or BuildReport::fused; index into CompiledGraph::layers for Engine
    bool operator==(const LayerRef&) const = default;
};

struct Selection {
    std::vector<int> nodes;         // ONNX nodes: ascending indices into Network::sourceNodes()
    std::optional<LayerRef> layer;  // the layer that was pointed at, when it was one
    QString tensor;                 // a tensor's name; empty for none
    QString origin;                 // objectName of the page where it was made: that page need not scroll to it

    bool isEmpty() const { return nodes.empty() && !layer && tensor.isEmpty(); }
    /// Equal but for where it was made.
    bool sameThings(const Selection& other) const {
        return nodes == other.nodes && layer == other.layer && tensor == other.tensor;
    }
};

}  // namespace strobe
