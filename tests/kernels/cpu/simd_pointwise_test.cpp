#include "kernels/cpu/simd_pointwise.h"

#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase chain(const std::string& program, std::vector<KernelInput> inputs, int outputs = 1) {
    KernelCase c;
    c.op = "Pointwise";
    c.program = program;
    c.inputs = std::move(inputs);
    c.outputs = outputs;
    c.tolerance = 2e-6;
    return c;
}

const char* const kAddRelu = "v2=Add(v0,v1); v3=Relu(v2); -> v3";

TEST(SimdPointwise, SameShapesOfAllRanks) {
    for (const Dims& dims : {Dims{}, Dims{1}, Dims{17}, Dims{3, 5}, Dims{2, 7, 3}, Dims{1, 16, 9, 9},
                             Dims{2, 19, 3, 2, 2}, Dims{1, 3, 70, 71}, Dims{2, 0, 3}})
        expectMatchesOnEachTarget(chain("v2=Add(v0,v1); v3=Relu(v2); -> v3", {{dims}, {dims}}), "simd.pointwise");
}

TEST(SimdPointwise, Broadcasts) {
    const Dims full{2, 19, 6, 5};
    for (const Dims& small :
         {Dims{}, Dims{1}, Dims{5}, Dims{6, 5}, Dims{6, 1}, Dims{19, 1, 1}, Dims{2, 19, 1, 1}, Dims{1, 19, 1, 1},
          Dims{2, 1, 1, 1}, Dims{2, 1, 6, 5}, Dims{1, 1, 1, 5}, Dims{19, 6, 5}, Dims{2, 1, 6, 1}, Dims{1, 19, 1, 5}}) {
        expectMatchesOnEachTarget(chain("v2=Sub(v0,v1); v3=HardSwish(v2); -> v3", {{full}, {small}}), "simd.pointwise");
        expectMatchesReference(chain("v2=Sub(v1,v0); -> v2", {{small}, {full}}), "simd.pointwise");
    }
    expectMatchesReference(chain(kAddRelu, {{{3, 1, 4}}, {{1, 5, 4}}}), "simd.pointwise");
    expectMatchesReference(chain(kAddRelu, {{{700, 1}}, {{1, 3}}}), "simd.pointwise");
    expectMatchesReference(chain(kAddRelu, {{{1, 96, 31, 33}}, {{1, 96, 1, 1}}}), "simd.pointwise");
    expectMatchesReference(chain(kAddRelu, {{{4, 2000}}, {{2000}}}), "simd.pointwise");
}

TEST(SimdPointwise, NarrowStorage) {
    for (DataType type : {DataType::BFloat16, DataType::Float16}) {
        KernelCase c = chain("v2=Mul(v0,v1); v3=Silu(v2); -> v3", {{{1, 24, 7, 9}}, {{1, 24, 1, 1}}});
        c.floatType = type;
        c.tolerance = 0.0;
        expectMatchesOnEachTarget(c, "simd.pointwise");
    }
}

TEST(SimdPointwise, ChainsInOnePass) {
    const std::vector<KernelInput> inputs = {{{2, 19, 6, 5}}, {{19, 1, 1}}, {{2, 19, 6, 5}}, {{2, 19, 1, 1}}};
    for (const char* program : {
             "v4=Mul(v0,v1); v5=Add(v4,v3); v6=Relu(v5); -> v6",
             "v4=Mul(v0,v1); v5=Add(v0,v4); v6=Add(v5,v2); -> v6",
             "v4=Mul(v1,v0); v5=Add(v4,v0); v6=Silu(v5); v7=Add(v2,v6); v8=Relu(v7); -> v8",
             "v4=HardSwish(v0); v5=Constant(;0.4,0); v6=Mul(v5,v4); v7=Constant(;-0.1,0); v8=Add(v6,v7); -> v8",
             "v4=Constant(;0.3,0); v5=Sub(v0,v4); v6=Mul(v2,v1); v7=Sigmoid(v5); -> v7",
             "v4=LeakyRelu(v0;0.1,0); v5=Mul(v4,v3); v6=Add(v5,v1); v7=Clip(v6;-0.3,0.4); -> v7",
             "v4=Add(v0,v2); v5=HardSigmoid(v4;0.2,0.5); -> v5",
         }) {
        KernelCase c = chain(program, inputs);
        expectMatchesOnEachTarget(c, "simd.pointwise");
        c.floatType = DataType::BFloat16;
        c.tolerance = 0.0;  // that of the type
        expectMatchesOnEachTarget(c, "simd.pointwise");
        c.inputs[0].dims = c.inputs[2].dims = {1, 19, 60, 61};  // several tiles
        c.inputs[3].dims = {1, 19, 1, 1};
        expectMatchesReference(c, "simd.pointwise");
    }
}

