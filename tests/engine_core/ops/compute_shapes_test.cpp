#include <gtest/gtest.h>

#include "tests/support/inference_test.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;
const Dim N = Dim::symbol("N"), H = Dim::symbol("H"), W = Dim::symbol("W"), S = Dim::symbol("S");

struct Inferred {
    const char* op;
    std::vector<Shape> inputs;
    Attributes given;
    Shape expected;
};

class ComputeShape : public testing::TestWithParam<Inferred> {};

TEST_P(ComputeShape, OnSymbols) {
    InferenceGraph g;
    std::vector<TensorId> inputs;
    for (const Shape& shape : GetParam().inputs) inputs.push_back(g.input(DataType::Float32, shape));
    const TensorId y = g.add(GetParam().op, inputs, GetParam().given);
    ASSERT_TRUE(g.status.isOk()) << g.status.message();
    EXPECT_EQ(g.network.tensor(y).shape, GetParam().expected) << g.shape(y);
}

INSTANTIATE_TEST_SUITE_P(
    Ops, ComputeShape,
    testing::Values(
        Inferred{"MatMul", {{N, 12, S, 64}, {64, S}}, {}, {N, 12, S, S}},
        Inferred{"MatMul", {{N, S, 64}, {N, S, 64}}, attributes({{"transB", int64_t{1}}}), {N, S, S}},
        Inferred{"MatMul", {{64}, {N, 64, 8}}, {}, {N, 8}},
        Inferred{"Gemm", {{64, N}, {64, 10}, {10}}, attributes({{"transA", int64_t{1}}}), {N, 10}},
        Inferred{"MaxPool",
                 {{N, 3, H, W}},
                 attributes({{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}),
                 {N, 3, Dim::floorDiv(H, 2), Dim::floorDiv(W, 2)}},
        Inferred{"GlobalAveragePool", {{N, 3, H, W}}, {}, {N, 3, 1, 1}},
        Inferred{"ConvTranspose",
                 {{N, 8, H, W}, {8, 2, 2, 2}},
                 attributes({{"strides", Ints{2, 2}}, {"group", int64_t{2}}}),
                 {N, 4, H* Dim(2), W* Dim(2)}},
        Inferred{"ConvTranspose",
                 {{N, 8, H}, {8, 4, 3}},
                 attributes({{"strides", Ints{2}}, {"pads", Ints{1, 1}}, {"output_padding", Ints{1}}}),
                 {N, 4, H* Dim(2)}},
        Inferred{"ConvTranspose",
                 {{N, 8, H}, {8, 4, 3}},
                 attributes({{"strides", Ints{3}}, {"auto_pad", std::string("SAME_UPPER")}}),
                 {N, 4, H* Dim(3)}},
        Inferred{"ConvTranspose", {{N, 8, H}, {8, 4, 3}}, attributes({{"output_shape", Ints{10}}}), {N, 4, 10}},
        Inferred{"ReduceMean", {{N, S, 64}}, {}, {1, 1, 1}},
        Inferred{"ReduceSum", {{N, S, 64}}, attributes({{"noop_with_empty_axes", int64_t{1}}}), {N, S, 64}},
        Inferred{"ArgMax", {{N, S}}, attributes({{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}}), {N}},
        Inferred{
            "Einsum", {{N, S, 8}, {N, S, 8}}, attributes({{"equation", std::string("bqd, bkd -> bqk")}}), {N, S, S}},
        Inferred{"Einsum", {{N, 4, S}, {S, 8}}, attributes({{"equation", std::string("...j,jk")}}), {N, 4, 8}},
        Inferred{"Attention",
                 {{N, S, 64}, {N, H, 32}, {N, H, 48}},
                 attributes({{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{2}}}),
                 {N, S, 96}},
        Inferred{"LSTM",
                 {{S, N, 10}, {2, 16, 10}, {2, 16, 4}},
                 attributes({{"direction", std::string("bidirectional")}}),
                 {S, 2, N, 4}},
        Inferred{"GRU", {{N, S, 10}, {1, 12, 10}, {1, 12, 4}}, attributes({{"layout", int64_t{1}}}), {N, S, 1, 4}},
        Inferred{"GridSample", {{N, 3, H, W}, {N, 7, S, 2}}, {}, {N, 3, 7, S}}));

TEST(ComputeShapes, PastKeysLengthenAttention) {
    InferenceGraph g;
    const auto in = [&](Shape shape) { return g.input(DataType::Float32, std::move(shape)); };
    g.add("Attention",
          {in({N, 4, S, 8}), in({N, 2, S, 8}), in({N, 2, S, 6}), kNone, in({N, 2, H, 8}), in({N, 2, H, 6})}, {}, 4);
    ASSERT_TRUE(g.status.isOk()) << g.status.message();
    const std::vector<TensorId>& out = g.network.layer(g.layer).outputs;
    EXPECT_EQ(g.network.tensor(out[0]).shape, (Shape{N, 4, S, 6}));
    EXPECT_EQ(g.network.tensor(out[1]).shape, (Shape{N, 2, S + H, 8}));
    EXPECT_EQ(g.network.tensor(out[3]).shape, (Shape{N, 4, S, S + H}));
}

TEST(ComputeShapes, ResizeScalesSymbols) {
    InferenceGraph g;
    const auto resized = [&](std::vector<float> scales) {
        const TensorId factors = g.network.addConstant("s", makeFloatWeights({2}, scales));
        const TensorId x = g.input(DataType::Float32, {N, 3, H, W});
        return g.add("Resize", {x, kNone, factors}, attributes({{"axes", Ints{2, 3}}}));
    };
    EXPECT_EQ(g.network.tensor(resized({2.0f, 0.5f})).shape, (Shape{N, 3, H * Dim(2), Dim::floorDiv(W, 2)}));
    // A scale that no binary fraction equals is known only with the extent.
    const TensorId third = resized({1.0f / 3.0f, 1.0f});
    EXPECT_TRUE(g.network.tensor(third).shape[2].symbolName().has_value());
    EXPECT_EQ(g.network.tensor(third).shape[3], W);
}

/// The product is rounded to FP32 before it is cut, as onnxruntime's is: 0.7f·10 is a little less than 7.
TEST(ComputeShapes, ResizeScalesRoundAsInFp32) {
    InferenceGraph g;
    const auto resized = [&](float scale, int64_t extent) {
        const TensorId factor = g.network.addConstant("s", makeFloatWeights({1}, std::vector<float>{scale}));
        return g.shape(g.add("Resize", {g.input(DataType::Float32, {extent}), kNone, factor}));
    };
    EXPECT_EQ(resized(0.7f, 10), "[7]");
    EXPECT_EQ(resized(0.7f, 20), "[14]");
    EXPECT_EQ(resized(0.7f, 640), "[448]");
    EXPECT_EQ(resized(0.9f, 10), "[9]");
    EXPECT_EQ(resized(0.9f, 20), "[18]");
    EXPECT_EQ(resized(0.9f, 640), "[576]");
    EXPECT_EQ(resized(1.4f, 10), "[14]");
    EXPECT_EQ(resized(1.4f, 20), "[28]");
    EXPECT_EQ(resized(1.4f, 640), "[896]");
    EXPECT_EQ(resized(0.6f, 7), "[4]");
    EXPECT_EQ(resized(2.0f, 640), "[1280]");
}

/// Two names need not be two extents, but either may be 1.
TEST(ComputeShapes, UnequalSymbolsBroadcastToTheOneThatIsNotOne) {
    InferenceGraph g;
    const TensorId a = g.input(DataType::Float32, {N, 4}), b = g.input(DataType::Float32, {H, 4});
    const TensorId sum = g.add("Add", {a, b});
    EXPECT_EQ(g.shape(sum), "[broadcast(H,N),4]");
    EXPECT_EQ(g.shape(g.add("Mul", {b, a})), "[broadcast(H,N),4]");
    EXPECT_EQ(g.shape(g.add("Add", {a, sum})), "[broadcast(H,N),4]");
    EXPECT_EQ(g.shape(g.add("Add", {sum, g.input(DataType::Float32, {S, 1})})), "[broadcast(H,broadcast(N,S)),4]");
    EXPECT_EQ(g.shape(g.add("MatMul", {g.input(DataType::Float32, {N, 2, 3}), g.input(DataType::Float32, {H, 3, 4})})),
              "[broadcast(H,N),2,4]");
    // Two ways to write the extent of one input: a model whose halves meet again means them to be equal.
    const TensorId halves = g.input(DataType::Float32, {Dim::floorDiv(H, 2) * Dim(2), 4});
    EXPECT_EQ(g.shape(g.add("Add", {b, halves})), "[H,4]");
    // What only a run tells is learnt from an extent that stands alone.
    const TensorId wide = g.add("Expand", {a, g.input(DataType::Int64, {2})});
    EXPECT_TRUE(g.network.tensor(wide).shape[0].symbolName().has_value());
    EXPECT_TRUE(g.network.tensor(wide).shape[1].isConstant(4));
}

TEST(ComputeShapes, ASliceFromAPlaceThatMayBeNegative) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N}), rows = g.add("Shape", {x});
    for (const int64_t back : {1, 2, 3, 5}) {
        const Shape y =
            g.network.tensor(g.add("Slice", {x, g.add("Sub", {rows, g.ints({back})}), g.ints({1000})})).shape;
        for (int64_t n = 0; n < 10; ++n) {
            const int64_t start = n >= back ? n - back : std::max<int64_t>(0, 2 * n - back);
            EXPECT_EQ(y[0].evaluate({{"N", n}}), n - start) << y[0].toString() << " at " << n;
        }
        EXPECT_EQ(y[0].toString().find("min(-N+") == std::string::npos, back <= 2) << y[0].toString();
    }
}

