#include "kernels/cpu/cpu_threads.h"

#include <gtest/gtest.h>
#include <hwy/cache_control.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <set>
#include <vector>

namespace strobe {
namespace {

TEST(CpuThreads, EveryIndexIsVisitedOnce) {
    for (int threads : {1, 2, 3, 7}) {
        const ThreadScope scope(threads);
        for (int64_t count : {0, 1, 2, 6, 7, 100, 1001}) {
            std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
            parallelFor(0, count, 1, [&](int64_t first, int64_t last) {
                for (int64_t i = first; i < last; ++i) ++visits[static_cast<size_t>(i)];
            });
            for (const auto& v : visits) ASSERT_EQ(v.load(), 1);
        }
    }
}

TEST(CpuThreads, GrainLimitsTheNumberOfRanges) {
    const ThreadScope scope(4);
    std::mutex mutex;
    std::vector<int64_t> sizes;
    parallelFor(10, 110, 40, [&](int64_t first, int64_t last) {
        std::lock_guard lock(mutex);
        sizes.push_back(last - first);
    });
    EXPECT_EQ(sizes, (std::vector<int64_t>{50, 50}));
}

TEST(CpuThreads, ScopeIsRestoredAndNestedWorkStaysInItsThread) {
    const int before = parallelThreads();
    {
        const ThreadScope scope(2);
        EXPECT_EQ(parallelThreads(), 2);
        std::mutex mutex;
        std::set<int> indices;
        parallelFor(0, 2, 1, [&](int64_t, int64_t) {
            const int outer = parallelThreadIndex();
            parallelFor(0, 10, 1, [&](int64_t first, int64_t last) {
                EXPECT_EQ(last - first, 10);
                EXPECT_EQ(parallelThreadIndex(), outer);
            });
            std::lock_guard lock(mutex);
            indices.insert(outer);
        });
        EXPECT_EQ(indices, (std::set<int>{0, 1}));
    }
    EXPECT_EQ(parallelThreads(), before);
}

TEST(CpuThreads, AnExceptionOfAnyThreadLeavesInTheCaller) {
    const ThreadScope scope(4);
    for (const int64_t bad : {0, 3}) {
        std::atomic<int> ended = 0;
        const auto work = [&](int64_t first, int64_t) {
            if (first == bad) throw std::bad_alloc();
            ++ended;
        };
        EXPECT_THROW(parallelFor(0, 4, 1, work), std::bad_alloc);
        EXPECT_EQ(ended, 3);
    }
}

TEST(CpuThreads, TheShortSpinCoversALayerAndStaysFarBelowASliceOfTheScheduler) {
    const int64_t turns = shortSpinCount();
    double least = 1e9;
    for (int attempt = 0; attempt < 20; ++attempt) {
        const auto start = std::chrono::steady_clock::now();
        for (int64_t i = 0; i < turns; ++i) hwy::Pause();
        least = std::min(least, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
    EXPECT_LE(least, 400.0);
    EXPECT_GE(turns, 500);
}

}  // namespace
}  // namespace strobe
