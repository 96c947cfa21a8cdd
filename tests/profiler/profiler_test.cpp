#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "engine_core/builder/builder.h"
#include "profiler/accuracy_verdict.h"
#include "profiler/html_report.h"
#include "profiler/profile.h"
#include "profiler/trtexec_report.h"
#include "tests/support/cpu_kernels.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

TEST(Statistics, ByHand) {
    const std::vector<double> sample = {4, 1, 3, 2, 5};
    const Statistics s = summarize(sample);
    EXPECT_EQ(s.count, 5);
    EXPECT_DOUBLE_EQ(s.min, 1);
    EXPECT_DOUBLE_EQ(s.max, 5);
    EXPECT_DOUBLE_EQ(s.mean, 3);
    EXPECT_DOUBLE_EQ(s.median, 3);
    EXPECT_DOUBLE_EQ(s.p90, 4.6);
    EXPECT_GT(s.deviation, 1.41);  // √2 over n, √2.5 over n − 1
    EXPECT_LT(s.deviation, 1.59);
    EXPECT_DOUBLE_EQ(s.p25, 2);
    EXPECT_DOUBLE_EQ(s.p75, 4);
    EXPECT_NEAR(s.spread(), 2 / 1.349 / 3, 1e-12);
    const std::vector<double> sorted = {10, 20};
    EXPECT_DOUBLE_EQ(percentile(sorted, 0.0), 10);
    EXPECT_DOUBLE_EQ(percentile(sorted, 0.5), 15);
    EXPECT_DOUBLE_EQ(percentile(sorted, 1.0), 20);
}

TEST(Statistics, EmptyAndSingleSamples) {
    EXPECT_EQ(summarize({}).count, 0);
    EXPECT_EQ(summarize({}).median, 0.0);
    const std::vector<double> one = {7};
    EXPECT_DOUBLE_EQ(summarize(one).p99, 7);
    EXPECT_DOUBLE_EQ(summarize(one).deviation, 0);
}

TEST(Statistics, OneOutlierMovesDeviationAndNotSpread) {
    std::vector<double> sample;
    for (int i = 0; i < 99; ++i) sample.push_back(10 + 0.01 * (i % 10));
    const double calm = summarize(sample).spread();
    sample.push_back(1000);
    const Statistics s = summarize(sample);
    EXPECT_GT(s.variation(), 1);
    EXPECT_NEAR(s.spread(), calm, 0.1 * calm);
}

TEST(HtmlReport, HoldsTheLayersSlowestFirstAndNothingFromElsewhere) {
    Profile profile;
    for (const auto& [name, ms] : {std::pair{"quick", 1.0}, {"slow <b>&", 3.0}}) {
        LayerProfile layer;
        layer.layer = static_cast<int>(profile.layers.size());
        layer.name = name;
        layer.op = "Conv";
        layer.milliseconds.median = ms;
        layer.share = ms / 4;
        profile.layers.push_back(layer);
    }
    profile.latency.median = 4.25;
    const std::string html = htmlReport("a & b", {{"Engine", {{"Size", "4 MiB"}}}}, profile);
    EXPECT_NE(html.find("<h1>a &amp; b</h1>"), std::string::npos);
    EXPECT_NE(html.find("<dt>Size</dt><dd>4 MiB</dd>"), std::string::npos);
    EXPECT_NE(html.find("4.250 ms"), std::string::npos);
    const size_t slow = html.find("slow &lt;b&gt;&amp;"), quick = html.find("quick");
    ASSERT_NE(slow, std::string::npos);
    EXPECT_LT(slow, quick);
    for (const char* foreign : {"http", "src=", "href=", "<script", "url("}) EXPECT_EQ(html.find(foreign), std::string::npos) << foreign;
    EXPECT_NE(htmlReport("none", {}, Profile()).find("</html>"), std::string::npos);
}

TEST(TensorDifference, ByHand) {
    const std::vector<float> reference = {1, 2, 3, 4}, candidate = {1, 2, 3, 5};
    const TensorDifference d = compareTensors("t", reference, candidate, {4});
    EXPECT_DOUBLE_EQ(d.maxAbs, 1.0);
    EXPECT_DOUBLE_EQ(d.maxRel, 0.25);
    EXPECT_DOUBLE_EQ(d.meanAbs, 0.25);
    EXPECT_DOUBLE_EQ(d.rms, 0.5);
    EXPECT_NEAR(d.cosine, 34.0 / std::sqrt(30.0 * 39.0), 1e-9);
    EXPECT_NEAR(d.snrDb, 10 * std::log10(30.0), 1e-9);
    EXPECT_EQ(d.top1Agreement, -1);  // rank 1 is no table of class scores
}

