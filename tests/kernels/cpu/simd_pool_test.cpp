#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/simd_pool.h"
#include "kernels/cpu/simd_rows.h"
#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;

KernelCase poolCase(const std::string& op, Dims x, Ints kernel = {}, Ints strides = {}, Ints pads = {}, Ints dilations = {}) {
    KernelCase c;
    c.op = op;
    if (!kernel.empty()) c.attributes.set("kernel_shape", kernel);
    if (!strides.empty()) c.attributes.set("strides", strides);
    if (!pads.empty()) c.attributes.set("pads", pads);
    if (!dilations.empty()) c.attributes.set("dilations", dilations);
    c.inputs = {{std::move(x)}};
    return c;
}

void expectInBothTypes(KernelCase c) {
    expectMatchesOnEachTarget(c, "simd.pool");
    c.floatType = DataType::BFloat16;
    expectMatchesOnEachTarget(c, "simd.pool");
}

TEST(SimdPool, WindowsStridesPadsAndDilations) {
    for (const char* op : {"MaxPool", "AveragePool"}) {
        for (int64_t channels : {1, 5, 8, 16, 24, 33, 64, 100}) expectInBothTypes(poolCase(op, {2, channels, 9, 11}, {3, 3}, {2, 2}, {1, 1, 1, 1}));
        expectInBothTypes(poolCase(op, {1, 48, 12, 12}, {3, 3}, {1, 1}, {1, 1, 1, 1}));
        expectInBothTypes(poolCase(op, {1, 32, 8, 8}, {2, 2}, {2, 2}));
        expectInBothTypes(poolCase(op, {1, 20, 13, 13}, {13, 5}, {1, 1}, {6, 2, 6, 2}));
        expectInBothTypes(poolCase(op, {3, 19, 10, 7}, {2, 3}, {3, 1}, {0, 1, 1, 0}));
        expectInBothTypes(poolCase(op, {1, 16, 12, 15}, {3, 2}, {1, 2}, {1, 0, 1, 1}, {2, 3}));
        expectInBothTypes(poolCase(op, {2, 18, 17}, {4}, {3}, {1, 2}));
        expectInBothTypes(poolCase(op, {1, 40, 5, 700}, {3, 3}, {2, 2}));  // channels in several goes
    }
}

TEST(SimdPool, WhatIsCountedInTheMean) {
    KernelCase c = poolCase("AveragePool", {1, 23, 8, 9}, {3, 3}, {2, 2}, {1, 1, 1, 1});
    c.attributes.set("count_include_pad", int64_t{1});
    expectInBothTypes(c);
    c.attributes.set("ceil_mode", int64_t{1});
    expectDeclines(c, "simd.pool", "ceil_mode");
    for (const char* op : {"MaxPool", "AveragePool"}) {
        KernelCase ceil = poolCase(op, {1, 17, 8, 9}, {3, 3}, {2, 2}, {0, 1, 0, 1});
        ceil.attributes.set("ceil_mode", int64_t{1});
        expectInBothTypes(ceil);
    }
}

TEST(SimdPool, Global) {
    for (const char* op : {"GlobalMaxPool", "GlobalAveragePool"})
        for (const Dims& dims : {Dims{2, 19, 7, 5}, Dims{1, 96, 32, 32}, Dims{3, 5, 9}, Dims{1, 130, 1, 1}, Dims{1, 64, 3, 4, 5}, Dims{1, 72, 64, 33}}) expectInBothTypes(poolCase(op, dims));
}

TEST(SimdPool, GreatestOfNegativeNumbersAtTheEdge) {
    KernelCase c = poolCase("MaxPool", {1, 24, 6, 6}, {3, 3}, {1, 1}, {1, 1, 1, 1});
    c.inputs[0].low = -5.0;
    c.inputs[0].high = -1.0;
    expectInBothTypes(c);
}

/// One NaN at each place of each window, in whole vectors of channels and in the rest.
TEST(SimdPool, TheGreatestIsNaNWhereverItStands) {
    const int64_t channels = 35;
    for (const char* op : {"MaxPool", "GlobalMaxPool"})
        for (const int64_t channel : {0, 17, 34})
            for (const int64_t place : {0, 4, 8}) {
                KernelCase c =
                    poolCase(op, {1, channels, 3, 3}, std::string_view(op) == "MaxPool" ? Ints{3, 3} : Ints{});
                c.inputs[0].values.assign(static_cast<size_t>(channels * 9), 0.5);
                c.inputs[0].values[static_cast<size_t>(channel * 9 + place)] = std::numeric_limits<double>::quiet_NaN();
                SCOPED_TRACE(std::string(op) + " channel " + std::to_string(channel) + " place " +
                             std::to_string(place));
                expectInBothTypes(c);
            }
    // Shared among threads, whose totals are joined.
    for (const int64_t place : {0, 2000, 4095})
        for (const int threads : {1, 3}) {
            KernelCase c = poolCase("GlobalMaxPool", {1, 24, 64, 64});
            c.threads = threads;
            c.inputs[0].values.assign(24 * 4096, 0.5);
            c.inputs[0].values[static_cast<size_t>(5 * 4096 + place)] = std::numeric_limits<double>::quiet_NaN();
            expectInBothTypes(c);
        }
}

TEST(SimdPool, WhatItLeavesToOthers) {
    KernelCase indices = poolCase("MaxPool", {1, 16, 6, 6}, {2, 2});
    indices.outputs = 2;
    expectDeclines(indices, "simd.pool", "indices");
    expectDeclines(poolCase("MaxPool", {1, 16, 6, 6}, {2, 2}, {1, 1}, {2, 0, 0, 0}), "simd.pool", "padding");
    expectDeclines(poolCase("MaxPool", {1, 16, 6, 6, 6}, {2, 2, 2}), "simd.pool", "two spatial");
}

/// A network may decide by a difference of two channels' means: where their values are the same it must be 0, also
/// between a whole vector of channels and what is left behind it.
TEST(SimdPool, TheSameValuesGiveTheSameTotalInEveryChannel) {
    constexpr int64_t kChannels = 16 * 5 + 9, kPositions = 13;
    std::vector<float> in(kChannels * kPositions), totals(kChannels, 0.0f);
    for (int64_t i = 0; i < kPositions; ++i)
        std::fill_n(in.begin() + i * kChannels, kChannels, 1e10f * std::sin(1.0f + static_cast<float>(i)));
    poolTotals({DataType::Float32, in.data(), kPositions, kChannels, false, totals.data()});
    std::vector<float> sums(kChannels);
    AxisLines lines;
    lines.type = DataType::Float32;
    lines.x = in.data();
    lines.extent = kPositions;
    lines.inner = lines.last = kChannels;
    reduceLines(lines, ReduceKind::Sum, sums.data());
    for (size_t c = 1; c < sums.size(); ++c) {
        EXPECT_EQ(totals[c], totals[0]) << c;
        EXPECT_EQ(sums[c], sums[0]) << c;
    }
}

}  // namespace
}  // namespace strobe
