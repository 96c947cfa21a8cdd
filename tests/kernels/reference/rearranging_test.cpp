#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/inference_test.h"
#include "tests/support/reference_test.h"

namespace strobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Type = DataType;

WeightsPtr ints(const std::vector<int64_t>& values) {
    return makeInt64Weights({static_cast<int64_t>(values.size())}, values);
}
/// 0, 1, 2 … in FP32.
WeightsPtr counting(Dims dims) {
    std::vector<double> values;
    for (int64_t i = 0; i < elementCount(dims); ++i) values.push_back(static_cast<double>(i));
    return numbers(Type::Float32, std::move(dims), values);
}
ReferenceOutcome run(const std::string& op, const std::vector<WeightsPtr>& inputs, const Attributes& given = {},
                     int outputs = 1) {
    ReferenceOutcome outcome = runReference(op, inputs, given, outputs);
    EXPECT_TRUE(outcome.status.isOk()) << op << ": " << outcome.status.message();
    outcome.values.resize(static_cast<size_t>(outputs));
    outcome.dims.resize(static_cast<size_t>(outputs));
    return outcome;
}

TEST(Rearranging, TransposeConcatSplit) {
    EXPECT_THAT(run("Transpose", {counting({2, 3})}).values[0], ElementsAre(0, 3, 1, 4, 2, 5));
    EXPECT_THAT(run("Concat", {counting({2, 1}), counting({2, 2})}, attributes({{"axis", int64_t{-1}}})).values[0],
                ElementsAre(0, 0, 1, 1, 2, 3));
    const ReferenceOutcome parts =
        run("Split", {counting({2, 3})}, attributes({{"axis", int64_t{1}}, {"num_outputs", int64_t{2}}}), 2);
    EXPECT_THAT(parts.values[0], ElementsAre(0, 1, 3, 4));
    EXPECT_THAT(parts.values[1], ElementsAre(2, 5));
}

TEST(Rearranging, PackedNibblesMoveWhole) {
    const auto packed =
        run("Cast", {numbers(Type::Float32, {3}, {1, -2, 3})}, attributes({{"to", onnxTypeNumber(Type::Int4)}}));
    EXPECT_THAT(run("Concat", {packed.tensors[0], packed.tensors[0]}, attributes({{"axis", int64_t{0}}})).values[0],
                ElementsAre(1, -2, 3, 1, -2, 3));
}

TEST(Rearranging, SliceBackwardsAndBeyond) {
    const auto slice = [](std::vector<int64_t> start, std::vector<int64_t> end, std::vector<int64_t> step) {
        return run("Slice", {counting({5}), ints(start), ints(end), ints({0}), ints(step)}).values[0];
    };
    EXPECT_THAT(slice({-2}, {INT64_MAX}, {1}), ElementsAre(3, 4));
    EXPECT_THAT(slice({100}, {INT64_MIN}, {-2}), ElementsAre(4, 2, 0));
    EXPECT_THAT(slice({3}, {1}, {1}), IsEmpty());
    EXPECT_THAT(slice({1}, {-1}, {2}), ElementsAre(1, 3));
    EXPECT_THAT(slice({4}, {0}, {INT64_MIN}), ElementsAre(4));
}

TEST(Rearranging, PadModes) {
    const auto pad = [](const char* mode) {
        return run("Pad", {counting({3}), ints({2, 3})}, attributes({{"mode", std::string(mode)}})).values[0];
    };
    EXPECT_THAT(pad("constant"), ElementsAre(0, 0, 0, 1, 2, 0, 0, 0));
    EXPECT_THAT(pad("reflect"), ElementsAre(2, 1, 0, 1, 2, 1, 0, 1));
    EXPECT_THAT(pad("edge"), ElementsAre(0, 0, 0, 1, 2, 2, 2, 2));
    EXPECT_THAT(pad("wrap"), ElementsAre(1, 2, 0, 1, 2, 0, 1, 2));
    EXPECT_THAT(run("Pad", {counting({1, 3}), ints({-1, 1}), numbers(Type::Float32, {}, {7}), ints({1})}).values[0],
                ElementsAre(1, 2, 7));
}