TEST(TensorDifference, NonFiniteOnOneSideOnlyIsAsFarAsCanBe) {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
    const std::vector<float> a = {1, kNaN, kInf};
    const TensorDifference same = compareTensors("t", a, a, {3});
    EXPECT_EQ(same.maxAbs, 0.0);
    EXPECT_EQ(same.snrDb, kEqualDb);
    EXPECT_EQ(same.cosine, 1.0);
    EXPECT_EQ(same.nonFinite, 0);
    for (const auto& [b, count] : std::vector<std::pair<std::vector<float>, int>>{{{1, kNaN, 3}, 1},
                                                                                  {{1, 2, 3}, 2},
                                                                                  {{1, kNaN, -kInf}, 1},
                                                                                  {{kInf, kNaN, kInf}, 1},
                                                                                  {{kNaN, kInf, kNaN}, 3}}) {
        const TensorDifference d = compareTensors("t", a, b, {3});
        EXPECT_EQ(d.nonFinite, count);
        EXPECT_EQ(d.snrDb, kNonFiniteDb);
        for (const double figure : {d.maxAbs, d.maxRel, d.meanAbs, d.rms, d.cosine, d.referenceMin, d.referenceMax})
            EXPECT_TRUE(std::isfinite(figure));
    }
    const std::vector<float> finite = {1, 2}, overflown = {1, kInf};
    EXPECT_EQ(compareTensors("t", finite, overflown, {2}).snrDb, kNonFiniteDb);
}

/// What both hold beside them must not hide the error of the other elements.
TEST(TensorDifference, InfinitiesOfBothAreLeftOutOfTheSums) {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const std::vector<float> a = {3, 4, kInf}, b = {3, 5, kInf};
    EXPECT_NEAR(compareTensors("t", a, b, {3}).snrDb, 10 * std::log10(25.0), 1e-9);
}

TEST(TensorDifference, TheLowestFp32OfAMaskIsMinusInfinity) {
    constexpr float kLowest = std::numeric_limits<float>::lowest(), kInf = std::numeric_limits<float>::infinity();
    const auto compared = [](std::vector<float> a, std::vector<float> b) { return compareTensors("t", a, b, {2}); };
    const TensorDifference d = compared({kLowest, 1}, {-kInf, 1});
    EXPECT_EQ(d.nonFinite, 0);
    EXPECT_EQ(d.snrDb, kEqualDb);
    EXPECT_EQ(d.referenceMin, 1) << "a mask's end is no part of the range";
    EXPECT_EQ(compared({kLowest, 1}, {kInf, 1}).nonFinite, 1);
    EXPECT_EQ(compared({-3.38e38f, 1}, {-kInf, 1}).nonFinite, 1) << "BF16 can hold it";
}

TEST(TensorDifference, ScoresThatTurnNaNAgreeInNothing) {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> a = {0.1f, 0.9f}, b = {kNaN, kNaN};
    const TensorDifference d = compareTensors("t", a, b, {1, 2});
    EXPECT_EQ(d.top1Agreement, 0.0);
    EXPECT_EQ(d.top5Agreement, 0.0);
}

TEST(TensorDifference, ClassScoresAgreeRowByRow) {
    const std::vector<float> a = {0.1f, 0.9f, 0.8f, 0.2f}, b = {0.2f, 0.8f, 0.4f, 0.6f};
    EXPECT_DOUBLE_EQ(compareTensors("t", a, b, {2, 2}).top1Agreement, 0.5);
}

