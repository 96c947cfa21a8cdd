#include <filesystem>
#include <iterator>
#include <thread>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/gemm_block.h"
#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

struct Window {
    std::vector<int64_t> kernel, strides, dilations, pads;
};
const Window k1s1{{1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}}, k1s2{{1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}};
const Window k3s1{{3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, k3s2{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}};

KernelCase convolution(const Dims& x, int64_t outputs, const Window& window, const std::string& program = {},
                       int64_t groups = 1) {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("group", groups);
    c.attributes.set("strides", window.strides);
    c.attributes.set("dilations", window.dilations);
    c.attributes.set("pads", window.pads);
    Dims weights = {outputs, x[1] / groups};
    weights.insert(weights.end(), window.kernel.begin(), window.kernel.end());
    c.inputs = {{x}, KernelInput::weights(weights), KernelInput::weights({outputs})};
    c.program = program;
    c.tolerance = c.inputs[1].dims[1] >= 128 ? 1.5e-5 : 4e-6;  // a long sum in one order against the reference's
    return c;
}

KernelCase product(const Dims& a, int64_t columns, const std::string& program = {}) {
    KernelCase c;
    c.op = "MatMul";
    c.inputs = {{a}, KernelInput::weights({a.back(), columns}), KernelInput::weights({columns})};
    c.program = program;
    c.tolerance = 4e-6;
    return c;
}

/// In FP32 on every instruction set, from BF16 storage too, and in AMX tiles where the machine has them.
void expectMatches(KernelCase c, const std::string& op) {
    expectMatchesOnEachTarget(c, "simd." + op);
    c.floatType = DataType::BFloat16;
    c.tolerance = 0.0;
    expectMatchesReference(c, "simd." + op);
    if (amxAvailable()) expectMatchesReference(c, "amx." + op);
}

/// Sums of BF16 products leave as they are; FP32 weights stay unrounded where the arithmetic is FP32.
TEST(DenseGemm, SumsAndExactWeights) {
    for (KernelCase c : {convolution({2, 40, 9, 11}, 45, k3s1, "v1=Relu(v0); -> v1"), convolution({1, 64, 7, 7}, 32, k1s1),
                         convolution({1, 300, 5, 5}, 70, k3s1)}) {
        c.floatType = DataType::BFloat16;
        c.fp32Result = true;
        EXPECT_GE(expectMatchesReference(c, "simd.conv"), 1);
        if (amxAvailable()) {
            EXPECT_GE(expectMatchesReference(c, "amx.conv"), 1);
        }
        c.inputs[1].keepType = true;
        EXPECT_GE(expectMatchesReference(c, "simd.conv"), 1);
        c.fp32Result = false;
        c.tolerance = 0.0;
        EXPECT_GE(expectMatchesReference(c, "simd.conv"), 1);
    }
    for (const Dims& a : {Dims{1, 80}, Dims{19, 80}}) {
        KernelCase c = product(a, 70);
        c.floatType = DataType::BFloat16;
        c.fp32Result = true;
        EXPECT_EQ(expectMatchesReference(c, "simd.matmul"), 1);
        if (amxAvailable()) {
            EXPECT_EQ(expectMatchesReference(c, "amx.matmul"), 1);
        }
        if (a[0] == 1) {
            EXPECT_EQ(expectMatchesReference(c, "simd.gemv"), 1);
        }
        c.inputs[1].keepType = true;
        EXPECT_EQ(expectMatchesReference(c, "simd.matmul"), 1);
    }
}

TEST(DenseGemm, CommonConvolutions) {
    for (const Window& window : {k1s1, k1s2, k3s1, k3s2})
        for (const Dims& x : {Dims{1, 32, 14, 14}, Dims{2, 19, 7, 23}, Dims{1, 64, 9, 5}, Dims{1, 5, 2, 1}})
            for (const int64_t outputs : {1, 16, 32, 45, 96}) expectMatches(convolution(x, outputs, window), "conv");
}

TEST(DenseGemm, OddWindows) {
    const Window cases[] = {{{3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}},
                            {{1, 7}, {1, 3}, {1, 1}, {0, 3, 0, 3}},
                            {{7, 1}, {2, 1}, {1, 1}, {3, 0, 2, 0}},
                            {{2, 4}, {3, 2}, {2, 3}, {0, 1, 3, 5}},
                            {{3, 3}, {1, 1}, {1, 1}, {5, 6, 7, 8}}};
    for (const Window& window : cases) expectMatches(convolution({2, 21, 17, 19}, 40, window), "conv");
    expectMatches(convolution({2, 18, 33}, 24, {{9}, {1}, {1}, {4, 4}}), "conv");
    expectMatches(convolution({2, 18, 33}, 24, {{4}, {2}, {3}, {0, 4}}), "conv");
}

TEST(DenseGemm, ImagesInPlainLayout) {
    const Window k7s2{{7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}};
    for (const int64_t channels : {1, 3, 4})
        for (const Window& window : {k3s2, k7s2}) {
            const KernelCase c = convolution({2, channels, 21, 30}, 24, window);
            EXPECT_EQ(expectMatchesReference(c, "simd.conv"), 2) << "plain and nhwc";
            expectMatches(c, "conv");
        }
}

// Deep enough for several passes over a panel, and blocks of rows that do not divide the output.
TEST(DenseGemm, DeepProducts) {
    for (const Dims& x : {Dims{1, 300, 7, 7}, Dims{1, 512, 5, 3}, Dims{1, 1024, 6, 6}}) {
        expectMatches(convolution(x, 70, k3s1), "conv");
        expectMatches(convolution(x, 256, k1s1), "conv");
    }
    expectMatches(convolution({1, 32, 90, 91}, 33, k3s1), "conv");
}

TEST(DenseGemm, Groups) {
    expectMatches(convolution({2, 24, 9, 11}, 48, k1s1, {}, 3), "conv");
    expectMatches(convolution({1, 64, 9, 11}, 80, k3s2, "v1=Relu(v0); -> v1", 2), "conv");
    expectMatches(convolution({1, 128, 8, 8}, 128, k1s1, {}, 4), "conv");
}

int64_t threadsOfThisProcess() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
}

