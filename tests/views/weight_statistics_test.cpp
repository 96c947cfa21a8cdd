#include "views/models/weight_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace strobe {
namespace {

TEST(WeightStatistics, KnowsRangeMeanSpreadAndZeros) {
    const std::vector<float> values{-2, 0, 0, 1, 3, 4};
    const WeightStatistics s = weightStatistics(*makeFloatWeights({2, 3}, values), 4);
    EXPECT_EQ(s.count, 6);
    EXPECT_DOUBLE_EQ(s.min, -2);
    EXPECT_DOUBLE_EQ(s.max, 4);
    EXPECT_DOUBLE_EQ(s.mean, 1);
    EXPECT_DOUBLE_EQ(s.deviation, 2);
    EXPECT_DOUBLE_EQ(s.sparsity(), 2.0 / 6);
    EXPECT_EQ(s.histogram, (std::vector<double>{1, 2, 1, 2}));
    EXPECT_EQ(s.firstValues.size(), 6u);
}

TEST(WeightStatistics, LeavesOutWhatIsNotFinite) {
    const std::vector<float> values{1, NAN, INFINITY, 3};
    const WeightStatistics s = weightStatistics(*makeFloatWeights({4}, values), 2);
    EXPECT_EQ(s.notFinite, 2);
    EXPECT_DOUBLE_EQ(s.mean, 2);
    EXPECT_EQ(s.histogram, (std::vector<double>{1, 1}));
}

TEST(WeightStatistics, ReadsLargeConstantsInBlocksWithoutLoss) {
    std::vector<int64_t> values(200001);
    std::iota(values.begin(), values.end(), 0);
    const WeightStatistics s = weightStatistics(*makeInt64Weights({200001}, values), 3);
    EXPECT_DOUBLE_EQ(s.mean, 100000);
    EXPECT_DOUBLE_EQ(s.histogram[0] + s.histogram[1] + s.histogram[2], 200001);
    EXPECT_DOUBLE_EQ(s.max, 200000);
}

TEST(WeightStatistics, EqualValuesHaveNoHistogram) {
    const std::vector<float> values(5, 7.0f);
    const WeightStatistics s = weightStatistics(*makeFloatWeights({5}, values));
    EXPECT_TRUE(s.histogram.empty());
    EXPECT_DOUBLE_EQ(s.deviation, 0);
}

}  // namespace
}  // namespace strobe
