// Coordinates after Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001): four alignments
// (upward or downward, leftmost or rightmost), each compacted, then the mean of the two middle values. Compaction here
// is a longest path over blocks, which holds the gaps for any widths.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "views/widgets/layout/layered_graph.h"

namespace strobe::layout {
namespace {

// Edges that stay straight when anything does: trunks, and at each node the way with the longest path behind it.
// Without them a chain with a leaf at every step would drift aside by a leaf's width a step.
struct Spines {
    std::vector<int> up, down;  // the neighbour on the spine, or −1; mutual
};

std::vector<int> pathLengths(const LayeredGraph& graph, bool downward) {
    std::vector<int> length(graph.layer.size(), 0);
    const auto& next = downward ? graph.down : graph.up;
    const size_t count = graph.layers.size();
    for (size_t i = 0; i < count; ++i) {
        for (const int v : graph.layers[downward ? count - 1 - i : i])
            for (const int w : next[v]) length[v] = std::max(length[v], length[w] + 1);
    }
    return length;
}

Spines findSpines(const LayeredGraph& graph) {
    const std::vector<int> above = pathLengths(graph, false), below = pathLengths(graph, true);
    // A trunk goes on as a trunk; elsewhere the longest path wins, and a node before a passing edge.
    const auto prefer = [&](int of, const std::vector<int>& from, const std::vector<int>& length) {
        const auto rank = [&](int v) {
            return graph.isDummy(of) ? std::pair(static_cast<int>(graph.isDummy(v)), length[v])
                                     : std::pair(length[v], static_cast<int>(!graph.isDummy(v)));
        };
        const auto best = std::max_element(from.begin(), from.end(), [&](int a, int b) { return rank(a) < rank(b); });
        return best == from.end() ? -1 : *best;
    };
    const int count = graph.vertexCount();
    Spines spines{std::vector<int>(count, -1), std::vector<int>(count, -1)};
    for (int v = 0; v < count; ++v) {
        const int child = prefer(v, graph.down[v], below);
        if (child >= 0 && prefer(child, graph.up[child], above) == v) {
            spines.down[v] = child;
            spines.up[child] = v;
        }
    }
    return spines;
}

// Flags, parallel to graph.up: the segment crosses one that is to stay straight, and must yield to it.
class Conflicts {
public:
    Conflicts(const LayeredGraph& graph, const Spines& spines) : m_graph(graph), m_flags(graph.up.size()) {
        for (size_t v = 0; v < m_flags.size(); ++v) m_flags[v].assign(graph.up[v].size(), 0);
        const auto isTrunk = [&](int u, int v) { return graph.isDummy(u) && graph.isDummy(v); };
        const auto isSpine = [&](int u, int v) { return spines.down[u] == v && !has(u, v); };
        for (size_t i = 1; i < graph.layers.size(); ++i) mark(i, isTrunk);
        for (size_t i = 1; i < graph.layers.size(); ++i) mark(i, isSpine);
    }

    bool has(int upper, int lower) const {
        const auto& up = m_graph.up[lower];
        const auto at = std::lower_bound(up.begin(), up.end(), upper) - up.begin();
        return m_flags[lower][static_cast<size_t>(at)] != 0;
    }

private:
    template <class IsStraight>
    void mark(size_t index, const IsStraight& isStraight) {
        const auto& layer = m_graph.layers[index];
        constexpr int kFar = std::numeric_limits<int>::max();
        // Upper ends of straight segments whose lower end stands left of (right of) each slot.
        std::vector<int> highestLeft(layer.size() + 1, -1), lowestRight(layer.size() + 1, kFar);
        for (size_t l = 0; l < layer.size(); ++l) {
            highestLeft[l + 1] = highestLeft[l];
            for (const int u : m_graph.up[layer[l]])
                if (isStraight(u, layer[l])) highestLeft[l + 1] = std::max(highestLeft[l + 1], m_graph.position[u]);
        }
        for (size_t l = layer.size(); l-- > 0;) {
            lowestRight[l] = lowestRight[l + 1];
            for (const int u : m_graph.up[layer[l]])
                if (isStraight(u, layer[l])) lowestRight[l] = std::min(lowestRight[l], m_graph.position[u]);
        }
        std::vector<std::pair<int, size_t>> found;
        for (size_t l = 0; l < layer.size(); ++l) {
            const auto& up = m_graph.up[layer[l]];
            for (size_t k = 0; k < up.size(); ++k) {
                const int at = m_graph.position[up[k]];
                if (!isStraight(up[k], layer[l]) && (highestLeft[l] > at || lowestRight[l + 1] < at))
                    found.emplace_back(layer[l], k);
            }
        }
        for (const auto& [v, k] : found) m_flags[v][k] = 1;
    }

