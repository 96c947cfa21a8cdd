#include "views/widgets/graph_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tests/views/generated_graphs.h"

namespace strobe {
namespace {

LayoutInput graphOf(int nodes, std::vector<LayoutEdge> edges) {
    LayoutInput input;
    input.nodes.assign(static_cast<size_t>(nodes), {120, 40});
    input.edges = std::move(edges);
    return input;
}

double centre(const LayoutRect& rect) {
    return rect.x + rect.width / 2;
}

int countOverlaps(const LayoutResult& result) {
    std::vector<LayoutRect> rects = result.nodes;
    std::sort(rects.begin(), rects.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
    int overlaps = 0;
    for (size_t i = 0; i < rects.size(); ++i) {
        for (size_t j = i + 1; j < rects.size() && rects[j].y < rects[i].y + rects[i].height - 0.01; ++j) {
            overlaps +=
                rects[i].x < rects[j].x + rects[j].width - 0.01 && rects[j].x < rects[i].x + rects[i].width - 0.01;
        }
    }
    return overlaps;
}

int countUpwardEdges(const LayoutInput& input, const LayoutResult& result) {
    int upward = 0;
    for (const LayoutEdge& edge : input.edges) {
        const LayoutRect& from = result.nodes[static_cast<size_t>(edge.from)];
        upward += result.nodes[static_cast<size_t>(edge.to)].y < from.y + from.height;
    }
    return upward;
}

TEST(GraphLayout, EmptyGraphIsEmpty) {
    const LayoutResult result = layoutGraph({});
    EXPECT_TRUE(result.nodes.empty());
    EXPECT_FALSE(result.cancelled);
}

TEST(GraphLayout, ChainStaysStraight) {
    const LayoutInput input = graphOf(6, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}});
    const LayoutResult result = layoutGraph(input);
    for (const LayoutRect& rect : result.nodes) EXPECT_NEAR(centre(rect), centre(result.nodes[0]), 0.01);
    for (const auto& path : result.edges) EXPECT_EQ(path.size(), 2u);
    EXPECT_EQ(countUpwardEdges(input, result), 0);
}

TEST(GraphLayout, ResidualChainStaysStraightBesideItsSkip) {
    const LayoutInput input = graphOf(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {0, 4}});
    const LayoutResult result = layoutGraph(input);
    EXPECT_NEAR(centre(result.nodes[1]), centre(result.nodes[2]), 0.01);
    EXPECT_NEAR(centre(result.nodes[2]), centre(result.nodes[3]), 0.01);
    // The skip passes beside the nodes between its ends.
    for (const LayoutPoint& point : result.edges[4]) {
        for (int v = 1; v <= 3; ++v) {
            const LayoutRect& rect = result.nodes[static_cast<size_t>(v)];
            const bool inside = point.x > rect.x && point.x < rect.x + rect.width && point.y > rect.y + 0.1 &&
                                point.y < rect.y + rect.height - 0.1;
            EXPECT_FALSE(inside) << "skip runs through node " << v;
        }
    }
}

TEST(GraphLayout, SkipPassesCloseBesideItsChain) {
    const LayoutResult result = layoutGraph(graphOf(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {0, 4}}));
    EXPECT_LT(result.width, 120 + 2 * LayoutOptions().edgeGap);
}

TEST(GraphLayout, PlanarGraphHasNoCrossings) {
    // Two ladders that a bad first order would tangle: each pair of parents feeds the pair of the other order.
    const LayoutInput input =
        graphOf(9, {{0, 1}, {0, 2}, {0, 3}, {1, 6}, {2, 5}, {3, 4}, {4, 7}, {5, 7}, {6, 7}, {7, 8}, {0, 8}});
    EXPECT_EQ(layoutGraph(input).crossings, 0);
}

TEST(GraphLayout, CompleteBipartiteHasTheKnownNumberOfCrossings) {
    // K(3,3) drawn in two layers has exactly C(3,2)² = 9 crossings in every order.
    LayoutInput input = graphOf(6, {});
    for (int a = 0; a < 3; ++a)
        for (int b = 3; b < 6; ++b) input.edges.push_back({a, b});
    EXPECT_EQ(layoutGraph(input).crossings, 9);
}

TEST(GraphLayout, CyclesAndSelfLoopsAreDrawn) {
    const LayoutInput input = graphOf(3, {{0, 1}, {1, 2}, {2, 0}, {1, 1}});
    const LayoutResult result = layoutGraph(input);
    EXPECT_EQ(countOverlaps(result), 0);
    EXPECT_EQ(countUpwardEdges(input, result), 2);  // the edge that closes the cycle, and the self-loop
    EXPECT_TRUE(result.edges[3].empty());
    // The closing edge still starts at its source.
    EXPECT_GT(result.edges[2].front().y, result.edges[2].back().y);
}

