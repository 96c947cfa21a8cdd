#include "views/widgets/graph_layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "views/widgets/layout/layered_graph.h"

namespace strobe {
namespace {

using layout::EdgeRoute;
using layout::LayeredGraph;

// One connected part as an input of its own, with the way back.
struct Part {
    LayoutInput input;
    std::vector<int> nodes, edges;  // indices in the whole graph
};

std::vector<Part> splitParts(const LayoutInput& input) {
    std::vector<int> parent(input.nodes.size());
    std::iota(parent.begin(), parent.end(), 0);
    const auto find = [&](int v) {
        while (parent[v] != v) v = parent[v] = parent[parent[v]];
        return v;
    };
    for (const LayoutEdge& edge : input.edges) parent[find(edge.from)] = find(edge.to);
    std::vector<int> partOf(input.nodes.size(), -1), local(input.nodes.size());
    std::vector<Part> parts;
    for (int v = 0; v < static_cast<int>(input.nodes.size()); ++v) {
        int& index = partOf[find(v)];
        if (index < 0) {
            index = static_cast<int>(parts.size());
            parts.emplace_back();
        }
        Part& part = parts[index];
        local[v] = static_cast<int>(part.nodes.size());
        part.nodes.push_back(v);
        part.input.nodes.push_back(input.nodes[v]);
        if (!input.groups.empty()) part.input.groups.push_back(input.groups[v]);
    }
    for (int e = 0; e < static_cast<int>(input.edges.size()); ++e) {
        const LayoutEdge& edge = input.edges[e];
        Part& part = parts[partOf[find(edge.from)]];
        part.edges.push_back(e);
        part.input.edges.push_back({local[edge.from], local[edge.to]});
    }
    return parts;
}

struct Band {
    double top = 0, bottom = 0;
};

// Edges that run far sideways get a taller gap, so that they stay readable as lines.
std::vector<Band> stackLayers(const LayeredGraph& graph, const LayoutInput& input, const LayoutOptions& options,
                              const std::vector<double>& x) {
    std::vector<Band> bands(graph.layers.size());
    double y = 0;
    for (size_t i = 0; i < bands.size(); ++i) {
        double height = 0, reach = 0;
        for (const int v : graph.layers[i]) {
            if (!graph.isDummy(v)) height = std::max(height, input.nodes[v].height);
            for (const int w : graph.down[v]) reach = std::max(reach, std::abs(x[v] - x[w]));
        }
        bands[i] = {y, y + height};
        y += height + options.layerGap + std::min(1.5 * options.layerGap, reach * 0.06);
    }
    return bands;
}

void addPoint(std::vector<LayoutPoint>& path, LayoutPoint point) {
    constexpr double kSame = 0.01;
    const size_t n = path.size();
    if (n >= 2 && std::abs(path[n - 1].x - point.x) < kSame && std::abs(path[n - 2].x - point.x) < kSame)
        path.pop_back();
    path.push_back(point);
}

std::vector<LayoutPoint> tracePath(const LayeredGraph& graph, const EdgeRoute& route, const std::vector<Band>& bands,
                                   const std::vector<LayoutRect>& rects, const std::vector<double>& x, double shift) {
    std::vector<LayoutPoint> path;
    if (route.vertices.empty()) return path;
    const int upper = route.vertices.front(), lower = route.vertices.back();
    addPoint(path, {x[upper] + shift, rects[upper].y + rects[upper].height});
    const Band& first = bands[graph.layer[upper]];
    if (path.back().y < first.bottom - 0.5) addPoint(path, {x[upper] + shift, first.bottom});
    for (size_t i = 1; i + 1 < route.vertices.size(); ++i) {
        const int v = route.vertices[i];
        addPoint(path, {x[v], bands[graph.layer[v]].top});
        addPoint(path, {x[v], bands[graph.layer[v]].bottom});
    }
    const Band& last = bands[graph.layer[lower]];
    if (rects[lower].y > last.top + 0.5) addPoint(path, {x[lower] + shift, last.top});
    addPoint(path, {x[lower] + shift, rects[lower].y});
    if (route.flipped) std::reverse(path.begin(), path.end());
    return path;
}

// Parallel edges stand side by side instead of on top of each other.
std::vector<double> parallelShifts(const LayoutInput& input) {
    std::vector<int> order(input.edges.size());
    std::iota(order.begin(), order.end(), 0);
    const auto key = [&](int e) { return std::pair(input.edges[e].from, input.edges[e].to); };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return key(a) < key(b); });
    std::vector<double> shifts(input.edges.size(), 0);
    for (size_t begin = 0; begin < order.size();) {
        size_t end = begin + 1;
        while (end < order.size() && key(order[end]) == key(order[begin])) ++end;
        const double step = std::min(8.0, 60.0 / static_cast<double>(end - begin));
        for (size_t i = begin; i < end; ++i)
            shifts[order[i]] = step * (static_cast<double>(i - begin) - static_cast<double>(end - begin - 1) / 2);
        begin = end;
    }
    return shifts;
}

