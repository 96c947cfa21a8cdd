#include "engine_core/builder/format_selection.h"

#include <gtest/gtest.h>

#include "engine_core/builder/reformat_costs.h"
#include "kernels/cpu/register.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

constexpr Format kPlain{DataType::Float32, Layout::Plain, MemoryKind::Host};
constexpr Format kLast{DataType::Float32, Layout::ChannelsLast, MemoryKind::Host};

/// x → first → second → out, each either plain in 1 ms or channels-last in `lastMs`.
std::vector<int> choose(double lastMs, double reformatMs) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 8, 4, 4});
    b.output(b.layer("second", "Relu", {b.layer("first", "Relu", {x})}));
    const Network network = b.take();
    LayerCandidates candidates;
    candidates.usable = {{nullptr, DeviceKind::Cpu, {kPlain}, {kPlain}, 1.0, 0}, {nullptr, DeviceKind::Cpu, {kLast}, {kLast}, lastMs, 1}};
    std::vector<SelectionNode> nodes;
    for (LayerId id : network.topologicalOrder()) nodes.push_back({id, &candidates});
    const Dims dims{1, 8, 4, 4};
    const std::function<const Dims&(TensorId)> dimsOf = [&](TensorId) -> const Dims& { return dims; };
    return selectCandidates(network, nodes, dimsOf, [&](const Dims&, const Format&, const Format&) { return reformatMs; });
}

TEST(FormatSelection, AFormatIsLeftOnlyWhereThatPaysTheReformats) {
    EXPECT_EQ(choose(0.5, 0.4), (std::vector<int>{1, 1}));  // 2 layers gain 1 ms, 2 reformats cost 0.8
    EXPECT_EQ(choose(0.5, 0.6), (std::vector<int>{0, 0}));
    EXPECT_EQ(choose(1.5, 0.0), (std::vector<int>{0, 0}));
}

TEST(ReformatCosts, SizesBetweenMeasuredOnesLieOnStraightLines) {
    const std::vector<std::pair<double, double>> points = {{10, 1}, {20, 3}, {40, 4}};
    EXPECT_DOUBLE_EQ(millisecondsAtSize(points, 5), 0.5);
    EXPECT_DOUBLE_EQ(millisecondsAtSize(points, 10), 1);
    EXPECT_DOUBLE_EQ(millisecondsAtSize(points, 15), 2);
    EXPECT_DOUBLE_EQ(millisecondsAtSize(points, 60), 5);
    EXPECT_EQ(millisecondsAtSize({}, 60), 0);
}

TEST(ReformatCosts, ArePartOfTheTimingCacheAndGuessedWhereNothingMayBeMeasured) {
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const Dims dims{1, 32, 20, 20};
    ReformatCosts guessed({&kernels, nullptr, 1});
    EXPECT_EQ(guessed.milliseconds(dims, kPlain, kPlain), 0);
    EXPECT_EQ(guessed.milliseconds(dims, kPlain, kLast), guessedReformatMilliseconds(dims, kPlain, kLast));
    TimingCache cache;
    PackedWeightsCache packed;
    const BuilderConfig config;  // outlives the timer
    LayerTimer timer(config, "test", &cache, nullptr, packed);
    ReformatCosts measured({&kernels, &timer, 1});
    const double small = measured.milliseconds(dims, kPlain, kLast), large = measured.milliseconds({1, 32, 400, 400}, kPlain, kLast);
    EXPECT_GT(small, 0);
    EXPECT_GT(large, small);
    const int timed = timer.timed();
    EXPECT_GT(timed, 0);
    (void)measured.milliseconds({1, 64, 31, 77}, kPlain, kLast);
    EXPECT_EQ(timer.timed(), timed);  // one pair of formats, measured once
    ReformatCosts again({&kernels, &timer, 1});
    EXPECT_EQ(again.milliseconds(dims, kPlain, kLast), small);
    EXPECT_EQ(timer.timed(), timed);
    EXPECT_EQ(measured.milliseconds({5, 6}, kPlain, {DataType::BFloat16}), guessedReformatMilliseconds({5, 6}, kPlain, {DataType::BFloat16}));
}

TEST(ReformatCosts, ErrorsThatConcernTheBuildAreKept) {
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const Dims dims{1, 32, 20, 20};
    TimingCache empty;
    PackedWeightsCache packed;
    BuilderConfig cachedOnly;
    cachedOnly.errorOnTimingCacheMiss = true;
    LayerTimer missing(cachedOnly, "test", &empty, nullptr, packed);
    ReformatCosts missed({&kernels, &missing, 1});
    EXPECT_TRUE(missed.failure().isOk());
    EXPECT_EQ(missed.milliseconds(dims, kPlain, kLast), guessedReformatMilliseconds(dims, kPlain, kLast));
    EXPECT_EQ(missed.failure().code(), ErrorCode::NotFound);
    EXPECT_NE(missed.failure().message().find("timing cache has no entry"), std::string::npos) << missed.failure().message();
    const CancelToken cancel;
    const BuilderConfig usual;
    LayerTimer stopped(usual, "test", &empty, nullptr, packed, cancel);
    ReformatCosts never({&kernels, &stopped, 1});
    cancel.cancel();
    (void)never.milliseconds(dims, kPlain, kLast);
    EXPECT_EQ(never.failure().code(), ErrorCode::Cancelled);
    EXPECT_EQ(stopped.timed(), 0);
}

}  // namespace
}  // namespace strobe::test
