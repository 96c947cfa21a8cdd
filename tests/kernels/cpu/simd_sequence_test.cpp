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

}  // namespace
}  // namespace strobe
