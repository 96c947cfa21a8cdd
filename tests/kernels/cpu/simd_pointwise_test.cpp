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
