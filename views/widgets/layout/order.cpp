#include <algorithm>
#include <numeric>

#include "views/widgets/layout/layered_graph.h"

namespace strobe::layout {
namespace {

// Crossings between a layer and the one below, by counting inversions in a binary indexed tree (Barth, Jünger, Mutzel).
int64_t crossingsBelow(const LayeredGraph& graph, size_t layer, std::vector<int>& tree, std::vector<int>& targets) {
    if (layer + 1 >= graph.layers.size()) return 0;
    const auto size = graph.layers[layer + 1].size();
    tree.assign(size + 1, 0);
    int64_t crossings = 0, placed = 0;
    for (const int v : graph.layers[layer]) {
        targets.clear();
        for (const int w : graph.down[v]) targets.push_back(graph.position[w]);
        std::sort(targets.begin(), targets.end());
        for (const int target : targets) {
            int64_t notRight = 0;
            for (int at = target + 1; at > 0; at -= at & -at) notRight += tree[at];
            crossings += placed - notRight;
        }
        for (const int target : targets) {
            for (auto at = static_cast<size_t>(target) + 1; at <= size; at += at & (~at + 1)) ++tree[at];
            ++placed;
        }
    }
    return crossings;
}

struct Weighted {
    double weight;
    int vertex;
};

// Vertices without neighbours on that side keep their slots; the others share the remaining slots by barycentre.
void sortLayer(LayeredGraph& graph, std::vector<int>& layer, const std::vector<std::vector<int>>& neighbours,
               bool reverseTies, std::vector<Weighted>& scratch) {
    scratch.clear();
    for (const int v : layer) {
        if (neighbours[v].empty()) continue;
        double sum = 0;
        for (const int w : neighbours[v]) sum += graph.position[w];
        scratch.push_back({sum / static_cast<double>(neighbours[v].size()), v});
    }
    if (reverseTies) std::reverse(scratch.begin(), scratch.end());
    std::stable_sort(scratch.begin(), scratch.end(), [&](const Weighted& a, const Weighted& b) {
        if (a.weight != b.weight) return a.weight < b.weight;
        return graph.group[a.vertex] < graph.group[b.vertex];
    });
    size_t next = 0;
    for (size_t slot = 0; slot < layer.size(); ++slot) {
        if (!neighbours[layer[slot]].empty()) layer[slot] = scratch[next++].vertex;
    }
    for (size_t slot = 0; slot < layer.size(); ++slot) graph.position[layer[slot]] = static_cast<int>(slot);
}

int64_t pairCrossings(const LayeredGraph& graph, const std::vector<std::vector<int>>& neighbours, int left, int right) {
    int64_t crossings = 0;
    for (const int a : neighbours[left])
        for (const int b : neighbours[right]) crossings += graph.position[a] > graph.position[b];
    return crossings;
}

// Swaps neighbours in a layer as long as that removes crossings.
bool transpose(LayeredGraph& graph, int64_t& work, const std::atomic<bool>* cancel) {
    bool improved = false;
    for (auto& layer : graph.layers) {
        if (work <= 0 || isCancelled(cancel)) return false;
        for (size_t i = 0; i + 1 < layer.size(); ++i) {
            const int left = layer[i], right = layer[i + 1];
            const auto cost = static_cast<int64_t>(graph.up[left].size() * graph.up[right].size() +
                                                   graph.down[left].size() * graph.down[right].size());
            work -= 2 * cost + 1;
            if (cost == 0 || cost > 4096) continue;
            const int64_t now =
                pairCrossings(graph, graph.up, left, right) + pairCrossings(graph, graph.down, left, right);
            if (now == 0) continue;
            const int64_t then =
                pairCrossings(graph, graph.up, right, left) + pairCrossings(graph, graph.down, right, left);
            if (then >= now) continue;
            std::swap(layer[i], layer[i + 1]);
            std::swap(graph.position[left], graph.position[right]);
            improved = true;
        }
    }
    return improved;
}

}  // namespace

void updatePositions(LayeredGraph& graph) {
    graph.position.resize(graph.vertexCount());
    for (const auto& layer : graph.layers)
        for (size_t i = 0; i < layer.size(); ++i) graph.position[layer[i]] = static_cast<int>(i);
}

int64_t countCrossings(const LayeredGraph& graph) {
    std::vector<int> tree, targets;
    int64_t total = 0;
    for (size_t layer = 0; layer < graph.layers.size(); ++layer) total += crossingsBelow(graph, layer, tree, targets);
    return total;
}

bool reduceCrossings(LayeredGraph& graph, int64_t work, const std::atomic<bool>* cancel) {
    constexpr int kMaxSweeps = 24;
    constexpr int kPatience = 5;
    int64_t edges = graph.vertexCount();
    for (const auto& list : graph.down) edges += static_cast<int64_t>(list.size());
    int64_t best = countCrossings(graph);
    auto bestLayers = graph.layers;
    std::vector<Weighted> scratch;
    const auto keepIfBetter = [&] {
        const int64_t now = countCrossings(graph);
        if (now >= best) return false;
        best = now;
        bestLayers = graph.layers;
        return true;
    };
    for (int sweep = 0, idle = 0; sweep < kMaxSweeps && idle < kPatience && best > 0 && work > 0; ++sweep) {
        const bool reverseTies = sweep % 4 >= 2;
        const size_t count = graph.layers.size();
        for (size_t i = 1; i < count; ++i) {
            if (sweep % 2 == 0)
                sortLayer(graph, graph.layers[i], graph.up, reverseTies, scratch);
            else
                sortLayer(graph, graph.layers[count - 1 - i], graph.down, reverseTies, scratch);
        }
        work -= 8 * edges;
        if (isCancelled(cancel)) return false;
        idle = keepIfBetter() ? 0 : idle + 1;
    }
    graph.layers = bestLayers;
    updatePositions(graph);
    for (int round = 0; round < 8 && transpose(graph, work, cancel); ++round) {
    }
    return !isCancelled(cancel);
}

}  // namespace strobe::layout