void normalise(LayoutResult& result) {
    double left = INFINITY, right = -INFINITY, bottom = 0;
    const auto include = [&](double x, double y) {
        left = std::min(left, x);
        right = std::max(right, x);
        bottom = std::max(bottom, y);
    };
    for (const LayoutRect& rect : result.nodes) {
        include(rect.x, rect.y);
        include(rect.x + rect.width, rect.y + rect.height);
    }
    for (const auto& path : result.edges)
        for (const LayoutPoint& point : path) include(point.x, point.y);
    for (LayoutRect& rect : result.nodes) rect.x -= left;
    for (auto& path : result.edges)
        for (LayoutPoint& point : path) point.x -= left;
    result.width = right - left;
    result.height = bottom;
}

LayoutResult layoutPart(const LayoutInput& input, const LayoutOptions& options) {
    LayoutResult result;
    std::vector<EdgeRoute> routes;
    LayeredGraph graph = layout::buildLayers(input, options, routes);
    result.cancelled = layout::isCancelled(options.cancel) ||
                       (!options.coarse && !layout::reduceCrossings(graph, options.crossingWork, options.cancel));
    if (result.cancelled) return result;
    if (!options.coarse) result.crossings = layout::countCrossings(graph);
    const std::vector<double> x = options.coarse ? layout::packX(graph, options) : layout::assignX(graph, options);
    const std::vector<Band> bands = stackLayers(graph, input, options, x);
    for (int v = 0; v < graph.realCount; ++v) {
        const LayoutSize& size = input.nodes[v];
        const Band& band = bands[graph.layer[v]];
        result.nodes.push_back(
            {x[v] - size.width / 2, (band.top + band.bottom - size.height) / 2, size.width, size.height});
    }
    const std::vector<double> shifts = parallelShifts(input);
    for (size_t e = 0; e < routes.size(); ++e)
        result.edges.push_back(tracePath(graph, routes[e], bands, result.nodes, x, shifts[e]));
    normalise(result);
    return result;
}

// Largest part first; the others fill columns beside it that are no taller.
void placeParts(std::vector<LayoutResult>& parts, const LayoutOptions& options, std::vector<LayoutPoint>& origins) {
    std::vector<int> order(parts.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return parts[a].width * parts[a].height > parts[b].width * parts[b].height; });
    const double gap = 2 * options.nodeGap;
    double area = 0;
    for (const LayoutResult& part : parts) area += (part.width + gap) * (part.height + gap);
    const double limit = std::max(parts[order.front()].height, std::sqrt(area) * 0.75);
    origins.assign(parts.size(), {});
    double x = 0, y = 0, columnWidth = 0;
    for (const int index : order) {
        if (y > 0 && y + parts[index].height > limit) {
            x += columnWidth + gap;
            y = columnWidth = 0;
        }
        origins[index] = {x, y};
        y += parts[index].height + gap;
        columnWidth = std::max(columnWidth, parts[index].width);
    }
}

}  // namespace

LayoutResult layoutGraph(const LayoutInput& input, const LayoutOptions& options) {
    LayoutResult result;
    if (input.nodes.empty()) return result;
    const std::vector<Part> parts = splitParts(input);
    std::vector<LayoutResult> placed;
    for (const Part& part : parts) {
        LayoutOptions partOptions = options;
        partOptions.crossingWork =
            static_cast<int64_t>(static_cast<double>(options.crossingWork) * static_cast<double>(part.nodes.size()) /
                                 static_cast<double>(input.nodes.size()));
        placed.push_back(layoutPart(part.input, partOptions));
        if (placed.back().cancelled) {
            result.cancelled = true;
            return result;
        }
    }
    std::vector<LayoutPoint> origins;
    placeParts(placed, options, origins);
    result.nodes.resize(input.nodes.size());
    result.edges.resize(input.edges.size());
    for (size_t p = 0; p < parts.size(); ++p) {
        const LayoutPoint origin = origins[p];
        for (size_t i = 0; i < parts[p].nodes.size(); ++i) {
            LayoutRect rect = placed[p].nodes[i];
            result.nodes[parts[p].nodes[i]] = {rect.x + origin.x, rect.y + origin.y, rect.width, rect.height};
        }
        for (size_t i = 0; i < parts[p].edges.size(); ++i) {
            auto& path = result.edges[parts[p].edges[i]];
            path = std::move(placed[p].edges[i]);
            for (LayoutPoint& point : path) point = {point.x + origin.x, point.y + origin.y};
        }
        result.crossings += placed[p].crossings;
        result.width = std::max(result.width, origin.x + placed[p].width);
        result.height = std::max(result.height, origin.y + placed[p].height);
    }
    return result;
}

}  // namespace strobe