    const LayeredGraph& m_graph;
    std::vector<std::vector<char>> m_flags;
};

class Run {
public:
    Run(const LayeredGraph& graph, const LayoutOptions& options, const Spines& spines, const Conflicts& conflicts)
        : m_graph(graph), m_options(options), m_spines(spines), m_conflicts(conflicts) {}

    std::vector<double> compute(bool downward, bool leftmost) {
        align(downward, leftmost);
        return compact(leftmost);
    }

private:
    void align(bool downward, bool leftmost) {
        const int count = m_graph.vertexCount();
        m_root.resize(count);
        std::iota(m_root.begin(), m_root.end(), 0);
        m_next = m_root;
        const auto layerCount = m_graph.layers.size();
        for (size_t i = 0; i < layerCount; ++i) alignLayer(downward ? i : layerCount - 1 - i, downward, leftmost);
    }

    void alignLayer(size_t index, bool downward, bool leftmost) {
        const auto& layer = m_graph.layers[index];
        const auto& neighbours = downward ? m_graph.up : m_graph.down;
        int reach = leftmost ? -1 : std::numeric_limits<int>::max();
        const auto& spine = downward ? m_spines.up : m_spines.down;
        const auto& spineBack = downward ? m_spines.down : m_spines.up;
        std::vector<int> sorted;
        for (size_t k = 0; k < layer.size(); ++k) {
            const int v = leftmost ? layer[k] : layer[layer.size() - 1 - k];
            sorted = neighbours[v];
            if (sorted.empty()) continue;
            if (spine[v] >= 0) sorted.assign(1, spine[v]);
            std::sort(sorted.begin(), sorted.end(),
                      [&](int a, int b) { return m_graph.position[a] < m_graph.position[b]; });
            const size_t low = (sorted.size() - 1) / 2, high = sorted.size() / 2;
            for (const size_t m : leftmost ? std::array{low, high} : std::array{high, low}) {
                const int u = sorted[m];
                const int at = m_graph.position[u];
                const bool taken = m_next[v] != v || (spineBack[u] >= 0 && spineBack[u] != v);
                const bool crossed = downward ? m_conflicts.has(u, v) : m_conflicts.has(v, u);
                if (taken || crossed || (leftmost ? reach >= at : reach <= at)) continue;
                m_next[u] = v;
                m_root[v] = m_root[u];
                m_next[v] = m_root[v];
                reach = at;
            }
        }
    }

    struct Gap {
        int block;
        double distance;
    };

    std::vector<double> compact(bool leftmost) const {
        const int count = m_graph.vertexCount();
        // Mirrored for rightmost runs: one direction of compaction serves both.
        std::vector<std::vector<Gap>> after(count);
        std::vector<int> waiting(count, 0);
        for (const auto& layer : m_graph.layers) {
            for (size_t k = 0; k + 1 < layer.size(); ++k) {
                const int left = leftmost ? layer[k] : layer[k + 1], right = leftmost ? layer[k + 1] : layer[k];
                after[m_root[left]].push_back({m_root[right], separation(m_graph, m_options, layer[k], layer[k + 1])});
                ++waiting[m_root[right]];
            }
        }
        std::vector<int> order;
        for (int v = 0; v < count; ++v)
            if (m_root[v] == v && waiting[v] == 0) order.push_back(v);
        std::vector<double> x(count, 0);
        for (size_t at = 0; at < order.size(); ++at) {
            for (const Gap& gap : after[order[at]]) {
                x[gap.block] = std::max(x[gap.block], x[order[at]] + gap.distance);
                if (--waiting[gap.block] == 0) order.push_back(gap.block);
            }
        }
        for (auto it = order.rbegin(); it != order.rend(); ++it) {
            double limit = std::numeric_limits<double>::infinity();
            for (const Gap& gap : after[*it]) limit = std::min(limit, x[gap.block] - gap.distance);
            if (limit < std::numeric_limits<double>::infinity()) x[*it] = std::max(x[*it], limit);
        }
        for (int v = 0; v < count; ++v)
            if (m_root[v] != v) x[v] = x[m_root[v]];
        if (!leftmost)
            for (double& value : x) value = -value;
        return x;
    }

