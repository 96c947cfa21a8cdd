#include <gtest/gtest.h>

#include "kernels/cuda/nvrtc_compiler.h"
#include "kernels/cuda/pointwise_source.h"
#include "kernels/cuda/pool_source.h"
#include "kernels/cuda/reformat_source.h"
#include "kernels/cuda/row_source.h"
#include "tests/kernels/cuda/cuda_problem.h"

namespace strobe {
namespace {

TensorDesc tensor(Dims dims, DataType type = DataType::Float32, Layout layout = Layout::Plain) {
    return {true, {type, layout, MemoryKind::Device}, std::move(dims), nullptr, {}};
}

void expectCompiles(const std::string& source, const std::string& architecture = "sm_80") {
    const auto cubin = compileCubin(source, architecture);
    ASSERT_TRUE(cubin.hasValue()) << cubin.status().message() << source;
    ASSERT_GT(cubin->size(), 64u);
    EXPECT_EQ(cubin->substr(1, 3), "ELF");
    EXPECT_NE(cubin->find(kGeneratedKernel), std::string::npos);
}

/// One instruction of every op in a chain of two inputs.
PointwiseProgram everything() {
    PointwiseProgram program;
    program.inputCount = 2;
    for (int op = 0; op <= static_cast<int>(PointwiseOp::Where); ++op) {
        const int last = program.valueCount() - 1;
        program.instructions.push_back({static_cast<PointwiseOp>(op), last, 0, 1, 0.5f, 2.0f});
    }
    program.results = {program.valueCount() - 1};
    return program;
}

TEST(GeneratedKernels, EveryFunctionCompilesForEveryArchitecture) {
    const PointwiseProgram program = everything();
    ASSERT_TRUE(program.isValid());
    const auto source =
        pointwiseSource(program, {tensor({64}), tensor({64}, DataType::BFloat16)}, {tensor({64}, DataType::BFloat16)});
    ASSERT_TRUE(source.hasValue());
    for (const char* architecture : {"sm_80", "sm_90a", "sm_120"}) expectCompiles(source->text, architecture);
}

TEST(GeneratedKernels, StridedAccessBoolsAndManyOutputs) {
    const PointwiseProgram program = *PointwiseProgram::parse("v3=Less(v0,v1); v4=Where(v2,v0,v1); -> v3,v4", 3);
    const auto source =
        pointwiseSource(program, {tensor({2, 3, 5}), tensor({3, 1}, DataType::BFloat16), tensor({5}, DataType::Bool)},
                        {tensor({2, 3, 5}, DataType::Bool), tensor({2, 3, 5})});
    ASSERT_TRUE(source.hasValue()) << source.status().message();
    EXPECT_FALSE(source->vectorised);
    expectCompiles(source->text);
}

TEST(GeneratedKernels, EveryFloatTypeIsReadAndWritten) {
    const PointwiseProgram program = *PointwiseProgram::parse("v2=Add(v0,v1); -> v2", 2);
    for (DataType type : {DataType::Float32, DataType::Float16, DataType::BFloat16})
        for (const Dims& other : {Dims{2, 3, 8}, Dims{3, 1}}) {
            const auto source =
                pointwiseSource(program, {tensor({2, 3, 8}, type), tensor(other, type)}, {tensor({2, 3, 8}, type)});
            ASSERT_TRUE(source.hasValue()) << source.status().message();
            EXPECT_NE(source->text.find("store" + std::string(source->vectorised ? "4" : "") + elementSuffix(type)),
                      std::string::npos);
            expectCompiles(source->text, "sm_90a");
        }
}

TEST(GeneratedKernels, AnErrorCarriesTheLog) {
    const auto cubin = compileCubin("extern \"C\" __global__ void strobeKernel() { nonsense; }", "sm_80");
    ASSERT_FALSE(cubin.hasValue());
    EXPECT_NE(cubin.status().message().find("nonsense"), std::string::npos);
}

TEST(GeneratedKernels, Reformats) {
    const TensorDesc host{true, {DataType::Float32, Layout::Blocked16, MemoryKind::Host}, {2, 20, 3, 3}, nullptr, {}};
    for (const auto& [from, to] : {std::pair{host, tensor({2, 20, 3, 3}, DataType::BFloat16, Layout::ChannelsLast)},
                                   std::pair{host, tensor({2, 20, 3, 3}, DataType::Float16)},
                                   std::pair{tensor({2, 20, 3, 3}, DataType::Bool),
                                             tensor({2, 20, 3, 3}, DataType::Bool, Layout::ChannelsLast)}}) {
        const auto plan = planReformat(from, to);
        ASSERT_TRUE(plan.hasValue()) << plan.status().message();
        expectCompiles(plan->source);
    }
}

TEST(GeneratedKernels, RowsAndTheirRules) {
    for (const char* op :
         {"Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "ReduceMean", "ReduceMax"}) {
        KernelCase c;
        c.op = op;
        c.inputs = {{{2, 3, 8}}};
        const std::string name = op;
        if (name.find("Norm") != std::string::npos) c.inputs.push_back(KernelInput::weights({8}));
        if (name == "LayerNormalization") c.inputs.push_back(KernelInput::weights({8}));
        if (name.rfind("Reduce", 0) == 0) c.inputs.push_back(KernelInput::integers({-1}));
        CaseData data;
        const auto plan = planRows(deviceProblem(c, data));
        ASSERT_TRUE(plan.hasValue()) << op << ": " << plan.status().message();
        EXPECT_EQ(plan->rows, 6);
        EXPECT_EQ(plan->columns, 8);
        expectCompiles(plan->source);
    }
    KernelCase inner;
    inner.op = "Softmax";
    inner.attributes.set("axis", int64_t{1});
    inner.inputs = {{{2, 3, 8}}};
    CaseData data;
    EXPECT_NE(planRows(deviceProblem(inner, data)).status().message().find("last axis"), std::string::npos);
    KernelCase middle;
    middle.op = "ReduceMean";
    middle.inputs = {{{2, 3, 8}}, KernelInput::integers({1})};
    CaseData other;
    EXPECT_NE(planRows(deviceProblem(middle, other)).status().message().find("trailing axes"), std::string::npos);
}

TEST(GeneratedKernels, RowsReadTheirParametersRight) {
    KernelCase none;
    none.op = "ReduceSum";
    none.attributes.set("noop_with_empty_axes", int64_t{1});
    none.inputs = {{{2, 3, 8}}};
    CaseData data;
    const auto plan = planRows(deviceProblem(none, data));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->rows, 48);
    EXPECT_EQ(plan->columns, 1);
    KernelCase perRow;  // as many entries as a row has elements, but one a row
    perRow.op = "RMSNormalization";
    perRow.inputs = {{{3, 3}}, KernelInput::weights({3, 1})};
    CaseData other;
    EXPECT_NE(planRows(deviceProblem(perRow, other)).status().message().find("one value a normalised element"),
              std::string::npos);
}

TEST(GeneratedKernels, PoolsAndTheirRules) {
    KernelCase c;
    c.op = "MaxPool";
    c.attributes.set("kernel_shape", std::vector<int64_t>{3, 3});
    c.attributes.set("strides", std::vector<int64_t>{2, 2});
    c.attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    c.inputs = {{{1, 8, 9, 9}}};
    CaseData data;
    for (Layout layout : {Layout::Plain, Layout::ChannelsLast}) {
        CaseData own;
        const auto plan = planPool(deviceProblem(c, own, layout));
        ASSERT_TRUE(plan.hasValue()) << plan.status().message();
        EXPECT_EQ(plan->outputs, 8 * 25);
        EXPECT_EQ(plan->geometry.size(), 20u);
        expectCompiles(plan->source);
    }
    c.inputs = {{{1, 8, 4, 9, 9}}};
    c.attributes.set("kernel_shape", std::vector<int64_t>{1, 3, 3});
    c.attributes.set("strides", std::vector<int64_t>{1, 2, 2});
    c.attributes.set("pads", std::vector<int64_t>{0, 1, 1, 0, 1, 1});
    EXPECT_NE(planPool(deviceProblem(c, data)).status().message().find("one or two spatial dims"), std::string::npos);
}

TEST(GeneratedKernels, GlobalPoolsInPartsThatFillTheDevice) {
    KernelCase c;
    c.op = "GlobalAveragePool";
    c.inputs = {{{1, 96, 160, 160}}};
    for (Layout layout : {Layout::Plain, Layout::ChannelsLast}) {
        CaseData data;
        const auto plan = planGlobalPool(deviceProblem(c, data, layout));
        ASSERT_TRUE(plan.hasValue()) << plan.status().message();
        EXPECT_EQ(plan->outputs, 96);
        EXPECT_GE(plan->blocks, 132);
        EXPECT_EQ(plan->blocks, (layout == Layout::Plain ? 96 : 3) * plan->parts);
        EXPECT_EQ(plan->workspaceBytes(), 96u * static_cast<size_t>(plan->parts) * sizeof(float));
        expectCompiles(plan->partSource);
        expectCompiles(plan->joinSource);
    }
    c.inputs = {{{1, 96, 1, 1}}};
    CaseData data;
    EXPECT_EQ(planGlobalPool(deviceProblem(c, data))->parts, 1);
}

}  // namespace
}  // namespace strobe
