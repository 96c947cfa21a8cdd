#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

struct Window {
    std::vector<int64_t> kernel, strides, dilations, pads;
};

KernelCase depthwise(const Dims& x, const Window& window, const std::string& program = {}, bool bias = true) {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("group", x[1]);
    c.attributes.set("strides", window.strides);
    c.attributes.set("dilations", window.dilations);
    c.attributes.set("pads", window.pads);
    Dims weights = {x[1], 1};
    weights.insert(weights.end(), window.kernel.begin(), window.kernel.end());
    c.inputs = {{x}, KernelInput::weights(weights), bias ? KernelInput::weights({x[1]}) : KernelInput::absent()};
    c.program = program;
    c.tolerance = 2e-6;
    return c;
}

const Window k3s1{{3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, k3s2{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}};

TEST(SimdDepthwise, CommonKernels) {
    const Window k5s1{{5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}}, k5s2{{5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}};
    for (const Window& window : {k3s1, k3s2, k5s1, k5s2})
        for (const Dims& x : {Dims{1, 32, 14, 14}, Dims{2, 19, 7, 23}, Dims{1, 5, 9, 40}, Dims{1, 16, 3, 3},
                              Dims{1, 40, 2, 1}, Dims{1, 1, 20, 20}})
            expectMatchesOnEachTarget(depthwise(x, window), "simd.depthwise");
}

TEST(SimdDepthwise, ExactWeightsBesideBf16) {
    KernelCase c = depthwise({2, 19, 9, 11}, k3s1);
    c.floatType = DataType::BFloat16;
    c.inputs[1].keepType = c.inputs[2].keepType = true;
    c.tolerance = 0.0;
    EXPECT_GE(expectMatchesReference(c, "simd.depthwise"), 2);
    EXPECT_TRUE(cpuKernels().findByName("simd.depthwise")->wantsExactConstants());
}

TEST(SimdDepthwise, OddWindows) {
    const Window cases[] = {{{3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}}, {{1, 7}, {1, 3}, {1, 1}, {0, 3, 0, 3}},
                            {{7, 1}, {2, 1}, {1, 1}, {3, 0, 2, 0}}, {{2, 4}, {3, 2}, {2, 3}, {0, 1, 3, 5}},
                            {{3, 3}, {1, 2}, {1, 1}, {0, 0, 0, 0}}, {{5, 3}, {2, 1}, {1, 2}, {4, 4, 4, 4}},
                            {{3, 3}, {1, 1}, {1, 1}, {5, 6, 7, 8}}};
    for (const Window& window : cases)
        expectMatchesOnEachTarget(depthwise({2, 21, 17, 19}, window, {}, false), "simd.depthwise");
    expectMatchesOnEachTarget(depthwise({2, 18, 33}, {{9}, {1}, {1}, {4, 4}}), "simd.depthwise");
    expectMatchesOnEachTarget(depthwise({2, 18, 33}, {{4}, {2}, {3}, {0, 4}}), "simd.depthwise");
}

TEST(SimdDepthwise, NegativePadsCrop) {
    for (const Window& window : {Window{{3, 3}, {1, 1}, {1, 1}, {-1, -2, -1, -3}},
                                 {{3, 3}, {2, 2}, {1, 1}, {-3, -5, 2, -1}},
                                 {{1, 3}, {1, 1}, {1, 2}, {-2, 1, -2, -4}}})
        expectMatchesOnEachTarget(depthwise({2, 21, 17, 19}, window), "simd.depthwise");
}

TEST(SimdDepthwise, BiasMayHaveNoSlot) {
    KernelCase c = depthwise({1, 19, 9, 11}, k3s1);
    c.inputs.pop_back();
    expectMatchesOnEachTarget(c, "simd.depthwise");
}

TEST(SimdDepthwise, Epilogues) {
    const Dims x{1, 35, 12, 13};
    for (const char* program : {"v1=Relu(v0); -> v1", "v1=HardSwish(v0); -> v1", "v1=Clip(v0;0,0.5); -> v1",
                                "v1=Clip(v0;0.25,0.5); -> v1", "v1=LeakyRelu(v0;0.1,0); -> v1", "v1=Silu(v0); -> v1",
                                "v1=Sigmoid(v0); -> v1", "v1=Sigmoid(v0); v2=Mul(v0,v1); v3=Abs(v2); -> v3"})
        expectMatchesOnEachTarget(depthwise(x, k3s1, program), "simd.depthwise");
    KernelCase residual = depthwise(x, k3s2, "v3=Add(v0,v1); v4=Mul(v3,v2); v5=Relu(v4); -> v5");
    residual.inputs.push_back({{1, 35, 6, 7}});
    residual.inputs.push_back({{1, 35, 1, 1}});
    expectMatchesOnEachTarget(residual, "simd.depthwise");
    residual.floatType = DataType::BFloat16;
    residual.tolerance = 0.0;
    expectMatchesOnEachTarget(residual, "simd.depthwise");
}

TEST(SimdDepthwise, BFloat16Storage) {
    for (const Window& window : {k3s1, k3s2}) {
        KernelCase c = depthwise({2, 37, 15, 18}, window, "v1=HardSwish(v0); -> v1");
        c.floatType = DataType::BFloat16;
        c.tolerance = 0.0;
        expectMatchesOnEachTarget(c, "simd.depthwise");
    }
}

// Rows wider than a strip, rows that threads share in pieces, and epilogues on them.
TEST(SimdDepthwise, StripsAndPieces) {
    const Window k5s1{{5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}}, k7s1{{7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}};
    for (const Window& window : {k3s1, k3s2, k5s1, k7s1})
        for (const Dims& x : {Dims{1, 20, 3, 200}, Dims{2, 16, 5, 331}, Dims{1, 33, 1, 9}})
            for (const int threads : {1, 2, 3})
                for (const char* program : {"v1=Relu(v0); -> v1", "v1=Sigmoid(v0); v2=Abs(v1); -> v2"}) {
                    KernelCase c = depthwise(x, window, program);
                    c.threads = threads;
                    expectMatchesReference(c, "simd.depthwise");
                }
}

TEST(SimdDepthwise, DeclinesOtherConvolutions) {
    KernelCase c = depthwise({1, 8, 5, 5}, k3s1);
    c.attributes.set("group", int64_t{4});
    c.inputs[1] = KernelInput::weights({8, 2, 3, 3});
    expectDeclines(c, "simd.depthwise", "not depthwise");
    KernelCase variable = depthwise({1, 8, 5, 5}, k3s1);
    variable.inputs[1].constant = false;
    expectDeclines(variable, "simd.depthwise", "not constant");
}

}  // namespace
}  // namespace strobe
