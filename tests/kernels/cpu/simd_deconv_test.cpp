#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase blocks(const Dims& x, int64_t outputs, const std::vector<int64_t>& kernel, const std::string& program = {}, bool bias = true) {
    KernelCase c;
    c.op = "ConvTranspose";
    c.attributes.set("strides", kernel);
    c.inputs = {{x}, KernelInput::weights({x[1], outputs, kernel[0], kernel[1]}), bias ? KernelInput::weights({outputs}) : KernelInput::absent()};
    c.program = program;
    c.tolerance = 2e-6;
    return c;
}

TEST(SimdDeconv, BlocksOfManySizes) {
    for (const Dims& x : {Dims{1, 24, 10, 37}, Dims{2, 7, 3, 64}, Dims{1, 1, 1, 1}, Dims{1, 33, 5, 5}})
        for (const int64_t outputs : {1, 3, 24})
            for (const std::vector<int64_t>& kernel : {std::vector<int64_t>{2, 2}, std::vector<int64_t>{1, 3}, std::vector<int64_t>{4, 2}})
                expectMatchesOnEachTarget(blocks(x, outputs, kernel), "simd.deconv");
}

TEST(SimdDeconv, RowsLongerThanATile) {
    for (const char* program : {"", "v1=Sigmoid(v0); -> v1"})
        for (const int64_t outputs : {1, 7}) expectMatchesOnEachTarget(blocks({1, 9, 2, 1100}, outputs, {2, 2}, program), "simd.deconv");
}

TEST(SimdDeconv, EpiloguesAndBf16) {
    for (const DataType type : {DataType::Float32, DataType::BFloat16})
        for (const char* program : {"", "v1=Relu(v0); -> v1", "v1=Sigmoid(v0); -> v1"}) {
            KernelCase c = blocks({2, 19, 6, 41}, 5, {2, 2}, program, false);
            c.floatType = type;
            if (type != DataType::Float32) c.tolerance = 0.0;
            expectMatchesOnEachTarget(c, "simd.deconv");
        }
    KernelCase sums = blocks({2, 19, 6, 41}, 5, {2, 2}, "v1=Sigmoid(v0); -> v1");
    sums.floatType = DataType::BFloat16;
    sums.fp32Result = sums.inputs[1].keepType = true;
    expectMatchesOnEachTarget(sums, "simd.deconv");
    KernelCase residual = blocks({1, 8, 4, 9}, 6, {2, 2}, "v2=Add(v0,v1); -> v2");
    residual.inputs.push_back({{1, 6, 8, 18}});
    expectMatchesOnEachTarget(residual, "simd.deconv");
}

TEST(SimdDeconv, DeclinesWindowsThatOverlapOrArePadded) {
    KernelCase overlap = blocks({1, 4, 5, 5}, 4, {3, 3});
    overlap.attributes.set("strides", std::vector<int64_t>{2, 2});
    expectDeclines(overlap, "simd.deconv", "kernel = stride");
    KernelCase padded = blocks({1, 4, 5, 5}, 4, {2, 2});
    padded.attributes.set("pads", std::vector<int64_t>{1, 0, 0, 0});
    expectDeclines(padded, "simd.deconv", "kernel = stride");
    KernelCase grouped = blocks({1, 4, 5, 5}, 2, {2, 2}, {}, false);
    grouped.attributes.set("group", int64_t{2});
    expectDeclines(grouped, "simd.deconv", "group 2");
}

}  // namespace
}  // namespace strobe
