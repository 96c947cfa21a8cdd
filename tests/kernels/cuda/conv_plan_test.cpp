#include "kernels/cuda/conv_plan.h"

#include "tests/kernels/cuda/cuda_problem.h"

namespace strobe {
namespace {

KernelCase convCase(std::string program = {}, std::vector<KernelInput> extra = {}) {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    c.inputs = {{{2, 16, 8, 8}}, KernelInput::weights({32, 16, 3, 3}), KernelInput::weights({32})};
    c.program = std::move(program);
    c.inputs.insert(c.inputs.end(), extra.begin(), extra.end());
    return c;
}

TEST(ConvPlan, GeometryAndLayout) {
    CaseData data;
    const auto plan = planConv(deviceProblem(convCase(), data, Layout::ChannelsLast));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->y, (std::vector<int64_t>{2, 32, 8, 8}));
    EXPECT_EQ(plan->padsBegin, (std::vector<int64_t>{1, 1}));
    EXPECT_TRUE(plan->hasBias);
    EXPECT_EQ(cudnnStrides(plan->y, plan->layout), (std::vector<int64_t>{2048, 1, 256, 32}));
    EXPECT_EQ(cudnnStrides(plan->y, Layout::Plain), (std::vector<int64_t>{2048, 64, 8, 1}));
}

TEST(ConvPlan, OneSpatialDimBecomesTwo) {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("pads", std::vector<int64_t>{2, 1});
    c.inputs = {{{1, 4, 20}}, KernelInput::weights({8, 4, 5}), KernelInput::absent()};
    CaseData data;
    const auto plan = planConv(deviceProblem(c, data));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->x, (std::vector<int64_t>{1, 4, 1, 20}));
    EXPECT_EQ(plan->padsBegin, (std::vector<int64_t>{0, 2}));
    EXPECT_EQ(plan->padsEnd, (std::vector<int64_t>{0, 1}));
}

TEST(ConvPlan, ResidualAndActivationBecomeNodes) {
    CaseData data;
    const auto plan = planConv(deviceProblem(convCase("v2=Add(v0,v1); v3=Clip(v2;0,6); -> v3", {{{2, 32, 8, 8}}}), data,
                                             Layout::ChannelsLast));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->unfused, "");
    ASSERT_EQ(plan->epilogue.size(), 2u);
    EXPECT_EQ(plan->epilogue[0].mode, ConvNode::Mode::Add);
    EXPECT_EQ(plan->epilogue[0].operand, 3);
    EXPECT_EQ(plan->epilogue[1].mode, ConvNode::Mode::Relu);
    EXPECT_EQ(plan->epilogue[1].lower, 0.0f);
    EXPECT_EQ(plan->epilogue[1].upper, 6.0f);
}

TEST(ConvPlan, ConstantsAndOrderOfOperands) {
    CaseData data;
    const auto plan = planConv(deviceProblem(convCase("v1=Constant(;3,0); v2=Sub(v1,v0); -> v2"), data));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    ASSERT_EQ(plan->epilogue.size(), 1u);
    EXPECT_EQ(plan->epilogue[0].scalar, 3.0f);
    EXPECT_TRUE(plan->epilogue[0].swapped);
}

TEST(ConvPlan, WhatCudnnLacksIsLeftToAPass) {
    for (const auto& [program, reason] :
         {std::pair{"v1=Mish(v0); -> v1", "no node for Mish"},
          std::pair{"v1=Sigmoid(v0); v2=Mul(v0,v1); -> v2", "convolution's result twice"}}) {
        CaseData data;
        const auto plan = planConv(deviceProblem(convCase(program), data));
        ASSERT_TRUE(plan.hasValue()) << plan.status().message();
        EXPECT_NE(plan->unfused.find(reason), std::string::npos) << plan->unfused;
    }
}

TEST(ConvPlan, DeclinesWithAReason) {
    CaseData data;
    Problem problem = deviceProblem(convCase(), data);
    const auto reasonOf = [](const Problem& p) { return planConv(p).status().message(); };
    Problem host = problem;
    host.inputs[0].format.memory = MemoryKind::Host;
    EXPECT_NE(reasonOf(host).find("device memory"), std::string::npos);
    Problem mixed = problem;
    mixed.outputs[0].format.layout = Layout::ChannelsLast;
    EXPECT_NE(reasonOf(mixed).find("share type and layout"), std::string::npos);
    Problem variable = problem;
    variable.inputs[1].constantData = nullptr;
    variable.inputs[1].format.memory = MemoryKind::Device;
    EXPECT_NE(reasonOf(variable).find("no constants"), std::string::npos);
    Problem wide = problem;
    wide.inputs[0].format.type = wide.outputs[0].format.type = DataType::Float64;
    EXPECT_NE(reasonOf(wide).find("fp64"), std::string::npos) << reasonOf(wide);
}

TEST(ConvPlan, WeightsArePackedWithChannelsLast) {
    const std::vector<int64_t> w = {1, 2, 1, 3};
    const float from[] = {0, 1, 2, 10, 11, 12};
    float to[6] = {};
    channelsLastWeights(from, to, w, sizeof(float));
    EXPECT_EQ(std::vector<float>(to, to + 6), (std::vector<float>{0, 10, 1, 11, 2, 12}));
}

}  // namespace
}  // namespace strobe