TEST(TrtexecReport, SummaryHasItsLinesAndWarns) {
    std::vector<QueryTimes> queries(10);
    for (size_t i = 0; i < queries.size(); ++i) {
        const double start = static_cast<double>(i) * 2.0;
        queries[i] = {start, start + 0.1, start, start, start, start + (i % 2 ? 1.0 : 2.0), start + 2, start + 2};
    }
    const std::string text = performanceSummary(queries, 0.02, {90, 99}, Transfers::None);
    for (const char* part :
         {"=== Performance summary ===", "Throughput: 500 qps",
          "Latency: min = 1 ms, max = 2 ms, mean = 1.5 ms, median = 1.5 ms", "percentile(90%) = 2 ms",
          "Total Host Walltime: 0.02 s", "coefficient of variation", "the median is unsteady too", "--duration"})
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

/// Ten queries of 1 ms that each copy for so long; the last one is held up to `slowest`.
std::string summaryOf(double toDevice, double toHost, double slowest, Transfers transfers) {
    std::vector<QueryTimes> queries(10);
    for (QueryTimes& q : queries) {
        const double compute = &q == &queries.back() ? slowest : 1.0;
        q.endH2d = q.startCompute = toDevice;
        q.endCompute = q.startD2h = toDevice + compute;
        q.endD2h = q.endCompute + toHost;
    }
    return performanceSummary(queries, 0.02, {}, transfers);
}

TEST(TrtexecReport, CopiesThatTakeAsLongAsComputingAreWarnedOf) {
    const auto warns = [](const std::string& text, const char* of) {
        return text.find(std::string("Warning: copying the ") + of) != std::string::npos;
    };
    const std::string none = summaryOf(0.9, 0.9, 1, Transfers::Counted),
                      toDevice = summaryOf(1, 0.1, 1, Transfers::Counted),
                      toHost = summaryOf(0.1, 2, 1, Transfers::Counted);
    EXPECT_EQ(none.find("Warning"), std::string::npos) << none;
    EXPECT_TRUE(warns(toDevice, "inputs") && !warns(toDevice, "outputs")) << toDevice;
    EXPECT_TRUE(!warns(toHost, "inputs") && warns(toHost, "outputs")) << toHost;
    EXPECT_EQ(summaryOf(1, 1, 1, Transfers::LeftOut).find("Warning"), std::string::npos);
}

TEST(TrtexecReport, OneHeldUpRunLeavesTheMedianSteady) {
    const std::string text = summaryOf(0, 0, 3, Transfers::None);
    EXPECT_NE(text.find("coefficient of variation is 52.7 %"), std::string::npos) << text;
    EXPECT_NE(text.find("go by the median"), std::string::npos) << text;
    EXPECT_NE(text.find("One measurement"), std::string::npos) << text;
    EXPECT_EQ(summaryOf(0, 0, 1.01, Transfers::None).find("Warning"), std::string::npos);
}

/// Copies have rows of their own where there are any, and are not in a latency that leaves them out.
TEST(TrtexecReport, TransfersShowWhereThereAreAny) {
    const std::vector<QueryTimes> counted(10, {0, 8, 0, 1, 1, 6, 6, 8}), leftOut(10, {0, 8, 1, 1, 1, 6, 6, 6});
    const auto shows = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    const std::string onCpu = performanceSummary(leftOut, 0.1, {}, Transfers::None), withCopies = performanceSummary(counted, 0.1, {}, Transfers::Counted),
                      without = performanceSummary(leftOut, 0.1, {}, Transfers::LeftOut);
    for (const char* row : {"H2D", "D2H"}) {
        EXPECT_FALSE(shows(onCpu, row)) << onCpu;
        EXPECT_TRUE(shows(withCopies, row)) << withCopies;
        EXPECT_FALSE(shows(without, row)) << without;
    }
    EXPECT_TRUE(shows(withCopies, "Latency: min = 8 ms")) << withCopies;
    EXPECT_TRUE(shows(withCopies, "H2D Latency: min = 1 ms")) << withCopies;
    EXPECT_TRUE(shows(withCopies, "D2H Latency: min = 2 ms")) << withCopies;
    EXPECT_TRUE(shows(without, "Latency: min = 5 ms")) << without;
}

TEST(Profile, LayersOfASmallEngineFillTheRun) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {256, 256});
    const TensorId first = b.layer("first", "MatMul", {x, b.wave("w", {256, 256})});
    b.output(b.layer("second", "MatMul", {b.layer("soft", "Softmax", {first}), b.wave("v", {256, 256})}));
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(b.take());
    request.config.optimizationLevel = 0;
    request.config.threads = 1;
    const auto built = Builder(cpuKernels()).build(request);
    ASSERT_TRUE(built) << built.status().message();
    const auto inputs = completeInputs(*built->engine, {}, {}, 1);
    ASSERT_TRUE(inputs) << inputs.status().message();
    ProfileOptions options;
    options.warmUpMs = 5;
    options.durationMs = 50;
    const auto profile = profileEngine(*built->engine, *inputs, options);
    ASSERT_TRUE(profile) << profile.status().message();
    EXPECT_EQ(profile->layers.size(), built->engine->graph().layers.size());
    EXPECT_GE(profile->iterations, 10);
    double share = 0, flops = 0;
    for (const LayerProfile& layer : profile->layers) {
        share += layer.share;
        flops += layer.flops;
    }
    EXPECT_NEAR(share, 1.0, 1e-6);
    EXPECT_GE(flops, 2.0 * 2 * 256 * 256 * 256);
    EXPECT_GT(profile->coverage(), 0.5);
    EXPECT_LT(profile->coverage(), 1.1);
}

