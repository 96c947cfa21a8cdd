#include "kernels/cuda/move_source.h"

#include <gtest/gtest.h>

#include "kernels/cuda/attention_source.h"
#include "kernels/cuda/conv_plan.h"
#include "kernels/cuda/nvrtc_compiler.h"
#include "kernels/cuda/resize_source.h"
#include "tests/kernels/cuda/cuda_problem.h"

namespace strobe {
namespace {

void expectCompiles(const std::string& source) {
    for (const char* architecture : {"sm_80", "sm_90a", "sm_120"}) {
        const auto cubin = compileCubin(source, architecture);
        ASSERT_TRUE(cubin.hasValue()) << cubin.status().message() << source;
        EXPECT_NE(cubin->find(kGeneratedKernel), std::string::npos);
    }
}

TEST(MovePlan, RunsAreTakenInWideElements) {
    // Channels 8…15 of 32 to the front of 16, channels last: 8 floats side by side are 2 words of 16 bytes.
    const auto plan = planMove({{6, 8}, {32, 1}, {16, 1}, 8, 0}, 4);
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->count, 12);
    EXPECT_EQ(plan->geometry, (std::vector<uint64_t>{12, 6, 8, 4, 2, 1, 1}));
    expectCompiles(plan->source);
    // An odd offset keeps single floats.
    EXPECT_EQ(planMove({{6, 8}, {32, 1}, {16, 1}, 7, 0}, 4)->count, 48);
}

TEST(MovePlan, DimsAreSortedByTheDestinationAndMerged) {
    // A transposition of 3 × 5: neighbouring threads write side by side.
    const auto turned = planMove({{3, 5}, {5, 1}, {1, 3}, 0, 0}, 2);
    ASSERT_TRUE(turned.hasValue());
    EXPECT_EQ(turned->geometry, (std::vector<uint64_t>{15, 5, 1, 3, 3, 5, 1}));
    const auto dense = planMove({{2, 3, 4}, {12, 4, 1}, {12, 4, 1}, 0, 0}, 1);
    ASSERT_TRUE(dense.hasValue());
    EXPECT_EQ(dense->count, 3);  // 24 bytes of 8: 16 does not divide
    EXPECT_NE(planMove({{4}, {1}, {1}, 0, 0}, 3).status().message().find("these have 3"), std::string::npos);
}

TEST(GatherPlan, GeometryAndRules) {
    KernelCase c;
    c.op = "Gather";
    c.attributes.set("axis", int64_t{1});
    KernelInput indices{{2, 3}, DataType::Int64};
    indices.low = 0;
    indices.high = 4;
    c.inputs = {{{4, 5, 6}}, indices};
    CaseData data;
    Problem problem = deviceProblem(c, data);
    const auto plan = planGather(problem);
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->geometry, (std::vector<uint64_t>{4 * 6 * 6, 5, 6, 6}));
    expectCompiles(plan->source);
    problem.inputs[1].format.memory = MemoryKind::Host;
    EXPECT_NE(planGather(problem).status().message().find("on the device"), std::string::npos);
}

TEST(DeviceResizePlan, TapsAndLayouts) {
    KernelCase c;
    c.op = "Resize";
    c.attributes.set("mode", std::string("linear"));
    c.inputs = {{{1, 3, 2, 2}}, KernelInput::absent(), KernelInput::absent(), KernelInput::integers({1, 3, 4, 6})};
    for (Layout layout : {Layout::Plain, Layout::ChannelsLast}) {
        CaseData data;
        Problem problem = deviceProblem(c, data, layout);
        const auto plan = planDeviceResize(problem);
        ASSERT_TRUE(plan.hasValue()) << plan.status().message();
        EXPECT_EQ(plan->taps.size(), 3u * (4 + 6));
        EXPECT_EQ(plan->geometry, (std::vector<uint64_t>{72, layout == Layout::Plain ? 1u : 3u, 4, 6, 2, 2}));
        expectCompiles(plan->source);
        problem.inputs[0].format.memory = problem.outputs[0].format.memory = MemoryKind::Host;
        EXPECT_NE(planDeviceResize(problem).status().message().find("device memory"), std::string::npos);
    }
}

TEST(AttentionPlan, GeometryAndRules) {
    KernelCase c;
    c.op = "Attention";
    c.attributes.set("q_num_heads", int64_t{4});
    c.attributes.set("kv_num_heads", int64_t{2});
    c.inputs = {{{2, 9, 32}}, {{2, 300, 16}}, {{2, 300, 16}}, {{9, 300}}};
    CaseData data;
    Problem problem = deviceProblem(c, data);
    const auto plan = planAttention(problem);
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->rows, 2 * 4 * 9);
    ASSERT_EQ(plan->geometry.size(), 24u);
    EXPECT_EQ(plan->geometry[2], 300u);
    EXPECT_EQ(plan->geometry[5], 2u);
    EXPECT_EQ(plan->geometry[8], 9u * 32);  // Q from batch to batch
    EXPECT_EQ(plan->geometry[22], 300u);    // the mask from query to query, of no batch and no head
    EXPECT_EQ(plan->geometry[20], 0u);
    EXPECT_NE(plan->source.find("scores[512]"), std::string::npos);
    expectCompiles(plan->source);
    problem.inputs[1].format.layout = Layout::ChannelsLast;
    EXPECT_NE(planAttention(problem).status().message().find("plain tensors"), std::string::npos);
}

TEST(ConvPlan, TransposedIsTheGradientOfAConvolution) {
    KernelCase c;
    c.op = "ConvTranspose";
    c.attributes.set("strides", std::vector<int64_t>{2, 2});
    c.attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    c.attributes.set("output_padding", std::vector<int64_t>{1, 0});
    c.inputs = {{{1, 8, 7, 6}}, KernelInput::weights({8, 12, 3, 3}), KernelInput::weights({12})};
    CaseData data;
    const auto plan = planConv(deviceProblem(c, data, Layout::ChannelsLast));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_TRUE(plan->transposed);
    EXPECT_EQ(plan->y, (std::vector<int64_t>{1, 12, 14, 11}));
    EXPECT_EQ(plan->padsBegin, (std::vector<int64_t>{1, 1}));
    EXPECT_EQ(plan->padsEnd, (std::vector<int64_t>{0, 1}));  // the row that output_padding adds
}

}  // namespace
}  // namespace strobe