TEST(ComputeShapes, ReductionWithoutItsAxes) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, S}), axes = g.input(DataType::Int64, {1});
    EXPECT_EQ(g.network.tensor(g.add("ReduceMax", {x, axes})).shape.size(), 2u);
    EXPECT_EQ(g.shape(g.add("ReduceMax", {x, axes}, attributes({{"keepdims", int64_t{0}}}))), "?");
    EXPECT_EQ(g.network.tensor(g.add("ReduceMax", {x, g.ints({-1})}, attributes({{"keepdims", int64_t{0}}}))).shape,
              (Shape{N}));
}

struct RefusedCompute {
    const char* op;
    std::vector<Shape> inputs;
    Attributes given;
    const char* message;
};
class ComputeRefused : public testing::TestWithParam<RefusedCompute> {};

TEST_P(ComputeRefused, SaysWhy) {
    InferenceGraph g;
    std::vector<TensorId> inputs;
    for (const Shape& shape : GetParam().inputs) inputs.push_back(g.input(DataType::Float32, shape));
    g.add(GetParam().op, inputs, GetParam().given);
    EXPECT_FALSE(g.status.isOk());
    EXPECT_NE(g.status.message().find(GetParam().message), std::string::npos) << g.status.message();
}

INSTANTIATE_TEST_SUITE_P(
    Ops, ComputeRefused,
    testing::Values(
        RefusedCompute{"MatMul", {{2, 3}, {4, 5}}, {}, "inner extents 3 and 4"},
        RefusedCompute{"MatMul", {{}, {4, 5}}, {}, "rank 1 or more"},
        RefusedCompute{"Gemm", {{2, 3}, {3, 5}, {4}}, {}, "do not broadcast"},
        RefusedCompute{
            "MaxPool", {{1, 1, 4}}, attributes({{"kernel_shape", Ints{2}}, {"strides", Ints{0}}}), "'strides' holds 0"},
        RefusedCompute{
            "MaxPool", {{1, 1, 4}}, attributes({{"kernel_shape", Ints{2}}, {"pads", Ints{-1, 0}}}), "'pads' holds -1"},
        RefusedCompute{"LpPool", {{1, 1, 4}}, attributes({{"kernel_shape", Ints{2}}, {"p", int64_t{0}}}), "'p' is 0"},
        RefusedCompute{"ConvTranspose", {{1, 4, 4}, {4, 2, 3}}, attributes({{"group", int64_t{0}}}), "'group' is 0"},
        RefusedCompute{"ConvTranspose",
                       {{1, 4, 4}, {4, 2, 3}},
                       attributes({{"output_shape", Ints{1, 2}}}),
                       "'output_shape' has 2"},
        RefusedCompute{
            "GroupNormalization", {{1, 4, 4}, {4}, {4}}, attributes({{"num_groups", int64_t{0}}}), "'num_groups' is 0"},
        RefusedCompute{
            "GroupNormalization", {{1, 4, 4}, {4}, {4}}, attributes({{"num_groups", int64_t{3}}}), "does not divide"},
        RefusedCompute{"BatchNormalization", {{1, 4, 4}, {4}, {4}, {4}, {3}}, {}, "channels of input 0"},
        RefusedCompute{"LRN", {{1, 4, 4}}, {}, "'size' is 0"},
        RefusedCompute{"Softmax", {{2, 3}}, attributes({{"axis", int64_t{2}}}), "axis 2"},
        RefusedCompute{"LpNormalization", {{2, 3}}, attributes({{"p", int64_t{3}}}), "'p' is 3"},
        RefusedCompute{"ArgMax", {{0, 3}}, {}, "no extremum"},
        RefusedCompute{"Attention", {{1, 3, 8}, {1, 3, 8}, {1, 3, 8}}, {}, "'q_num_heads' is 0"},
        RefusedCompute{"Attention", {{1, 3, 5, 8}, {1, 2, 5, 8}, {1, 2, 5, 8}}, {}, "cannot share"},
        RefusedCompute{"LSTM", {{5, 1, 3}, {1, 15, 3}, {1, 16, 4}}, {}, "4 gates"},
        RefusedCompute{"RNN",
                       {{5, 1, 3}, {1, 4, 3}, {1, 4, 4}},
                       attributes({{"direction", std::string("sideways")}}),
                       "'sideways'"},
        RefusedCompute{"Resize", {{1, 3}}, {}, "exactly one of scales"},
        RefusedCompute{"Einsum", {{1, 3}}, attributes({{"equation", std::string("abc->a")}}), "rank 2"},
        RefusedCompute{"Einsum", {{1, 3}}, attributes({{"equation", std::string("ab->c")}}), "that no input has"},
        RefusedCompute{"QuantizeLinear", {{2, 3}, {4}}, {}, "one scale for each entry"},
        RefusedCompute{"GridSample", {{1, 1, 4, 4}, {1, 2, 2, 3}}, {}, "one coordinate a spatial dim"}));

