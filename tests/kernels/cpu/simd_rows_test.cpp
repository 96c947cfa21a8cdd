#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase rowsCase(const std::string& op, std::vector<KernelInput> inputs, const std::string& program = {}) {
    KernelCase c;
    c.op = op;
    c.inputs = std::move(inputs);
    c.program = program;
    c.tolerance = 4e-6;
    return c;
}
KernelCase withAxis(KernelCase c, int64_t axis) {
    c.attributes.set("axis", axis);
    return c;
}
void expectInBothTypes(KernelCase c, const std::string& tactic) {
    expectMatchesOnEachTarget(c, tactic);
    c.floatType = DataType::BFloat16;
    c.tolerance = 0.0;
    expectMatchesOnEachTarget(c, tactic);
}

TEST(SimdRows, Softmax) {
    for (const char* op : {"Softmax", "LogSoftmax"})
        for (const Dims& dims : {Dims{3, 7}, Dims{2, 19, 33}, Dims{2, 5, 3, 64}, Dims{1, 1}, Dims{40, 1000}})
            for (int64_t axis : {0, 1, -1})
                expectInBothTypes(withAxis(rowsCase(op, {{dims, DataType::Float32, false, true, -20.0, 20.0}}), axis),
                                  "simd.softmax");
    expectMatchesReference(withAxis(rowsCase("Softmax", {{{2, 0, 3}}}), 1), "simd.softmax");
}

TEST(SimdRows, Reductions) {
    for (const char* op :
         {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare", "ReduceL1", "ReduceL2"})
        for (const std::vector<int64_t>& axes : {std::vector<int64_t>{-1}, {2, 3}, {0}, {0, 1, 2, 3}, {1, 2}, {}})
            for (int64_t keep : {0, 1}) {
                KernelCase c = rowsCase(op, {{{2, 18, 7, 19}}, KernelInput::integers(axes)});
                c.attributes.set("keepdims", keep);
                expectInBothTypes(c, "simd.reduce");
            }
    expectMatchesReference(
        rowsCase("ReduceMax", {{{3, 1, 5}, DataType::Float32, false, true, -9.0, -5.0}, KernelInput::integers({2})}),
        "simd.reduce");
}

TEST(SimdRows, PoolsOfWholeImages) {
    for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"})
        expectInBothTypes(rowsCase(op, {{{2, 35, 7, 9}}}), "simd.reduce");
    KernelCase c = rowsCase("GlobalAveragePool", {{{2, 35, 7, 9}}}, "v1=HardSwish(v0); -> v1");
    expectInBothTypes(c, "simd.reduce");
}

TEST(SimdRows, LayerNormalization) {
    for (const char* op : {"LayerNormalization", "RMSNormalization"})
        for (int64_t size : {1, 15, 16, 33, 384}) {
            std::vector<KernelInput> inputs = {{{2, 5, size}, DataType::Float32, false, true, -3.0, 9.0},
                                               KernelInput::weights({size})};
            if (op[0] == 'L') inputs.push_back(KernelInput::weights({size}));
            if (size > 1) expectInBothTypes(withAxis(rowsCase(op, inputs), -1), "simd.norm");
        }
    expectMatchesReference(
        withAxis(rowsCase("LayerNormalization", {{{4, 6, 5}}, KernelInput::weights({6, 5}), KernelInput::absent()}), 1),
        "simd.norm");
    KernelCase residual = rowsCase("LayerNormalization",
                                   {{{2, 5, 40}}, KernelInput::weights({40}), KernelInput::weights({40}), {{2, 5, 40}}},
                                   "v2=Add(v0,v1); v3=Relu(v2); -> v3");
    expectInBothTypes(residual, "simd.norm");
    expectDeclines(withAxis(rowsCase("LayerNormalization", {{{4, 6, 5}}, KernelInput::weights({5})}), 1), "simd.norm",
                   "broadcast");
}

TEST(SimdRows, ParametersOfRowsAreNotThoseOfColumns) {
    const KernelInput perRow = KernelInput::weights({3, 1});  // as many entries as a row has elements
    expectDeclines(withAxis(rowsCase("LayerNormalization", {{{3, 3}}, perRow, KernelInput::absent()}), -1), "simd.norm",
                   "broadcast");
    expectMatchesReference(
        withAxis(rowsCase("LayerNormalization", {{{4, 3}}, KernelInput::weights({1, 3}), KernelInput::absent()}), -1),
        "simd.norm");
    expectMatchesReference(
        rowsCase("InstanceNormalization", {{{2, 0, 5}}, KernelInput::weights({0}), KernelInput::weights({0})}),
        "simd.norm");
}

TEST(SimdRows, ChannelNormalizations) {
    expectInBothTypes(
        rowsCase("InstanceNormalization", {{{2, 7, 5, 9}}, KernelInput::weights({7}), KernelInput::weights({7})}),
        "simd.norm");
    KernelCase groups =
        rowsCase("GroupNormalization", {{{2, 12, 5, 9}}, KernelInput::weights({12}), KernelInput::weights({12})});
    groups.attributes.set("num_groups", int64_t{3});
    expectInBothTypes(groups, "simd.norm");
}

}  // namespace
}  // namespace strobe
