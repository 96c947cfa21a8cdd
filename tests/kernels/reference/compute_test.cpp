#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/inference_test.h"
#include "tests/support/reference_test.h"

namespace strobe {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;
using Ints = std::vector<int64_t>;
using Type = DataType;

WeightsPtr floats(Dims dims, const std::vector<double>& values) {
    return numbers(Type::Float32, std::move(dims), values);
}
WeightsPtr ints(const Ints& values) {
    return makeInt64Weights({static_cast<int64_t>(values.size())}, values);
}

ReferenceOutcome run(const std::string& op, const std::vector<WeightsPtr>& inputs, const Attributes& given = {},
                     int outputs = 1) {
    ReferenceOutcome outcome = runReference(op, inputs, given, outputs);
    EXPECT_TRUE(outcome.status.isOk()) << op << ": " << outcome.status.message();
    outcome.values.resize(static_cast<size_t>(outputs));
    return outcome;
}
void expectNear(const std::vector<double>& found, const std::vector<double>& expected) {
    EXPECT_THAT(found, Pointwise(DoubleNear(1e-5), expected));
}

TEST(ComputeReference, MatMulWithOurExtras) {
    const WeightsPtr a = floats({2, 2}, {1, 2, 3, 4}), b = floats({2, 2}, {5, 6, 7, 8});
    expectNear(run("MatMul", {a, b}).values[0], {19, 22, 43, 50});
    expectNear(
        run("MatMul", {a, b, floats({2}, {1, -1})}, attributes({{"transB", int64_t{1}}, {"alpha", 0.5f}})).values[0],
        {9.5, 10.5, 20.5, 25.5});
}

TEST(ComputeReference, PoolsCountWhatIsThere) {
    const WeightsPtr x = floats({1, 1, 3}, {1, 5, 3});
    const Attributes window = attributes({{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"ceil_mode", int64_t{1}}});
    expectNear(run("AveragePool", {x}, window).values[0], {3, 3});
    const ReferenceOutcome best = run("MaxPool", {x}, window, 2);
    expectNear(best.values[0], {5, 3});
    expectNear(best.values[1], {1, 2});
}

TEST(ComputeReference, ConvTransposeOverlapsAdd) {
    // Each input spreads (1, 2, 3) from its place, two apart.
    expectNear(run("ConvTranspose", {floats({1, 1, 2}, {1, 10}), floats({1, 1, 3}, {1, 2, 3})},
                   attributes({{"strides", Ints{2}}}))
                   .values[0],
               {1, 2, 13, 20, 30});
}

TEST(ComputeReference, SoftmaxOfLargeNumbersStaysFinite) {
    expectNear(run("Softmax", {floats({1, 3}, {1000, 1000, -1000})}).values[0], {0.5, 0.5, 0.0});
    expectNear(run("LogSoftmax", {floats({2}, {1000, 1000})}).values[0], {-std::log(2.0), -std::log(2.0)});
}

TEST(ComputeReference, ReductionsKeepBigIntegersExact) {
    const int64_t big = (int64_t{1} << 60) + 1;
    const ReferenceOutcome sum = run("ReduceMax", {makeInt64Weights({2}, Ints{big, 5})});
    EXPECT_EQ(sum.tensors[0]->copyAs<int64_t>(), Ints{big});
    expectNear(run("ReduceLogSumExp", {floats({2}, {1000, 1000})}).values[0],
               {static_cast<double>(static_cast<float>(1000.0 + std::log(2.0)))});
    expectNear(run("ReduceMean", {floats({2, 2}, {1, 2, 3, 6}), ints({0})}).values[0], {2, 4});
}

TEST(ComputeReference, TopKTakesTheLowerIndexOfEquals) {
    const ReferenceOutcome top = run("TopK", {floats({4}, {2, 7, 7, 1}), ints({2})}, {}, 2);
    EXPECT_THAT(top.values[0], ElementsAre(7, 7));
    EXPECT_THAT(top.values[1], ElementsAre(1, 2));
    EXPECT_THAT(run("CumSum", {floats({3}, {1, 2, 4}), ints({0})},
                    attributes({{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}}))
                    .values[0],
                ElementsAre(6, 4, 0));
}

TEST(ComputeReference, QuantizeRoundsHalvesToEvenAndSaturates) {
    const WeightsPtr scale = floats({}, {2}), zero = numbers(Type::UInt8, {}, {128});
    EXPECT_THAT(run("QuantizeLinear", {floats({5}, {1, 3, -1, 1000, -1000}), scale, zero}).values[0],
                ElementsAre(128, 130, 128, 255, 0));
    EXPECT_THAT(run("DequantizeLinear", {numbers(Type::UInt8, {2}, {130, 0}), scale, zero}).values[0],
                ElementsAre(4, -256));
    const WeightsPtr blocks = floats({1, 2}, {1, 10});
    EXPECT_THAT(run("DequantizeLinear", {numbers(Type::Int8, {1, 3}, {1, 2, 3}), blocks},
                    attributes({{"block_size", int64_t{2}}}))
                    .values[0],
                ElementsAre(1, 2, 30));
}

TEST(ComputeReference, AttentionThatMayLookNowhereGivesZeros) {
    const WeightsPtr one = floats({1, 1, 2, 1}, {1, 1}), v = floats({1, 1, 2, 1}, {4, 8});
    expectNear(run("Attention", {one, one, v}, attributes({{"is_causal", int64_t{1}}})).values[0], {4, 6});
    const WeightsPtr mask = numbers(Type::Bool, {2, 2}, {0, 0, 0, 1});
    expectNear(run("Attention", {one, one, v, mask}).values[0], {0, 8});
}

TEST(ComputeReference, AttentionSharesKeyHeads) {
    // Four query heads on two key heads, one position: every query head reads its group's value.
    const WeightsPtr q = floats({1, 4, 1, 1}, {1, 1, 1, 1}), k = floats({1, 2, 1, 1}, {1, 1}),
                     v = floats({1, 2, 1, 1}, {3, 5});
    expectNear(run("Attention", {q, k, v}).values[0], {3, 3, 5, 5});
}

TEST(ComputeReference, RnnStopsAtEachSequencesLength) {
    // h = relu(x + h): a running sum. The second sequence is one step long.
    const WeightsPtr x = floats({3, 2, 1}, {1, 10, 2, 20, 4, 40}), w = floats({1, 1, 1}, {1}),
                     lengths = numbers(Type::Int32, {2}, {3, 1});
    const Attributes relu = attributes({{"activations", std::vector<std::string>{"Relu"}}});
    const ReferenceOutcome y = run("RNN", {x, w, w, nullptr, lengths}, relu, 2);
    expectNear(y.values[0], {1, 10, 3, 0, 7, 0});
    expectNear(y.values[1], {7, 10});
    Attributes reverse = relu;
    reverse.set("direction", std::string("reverse"));
    expectNear(run("RNN", {x, w, w, nullptr, lengths}, reverse, 2).values[0], {7, 10, 6, 0, 4, 0});
}

TEST(ComputeReference, LstmPeepholesAndCoupledGates) {
    // Zero weights: i = σ(0) = ½, coupled forget ½, candidate tanh(0) = 0, so c halves; o = σ(P_o·c).
    const WeightsPtr x = floats({1, 1, 1}, {0}), w = floats({1, 4, 1}, {0, 0, 0, 0}), h = floats({1, 1, 1}, {0}),
                     c = floats({1, 1, 1}, {2});
    const WeightsPtr peepholes = floats({1, 3}, {0, 1, 0});
    const ReferenceOutcome y =
        run("LSTM", {x, w, w, nullptr, nullptr, h, c, peepholes}, attributes({{"input_forget", int64_t{1}}}), 3);
    expectNear(y.values[2], {1});
    expectNear(y.values[0], {std::tanh(1.0) / (1.0 + std::exp(-1.0))});
}

TEST(ComputeReference, ResizeLinearHalfPixel) {
    const WeightsPtr scales = floats({1}, {2});
    expectNear(
        run("Resize", {floats({2}, {0, 4}), nullptr, scales}, attributes({{"mode", std::string("linear")}})).values[0],
        {0, 1, 3, 4});
    const Attributes nearest = attributes(
        {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
    expectNear(run("Resize", {floats({2}, {0, 4}), nullptr, scales}, nearest).values[0], {0, 0, 4, 4});
}

/// 0, 1, 2 … resized; `sizes` where `size` is given, else `scale`.
std::vector<double> resizedLine(int64_t extent, double scale, int64_t size, const char* mode, const char* coordinates,
                                const char* nearest = "floor") {
    std::vector<double> x(static_cast<size_t>(extent));
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
    const Attributes given = attributes({{"mode", std::string(mode)},
                                         {"nearest_mode", std::string(nearest)},
                                         {"coordinate_transformation_mode", std::string(coordinates)}});
    return run("Resize",
               {floats({extent}, x), floats({2}, {0, 1}), size ? nullptr : floats({1}, {scale}),
                size ? ints({size}) : nullptr},
               given)
        .values[0];
}

/// Lengths that out / in · in misses in FP32; the numbers are onnxruntime's.
TEST(ComputeReference, ResizeBySizesHasExactLengths) {
    struct Case {
        const char* coordinates;
        double onlyPixel;
    };
    for (const auto& [coordinates, pixel] : {Case{"half_pixel", 20},
                                             {"pytorch_half_pixel", 0},
                                             {"align_corners", 0},
                                             {"asymmetric", 0},
                                             {"tf_crop_and_resize", 20}})
        for (const char* mode : {"nearest", "linear", "cubic"})
            expectNear(resizedLine(41, 0, 1, mode, coordinates), {pixel});
    for (const char* coordinates : {"align_corners", "tf_crop_and_resize"})
        EXPECT_EQ(resizedLine(7, 0, 57, "nearest", coordinates).back(), 6) << coordinates;
}

/// 6.5 comes out as 6.4999995, 14.5 as 14.500001; the numbers are onnxruntime's.
TEST(ComputeReference, ResizeTakesHalfPixelsForHalfPixels) {
    EXPECT_EQ(resizedLine(13, 0, 2, "nearest", "asymmetric", "round_prefer_ceil"), (std::vector<double>{0, 7}));
    EXPECT_EQ(resizedLine(33, 1.3, 0, "nearest", "half_pixel", "round_prefer_floor")[19], 14);
    EXPECT_EQ(resizedLine(33, 0.3, 0, "nearest", "half_pixel", "round_prefer_ceil")[4], 15);
    EXPECT_EQ(resizedLine(10, 0, 6, "nearest", "half_pixel_symmetric", "floor")[1], 1);
    EXPECT_EQ(resizedLine(41, 0, 11, "nearest", "half_pixel_symmetric", "ceil")[5], 20);
}

/// align_corners takes the length that was asked, as ONNX's cases do (onnxruntime: 0, 3); the others what comes out.
TEST(ComputeReference, ResizeByScalesThatGiveNoWholeLength) {
    expectNear(resizedLine(4, 0.6, 0, "linear", "align_corners"), {0, 3 / 1.4});
    expectNear(resizedLine(4, 0.6, 0, "linear", "tf_crop_and_resize"), {0, 3});
    expectNear(resizedLine(10, 0.65, 0, "linear", "tf_crop_and_resize"), {0, 1.8, 3.6, 5.4, 7.2, 9});
    expectNear(resizedLine(10, 0.15, 0, "linear", "pytorch_half_pixel"), {0});
    expectNear(resizedLine(10, 0.15, 0, "linear", "tf_crop_and_resize"), {4.5});
}

TEST(ComputeReference, SuppressionKeepsTheBestOfEachHeap) {
    const WeightsPtr boxes = floats({1, 3, 4}, {0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 10, 1, 11}),
                     scores = floats({1, 1, 3}, {0.8, 0.9, 0.3});
    EXPECT_THAT(run("NonMaxSuppression", {boxes, scores, ints({5}), floats({1}, {0.5})}).values[0],
                ElementsAre(0, 0, 1, 0, 0, 2));
}

TEST(ComputeReference, MaxRoiPoolTakesEachBinsBest) {
    const WeightsPtr x = floats({1, 1, 2, 4}, {1, 2, 3, 4, 8, 7, 6, 5}), rois = floats({1, 5}, {0, 1, 0, 3, 1});
    expectNear(run("MaxRoiPool", {x, rois}, attributes({{"pooled_shape", Ints{1, 2}}})).values[0], {7, 6});
}

TEST(ComputeReference, LossSkipsIgnoredLabels) {
    const WeightsPtr logs = floats({3, 2}, {-1, -2, -3, -4, -5, -6}), weights = floats({2}, {1, 3});
    expectNear(
        run("NegativeLogLikelihoodLoss", {logs, ints({0, 1, 7}), weights}, attributes({{"ignore_index", int64_t{7}}}))
            .values[0],
        {(1.0 + 12.0) / 4.0});
    EXPECT_FALSE(runReference("NegativeLogLikelihoodLoss", {logs, ints({0, 1, 7}), weights}).status.isOk());
}

TEST(ComputeReference, DeterminantAndTransform) {
    expectNear(run("Det", {floats({2, 2}, {0, 2, 3, 4})}).values[0], {-6});
    expectNear(run("DFT", {floats({1, 4, 1}, {1, 0, -1, 0})}, attributes({{"onesided", int64_t{1}}})).values[0],
               {0, 0, 2, 0, 0, 0});
    expectNear(run("HannWindow", {ints({4})}).values[0], {0, 0.5, 1, 0.5});
}

TEST(ComputeReference, EinsumTakesDiagonals) {
    expectNear(run("Einsum", {floats({2, 2}, {1, 2, 3, 4})}, attributes({{"equation", std::string("ii")}})).values[0],
               {5});
}

}  // namespace
}  // namespace strobe