/// A new thread has no workers yet, so that those that packing wakes can be counted.
TEST(DenseGemm, PackingKeepsToTheProblemsThreads) {
    KernelCase c = product({4, 64}, 640);
    c.threads = 1;
    CaseData data;
    ASSERT_TRUE(prepareCase(c, data).isOk());
    std::thread([&] {
        const ThreadScope machine(4);
        const int64_t before = threadsOfThisProcess();
        EXPECT_TRUE(cpuKernels().findByName("simd.matmul")->prepare(data.problem, {}));
        EXPECT_EQ(threadsOfThisProcess(), before);
    }).join();
}

/// Groups that share tiles say so: zeros times Inf of a neighbour are NaN.
TEST(DenseGemm, NarrowGroupsNameTheirLimit) {
    if (!amxAvailable()) GTEST_SKIP() << "the processor has no AMX";
    for (const int64_t groups : {int64_t{1}, int64_t{4}}) {
        KernelCase c = convolution({1, 136, 9, 9}, 136, k1s1, {}, groups);
        c.floatType = DataType::BFloat16;
        const int ran = runInSupportedFormats(
            cpuKernels(), c, "amx.conv", [&](const Tactic& tactic, const CaseData&, const Problem& problem) {
                const auto kernel = tactic.prepare(problem, {});
                const bool named = kernel && (*kernel)->description().find("Inf and NaN") != std::string::npos;
                EXPECT_EQ(named, groups > 1) << groups;
                return true;
            });
        EXPECT_GT(ran, 0);
    }
}

/// Groups that fill no tiles: AMX takes them together, by bands of the depth.
TEST(DenseGemm, NarrowGroups) {
    for (const auto& [channels, outputs, groups] :
         {std::tuple(136, 136, 4), {272, 272, 4}, {24, 112, 4}, {90, 40, 5}, {64, 32, 2}, {33, 99, 3}})
        for (const Dims& image : {Dims{14, 14}, Dims{3, 5}})
            for (const int threads : {1, 2, 3}) {
                KernelCase c =
                    convolution({2, channels, image[0], image[1]}, outputs, k1s1, "v1=Relu(v0); -> v1", groups);
                c.threads = threads;
                expectMatches(c, "conv");
            }
    expectMatches(convolution({1, 136, 9, 9}, 272, k1s2, {}, 4), "conv");
}

