#include <atomic>
#include <thread>

#include "kernels/cpu/onednn_support.h"
#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;

struct ConvParameters {
    const char* name;
    Dims x, w;
    Ints strides, pads, dilations;
    int64_t group = 1;
    bool bias = true;
};

KernelCase makeConv(const ConvParameters& p) {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("group", p.group);
    if (!p.strides.empty()) c.attributes.set("strides", p.strides);
    if (!p.pads.empty()) c.attributes.set("pads", p.pads);
    if (!p.dilations.empty()) c.attributes.set("dilations", p.dilations);
    c.inputs = {{p.x}, KernelInput::weights(p.w), p.bias ? KernelInput::weights({p.w[0]}) : KernelInput::absent()};
    return c;
}

KernelCase withEpilogue(KernelCase c, std::string program, std::vector<KernelInput> extra = {}) {
    c.program = std::move(program);
    c.inputs.insert(c.inputs.end(), extra.begin(), extra.end());
    return c;
}

const ConvParameters kConvs[] = {
    {"k3", {1, 16, 14, 14}, {32, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"oddChannels", {2, 5, 9, 11}, {7, 5, 3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"k1", {2, 24, 7, 5}, {40, 24, 1, 1}},
    {"k1Strided", {1, 24, 8, 8}, {16, 24, 1, 1}, {2, 2}},
    {"k1OneChannel", {1, 1, 6, 6}, {3, 1, 1, 1}},
    {"image", {1, 3, 32, 30}, {16, 3, 7, 7}, {2, 2}, {3, 3, 3, 3}},
    {"asymmetric", {1, 8, 10, 9}, {8, 8, 3, 2}, {2, 1}, {0, 1, 2, 0}},
    {"dilated", {1, 16, 20, 20}, {16, 16, 3, 3}, {1, 1}, {2, 3, 2, 3}, {2, 3}},
    {"depthwise", {2, 24, 12, 12}, {24, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 24},
    {"depthwiseOdd", {1, 13, 9, 9}, {13, 1, 5, 5}, {2, 2}, {2, 2, 2, 2}, {}, 13},
    {"depthwiseMultiplier", {1, 6, 9, 9}, {12, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 6},
    {"groups", {1, 12, 8, 8}, {18, 4, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 3, false},
    {"groupsWide", {1, 64, 7, 7}, {64, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 4},
    {"line", {2, 6, 17}, {10, 6, 5}, {2}, {2, 1}},
    {"lineDepthwise", {1, 16, 20}, {16, 1, 3}, {1}, {1, 1}, {}, 16},
    {"volume", {1, 4, 5, 6, 7}, {8, 4, 3, 3, 3}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}},
    {"largeWindow", {1, 4, 6, 6}, {4, 4, 6, 6}, {1, 1}, {}, {}, 1, false},
    {"volumeDepthwise", {1, 8, 5, 6, 7}, {8, 1, 3, 3, 3}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}, {}, 8},
    {"column", {2, 20, 40, 1}, {24, 20, 5, 1}},
    {"columnOfGroups", {1, 32, 31, 1}, {48, 16, 3, 1}, {2, 1}, {2, 0, 1, 0}, {2, 1}, 2},
    {"widePads", {1, 3, 4, 4}, {5, 3, 2, 2}, {3, 3}, {3, 2, 4, 5}},
};

class OnednnConv : public testing::TestWithParam<ConvParameters> {};

TEST_P(OnednnConv, Fp32) {
    EXPECT_GE(expectMatchesReference(makeConv(GetParam()), "onednn.conv"), 2);
}

TEST_P(OnednnConv, Bf16) {
    KernelCase c = makeConv(GetParam());
    c.floatType = DataType::BFloat16;
    if (!onednnHasBf16()) return expectDeclines(c, "onednn.conv", "no BF16 arithmetic");
    if (GetParam().group > 1 && GetParam().w[0] == GetParam().group && GetParam().x.size() <= 4)
        return expectDeclines(c, "onednn.conv", "depthwise products are no faster in BF16");
    expectMatchesReference(c, "onednn.conv");
    for (size_t i = 1; i < c.inputs.size(); ++i)
        c.inputs[i].keepType = true;  // FP32 weights are rounded as they are packed
    c.tolerance = 2e-2;
    expectMatchesReference(c, "onednn.conv");
}

TEST_P(OnednnConv, WeightsThatAreNotConstant) {
    KernelCase c = makeConv(GetParam());
    for (KernelInput& input : c.inputs) input.constant = false;
    expectMatchesReference(c, "onednn.conv");
}

TEST_P(OnednnConv, ResidualAndRelu) {
    KernelCase c = makeConv(GetParam());
    if (GetParam().name == std::string("widePads")) return;  // its own test below
    const auto op = OpRegistry::instance().find("Conv");
    const auto outputs = inferConcrete(
        *op, c.attributes, {},
        std::vector<ConcreteInput>{{true, DataType::Float32, GetParam().x}, {true, DataType::Float32, GetParam().w}},
        1);
    ASSERT_TRUE(outputs.hasValue());
    expectMatchesReference(withEpilogue(c, "v2=Add(v0,v1); v3=Relu(v2); -> v3", {{outputs->at(0).dims}}),
                           "onednn.conv");
    // Which kernels can add in place depends on the CPU; the naive loop is left to onednn.conv.
    for (const char* program : {"v2=Add(v1,v0); v3=Relu(v2); -> v3", "v2=HardSwish(v0); v3=Add(v2,v1); -> v3"}) {
        const KernelCase residual = withEpilogue(c, program, {{outputs->at(0).dims}});
        if (supportsAnyFormat(residual, "onednn.conv.sum"))
            expectMatchesReference(residual, "onednn.conv.sum");
        else
            expectDeclines(residual, "onednn.conv.sum", "naive loop");
    }
    expectDeclines(c, "onednn.conv.sum", "no residual");
}

INSTANTIATE_TEST_SUITE_P(Shapes, OnednnConv, testing::ValuesIn(kConvs),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(OnednnConvEpilogue, EveryFunction) {
    for (const char* function :
         {"Abs(v0)", "Neg(v0)", "Exp(v0)", "Tanh(v0)", "Round(v0)", "Relu(v0)", "LeakyRelu(v0;0.1,0)",
          "Clip(v0;-0.5,0.75)", "Sigmoid(v0)", "HardSigmoid(v0;0.2,0.5)", "HardSwish(v0)", "Silu(v0)", "Gelu(v0)",
          "GeluTanh(v0)", "Softplus(v0)", "Elu(v0;0.7,0)", "Selu(v0;1.67,1.05)", "Celu(v0;1,0)", "Mish(v0)"}) {
        SCOPED_TRACE(function);
        KernelCase c = makeConv(kConvs[1]);
        expectMatchesReference(withEpilogue(c, std::string("v1=") + function + "; -> v1"), "onednn.conv");
    }
}

TEST(OnednnConvEpilogue, FunctionsOfPositiveValues) {
    for (const char* function : {"Sqrt", "Rsqrt", "Reciprocal", "Log"}) {
        SCOPED_TRACE(function);
        const std::string program =
            std::string("v1=Abs(v0); v2=Constant(;0.5,0); v3=Add(v1,v2); v4=") + function + "(v3); -> v4";
        expectMatchesReference(withEpilogue(makeConv(kConvs[0]), program), "onednn.conv");
    }
}

TEST(OnednnConvEpilogue, ScalarsOnEitherSide) {
    for (const char* body : {"Add(v0,v1)", "Sub(v0,v1)", "Sub(v1,v0)", "Mul(v1,v0)", "Div(v0,v1)", "Max(v0,v1)",
                             "Min(v1,v0)", "PRelu(v0,v1)"}) {
        SCOPED_TRACE(body);
        KernelCase c = makeConv(kConvs[0]);
        c.inputs.push_back(KernelInput::weights({1}));
        c.inputs.back().values = {0.75};
        c.program = std::string("v2=") + body + "; v3=Neg(v2); -> v3";
        expectMatchesReference(c, "onednn.conv");
    }
}

TEST(OnednnConvEpilogue, PerChannelAndFullOperands) {
    for (const Dims& dims : {Dims{1, 7, 1, 1}, Dims{7, 1, 1}, Dims{2, 7, 9, 11}})
        for (const char* body :
             {"Add(v0,v1)", "Sub(v0,v1)", "Sub(v1,v0)", "Mul(v0,v1)", "Max(v0,v1)", "Min(v0,v1)", "Div(v0,v1)"})
            for (bool constant : {false, true}) {
                SCOPED_TRACE(body + toString(dims));
                KernelCase c = makeConv(kConvs[1]);
                c.inputs.push_back({dims, DataType::Float32, constant, true, 0.5, 2.0});
                c.program = std::string("v2=") + body + "; v3=HardSwish(v2); -> v3";
                expectMatchesReference(c, "onednn.conv");
            }
}

TEST(OnednnConvEpilogue, ColumnsTakeOperandsOfEveryRank) {
    for (const Dims& dims : {Dims{1, 24, 1, 1}, Dims{24, 1, 1}, Dims{2, 24, 36, 1}, Dims{36, 1}, Dims{1}}) {
        SCOPED_TRACE(toString(dims));
        KernelCase c = makeConv({"column", {2, 20, 40, 1}, {24, 20, 5, 1}});
        c.inputs.push_back({dims, DataType::Float32, false, true, 0.5, 2.0});
        c.program = "v2=Mul(v0,v1); v3=HardSwish(v2); -> v3";
        expectMatchesReference(c, "onednn.conv");
    }
}

TEST(OnednnConvEpilogue, WhatOneDnnCannotExpressIsDeclinedWithItsReason) {
    expectDeclines(withEpilogue(makeConv(kConvs[0]), "v1=Sin(v0); -> v1"), "onednn.conv", "no post-op for Sin");
    expectDeclines(withEpilogue(makeConv(kConvs[0]), "v1=Sigmoid(v0); v2=Mul(v0,v1); -> v2"), "onednn.conv",
                   "outside the chain");
    expectDeclines(withEpilogue(makeConv(kConvs[0]), "v1=Mul(v0,v0); -> v1"), "onednn.conv", "single chain");
    const std::string clips = "v1=Clip(v0;-1,1); v2=Tanh(v1); v3=Clip(v2;0,0.5); -> v3";
    expectDeclines(withEpilogue(makeConv(kConvs[0]), clips), "onednn.conv", "different parameters");
    expectMatchesReference(withEpilogue(makeConv(kConvs[0]), clips), "onednn.conv+epilogue");
}

TEST(OnednnConvEpilogue, ThePassDoesWhatPostOpsCannot) {
    for (size_t shape : {0u, 1u, 8u, 13u, 15u}) {
        const KernelCase c = makeConv(kConvs[shape]);
        expectMatchesReference(withEpilogue(c, "v1=Sin(v0); v2=Mul(v0,v1); -> v2"), "onednn.conv+epilogue");
        expectMatchesReference(withEpilogue(c, "v2=Mul(v0,v1); v3=Sigmoid(v0); v4=Add(v2,v3); -> v4", {{{1}}}),
                               "onednn.conv+epilogue");
        expectDeclines(withEpilogue(c, "v1=Relu(v0); -> v1"), "onednn.conv+epilogue");
        expectDeclines(c, "onednn.conv+epilogue", "no epilogue");
    }
}

TEST(OnednnConvEpilogue, ThePassTakesPerSampleScales) {
    KernelCase c = makeConv(kConvs[1]);
    c.inputs.push_back({{2, 7, 1, 1}});
    c.inputs.push_back({{2, 7, 9, 11}});
    c.program = "v3=Mul(v0,v1); v4=Add(v3,v2); v5=Relu(v4); -> v5";
    expectMatchesReference(c, "onednn.conv+epilogue");
    c.floatType = DataType::BFloat16;
    if (onednnHasBf16()) expectMatchesReference(c, "onednn.conv+epilogue");
}

TEST(OnednnConvLimits, EpilogueIsDeclinedWhereAWindowLiesInPadding) {
    for (const ConvParameters& p : kConvs)
        if (p.name == std::string("widePads"))
            expectDeclines(withEpilogue(makeConv(p), "v1=Relu(v0); -> v1"), "onednn.conv", "wholly in padding");
}

TEST(OnednnConvLimits, OneKernelRunsInSeveralThreadsAtOnce) {
    const OpDefinition* op = OpRegistry::instance().get("Conv");
    const Attributes attributes;
    const std::vector<float> weights(8 * 4 * 3 * 3, 0.5f);
    Problem problem;
    problem.op = op;
    problem.attributes = &attributes;
    problem.inputs = {{true, {DataType::Float32}, {1, 4, 8, 8}, nullptr, {}},
                      {true, {DataType::Float32}, {8, 4, 3, 3}, weights.data(), "w"}};
    problem.outputs = {{true, {DataType::Float32}, {1, 8, 6, 6}, nullptr, {}}};
    PackedWeightsCache cache;
    const auto kernel = cpuKernels().findByName("onednn.conv")->prepare(problem, {&cache, nullptr});
    ASSERT_TRUE(kernel.hasValue());
    std::atomic<int> wrong{0};
    const auto work = [&](float value) {
        std::vector<float> x(4 * 8 * 8, value), y(8 * 6 * 6), copy = weights;
        std::vector<std::byte> workspace((*kernel)->workspaceBytes() + 64);
        const auto misaligned = reinterpret_cast<uintptr_t>(workspace.data()) % 64;
        const std::vector<TensorView> inputs = {{x.data(), &problem.inputs[0].dims}, {copy.data(), &problem.inputs[1].dims}};
        const std::vector<TensorView> outputs = {{y.data(), &problem.outputs[0].dims}};
        RunArguments arguments{inputs, outputs, workspace.data() + (64 - misaligned), nullptr, nullptr};
        for (int i = 0; i < 50; ++i) {
            if (!(*kernel)->run(arguments).isOk()) ++wrong;
            for (float element : y) wrong += element != value * 18.0f;
        }
    };
    std::vector<std::thread> threads;
    for (float value : {1.0f, 2.0f, 3.0f, 4.0f}) threads.emplace_back(work, value);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong.load(), 0);
}

TEST(OnednnConvLimits, NoElements) {
    KernelCase c = makeConv({"empty", {0, 8, 6, 6}, {8, 8, 3, 3}, {}, {}});
    EXPECT_GE(expectMatchesReference(c, "onednn.conv"), 1);
}

TEST(OnednnConvLimits, OtherTypesAreDeclined) {
    KernelCase c = makeConv(kConvs[0]);
    c.floatType = DataType::Float16;
    expectDeclines(c, "onednn.conv", "fp16");
}

}  // namespace
}  // namespace strobe
