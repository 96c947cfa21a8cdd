// The stages of graph_layout.cpp, for one connected part. Internal to the layout.
#pragma once

#include <cstdint>
#include <vector>

#include "views/widgets/graph_layout.h"

namespace strobe::layout {

// A proper layered graph: every edge joins adjacent layers. Vertices below realCount are nodes, the rest are dummies.
struct LayeredGraph {
    int realCount = 0;
    std::vector<double> width;
    std::vector<int> layer;
    std::vector<int> group;
    std::vector<std::vector<int>> up, down;  // neighbours, without repeats
    std::vector<std::vector<int>> layers;    // vertices from left to right
    std::vector<int> position;               // index of a vertex in its layer

    int vertexCount() const { return static_cast<int>(layer.size()); }
    bool isDummy(int vertex) const { return vertex >= realCount; }
};

// Where one input edge runs: the vertices from its upper to its lower end. `flipped` when the edge points upward
// because it closes a cycle. A far edge (over the dummy budget) has only its two ends. Empty for a self-loop.
struct EdgeRoute {
    std::vector<int> vertices;
    bool flipped = false;
};

// Layer of every node; edges that close a cycle are turned. Edges then lead to strictly greater layers.
std::vector<int> assignLayers(int nodeCount, const std::vector<LayoutEdge>& edges, std::vector<bool>& flipped);

// Dummies and adjacency. `layers` is left in a first order found by depth-first search.
LayeredGraph buildLayers(const LayoutInput& input, const LayoutOptions& options, std::vector<EdgeRoute>& routes);

void updatePositions(LayeredGraph& graph);
int64_t countCrossings(const LayeredGraph& graph);
// Reorders within layers; spends at most `work` edge visits. False when cancelled.
bool reduceCrossings(LayeredGraph& graph, int64_t work, const std::atomic<bool>* cancel);

// Centre x of every vertex, keeping order and gaps.
std::vector<double> assignX(const LayeredGraph& graph, const LayoutOptions& options);
// Layers packed and centred, for the coarse picture.
std::vector<double> packX(const LayeredGraph& graph, const LayoutOptions& options);

// Distance that the centres of two neighbours in a layer keep.
double separation(const LayeredGraph& graph, const LayoutOptions& options, int left, int right);

inline bool isCancelled(const std::atomic<bool>* cancel) {
    return cancel != nullptr && cancel->load(std::memory_order_relaxed);
}

}  // namespace strobe::layout