// What AMX applies to tiles at once, and what it leaves to a pass of its own.
TEST(DenseGemm, EpiloguesWithAnotherInput) {
    for (const char* program : {"v2=Add(v0,v1); -> v2", "v2=Add(v1,v0); v3=Relu(v2); -> v3",
                                "v2=HardSwish(v0); v3=Add(v2,v1); -> v3", "v2=Add(v0,v1); v3=Sigmoid(v2); -> v3",
                                "v2=Mul(v0,v1); -> v2", "v2=Relu(v0); v3=Add(v1,v2); v4=Relu(v3); -> v4"})
        for (const int64_t outputs : {17, 64}) {
            KernelCase c = convolution({1, 40, 9, 13}, outputs, k1s1, program);
            c.inputs.push_back({{1, outputs, 9, 13}});
            expectMatches(c, "conv");
        }
}

TEST(DenseGemm, Epilogues) {
    for (const char* program : {"v1=Relu(v0); -> v1", "v1=HardSwish(v0); -> v1", "v1=Clip(v0;0,0.5); -> v1",
                                "v1=Sigmoid(v0); v2=Mul(v0,v1); v3=Abs(v2); -> v3"})
        for (const int64_t outputs : {24, 35, 512})
            expectMatches(convolution({1, 40, 12, 13}, outputs, k1s1, program), "conv");
    KernelCase residual = convolution({1, 64, 7, 7}, 512, k1s1, "v3=Add(v0,v1); v4=Mul(v3,v2); v5=Relu(v4); -> v5");
    residual.inputs.push_back({{1, 512, 7, 7}});
    residual.inputs.push_back({{1, 512, 1, 1}});
    expectMatches(residual, "conv");
}

TEST(DenseGemm, Products) {
    for (const Dims& a : {Dims{1, 64}, Dims{13, 96}, Dims{2, 30, 384}, Dims{2, 3, 17, 33}})
        for (const int64_t columns : {1, 16, 50, 384})
            expectMatches(product(a, columns, "v1=Gelu(v0); -> v1"), "matmul");
    KernelCase transposed = product({40, 72}, 100);
    transposed.inputs[1] = KernelInput::weights({100, 72});
    transposed.attributes.set("transB", true);
    expectMatches(transposed, "matmul");
    KernelCase residual = product({2, 9, 64}, 128, "v2=Add(v0,v1); -> v2");
    residual.inputs[2] = KernelInput::absent();
    residual.inputs.push_back({{2, 9, 128}});
    expectMatches(residual, "matmul");
}

TEST(DenseGemm, SharesColumnsOfLargeWeightsAmongThreads) {
    for (const int threads : {1, 2, 3}) {
        KernelCase c = convolution({1, 128, 7, 7}, 500, k3s1, "v1=Relu(v0); -> v1");
        c.threads = threads;
        expectMatches(c, "conv");
    }
}

// One initializer may serve convolutions with other groups: they pack it otherwise.
TEST(DenseGemm, PackedWeightsAreSharedByEqualGroupsOnly) {
    PackedWeightsCache cache;
    const Tactic* tactic = cpuKernels().findByName("simd.conv");
    ASSERT_NE(tactic, nullptr);
    size_t bytes = 0;
    for (const int64_t groups : {1, 2}) {
        KernelCase c = convolution({1, 4 * groups, 6, 6}, 16, k3s1, {}, groups);
        CaseData data;
        ASSERT_TRUE(prepareCase(c, data).isOk());
        data.problem.inputs[1].constantKey = "shared";
        const Problem problem = withFormats(data.problem, tactic->candidateFormats(data.problem).back());
        ASSERT_TRUE(tactic->supports(problem).supported);
        ASSERT_TRUE(tactic->prepare(problem, {&cache, nullptr})) << groups << " groups";
        EXPECT_GT(cache.totalBytes(), bytes);
        bytes = cache.totalBytes();
    }
    const auto fill = [](void*) { return Status::ok(); };
    ASSERT_TRUE(cache.get("key", 64, fill));
    EXPECT_FALSE(cache.get("key", 128, fill)) << "another size under the same key";
}

TEST(DenseGemm, DeclinesWhatItDoesNotServe) {
    KernelCase variable = convolution({1, 8, 5, 5}, 8, k3s1);
    variable.inputs[1].constant = false;
    expectDeclines(variable, "simd.conv", "not constant");
    expectDeclines(convolution({1, 8, 5, 5}, 8, k3s1, {}, 8), "simd.conv", "fill no vector");
    expectDeclines(convolution({1, 8, 5, 5}, 8, k3s1), "amx.conv", "BF16");
    KernelCase alpha = product({4, 8}, 8);
    alpha.attributes.set("alpha", 0.5f);
    expectDeclines(alpha, "simd.matmul", "alpha");
}

}  // namespace
}  // namespace strobe
