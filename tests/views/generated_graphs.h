// Graphs of realistic shape, generated: the same seed gives the same graph.
#pragma once

#include "views/widgets/graph_layout.h"
#include "views/widgets/graph_scene.h"

namespace strobe::testing {

// A detector-like network: stages of blocks with residual and concatenated branches, constants at some nodes, and a few
// long skips, `nodeCount` nodes in all.
GraphScene makeNetworkScene(int nodeCount);
// `towers` such networks side by side, joined at the first input, and by one more edge between neighbours halfway down.
GraphScene makeWideScene(int nodeCount, int towers);
// The layout's input for a scene, every node 160 × 40.
LayoutInput layoutInputOf(const GraphScene& scene);

}  // namespace strobe::testing