TEST(Rearranging, GatherFamily) {
    EXPECT_THAT(run("Gather", {counting({2, 3}), ints({-1, 0})}, attributes({{"axis", int64_t{1}}})).values[0],
                ElementsAre(2, 0, 5, 3));
    EXPECT_THAT(
        run("GatherElements", {counting({2, 2}), makeInt64Weights({1, 2}, std::vector<int64_t>{1, 0})}).values[0],
        ElementsAre(2, 1));
    EXPECT_THAT(
        run("GatherND", {counting({2, 2}), makeInt64Weights({2, 2}, std::vector<int64_t>{0, 0, 1, -1})}).values[0],
        ElementsAre(0, 3));
    const auto outside =
        runReference("GatherElements", {counting({2, 2}), makeInt64Weights({1, 2}, std::vector<int64_t>{2, 0})}, {});
    EXPECT_EQ(outside.status.code(), ErrorCode::OutOfRange);
}

TEST(Rearranging, ScatterReduces) {
    const auto indices = makeInt64Weights({2, 1}, std::vector<int64_t>{1, 1});
    const auto scatter = [&](const char* reduction) {
        return run("ScatterND", {counting({3}), indices, numbers(Type::Float32, {2}, {5, -5})},
                   attributes({{"reduction", std::string(reduction)}}))
            .values[0];
    };
    EXPECT_THAT(scatter("none"), ElementsAre(0, -5, 2));
    EXPECT_THAT(scatter("add"), ElementsAre(0, 1, 2));
    EXPECT_THAT(scatter("mul"), ElementsAre(0, -25, 2));
    EXPECT_THAT(scatter("max"), ElementsAre(0, 5, 2));
    EXPECT_THAT(scatter("min"), ElementsAre(0, -5, 2));
    EXPECT_THAT(
        run("ScatterElements",
            {counting({1, 3}), makeInt64Weights({1, 1}, std::vector<int64_t>{-1}), numbers(Type::Float32, {1, 1}, {9})},
            attributes({{"axis", int64_t{1}}}))
            .values[0],
        ElementsAre(0, 1, 9));
    EXPECT_THAT(run("TensorScatter", {counting({1, 3, 1}), numbers(Type::Float32, {1, 2, 1}, {8, 9}), ints({2})},
                    attributes({{"mode", std::string("circular")}}))
                    .values[0],
                ElementsAre(9, 1, 8));
}

TEST(Rearranging, BlocksGoThereAndBack) {
    const Attributes two = attributes({{"blocksize", int64_t{2}}});
    const auto deep = counting({1, 4, 1, 2});
    const ReferenceOutcome wide = run("DepthToSpace", {deep}, two);
    EXPECT_THAT(wide.values[0], ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
    EXPECT_EQ(run("SpaceToDepth", {wide.tensors[0]}, two).values[0], toDoubles(*deep));
}

TEST(Rearranging, ChannelShuffleTakesOneOfEachGroupInTurn) {
    EXPECT_THAT(run("ChannelShuffle", {counting({1, 6, 1, 2})}, attributes({{"group", int64_t{2}}})).values[0],
                ElementsAre(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11));
}

TEST(Rearranging, GeneratorsAndTriangles) {
    EXPECT_THAT(run("Range", {numbers(Type::Float32, {}, {1}), numbers(Type::Float32, {}, {2}),
                              numbers(Type::Float32, {}, {0.5})})
                    .values[0],
                ElementsAre(1, 1.5));
    EXPECT_THAT(run("OneHot", {ints({1, -1, 5}), ints({2}), numbers(Type::Float32, {2}, {-1, 1})}).values[0],
                ElementsAre(-1, 1, -1, 1, -1, -1));
    EXPECT_THAT(run("EyeLike", {counting({2, 3})}, attributes({{"k", int64_t{1}}})).values[0],
                ElementsAre(0, 1, 0, 0, 0, 1));
    EXPECT_THAT(run("Trilu", {counting({2, 2}), makeInt64Weights({}, std::vector<int64_t>{1})}).values[0],
                ElementsAre(0, 1, 0, 0));
    EXPECT_THAT(run("Trilu", {counting({2, 2})}, attributes({{"upper", int64_t{0}}})).values[0],
                ElementsAre(0, 0, 2, 3));
    EXPECT_THAT(run("ReverseSequence", {counting({3, 2}), ints({3, 2})}).values[0], ElementsAre(4, 3, 2, 1, 0, 5));
    EXPECT_THAT(run("Tile", {counting({2}), ints({2})}).values[0], ElementsAre(0, 1, 0, 1));
    EXPECT_THAT(run("Expand", {counting({2, 1}), ints({3, 1, 2})}).values[0],
                ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1));
}

