// Turns one stage of a network into what the graph canvas shows, with the facts that colouring, search and selection need.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "views/models/build_index.h"
#include "views/models/selection.h"
#include "views/widgets/graph_scene.h"

namespace strobe {

/// What stands behind one node of the scene.
struct GraphNodeFacts {
    std::optional<LayerRef> layer;  // none for the network's inputs and outputs
    QString tensor;                 // name of the input or output that the node is
    std::vector<int> nodes;         // ONNX nodes
    QString op, attributes;         // for search
    QString precision;              // "BF16"; empty while unknown
    bool preview = false;
    bool isTimed = false;           // measured in a profile, not only while building
    double milliseconds = -1;       // of the engine layer(s) that hold it; −1: unknown
    double bytes = -1;              // of the layer's outputs and the weights that it reads; −1: unknown
    std::optional<double> snrDb;    // of the worst of its tensors against the reference; may be negative; none: unknown
};

struct GraphSceneData {
    GraphScenePtr scene;
    std::vector<GraphNodeFacts> facts;  // one a scene node
    GraphStage stage = GraphStage::Parsed;
    std::shared_ptr<const BuildIndex> index;
};

struct GraphSceneRequest {
    std::shared_ptr<const BuildIndex> index;
    GraphStage stage = GraphStage::Parsed;
    std::shared_ptr<const Comparison> comparison;  // with the index's build as the candidate; may be null
    std::vector<ProblemEntry> problems;
};

/// Scene ids: a layer's index for layers, these bits and the tensor id for inputs and outputs. They stay the same while the stage does.
inline constexpr int64_t kInputNodeBit = int64_t{1} << 40;
inline constexpr int64_t kOutputNodeBit = int64_t{1} << 41;

/// Null scene when the stage has no network. Any thread.
GraphSceneData buildGraphScene(const GraphSceneRequest& request);

/// Shortens scopes that hold fewer than `smallest` nodes to their parents, since a frame around one node says nothing.
void pruneScopes(std::vector<GraphNode>& nodes, int smallest = 3);

}  // namespace strobe
