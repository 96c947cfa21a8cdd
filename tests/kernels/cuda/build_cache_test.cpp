#include "kernels/cuda/build_cache.h"

#include <gtest/gtest.h>

namespace strobe {
namespace {

class BuildCacheTest : public testing::Test {
protected:
    BuildCache::Built get(const std::string& key) {
        const auto built = m_cache.get(key, [&]() -> Result<BuildCache::Built> {
            ++m_made;
            return BuildCache::Built(std::make_shared<const std::string>(key));
        });
        EXPECT_TRUE(built) << built.status().message();
        return built ? *built : nullptr;
    }
    BuildCache m_cache{2};
    int m_made = 0;
};

TEST_F(BuildCacheTest, WhatWasAskedForLastIsBuiltOnce) {
    const void* first = get("a").get();
    EXPECT_EQ(get("a").get(), first);
    get("b");
    get("a");
    get("c");  // "b" is the one asked for longest ago
    EXPECT_EQ(m_made, 3);
    EXPECT_EQ(get("a").get(), first);
    EXPECT_EQ(m_made, 3);
    get("b");
    EXPECT_EQ(m_made, 4);
}

TEST_F(BuildCacheTest, MemoryIsThatOfWhatIsInUse) {
    const BuildCache::Built used = get("used");
    for (int shape = 0; shape < 1000; ++shape) get(std::to_string(shape));
    EXPECT_EQ(m_cache.size(), 3u) << "the two asked for last, and the one that is in use";
    EXPECT_EQ(get("used"), used) << "what a plan holds is shared, not built again";
    EXPECT_EQ(m_made, 1001);
}

TEST_F(BuildCacheTest, AFailureIsNotRemembered) {
    EXPECT_FALSE(m_cache.get("a", [] { return Result<BuildCache::Built>(internalError("no")); }));
    EXPECT_TRUE(get("a"));
    EXPECT_EQ(m_made, 1);
}

}  // namespace
}  // namespace strobe
