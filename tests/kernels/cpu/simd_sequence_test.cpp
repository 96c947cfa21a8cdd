#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase lstm(int64_t sequence, int64_t batch, int64_t input, int64_t hidden, int64_t directions, bool states) {
    KernelCase c;
    c.op = "LSTM";
    c.attributes.set("hidden_size", hidden);
    c.attributes.set("direction", std::string(directions == 2 ? "bidirectional" : "forward"));
    c.inputs = {{{sequence, batch, input}},
                KernelInput::weights({directions, 4 * hidden, input}),
                KernelInput::weights({directions, 4 * hidden, hidden}),
                KernelInput::weights({directions, 8 * hidden}),
                KernelInput::absent()};
    if (states) c.inputs.insert(c.inputs.end(), {{{directions, batch, hidden}}, {{directions, batch, hidden}}});
    c.outputs = 3;
    c.tolerance = 2e-5;
    return c;
}

TEST(SimdSequence, Lstm) {
    expectMatchesOnEachTarget(lstm(1, 1, 128, 128, 1, true), "simd.lstm");
    expectMatchesOnEachTarget(lstm(7, 3, 10, 19, 2, true), "simd.lstm");
    expectMatchesOnEachTarget(lstm(20, 1, 33, 16, 2, false), "simd.lstm");
    KernelCase reverse = lstm(5, 2, 6, 9, 1, false);
    reverse.attributes.set("direction", std::string("reverse"));
    expectMatchesOnEachTarget(reverse, "simd.lstm");
    KernelCase narrow = lstm(5, 2, 6, 9, 1, true);
    narrow.floatType = DataType::BFloat16;
    narrow.tolerance = 0.0;
    expectMatchesOnEachTarget(narrow, "simd.lstm");
}

TEST(SimdSequence, LstmDeclinesWhatItDoesNotServe) {
    KernelCase c = lstm(3, 2, 4, 5, 1, false);
    c.attributes.set("clip", 1.0f);
    expectDeclines(c, "simd.lstm", "clip");
    KernelCase lengths = lstm(3, 2, 4, 5, 1, false);
    lengths.inputs[4] = {{2}, DataType::Int32, false, true, 1, 3};
    expectDeclines(lengths, "simd.lstm", "lengths");
}

TEST(SimdSequence, Gather) {
    for (int64_t axis : {0, 1, -1})
        for (DataType type : {DataType::Float32, DataType::Int8, DataType::Int64}) {
            KernelCase c;
            c.op = "Gather";
            c.attributes.set("axis", axis);
            c.inputs = {{{9, 7, 11}, type, false, true, -50, 50}, {{3, 4}, DataType::Int64, false, true, -7, 6}};
            expectMatchesReference(c, "simd.gather");
            c.inputs[1].type = DataType::Int32;
            expectMatchesReference(c, "simd.gather");
        }
}

TEST(SimdSequence, ProductsOfAFewRows) {
    for (int64_t rows : {1, 2, 3, 4})
        for (const Dims& weights : {Dims{1, 1}, Dims{33, 70}, Dims{128, 64}, Dims{7, 300}}) {
            KernelCase c;
            c.op = "MatMul";
            c.inputs = {{{rows, weights[0]}}, KernelInput::weights(weights), KernelInput::weights({weights[1]})};
            c.tolerance = 1e-5;
            expectMatchesOnEachTarget(c, "simd.gemv");
            c.floatType = DataType::BFloat16;
            c.tolerance = 0.0;
            expectMatchesOnEachTarget(c, "simd.gemv");
        }
    KernelCase gemm;
    gemm.op = "Gemm";
    gemm.attributes.set("transB", int64_t{1});
    gemm.attributes.set("alpha", 0.5f);
    gemm.attributes.set("beta", 2.0f);
    gemm.inputs = {{{2, 40}}, KernelInput::weights({75, 40}), KernelInput::weights({1, 75})};
    gemm.program = "v2=Add(v0,v1); v3=Gelu(v2); -> v3";
    gemm.inputs.push_back({{2, 75}});
    gemm.tolerance = 1e-5;
    expectMatchesOnEachTarget(gemm, "simd.gemv");
    gemm.inputs[0].dims = gemm.inputs[3].dims = {9, 40};
    gemm.inputs[3].dims = {9, 75};
    expectDeclines(gemm, "simd.gemv", "9 rows");
}

}  // namespace
}  // namespace strobe
