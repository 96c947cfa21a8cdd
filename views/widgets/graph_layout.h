// Layered layout of a directed graph, top to bottom, after Sugiyama, Tagawa and Toda (1981): layers, dummy vertices for
// long edges, crossing reduction by barycentres, and coordinates after Brandes and Köpf (2001). Plain C++, any thread.
//
// Deterministic: effort is limited by counted work, not by the clock. Cycles, self-loops, parallel edges and
// disconnected parts are allowed. The long edges of one source share one trunk, so that a node with hundreds of
// consumers costs one dummy a layer.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace strobe {

struct LayoutPoint {
    double x = 0, y = 0;
};
struct LayoutSize {
    double width = 0, height = 0;
};
struct LayoutRect {
    double x = 0, y = 0, width = 0, height = 0;
};
struct LayoutEdge {
    int from = 0, to = 0;
};

struct LayoutInput {
    std::vector<LayoutSize> nodes;
    std::vector<LayoutEdge> edges;
    // Optional, one a node: nodes of one group stand together where crossings leave the choice; −1 is no group.
    std::vector<int> groups;
};

struct LayoutOptions {
    double nodeGap = 24;                // between neighbours in a layer
    double layerGap = 32;               // at least this between layers; more where edges run far sideways
    double edgeGap = 12;                // beside a passing edge
    int64_t crossingWork = 60'000'000;  // edge visits spent on crossing reduction
    bool coarse = false;                // layers and a first order only, straight edges: a picture at once
    const std::atomic<bool>* cancel = nullptr;
};

struct LayoutResult {
    std::vector<LayoutRect> nodes;  // same order as the input
    // Waypoints from source to target; between two of equal x the edge is straight, otherwise it is an S with vertical
    // ends. Empty for a self-loop.
    std::vector<std::vector<LayoutPoint>> edges;
    double width = 0, height = 0;
    int64_t crossings = 0;   // between adjacent layers, dummies included
    bool cancelled = false;  // the rest is then empty
};

LayoutResult layoutGraph(const LayoutInput& input, const LayoutOptions& options = {});

}  // namespace strobe
