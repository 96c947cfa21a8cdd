#include "profiler/precision_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/cpu_kernels.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

/// a · b · c · d, where `b` takes the difference of nearly equal columns of a's result, whose rounding it so magnifies.
void addFragileChain(NetworkBuilder& b, const std::string& suffix, float gain) {
    std::vector<float> same(64), difference(64), plain(64);
    for (size_t i = 0; i < 64; ++i) {
        same[i] = 1.0f + 0.001f * std::sin(static_cast<float>(i));
        difference[i] = (i / 8 % 2 == 0 ? gain : -gain) + std::sin(static_cast<float>(3 * i));
        plain[i] = std::sin(static_cast<float>(7 * i));
    }
    TensorId x = b.input("x" + suffix, {16, 8});
    for (const auto& [name, weights] : {std::pair{"a", same}, {"b", difference}, {"c", plain}, {"d", plain}})
        x = b.layer(name + suffix, "MatMul", {x, b.floats(name + suffix + ".w", {8, 8}, weights)});
    b.output(x);
}

Network fragileChain() {
    NetworkBuilder b;
    addFragileChain(b, "", 100);
    return b.take();
}

Builder::Request requestOf(Network network, PrecisionMode mode = PrecisionMode::Fp16) {
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(std::move(network));
    request.config.optimizationLevel = 0;
    request.config.precision = mode;  // FP16 is a preview on every CPU here, BF16 is not
    return request;
}

RunLoader randomRuns(int count) {
    return [count](const Engine& engine) -> Result<std::vector<NamedTensors>> {
        std::vector<NamedTensors> runs;
        for (int r = 0; r < count; ++r) {
            STROBE_ASSIGN(NamedTensors run, completeInputs(engine, {}, {}, static_cast<unsigned>(r)));
            runs.push_back(std::move(run));
        }
        return runs;
    };
}

std::vector<std::string> staying(const PrecisionSearchResult& result) {
    std::vector<std::string> names;
    for (const LayerSensitivity& layer : result.layers)
        if (layer.staysFp32) names.push_back(layer.layer);
    return names;
}

TEST(PrecisionSearch, KeepsTheFragileLayerAndNotTheOthers) {
    const auto result = buildWithin(5e-3, Builder(cpuKernels()), requestOf(fragileChain()), randomRuns(3));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_GT(result->before, 5e-3);
    EXPECT_LE(result->after, 5e-3);
    EXPECT_EQ(result->runs, 3);
    const auto kept = staying(*result);
    EXPECT_NE(std::find(kept.begin(), kept.end(), "a"), kept.end());
    EXPECT_LT(kept.size(), result->layers.size());
    const auto& rules = result->build.engine->parts().config.precisionRules;
    ASSERT_EQ(rules.size(), kept.size());
    for (const PrecisionRule& rule : rules) {
        EXPECT_EQ(rule.type, DataType::Float32);
        EXPECT_NE(rule.reason.find("accuracy limit of 0.5 %"), std::string::npos) << rule.reason;
    }
}

TEST(PrecisionSearch, AWideLimitNeedsNoSearch) {
    const auto result = buildWithin(1.0, Builder(cpuKernels()), requestOf(fragileChain()), randomRuns(1));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_TRUE(result->layers.empty());
    EXPECT_TRUE(result->build.engine->parts().config.precisionRules.empty());
    EXPECT_EQ(result->before, result->after);
}

TEST(PrecisionSearch, ANarrowLimitKeepsEveryLayer) {
    const auto result = buildWithin(1e-9, Builder(cpuKernels()), requestOf(fragileChain()), randomRuns(1));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_EQ(staying(*result).size(), result->layers.size());
    EXPECT_EQ(result->after, 0);
}

TEST(PrecisionSearch, TheUsersRulesAreLeftAlone) {
    Builder::Request request = requestOf(fragileChain());
    request.config.precisionRules = {{"a", DataType::Float16}, {"c", DataType::Float32}};
    const auto result = buildWithin(1e-6, Builder(cpuKernels()), request, randomRuns(1));
    ASSERT_TRUE(result) << result.status().message();
    for (const LayerSensitivity& layer : result->layers) EXPECT_TRUE(layer.layer != "a" && layer.layer != "c");
    EXPECT_GT(result->after, 1e-6);  // which 'a' breaks
    const auto& rules = result->build.engine->parts().config.precisionRules;
    ASSERT_GE(rules.size(), 2u);
    EXPECT_EQ(rules[rules.size() - 2], (PrecisionRule{"a", DataType::Float16})) << "the later rule wins";
}

/// What the user's own rule costs is in every layer's error and counts once: beside "a" in FP16 the others fit.
TEST(PrecisionSearch, OthersAreLoweredBesideTheUsersRule) {
    NetworkBuilder b;
    addFragileChain(b, "", 100);
    addFragileChain(b, "2", 1000);
    Builder::Request request = requestOf(b.take());
    request.config.precisionRules = {{"a", DataType::Float16}};
    const auto alone = buildWithin(1e-9, Builder(cpuKernels()), request, randomRuns(2));
    ASSERT_TRUE(alone) << alone.status().message();
    ASSERT_GT(alone->after, 1e-3);
    const double limit = 1.2 * alone->after;
    const auto result = buildWithin(limit, Builder(cpuKernels()), request, randomRuns(2));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_GT(result->before, limit);
    EXPECT_LE(result->after, limit);
    const auto kept = staying(*result);
    EXPECT_NE(std::find(kept.begin(), kept.end(), "a2"), kept.end());
    EXPECT_LE(kept.size(), 4u) << "of " << result->layers.size();
}

