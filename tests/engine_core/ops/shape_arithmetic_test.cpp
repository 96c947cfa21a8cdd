#include <gtest/gtest.h>

#include <limits>

#include "tests/support/inference_test.h"

namespace strobe {
namespace {

const Dim N = Dim::symbol("N"), S = Dim::symbol("S"), H = Dim::symbol("H");

TEST(ShapeArithmetic, FoldsAttentionReshape) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, S, 768});
    const TensorId shape = g.add("Shape", {x});
    const TensorId batch = g.add("Gather", {shape, g.scalar(0)}, attributes({{"axis", int64_t{0}}}));
    const TensorId length = g.add("Gather", {shape, g.scalar(1)});
    EXPECT_EQ(g.shape(batch), "[]");
    const TensorId rows = g.add("Mul", {batch, length});
    const TensorId row1 = g.add("Unsqueeze", {rows, g.ints({0})});
    const TensorId target = g.add("Concat", {row1, g.ints({12}), g.ints({-1})}, attributes({{"axis", int64_t{0}}}));
    EXPECT_EQ(g.values(target), "[N*S,12,-1]");
    EXPECT_EQ(g.shape(g.add("Reshape", {x, target})), "[N*S,12,64]");
    EXPECT_TRUE(g.status.isOk()) << g.status.message();
}

TEST(ShapeArithmetic, ExpandMaskWithEqualAndWhere) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, 1, S});
    const TensorId wanted = g.add("Concat", {g.add("Shape", {x}, attributes({{"end", int64_t{1}}})), g.ints({-1, 7})},
                                  attributes({{"axis", int64_t{0}}}));
    const TensorId isMinusOne = g.add("Equal", {wanted, g.ints({-1})});
    EXPECT_EQ(g.values(isMinusOne), "[0,1,0]");
    const TensorId ones = g.add("ConstantOfShape", {g.add("Shape", {wanted})},
                                attributes({{"value", makeInt64Weights({1}, std::vector<int64_t>{1})}}));
    EXPECT_EQ(g.values(ones), "[1,1,1]");
    const TensorId target = g.add("Where", {isMinusOne, ones, wanted});
    EXPECT_EQ(g.values(target), "[N,1,7]");
    const TensorId mask = g.input(DataType::Float32, {1, 1, 7});
    EXPECT_EQ(g.shape(g.add("Expand", {mask, target})), "[N,1,7]");
}

TEST(ShapeArithmetic, SliceOfShapeAndSplitKeepValues) {
    InferenceGraph g;
    const TensorId shape = g.add("Shape", {g.input(DataType::Float32, {N, 3, H, S})});
    const TensorId tail =
        g.add("Slice", {shape, g.ints({-2}), g.ints({std::numeric_limits<int64_t>::max()}), g.ints({0})});
    EXPECT_EQ(g.values(tail), "[H,S]");
    const TensorId reversed =
        g.add("Slice", {shape, g.ints({-1}), g.ints({std::numeric_limits<int64_t>::min()}), g.ints({0}), g.ints({-1})});
    EXPECT_EQ(g.values(reversed), "[S,H,3,N]");
    g.add("Split", {shape, g.ints({1, 3})}, {}, 2);
    EXPECT_EQ(g.values(g.network.layer(g.layer).outputs[1]), "[3,H,S]");
    EXPECT_EQ(g.values(g.add("Cast", {tail}, attributes({{"to", int64_t{6}}}))), "[H,S]");
    EXPECT_EQ(g.network.tensor(g.network.layer(g.layer).outputs[0]).type, DataType::Int32);
    EXPECT_EQ(g.values(g.add("Size", {g.network.inputs()[0]})), "[3*H*N*S]");
}

TEST(ShapeArithmetic, AnEmptyAxisReversedIsEmpty) {
    InferenceGraph g;
    const auto least = std::numeric_limits<int64_t>::min();
    const auto reversed = [&](Shape shape) {
        return g.shape(g.add("Slice", {g.input(DataType::Float32, std::move(shape)), g.ints({-1}), g.ints({least}),
                                       g.ints({0}), g.ints({-1})}));
    };
    EXPECT_EQ(reversed({0, 3}), "[0,3]");
    EXPECT_EQ(reversed({1, 3}), "[1,3]");
    EXPECT_EQ(reversed({7, 3}), "[7,3]");
    const TensorId open =
        g.add("Slice", {g.input(DataType::Float32, {N}), g.ints({-1}), g.ints({least}), g.ints({0}), g.ints({-1})});
    for (int64_t n : {0, 1, 5}) EXPECT_EQ(g.network.tensor(open).shape[0].evaluate({{"N", n}}), n);
}

TEST(ShapeArithmetic, WhatACastCannotHoldIsNotKnown) {
    InferenceGraph g;
    const TensorId ends = g.ints({4, std::numeric_limits<int64_t>::max()});
    EXPECT_EQ(g.values(g.add("Cast", {ends}, attributes({{"to", int64_t{6}}}))), "?");
    EXPECT_EQ(g.values(g.add("Cast", {g.ints({-1})}, attributes({{"to", int64_t{13}}}))), "?");
    EXPECT_EQ(g.values(g.add("Cast", {g.ints({-128, 127})}, attributes({{"to", int64_t{3}}}))), "[-128,127]");
    EXPECT_EQ(g.values(g.add("Cast", {g.ints({-129})}, attributes({{"to", int64_t{3}}}))), "?");
}

