#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

KernelCase integerCase(const std::string& op, DataType type, std::vector<Dims> dims) {
    KernelCase c;
    c.op = op;
    for (Dims& d : dims) {
        KernelInput in{std::move(d), type};
        in.low = type == DataType::Int64 || type == DataType::Int32 ? -9 : 0;
        in.high = type == DataType::Bool ? 1 : 9;
        c.inputs.push_back(std::move(in));
    }
    return c;
}

TEST(SimdInteger, ArithmeticAndComparisonsBroadcast) {
    for (const char* op :
         {"Add", "Sub", "Mul", "Min", "Max", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
        for (DataType type : {DataType::Int64, DataType::Int32, DataType::UInt8}) {
            SCOPED_TRACE(op);
            expectMatchesReference(integerCase(op, type, {{}, {}}), "simd.integer");
            expectMatchesReference(integerCase(op, type, {{5, 7}, {5, 7}}), "simd.integer");
            expectMatchesReference(integerCase(op, type, {{5, 7}, {1}}), "simd.integer");
            expectMatchesReference(integerCase(op, type, {{1, 1}, {5, 7}}), "simd.integer");
            expectMatchesReference(integerCase(op, type, {{2, 1, 7}, {3, 1}}), "simd.integer");
            expectMatchesReference(integerCase(op, type, {{4}, {3, 1}}), "simd.integer");
        }
}

TEST(SimdInteger, Logic) {
    for (const char* op : {"And", "Or", "Xor", "Equal"}) {
        SCOPED_TRACE(op);
        expectMatchesReference(integerCase(op, DataType::Bool, {{300}, {300}}), "simd.integer");
        expectMatchesReference(integerCase(op, DataType::Bool, {{3, 1}, {5}}), "simd.integer");
    }
    expectMatchesReference(integerCase("Not", DataType::Bool, {{3, 17}}), "simd.integer");
    expectMatchesReference(integerCase("Not", DataType::Bool, {{}}), "simd.integer");
}

TEST(SimdInteger, WhereAndClip) {
    for (DataType type : {DataType::Int64, DataType::Int32, DataType::Float32, DataType::Bool}) {
        KernelCase c = integerCase("Where", type, {{2, 3, 5}, {3, 1}, {5}});
        c.inputs[0].type = DataType::Bool;
        c.inputs[0].low = 0;
        c.inputs[0].high = 1;
        expectMatchesReference(c, "simd.integer");
    }
    KernelCase clip = integerCase("Clip", DataType::Int32, {{4, 9}, {}, {}});
    clip.inputs[1].values = {-3};
    clip.inputs[2].values = {4};
    expectMatchesReference(clip, "simd.integer");
    clip.inputs[1] = KernelInput::absent();
    expectMatchesReference(clip, "simd.integer");
}

TEST(SimdInteger, DeclinesFloatArithmetic) {
    expectDeclines(integerCase("Add", DataType::Float32, {{4}, {4}}), "simd.integer", "fp32");
}

TEST(SimdShape, ExtentsInEveryLayout) {
    KernelCase shape = integerCase("Shape", DataType::Float32, {{2, 20, 3, 5}});
    shape.attributes.set("start", int64_t{-3});
    EXPECT_EQ(expectMatchesReference(shape, "simd.shape"), 4);
    EXPECT_EQ(expectMatchesReference(integerCase("Size", DataType::Int64, {{6}}), "simd.shape"), 1);
    KernelCase fill;
    fill.op = "ConstantOfShape";
    fill.inputs = {KernelInput::integers({3, 7})};
    fill.attributes.set("value", makeInt64Weights({1}, std::vector<int64_t>{-5}));
    expectMatchesReference(fill, "simd.shape");
}

}  // namespace
}  // namespace strobe
