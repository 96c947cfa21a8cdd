#include "profiler/accuracy_verdict.h"

#include <gtest/gtest.h>

namespace strobe::test {
namespace {

constexpr auto kHolds = AccuracyVerdict::Holds, kDoubtful = AccuracyVerdict::Doubtful, kFails = AccuracyVerdict::Fails;

TensorDifference output(const char* name, double snrDb, double maxRel, int64_t nonFinite = 0) {
    TensorDifference d;
    d.tensor = name;
    d.snrDb = snrDb;
    d.maxRel = maxRel;
    d.nonFinite = nonFinite;
    d.count = 10;
    return d;
}

struct Case {
    const char* what;
    DataType coarsest;
    std::vector<TensorDifference> outputs;
    AccuracyVerdict verdict;
    AccuracyGround ground = AccuracyGround::Distance;
    int output = 0;
    double labelsA = -1, labelsB = -1;
    bool isRandom = false;
    std::optional<double> tolerance = {};
};

std::vector<Case> cases() {
    using enum AccuracyGround;
    constexpr DataType kFp32 = DataType::Float32, kFp16 = DataType::Float16, kBf16 = DataType::BFloat16;
    constexpr DataType kInt8 = DataType::Int8;
    return {
        {"one percent wrong in FP32", kFp32, {output("y", 40, 0.01)}, kFails},
        {"FP32 sums in another order", kFp32, {output("y", 120, 1e-6)}, kHolds},
        {"FP32 between both", kFp32, {output("y", 70, 1e-5)}, kDoubtful},
        {"one element far off", kFp32, {output("y", 90, 1e-3)}, kDoubtful},
        {"finer than FP32", DataType::Float64, {output("y", 70, 1e-5)}, kDoubtful},
        {"FP16 at its limits", kFp16, {output("y", 40, 0.01)}, kHolds},
        {"FP16 over one", kFp16, {output("y", 40, 0.011)}, kDoubtful},
        {"FP16 under 30 dB", kFp16, {output("y", 29.9, 0.01)}, kFails},
        {"BF16 at its limits", kBf16, {output("y", 30, 0.03)}, kHolds},
        {"BF16 at its lower limit", kBf16, {output("y", 20, 0.03)}, kDoubtful},
        {"BF16 under it", kBf16, {output("y", 19.9, 0.03)}, kFails},
        {"INT8", kInt8, {output("y", 20, 0.1)}, kHolds},
        {"the worst output stands for all", kBf16, {output("a", 45, 0.01), output("b", 12, 0.2)}, kFails, Distance, 1},
        {"the worse verdict before the lower SNR",
         kBf16,
         {output("a", 31, 0.01), output("b", 35, 0.2)},
         kDoubtful,
         Distance,
         1},
        {"NaN in one output of two",
         kFp16,
         {output("a", 45, 0.001), output("b", kNonFiniteDb, 0, 3)},
         kFails,
         NonFinite,
         1},
        {"NaN whatever the labels", kFp16, {output("a", kNonFiniteDb, 0, 1)}, kFails, NonFinite, 0, 0.9, 0.9},
        {"NaN on random input", kFp16, {output("a", kNonFiniteDb, 0, 1)}, kFails, NonFinite, 0, -1, -1, true},
        {"labels outweigh distances", kBf16, {output("y", 8, 0.5)}, kHolds, Labels, 0, 0.98, 0.979},
        {"some labels lost", kBf16, {output("y", 45, 0.01)}, kDoubtful, Labels, 0, 0.98, 0.97},
        {"many labels lost", kBf16, {output("y", 45, 0.01)}, kFails, Labels, 0, 0.98, 0.95},
        {"labels gained", kBf16, {output("y", 45, 0.01)}, kHolds, Labels, 0, 0.9, 0.95},
        {"in FP32 labels do not outweigh", kFp32, {output("y", 40, 0.01)}, kFails, Distance, 0, 0.98, 0.98},
        {"nor distances labels", kFp32, {output("y", 120, 1e-6)}, kFails, Labels, 0, 0.98, 0.9},
        {"random input below FP32", kBf16, {output("y", 8, 0.5)}, kDoubtful, RandomInput, 0, -1, -1, true},
        {"random input that holds", kBf16, {output("y", 45, 0.01)}, kHolds, Distance, 0, -1, -1, true},
        {"random input in FP32", kFp32, {output("y", 40, 0.01)}, kFails, Distance, 0, -1, -1, true},
        {"a looser tolerance", kBf16, {output("y", 30, 0.05)}, kHolds, Distance, 0, -1, -1, false, 0.1},
        {"the SNR counts beside it", kBf16, {output("y", 15, 0.05)}, kFails, Distance, 0, -1, -1, false, 0.1},
        {"a tighter tolerance",
         kBf16,
         {output("a", 45, 1e-4), output("b", 45, 0.01)},
         kFails,
         Tolerance,
         1,
         -1,
         -1,
         true,
         1e-3},
        {"a tolerance whatever the labels",
         kBf16,
         {output("y", 45, 0.01)},
         kFails,
         Tolerance,
         0,
         0.98,
         0.98,
         false,
         1e-3},
        {"nothing to compare", kBf16, {}, kDoubtful, Distance, -1},
    };
}

TEST(AccuracyVerdict, ByTheCoarsestPrecisionLabelsAndTolerance) {
    for (const Case& c : cases()) {
        AccuracyReport report;
        report.coarsest = c.coarsest;
        report.outputs = c.outputs;
        report.labelAccuracyReference = c.labelsA;
        report.labelAccuracyCandidate = c.labelsB;
        report.inputFile = c.isRandom ? "" : "real.npz";
        const AccuracyJudgement judgement = judge(report, c.tolerance);
        EXPECT_EQ(judgement.verdict, c.verdict) << c.what << ": " << judgement.reason;
        EXPECT_EQ(judgement.ground, c.ground) << c.what << ": " << judgement.reason;
        EXPECT_EQ(judgement.output, c.output) << c.what << ": " << judgement.reason;
        EXPECT_FALSE(judgement.reason.empty()) << c.what;
    }
}

TEST(AccuracyVerdict, ReasonNamesOutputFiguresAndLimits) {
    AccuracyReport report;
    report.coarsest = DataType::BFloat16;
    report.inputFile = "real.npz";
    report.outputs = {output("scores", 12.34, 0.25)};
    EXPECT_EQ(
        judge(report).reason,
        "'scores' has an SNR of 12.3 dB, its largest difference is 0.25 of its magnitude; bf16 is asked for 30 dB and "
        "0.03 at most");
    report.outputs = {output("scores", kNonFiniteDb, 0, 4)};
    EXPECT_EQ(judge(report).reason, "4 of 10 elements of 'scores' are NaN or infinite in one engine only");
    report.outputs = {output("scores", 40, 0.001)};
    report.labelAccuracyReference = 0.98;
    report.labelAccuracyCandidate = 0.9;
    EXPECT_EQ(judge(report).reason, "90.00 % of labels right, 98.00 % before");
}

TEST(AccuracyVerdict, FirstDivergingLayerByPrecision) {
    AccuracyReport report;
    for (const double snrDb : {100.0, 45.0, 25.0, kNonFiniteDb})
        report.layers.push_back({{}, "", "", output("t", snrDb, 0)});
    report.coarsest = DataType::Float32;
    EXPECT_EQ(firstDiverging(report), 1);
    report.coarsest = DataType::Float16;
    EXPECT_EQ(firstDiverging(report), 2);
    report.coarsest = DataType::BFloat16;
    EXPECT_EQ(firstDiverging(report), 3);  // NaN is as far away as can be
    report.layers.resize(2);
    EXPECT_EQ(firstDiverging(report), -1);
}

}  // namespace
}  // namespace strobe::test