TEST(ShapeArithmetic, SlicesOnSymbolsClampOnlyWhereNeeded) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, S});
    const auto slice = [&](int64_t start, int64_t end, int64_t step) {
        return g.shape(g.add("Slice", {x, g.ints({start}), g.ints({end}), g.ints({1}), g.ints({step})}));
    };
    EXPECT_EQ(slice(0, std::numeric_limits<int64_t>::max(), 1), "[N,S]");
    EXPECT_EQ(slice(0, std::numeric_limits<int64_t>::max(), 2), "[N,floordiv(S+1,2)]");
    EXPECT_EQ(slice(std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), -1), "[N,S]");
    EXPECT_EQ(slice(0, 4, 1), "[N,min(4,S)]");
    EXPECT_EQ(slice(0, 1'000'000'000, 1), "[N,S]");
    const TensorId wide = g.input(DataType::Float32, {3'000'000'000});
    EXPECT_EQ(g.shape(g.add("Slice", {wide, g.ints({0}), g.ints({2'147'483'647})})), "[2147483647]");
    const Shape all = g.network.tensor(g.add("Slice", {x, g.ints({0}), g.ints({-1}), g.ints({1})})).shape;
    EXPECT_EQ(*all[1].evaluate({{"S", 5}}), 4);
    EXPECT_EQ(*all[1].evaluate({{"S", 0}}), 0);
}

TEST(ShapeArithmetic, HalvesOfASymbolicExtentNeedNoClamp) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, S});
    const TensorId extent = g.add("Shape", {x}, attributes({{"start", int64_t{1}}}));
    const TensorId half = g.add("Div", {extent, g.ints({2})});
    EXPECT_EQ(g.values(half), "[floordiv(S,2)]");
    EXPECT_EQ(g.shape(g.add("Slice", {x, g.ints({0}), half, g.ints({1})})), "[N,floordiv(S,2)]");
    EXPECT_EQ(g.shape(g.add("Slice", {x, half, extent, g.ints({1})})), "[N,S-floordiv(S,2)]");
}

TEST(ShapeArithmetic, ReducesShapes) {
    InferenceGraph g;
    const TensorId shape = g.add("Shape", {g.input(DataType::Float32, {N, 3, S})});
    EXPECT_EQ(g.values(g.add("ReduceProd", {shape})), "[3*N*S]");
    EXPECT_EQ(g.shape(g.network.layer(g.layer).outputs[0]), "[1]");
    EXPECT_EQ(g.values(g.add("ReduceSum", {shape, g.ints({0})}, attributes({{"keepdims", int64_t{0}}}))), "[N+S+3]");
    EXPECT_EQ(g.values(g.add("ReduceMax", {shape})), "?");
    EXPECT_EQ(g.values(g.add("ReduceSum", {shape}, attributes({{"noop_with_empty_axes", int64_t{1}}}))), "?");
}

TEST(ShapeArithmetic, RangeOverSymbols) {
    InferenceGraph g;
    const TensorId shape = g.add("Shape", {g.input(DataType::Float32, {N, S})});
    const TensorId length = g.add("Gather", {shape, g.scalar(1)});
    EXPECT_EQ(g.shape(g.add("Range", {g.scalar(0), length, g.scalar(1)})), "[S]");
    EXPECT_EQ(g.values(g.add("Range", {g.scalar(3), g.scalar(9), g.scalar(3)})), "[3,6]");
    g.add("Range", {g.scalar(0), length, g.scalar(0)});
    EXPECT_FALSE(g.status.isOk());
}

TEST(ShapeArithmetic, ReshapeRules) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, 4, H});
    EXPECT_EQ(g.shape(g.add("Reshape", {x, g.ints({0, -1})})), "[N,4*H]");
    EXPECT_EQ(g.shape(g.add("Reshape", {x, g.ints({-1, 2, 0})})), "[2*N,2,H]");
    g.add("Reshape", {x, g.ints({-1, -1})});
    EXPECT_NE(g.status.message().find("-1 more than once"), std::string::npos) << g.status.message();
    g.add("Reshape", {x, g.ints({0, 0, 0, 0})});
    EXPECT_FALSE(g.status.isOk());
    const TensorId fixed = g.input(DataType::Float32, {2, 6});
    g.add("Reshape", {fixed, g.ints({5, -1})});
    EXPECT_NE(g.status.message().find("does not divide"), std::string::npos) << g.status.message();
    g.add("Reshape", {fixed, g.ints({3, 5})});
    EXPECT_FALSE(g.status.isOk());
}

TEST(ShapeArithmetic, UnknownTargetGivesFreshSymbols) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {N, 4});
    const TensorId y = g.add("Reshape", {x, g.input(DataType::Int64, {3})});
    EXPECT_TRUE(g.status.isOk());
    EXPECT_EQ(g.network.tensor(y).shape.size(), 3u);
    EXPECT_EQ(g.shape(g.add("Reshape", {x, g.input(DataType::Int64, {N})})), "?");
    const TensorId axes = g.input(DataType::Int64, {1});
    for (const TensorId late :
         {g.add("Slice", {x, g.ints({0}), g.ints({1}), axes}), g.add("Pad", {x, g.ints({1, 1}), kNone, axes})}) {
        EXPECT_EQ(g.network.tensor(late).shape.size(), 2u);
        EXPECT_NE(g.network.tensor(late).shape[1], Dim(4));
    }
}

}  // namespace
}  // namespace strobe
