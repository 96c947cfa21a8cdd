#include "engine_core/builder/timing_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace strobe {
namespace {

class TimingCacheFile : public testing::Test {
protected:
    void SetUp() override {
        m_path = (std::filesystem::temp_directory_path() / ("strobe_cache_" + std::to_string(::getpid()))).string();
        std::filesystem::remove(m_path);
    }
    void TearDown() override { std::filesystem::remove(m_path); }
    void write(const std::string& text) { std::ofstream(m_path, std::ios::binary) << text; }
    std::string m_path;
};

TEST_F(TimingCacheFile, KeepsTimesExactly) {
    TimingCache cache;
    cache.store("conv a", 0.1234567890123);
    ASSERT_TRUE(cache.save(m_path).isOk());
    TimingCache other;
    EXPECT_FALSE(other.load(m_path).has_value());
    EXPECT_EQ(other.find("conv a"), 0.1234567890123);
    EXPECT_FALSE(other.find("conv b").has_value());
}

TEST_F(TimingCacheFile, TwoWritersLoseNothing) {
    TimingCache first, second;
    first.store("a", 1);
    second.store("b", 2);
    ASSERT_TRUE(first.save(m_path).isOk());
    ASSERT_TRUE(second.save(m_path).isOk());
    TimingCache both;
    (void)both.load(m_path);
    EXPECT_EQ(both.size(), 2u);
}

TEST_F(TimingCacheFile, DamageIsAWarningAndTheRestIsUsed) {
    TimingCache cache;
    for (const char* text : {"garbage", "strobe-timing-cache 1\nnan\tx\n", "strobe-timing-cache 1\n-1\tx\n", "strobe-timing-cache 1\n0.5"}) {
        write(text);
        TimingCache damaged;
        EXPECT_TRUE(damaged.load(m_path).has_value()) << text;
        EXPECT_EQ(damaged.size(), 0u);
    }
    write("strobe-timing-cache 1\n0.5\tgood\nbroken\n");
    EXPECT_TRUE(cache.load(m_path).has_value());
    EXPECT_EQ(cache.find("good"), 0.5);
}

TEST_F(TimingCacheFile, MissingFileIsFine) {
    TimingCache cache;
    EXPECT_FALSE(cache.load(m_path).has_value());
}

}  // namespace
}  // namespace strobe
