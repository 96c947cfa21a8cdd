#include "engine_core/runtime/memory_planner.h"

#include <gtest/gtest.h>

#include <random>

namespace strobe {
namespace {

void expectNoOverlap(const std::vector<MemoryRequest>& requests, const MemoryLayout& layout) {
    for (size_t a = 0; a < requests.size(); ++a)
        for (size_t b = a + 1; b < requests.size(); ++b) {
            const bool together = requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
            if (!together || requests[a].bytes == 0 || requests[b].bytes == 0) continue;
            const bool apart = layout.offsets[a] + requests[a].bytes <= layout.offsets[b] || layout.offsets[b] + requests[b].bytes <= layout.offsets[a];
            EXPECT_TRUE(apart) << a << " and " << b;
        }
}

TEST(MemoryPlanner, ReusesMemoryOfDeadTensors) {
    const std::vector<MemoryRequest> chain = {{1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}, {1000, 3, 4}};
    const MemoryLayout layout = planMemory(chain);
    expectNoOverlap(chain, layout);
    EXPECT_EQ(layout.totalBytes, 2048u);
}

TEST(MemoryPlanner, KeepsApartWhatLivesTogether) {
    const std::vector<MemoryRequest> all = {{64, 0, 9}, {64, 0, 9}, {64, 5, 5}};
    const MemoryLayout layout = planMemory(all);
    expectNoOverlap(all, layout);
    EXPECT_EQ(layout.totalBytes, 192u);
}

TEST(MemoryPlanner, RandomPlansAreValidAlignedAndNotAboveTheSum) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        std::vector<MemoryRequest> requests;
        size_t sum = 0;
        for (int i = 0; i < 60; ++i) {
            const int first = static_cast<int>(random() % 40);
            requests.push_back({random() % 5000, first, first + static_cast<int>(random() % 8)});
            sum += (requests.back().bytes + 63) / 64 * 64;
        }
        const MemoryLayout layout = planMemory(requests);
        expectNoOverlap(requests, layout);
        for (size_t offset : layout.offsets) EXPECT_EQ(offset % 64, 0u);
        EXPECT_LT(layout.totalBytes, sum);
    }
}

}  // namespace
}  // namespace strobe