/// 300² is finite in FP32 and infinite in FP16; that of 100.07 is rounded by more than the rest of that sample.
TEST(CompareAccuracy, OverflowOfFp16IsFoundAndComesFirst) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 4});
    b.output(b.layer("square", "Mul", {x, x}));
    b.output(b.layer("negative", "Neg", {x}));
    const auto network = std::make_shared<const Network>(b.take());
    const auto build = [&](PrecisionMode precision) {
        Builder::Request request;
        request.parsed = network;
        request.config.optimizationLevel = 0;
        request.config.precision = precision;
        return Builder(cpuKernels()).build(request);
    };
    const auto fp32 = build(PrecisionMode::Fp32), fp16 = build(PrecisionMode::Fp16);
    ASSERT_TRUE(fp32 && fp16);
    std::vector<NamedTensors> samples;
    for (const float value : {100.07f, 300.0f, 1.0f})
        samples.push_back({{"x", makeFloatWeights({1, 4}, std::vector<float>{value, 2, 3, 4})}});
    const auto report = compareAccuracy(*fp32->engine, *fp16->engine, samples, {});
    ASSERT_TRUE(report) << report.status().message();
    EXPECT_EQ(report->coarsest, DataType::Float16);
    ASSERT_EQ(report->outputs.size(), 2u);
    EXPECT_EQ(report->outputs[0].nonFinite, 1);
    EXPECT_EQ(report->outputs[1].nonFinite, 0);
    ASSERT_EQ(report->worst.size(), 3u);
    EXPECT_EQ(report->worst[0].sample, 1);
    EXPECT_EQ(report->worst[0].nonFinite, 1);
    EXPECT_GT(report->worst[1].maxAbs, report->worst[0].maxAbs);
    const AccuracyJudgement judgement = judge(*report);
    EXPECT_EQ(judgement.verdict, AccuracyVerdict::Fails);
    EXPECT_EQ(judgement.output, 0);
}

TEST(Profile, SaysWhenItsTimesCannotBeTrusted) {
    Profile quiet;
    EXPECT_EQ(quiet.disturbance(), "") << "nothing was measured";
    quiet.latency.median = 10;
    quiet.latency.p25 = 9.9;
    quiet.latency.p75 = 10.2;
    quiet.instrumented.median = 10.5;
    EXPECT_EQ(quiet.disturbance(), "");
    Profile scattered = quiet;
    scattered.latency.p75 = 15;
    EXPECT_NE(scattered.disturbance().find("scatter by 38 %"), std::string::npos) << scattered.disturbance();
    Profile changed = quiet;
    changed.latency.median = 22;
    changed.latency.p25 = changed.latency.p75 = 22;
    EXPECT_NE(changed.disturbance().find("48 %"), std::string::npos) << changed.disturbance();
    Profile tiny = quiet;  // clocks weigh on layers of a microsecond
    tiny.latency.median = tiny.latency.p25 = tiny.latency.p75 = 0.02;
    tiny.instrumented.median = 0.05;
    EXPECT_EQ(tiny.disturbance(), "");
}

TEST(Profile, WhatLiesInPlaceAlreadyIsNoTraffic) {
    NetworkBuilder b;
    const TensorId x = b.input("x", Shape{Dim(4), Dim(256)}), y = b.input("y", Shape{Dim(4), Dim(256)});
    Attributes axis;
    axis.set("axis", int64_t{0});
    // Not itself an output: that one's memory is the caller's, and nothing is planned into it.
    const TensorId joined = b.layer("joined", "Concat", {b.layer("p", "Softmax", {x}), b.layer("q", "Softmax", {y})}, axis);
    b.output(b.layer("r", "Softmax", {joined}));
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(b.take());
    request.config.optimizationLevel = 0;
    const auto built = Builder(cpuKernels()).build(request);
    ASSERT_TRUE(built) << built.status().message();
    ProfileOptions options;
    options.warmUpMs = options.durationMs = 1;
    const auto profile = profileEngine(*built->engine, *completeInputs(*built->engine, {}, {}, 1), options);
    ASSERT_TRUE(profile) << profile.status().message();
    const std::map<std::string, double> bytes{
        {"p", 2 * 4 * 4 * 256}, {"q", 2 * 4 * 4 * 256}, {"joined", 0}, {"r", 2 * 4 * 8 * 256}};
    ASSERT_EQ(profile->layers.size(), bytes.size());
    for (const LayerProfile& layer : profile->layers) EXPECT_EQ(layer.bytes, bytes.at(layer.name)) << layer.name;
}

}  // namespace
}  // namespace strobe::test