TEST(SimdPointwise, WhichProgramsAreChains) {
    const auto form = [](const char* text, std::vector<bool> isFull) {
        const auto program = PointwiseProgram::parse(text, static_cast<int>(isFull.size()));
        EXPECT_TRUE(program) << text;
        return chainForm(*program, isFull);
    };
    const auto residual = form("v2=Add(v0,v1); v3=Relu(v2); -> v3", {true, true});
    ASSERT_TRUE(residual);
    EXPECT_EQ(residual->x, 0);
    EXPECT_EQ(residual->r, 1);
    EXPECT_FALSE(residual->first);
    EXPECT_EQ(residual->second->op, PointwiseOp::Relu);
    const auto excited = form("v3=Mul(v0,v1); v4=Add(v0,v3); v5=Add(v4,v2); -> v5", {true, false, true});
    ASSERT_TRUE(excited);
    EXPECT_TRUE(excited->addsX);
    EXPECT_EQ(excited->scale1.input, 1);
    EXPECT_EQ(excited->r, 2);
    EXPECT_TRUE(form("v1=Relu(v0); v2=Sigmoid(v1); -> v2", {true}));
    // Order, number of parts and steps that the form does not have.
    EXPECT_FALSE(form("v2=Add(v0,v1); v3=Mul(v2,v1); -> v3", {true, false}));
    EXPECT_FALSE(form("v1=Relu(v0); v2=Sigmoid(v1); v3=Silu(v2); -> v3", {true}));
    EXPECT_FALSE(form("v2=Sub(v1,v0); -> v2", {true, false}));
    EXPECT_FALSE(form("v2=Sub(v0,v1); -> v2", {true, false}));
    EXPECT_FALSE(form("v2=Mul(v0,v1); -> v2", {true, true}));
    EXPECT_FALSE(form("v1=Tanh(v0); -> v1", {true}));
    EXPECT_FALSE(form("v3=Add(v0,v1); v4=Add(v3,v2); -> v4", {true, true, true}));
    EXPECT_FALSE(form("v1=Relu(v0); -> v1,v0", {true}));
    EXPECT_FALSE(form("v2=Add(v0,v1); -> v2", {false, false}));
}

TEST(SimdPointwise, SeveralOutputsAndReusedBuffers) {
    expectMatchesOnEachTarget(
        chain("v2=Sigmoid(v0); v3=Mul(v0,v2); v4=Add(v3,v1); v5=Tanh(v4); v6=Sub(v5,v3); -> v6,v3,v0,v6",
              {{{2, 9, 40, 31}}, {{9, 1, 1}}}, 4),
        "simd.pointwise");
    expectMatchesReference(chain("-> v0", {{{1000}}}), "simd.pointwise");
    expectMatchesReference(chain("v1=Constant(;2.5,0); v2=Pow(v0,v1); v3=Relu(v0); -> v2",
                                 {{{1000}, DataType::Float32, false, true, 0.1, 4.0}}),
                           "simd.pointwise");
    for (const char* exponent : {"2", "1", "0.5", "-1", "3"})
        expectMatchesReference(chain("v1=Constant(;" + std::string(exponent) + ",0); v2=Pow(v0,v1); -> v2",
                                     {{{1000}, DataType::Float32, false, true, 0.1, 4.0}}),
                               "simd.pointwise");
}

TEST(SimdPointwise, IntegersAndBools) {
    KernelCase c =
        chain("v3=Where(v0,v1,v2); -> v3", {{{4, 1, 33}, DataType::Bool, false, true, 0, 1}, {{4, 5, 33}}, {{1}}});
    c.attributes.set("output_types", std::vector<int64_t>{static_cast<int64_t>(DataType::Float32)});
    expectMatchesOnEachTarget(c, "simd.pointwise");
    KernelCase less =
        chain("v2=Less(v0,v1); v3=Not(v2); -> v2,v3",
              {{{37, 3}, DataType::Int32, false, true, -9, 9}, {{37, 1}, DataType::Int64, false, true, -9, 9}}, 2);
    less.attributes.set("output_types", std::vector<int64_t>{static_cast<int64_t>(DataType::Bool),
                                                             static_cast<int64_t>(DataType::Int32)});
    expectMatchesOnEachTarget(less, "simd.pointwise");
}

TEST(SimdPointwise, DeclinesWhatItCannotRead) {
    KernelCase c = chain("v1=Relu(v0); -> v1", {{{3, 4}, DataType::Float64}});
    expectDeclines(c, "simd.pointwise", "fp64");
    KernelCase mixed = chain(kAddRelu, {{{1, 8, 3, 3}}, {{1, 8, 3, 3}}});
    const Format blocked8{DataType::Float32, Layout::Blocked8}, blocked16{DataType::Float32, Layout::Blocked16};
    mixed.formats = {{{blocked8, blocked16}, {blocked16}}};
    expectDeclines(mixed, "simd.pointwise", "nChw8c");
}

TEST(SimdPointwise, MixedLayoutsAreRead) {
    KernelCase mixed = chain(kAddRelu, {{{2, 20, 3, 5}}, {{2, 20, 3, 5}}});
    const Format blocked16{DataType::Float32, Layout::Blocked16}, nhwc{DataType::Float32, Layout::ChannelsLast};
    const Format plainFloat{DataType::Float32};
    mixed.formats = {{{nhwc, blocked16}, {blocked16}},
                     {{plainFloat, nhwc}, {nhwc}},
                     {{plainFloat, nhwc}, {plainFloat}},
                     {{plainFloat, plainFloat}, {blocked16}}};
    EXPECT_EQ(expectMatchesReference(mixed, "simd.pointwise"), 4);
}

}  // namespace
}  // namespace strobe
