#include <algorithm>
#include <numeric>

#include "views/widgets/layout/layered_graph.h"

namespace strobe::layout {
namespace {

struct Adjacency {
    std::vector<std::vector<int>> out, in;  // neighbours
};

// Depth-first search over edge indices; an edge into the open path closes a cycle and is turned.
void breakCycles(int nodeCount, const std::vector<LayoutEdge>& edges, std::vector<bool>& flipped) {
    enum : char { kNew, kOpen, kDone };
    std::vector<std::vector<int>> outgoing(nodeCount);
    std::vector<int> inDegree(nodeCount, 0);
    for (int e = 0; e < static_cast<int>(edges.size()); ++e) {
        if (edges[e].from == edges[e].to) continue;
        outgoing[edges[e].from].push_back(e);
        ++inDegree[edges[e].to];
    }
    std::vector<char> mark(nodeCount, kNew);
    std::vector<std::pair<int, size_t>> path;
    const auto visit = [&](int start) {
        if (mark[start] != kNew) return;
        mark[start] = kOpen;
        path.emplace_back(start, 0);
        while (!path.empty()) {
            auto& [node, next] = path.back();
            if (next == outgoing[node].size()) {
                mark[node] = kDone;
                path.pop_back();
                continue;
            }
            const int e = outgoing[node][next++];
            const int target = edges[e].to;
            if (mark[target] == kOpen) flipped[e] = true;
            if (mark[target] != kNew) continue;
            mark[target] = kOpen;
            path.emplace_back(target, 0);
        }
    };
    // True sources first, so that a cycle is entered where the data enters it.
    for (int v = 0; v < nodeCount; ++v)
        if (inDegree[v] == 0) visit(v);
    for (int v = 0; v < nodeCount; ++v) visit(v);
}

std::vector<int> topologicalOrder(int nodeCount, const Adjacency& adjacency) {
    std::vector<int> degree(nodeCount), order;
    order.reserve(nodeCount);
    for (int v = 0; v < nodeCount; ++v) {
        degree[v] = static_cast<int>(adjacency.in[v].size());
        if (degree[v] == 0) order.push_back(v);
    }
    for (size_t at = 0; at < order.size(); ++at)
        for (const int w : adjacency.out[order[at]])
            if (--degree[w] == 0) order.push_back(w);
    return order;
}

// Moves nodes within their slack toward the side with more edges, so that constants stand beside their use.
void tighten(const Adjacency& adjacency, const std::vector<int>& order, std::vector<int>& layer) {
    const auto settle = [&](int v) {
        const auto& in = adjacency.in[v];
        const auto& out = adjacency.out[v];
        if (out.size() <= in.size()) return;
        int limit = layer[out.front()];
        for (const int w : out) limit = std::min(limit, layer[w]);
        layer[v] = std::max(layer[v], limit - 1);
    };
    for (auto it = order.rbegin(); it != order.rend(); ++it) settle(*it);
}

void depthFirstOrder(LayeredGraph& graph) {
    std::vector<bool> seen(graph.vertexCount(), false);
    std::vector<int> stack;
    const auto visit = [&](int start) {
        if (seen[start]) return;
        stack.push_back(start);
        while (!stack.empty()) {
            const int v = stack.back();
            stack.pop_back();
            if (seen[v]) continue;
            seen[v] = true;
            graph.layers[graph.layer[v]].push_back(v);
            for (auto it = graph.down[v].rbegin(); it != graph.down[v].rend(); ++it)
                if (!seen[*it]) stack.push_back(*it);
            // A constant enters right after its first user is known to be near, not in a crowd at the start.
            for (const int w : graph.up[v])
                if (!seen[w] && graph.up[w].empty()) stack.push_back(w);
        }
    };
    for (int v = 0; v < graph.realCount; ++v)
        if (graph.up[v].empty() && graph.layer[v] == 0) visit(v);
    for (int v = 0; v < graph.vertexCount(); ++v) visit(v);
}

void sortUnique(std::vector<int>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

int addDummy(LayeredGraph& graph, int layer, int group) {
    graph.width.push_back(0);
    graph.layer.push_back(layer);
    graph.group.push_back(group);
    graph.up.emplace_back();
    graph.down.emplace_back();
    return graph.vertexCount() - 1;
}

void connect(LayeredGraph& graph, int upper, int lower) {
    graph.down[upper].push_back(lower);
    graph.up[lower].push_back(upper);
}

// The deepest layer that each node's edges reach, as far as the dummy budget goes; short trunks are served first.
std::vector<int> trunkDepths(const std::vector<int>& layer, const std::vector<LayoutEdge>& edges,
                             const std::vector<bool>& flipped) {
    std::vector<int> depth = layer;
    for (size_t e = 0; e < edges.size(); ++e) {
        const int upper = flipped[e] ? edges[e].to : edges[e].from;
        const int lower = flipped[e] ? edges[e].from : edges[e].to;
        depth[upper] = std::max(depth[upper], layer[lower]);
    }
    std::vector<int> bySpan(layer.size());
    std::iota(bySpan.begin(), bySpan.end(), 0);
    std::stable_sort(bySpan.begin(), bySpan.end(),
                     [&](int a, int b) { return depth[a] - layer[a] < depth[b] - layer[b]; });
    int64_t budget = 6 * static_cast<int64_t>(layer.size()) + 20'000;
    for (const int v : bySpan) {
        budget -= std::max(0, depth[v] - layer[v] - 1);
        if (budget < 0) depth[v] = layer[v];
    }
    return depth;
}

}  // namespace

std::vector<int> assignLayers(int nodeCount, const std::vector<LayoutEdge>& edges, std::vector<bool>& flipped) {
    flipped.assign(edges.size(), false);
    breakCycles(nodeCount, edges, flipped);
    Adjacency adjacency{std::vector<std::vector<int>>(nodeCount), std::vector<std::vector<int>>(nodeCount)};
    for (size_t e = 0; e < edges.size(); ++e) {
        if (edges[e].from == edges[e].to) continue;
        const int upper = flipped[e] ? edges[e].to : edges[e].from;
        const int lower = flipped[e] ? edges[e].from : edges[e].to;
        adjacency.out[upper].push_back(lower);
        adjacency.in[lower].push_back(upper);
    }
    const std::vector<int> order = topologicalOrder(nodeCount, adjacency);
    std::vector<int> layer(nodeCount, 0);
    for (const int v : order)
        for (const int w : adjacency.out[v]) layer[w] = std::max(layer[w], layer[v] + 1);
    tighten(adjacency, order, layer);
    const int first = layer.empty() ? 0 : *std::min_element(layer.begin(), layer.end());
    for (int& value : layer) value -= first;
    return layer;
}

LayeredGraph buildLayers(const LayoutInput& input, const LayoutOptions& options, std::vector<EdgeRoute>& routes) {
    const int count = static_cast<int>(input.nodes.size());
    std::vector<bool> flipped;
    LayeredGraph graph;
    graph.realCount = count;
    graph.layer = assignLayers(count, input.edges, flipped);
    graph.up.resize(count);
    graph.down.resize(count);
    graph.group = input.groups.empty() ? std::vector<int>(count, -1) : input.groups;
    for (const LayoutSize& size : input.nodes) graph.width.push_back(size.width);

    const std::vector<int> depth = options.coarse ? graph.layer : trunkDepths(graph.layer, input.edges, flipped);
    std::vector<std::vector<int>> trunk(count);
    for (int v = 0; v < count; ++v) {
        for (int layer = graph.layer[v] + 1; layer < depth[v]; ++layer) {
            const int dummy = addDummy(graph, layer, graph.group[v]);
            connect(graph, trunk[v].empty() ? v : trunk[v].back(), dummy);
            trunk[v].push_back(dummy);
        }
    }
    routes.assign(input.edges.size(), {});
    for (size_t e = 0; e < input.edges.size(); ++e) {
        if (input.edges[e].from == input.edges[e].to) continue;
        const int upper = flipped[e] ? input.edges[e].to : input.edges[e].from;
        const int lower = flipped[e] ? input.edges[e].from : input.edges[e].to;
        const size_t between = static_cast<size_t>(graph.layer[lower] - graph.layer[upper] - 1);
        EdgeRoute& route = routes[e];
        route.flipped = flipped[e];
        route.vertices.push_back(upper);
        if (between <= trunk[upper].size()) {
            route.vertices.insert(route.vertices.end(), trunk[upper].begin(),
                                  trunk[upper].begin() + static_cast<std::ptrdiff_t>(between));
            connect(graph, route.vertices.back(), lower);
        }
        route.vertices.push_back(lower);
    }
    for (auto& list : graph.up) sortUnique(list);
    for (auto& list : graph.down) sortUnique(list);
    graph.layers.resize(count == 0 ? 0 : 1 + *std::max_element(graph.layer.begin(), graph.layer.end()));
    depthFirstOrder(graph);
    updatePositions(graph);
    return graph;
}

}  // namespace strobe::layout