TEST(Rearranging, DropoutRunsInferenceOnly) {
    const auto half = numbers(Type::Float32, {}, {0.5}), none = numbers(Type::Float32, {}, {0});
    const auto off = numbers(Type::Bool, {}, {0}), on = numbers(Type::Bool, {}, {1});
    const ReferenceOutcome still = run("Dropout", {counting({2}), half, off}, {}, 2);
    EXPECT_THAT(still.values[0], ElementsAre(0, 1));
    EXPECT_THAT(still.values[1], ElementsAre(1, 1));
    EXPECT_THAT(run("Dropout", {counting({2}), none, on}).values[0], ElementsAre(0, 1));
    EXPECT_EQ(runReference("Dropout", {counting({2}), half, on}).status.code(), ErrorCode::Unsupported);
}

TEST(Rearranging, EmptyTensorsOfAbsurdExtentAreNotWalked) {
    const ReferenceOutcome wide = run("Expand", {numbers(Type::Float32, {1, 1, 0}, {}), ints({INT64_MAX, 2, 0})});
    EXPECT_EQ(wide.dims[0], (Dims{INT64_MAX, 2, 0}));
    EXPECT_THAT(wide.values[0], IsEmpty());
}

TEST(Rearranging, SelectionsSizeTheirOwnOutputs) {
    const ReferenceOutcome places = run("NonZero", {numbers(Type::Float32, {2, 2}, {1, 0, 0, 2})});
    EXPECT_EQ(places.dims[0], (Dims{2, 2}));
    EXPECT_THAT(places.values[0], ElementsAre(0, 1, 0, 1));
    EXPECT_THAT(
        run("Compress", {counting({2, 3}), numbers(Type::Bool, {2}, {0, 1})}, attributes({{"axis", int64_t{1}}}))
            .values[0],
        ElementsAre(1, 4));
    const auto x = numbers(Type::Int64, {6}, {2, 1, 1, 3, 4, 3});
    const ReferenceOutcome inOrder = run("Unique", {x}, attributes({{"sorted", int64_t{0}}}), 4);
    EXPECT_THAT(inOrder.values[0], ElementsAre(2, 1, 3, 4));
    EXPECT_THAT(inOrder.values[1], ElementsAre(0, 1, 3, 4));
    EXPECT_THAT(inOrder.values[2], ElementsAre(0, 1, 1, 2, 3, 2));
    EXPECT_THAT(inOrder.values[3], ElementsAre(1, 2, 2, 1));
    EXPECT_THAT(
        run("Unique", {numbers(Type::Float32, {2, 2}, {1, 0, 1, 0})}, attributes({{"axis", int64_t{1}}})).values[0],
        ElementsAre(0, 1, 0, 1));
}

TEST(Rearranging, NaNIsOneMoreValue) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto unique = [](const std::vector<double>& x) {
        return run("Unique", {numbers(Type::Float32, {static_cast<int64_t>(x.size())}, x)}, {}, 4);
    };
    const ReferenceOutcome middle = unique({1, nan, 2});
    ASSERT_EQ(middle.dims[0], (Dims{3}));
    EXPECT_EQ(middle.values[0][0], 1.0);
    EXPECT_EQ(middle.values[0][1], 2.0);
    EXPECT_TRUE(std::isnan(middle.values[0][2]));
    EXPECT_THAT(middle.values[2], ElementsAre(0, 2, 1));
    const ReferenceOutcome several = unique({nan, 3, nan, 1, 3, nan});
    EXPECT_THAT(several.values[1], ElementsAre(3, 1, 0));
    EXPECT_THAT(several.values[3], ElementsAre(1, 2, 3));
}

TEST(Rearranging, SeedsRepeat) {
    const Attributes seeded =
        attributes({{"shape", std::vector<int64_t>{500}}, {"seed", 3.0f}, {"low", 2.0f}, {"high", 4.0f}});
    const auto a = run("RandomUniform", {}, seeded).values[0], b = run("RandomUniform", {}, seeded).values[0];
    EXPECT_EQ(a, b);
    double sum = 0.0;
    for (double value : a) {
        EXPECT_TRUE(value >= 2.0 && value < 4.0) << value;
        sum += value;
    }
    EXPECT_NEAR(sum / 500.0, 3.0, 0.2);
    const Attributes free = attributes({{"shape", std::vector<int64_t>{8}}});
    EXPECT_NE(run("RandomNormal", {}, free).values[0], run("RandomNormal", {}, free).values[0]);
}

}  // namespace
}  // namespace strobe