/// Errors that add up to more than the limit are not tried, however lucky they may be together.
TEST(PrecisionSearch, ErrorsOfWhatIsLoweredAddUpToNoMoreThanTheLimit) {
    const double limit = 5e-3;
    const auto result = buildWithin(limit, Builder(cpuKernels()), requestOf(fragileChain()), randomRuns(3));
    ASSERT_TRUE(result) << result.status().message();
    double squares = 0;
    for (const LayerSensitivity& layer : result->layers)
        if (!layer.staysFp32) squares += layer.error * layer.error;
    EXPECT_GT(squares, 0);
    EXPECT_LE(std::sqrt(squares), limit);
}

/// The mode may choose FP32 for a layer that alone is lowered; the search must not take that for no error.
TEST(PrecisionSearch, BestIsSearchedInTheLowerPrecision) {
    if (!cpuDeviceInfo().hasBf16) GTEST_SKIP() << "this CPU has no BF16 arithmetic";
    const auto request = requestOf(fragileChain(), PrecisionMode::Best);
    const auto result = buildWithin(2e-2, Builder(cpuKernels()), request, randomRuns(2));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_LE(result->after, 2e-2);
    for (const LayerSensitivity& layer : result->layers) EXPECT_GT(layer.error, 0) << layer.layer;
    for (const PrecisionRule& rule : result->build.engine->parts().config.precisionRules)
        EXPECT_EQ(rule.type, DataType::Float32) << "a trial's rule was left: " << rule.pattern;
}

TEST(PrecisionSearch, NativeBf16KeepsTheLimit) {
    if (!cpuDeviceInfo().hasBf16) GTEST_SKIP() << "this CPU has no BF16 arithmetic";
    const auto request = requestOf(fragileChain(), PrecisionMode::Bf16);
    const auto result = buildWithin(2e-2, Builder(cpuKernels()), request, randomRuns(2));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_GT(result->before, 2e-2);
    EXPECT_LE(result->after, 2e-2);
}

double layerMilliseconds(const Engine& engine) {
    double sum = 0;
    for (const EngineLayer& layer : engine.graph().layers) sum += layer.buildMilliseconds;
    return sum;
}

/// A layer that is lowered between others may cost more in reformats than it saves.
TEST(PrecisionSearch, WhatIsTakenIsFasterThanFp32) {
    if (!cpuDeviceInfo().hasBf16) GTEST_SKIP() << "this CPU has no BF16 arithmetic";
    TimingCache timings;
    auto request = requestOf(fragileChain(), PrecisionMode::Bf16);
    request.config.optimizationLevel = 3;
    request.timingCache = &timings;
    const auto result = buildWithin(2e-2, Builder(cpuKernels()), request, randomRuns(2));
    ASSERT_TRUE(result) << result.status().message();
    EXPECT_GT(result->before, 2e-2) << "nothing was searched";
    EXPECT_LE(result->after, 2e-2);
    request.config.precision = PrecisionMode::Fp32;
    const auto exact = Builder(cpuKernels()).build(request);
    ASSERT_TRUE(exact) << exact.status().message();
    EXPECT_EQ(exact->report.timedCandidates, 0) << "the search has timed them";
    const double least = layerMilliseconds(*exact->engine), taken = layerMilliseconds(*result->build.engine);
    const auto kept = staying(*result).size();
    EXPECT_TRUE(taken < least || kept == result->layers.size()) << taken << " ms against " << least;
}

TEST(PrecisionSearch, IsCancelledAndTellsProgressThatOnlyGrows) {
    Builder::Request request = requestOf(fragileChain());
    double last = 0;
    request.progress = [&](const BuildProgress& p) {
        EXPECT_GE(p.fraction, last) << p.step;
        last = p.fraction;
    };
    ASSERT_TRUE(buildWithin(5e-3, Builder(cpuKernels()), request, randomRuns(1)));
    EXPECT_GT(last, 0.9);
    request.progress = [&](const BuildProgress& p) {
        if (p.fraction > 0.3) request.cancel.cancel();
    };
    const auto stopped = buildWithin(5e-3, Builder(cpuKernels()), request, randomRuns(1));
    EXPECT_EQ(stopped.status().code(), ErrorCode::Cancelled);
}

TEST(PrecisionSearch, AnErrorOfTheDataIsTold) {
    const auto load = [](const Engine&) -> Result<std::vector<NamedTensors>> {
        return invalidArgument("no such data");
    };
    const auto result = buildWithin(5e-3, Builder(cpuKernels()), requestOf(fragileChain()), load);
    EXPECT_EQ(result.status().message(), "no such data");
}

}  // namespace
}  // namespace strobe::test