TEST(GraphLayout, ParallelEdgesStandApart) {
    const LayoutResult result = layoutGraph(graphOf(2, {{0, 1}, {0, 1}}));
    EXPECT_GT(std::abs(result.edges[0].front().x - result.edges[1].front().x), 3.0);
}

TEST(GraphLayout, DisconnectedPartsDoNotOverlap) {
    const LayoutInput input = graphOf(40, {{0, 1}, {1, 2}, {3, 4}, {5, 6}, {5, 7}});
    const LayoutResult result = layoutGraph(input);
    EXPECT_EQ(countOverlaps(result), 0);
    for (const LayoutRect& rect : result.nodes) {
        EXPECT_GE(rect.x, -0.01);
        EXPECT_LE(rect.x + rect.width, result.width + 0.01);
        EXPECT_LE(rect.y + rect.height, result.height + 0.01);
    }
}

TEST(GraphLayout, ConstantStandsJustAboveItsUser) {
    const LayoutInput input = graphOf(7, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {6, 5}});
    const LayoutResult result = layoutGraph(input);
    EXPECT_DOUBLE_EQ(result.nodes[6].y, result.nodes[4].y);
}

TEST(GraphLayout, OneNodeWithManyConsumers) {
    LayoutInput input = graphOf(1001, {});
    // A chain of 500, each of which also feeds from node 0 through a node of its own.
    for (int i = 1; i <= 500; ++i) {
        input.edges.push_back({0, i});
        if (i < 500) input.edges.push_back({i, i + 1});
        input.edges.push_back({i, 500 + i});
    }
    const LayoutResult result = layoutGraph(input);
    EXPECT_EQ(countOverlaps(result), 0);
    EXPECT_EQ(countUpwardEdges(input, result), 0);
    EXPECT_LT(result.width, 3000);
}

TEST(GraphLayout, NetworkHasNoOverlapAndOnlyDownwardEdges) {
    const LayoutInput input = testing::layoutInputOf(testing::makeNetworkScene(672));
    const LayoutResult result = layoutGraph(input);
    EXPECT_EQ(countOverlaps(result), 0);
    EXPECT_EQ(countUpwardEdges(input, result), 0);
    // An edge in three may cross another on average; a layout without crossing reduction has many times that.
    EXPECT_LT(result.crossings, static_cast<int64_t>(input.edges.size()) / 3);
}

TEST(GraphLayout, IsDeterministic) {
    const LayoutInput input = testing::layoutInputOf(testing::makeNetworkScene(500));
    const LayoutResult first = layoutGraph(input), second = layoutGraph(input);
    for (size_t i = 0; i < first.nodes.size(); ++i) {
        EXPECT_EQ(first.nodes[i].x, second.nodes[i].x);
        EXPECT_EQ(first.nodes[i].y, second.nodes[i].y);
    }
}

TEST(GraphLayout, CancelStopsIt) {
    const std::atomic<bool> cancel{true};
    LayoutOptions options;
    options.cancel = &cancel;
    const LayoutResult result = layoutGraph(testing::layoutInputOf(testing::makeNetworkScene(2000)), options);
    EXPECT_TRUE(result.cancelled);
    EXPECT_TRUE(result.nodes.empty());
}

TEST(GraphLayout, CoarsePlacementHasNoOverlap) {
    const LayoutInput input = testing::layoutInputOf(testing::makeNetworkScene(800));
    LayoutOptions options;
    options.coarse = true;
    const LayoutResult result = layoutGraph(input, options);
    EXPECT_EQ(countOverlaps(result), 0);
    EXPECT_EQ(countUpwardEdges(input, result), 0);
}

// A random graph has long edges everywhere: the dummy budget must hold.
TEST(GraphLayout, TenThousandNodesWithRandomLongEdgesFinish) {
    LayoutInput input = graphOf(10'000, {});
    uint32_t state = 1;
    for (int v = 1; v < 10'000; ++v) {
        state = state * 1664525u + 1013904223u;
        input.edges.push_back({v - 1 - static_cast<int>((state >> 8) % static_cast<uint32_t>(std::min(v, 40))), v});
        if (v % 3 == 0) input.edges.push_back({static_cast<int>((state >> 4) % static_cast<uint32_t>(v)), v});
    }
    const auto start = std::chrono::steady_clock::now();
    const LayoutResult result = layoutGraph(input);
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 20.0);
    EXPECT_EQ(countUpwardEdges(input, result), 0);
    EXPECT_EQ(countOverlaps(result), 0);
}

}  // namespace
}  // namespace strobe