    const LayeredGraph& m_graph;
    const LayoutOptions& m_options;
    const Spines& m_spines;
    const Conflicts& m_conflicts;
    std::vector<int> m_root, m_next;
};

struct Extent {
    double low, high;
    double width() const { return high - low; }
};

Extent extentOf(const LayeredGraph& graph, const std::vector<double>& x) {
    Extent extent{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (int v = 0; v < graph.vertexCount(); ++v) {
        extent.low = std::min(extent.low, x[v] - graph.width[v] / 2);
        extent.high = std::max(extent.high, x[v] + graph.width[v] / 2);
    }
    return extent;
}

// Vertices of the trunk that starts at dummy `head`, from top to bottom.
std::vector<int> trunkFrom(const LayeredGraph& graph, int head) {
    std::vector<int> trunk{head};
    for (bool grows = true; grows;) {
        grows = false;
        for (const int w : graph.down[trunk.back()]) {
            if (!graph.isDummy(w)) continue;
            trunk.push_back(w);
            grows = true;
            break;
        }
    }
    return trunk;
}

// The mean of four alignments leaves passing edges halfway to the border; a straight trunk moves back beside the nodes
// that it joins, as far as its neighbours let it.
void tightenTrunks(const LayeredGraph& graph, const LayoutOptions& options, std::vector<double>& x) {
    for (int head = graph.realCount; head < graph.vertexCount(); ++head) {
        if (graph.isDummy(graph.up[head].front())) continue;
        const std::vector<int> trunk = trunkFrom(graph, head);
        double low = -std::numeric_limits<double>::infinity(), high = -low;
        bool isStraight = true;
        for (const int v : trunk) {
            isStraight = isStraight && std::abs(x[v] - x[head]) < 0.01;
            const auto& layer = graph.layers[graph.layer[v]];
            const auto at = static_cast<size_t>(graph.position[v]);
            if (at > 0) low = std::max(low, x[layer[at - 1]] + separation(graph, options, layer[at - 1], v));
            if (at + 1 < layer.size())
                high = std::min(high, x[layer[at + 1]] - separation(graph, options, v, layer[at + 1]));
        }
        if (!isStraight || low > high) continue;
        const double wanted = x[graph.up[head].front()];
        for (const int v : trunk) x[v] = std::clamp(wanted, low, high);
    }
}

}  // namespace

double separation(const LayeredGraph& graph, const LayoutOptions& options, int left, int right) {
    const bool bothNodes = !graph.isDummy(left) && !graph.isDummy(right);
    return (graph.width[left] + graph.width[right]) / 2 + (bothNodes ? options.nodeGap : options.edgeGap);
}

std::vector<double> assignX(const LayeredGraph& graph, const LayoutOptions& options) {
    const Spines spines = findSpines(graph);
    const Conflicts conflicts(graph, spines);
    Run run(graph, options, spines, conflicts);
    std::array<std::vector<double>, 4> candidates;
    std::array<Extent, 4> extents{};
    size_t narrowest = 0;
    for (size_t k = 0; k < 4; ++k) {
        candidates[k] = run.compute(k < 2, k % 2 == 0);
        extents[k] = extentOf(graph, candidates[k]);
        if (extents[k].width() < extents[narrowest].width()) narrowest = k;
    }
    for (size_t k = 0; k < 4; ++k) {
        const double shift =
            k % 2 == 0 ? extents[narrowest].low - extents[k].low : extents[narrowest].high - extents[k].high;
        for (double& value : candidates[k]) value += shift;
    }
    std::vector<double> x(graph.layer.size());
    for (size_t v = 0; v < x.size(); ++v) {
        std::array<double, 4> values{candidates[0][v], candidates[1][v], candidates[2][v], candidates[3][v]};
        std::sort(values.begin(), values.end());
        x[v] = (values[1] + values[2]) / 2;
    }
    // Twice: a trunk may wait for the one beside it.
    tightenTrunks(graph, options, x);
    tightenTrunks(graph, options, x);
    return x;
}

std::vector<double> packX(const LayeredGraph& graph, const LayoutOptions& options) {
    std::vector<double> x(graph.layer.size(), 0);
    for (const auto& layer : graph.layers) {
        for (size_t k = 1; k < layer.size(); ++k)
            x[layer[k]] = x[layer[k - 1]] + separation(graph, options, layer[k - 1], layer[k]);
        const double middle = layer.empty() ? 0 : x[layer.back()] / 2;
        for (const int v : layer) x[v] -= middle;
    }
    return x;
}

}  // namespace strobe::layout