TEST(ComputeRefusals, ValuesAreChecked) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, 5});
    g.add("TopK", {x, g.ints({6})}, {}, 2);
    EXPECT_NE(g.status.message().find("K) is 6"), std::string::npos) << g.status.message();
    g.add("ReduceSum", {x, g.ints({1, -1})});
    EXPECT_NE(g.status.message().find("given twice"), std::string::npos) << g.status.message();
    g.add("Resize", {x, kNone, kNone, g.ints({4})});
    EXPECT_NE(g.status.message().find("sizes) has 1"), std::string::npos) << g.status.message();
}

/// An endless grid of samples would hold up whoever runs it.
TEST(RoiAlign, ItsSamplesAreBoundedAndCounted) {
    const OpDefinition& op = *OpRegistry::instance().get("RoiAlign");
    const ConcreteInput inputs[] = {{true, DataType::Float32, {1, 2, 64, 32}, nullptr},
                                    {true, DataType::Float32, {3, 4}, nullptr},
                                    {true, DataType::Int64, {3}, nullptr}};
    for (const int64_t ratio : {int64_t{4097}, int64_t{1} << 32, int64_t{1} << 40}) {
        Attributes given;
        given.set("sampling_ratio", ratio);
        const auto refused = inferConcrete(op, given, {}, inputs, 1);
        ASSERT_FALSE(refused.hasValue());
        EXPECT_NE(refused.status().message().find("0 to 4096 is allowed"), std::string::npos)
            << refused.status().message();
    }
    const auto flops = [&](int64_t ratio) {
        Attributes given;
        given.set("sampling_ratio", ratio);
        EXPECT_TRUE(inferConcrete(op, given, {}, inputs, 1).hasValue());
        const Dims dims[] = {inputs[0].dims, inputs[1].dims, inputs[2].dims};
        const Dims y[] = {{3, 2, 4, 4}};
        return op.flops({given, dims, y});
    };
    EXPECT_EQ(flops(5), 8.0 * 96 * 25);
    EXPECT_EQ(flops(0), 8.0 * 96 * 16 * 8) << "as many as the image has pixels in a bin";
}

}  // namespace
}  // namespace strobe
