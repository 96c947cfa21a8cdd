#include "kernels/cuda/matmul_plan.h"

#include "tests/kernels/cuda/cuda_problem.h"

namespace strobe {
namespace {

KernelCase matMul(Dims a, KernelInput b, std::string program = {}) {
    KernelCase c;
    c.op = "MatMul";
    c.inputs = {{std::move(a)}, std::move(b), KernelInput::absent()};
    c.program = std::move(program);
    return c;
}

TEST(MatMulPlan, OneWeightMatrixTurnsTheBatchIntoRows) {
    CaseData data;
    const auto plan = planMatMul(deviceProblem(matMul({4, 7, 16}, KernelInput::weights({16, 32})), data));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->m, 28);
    EXPECT_EQ(plan->n, 32);
    EXPECT_EQ(plan->k, 16);
    EXPECT_EQ(plan->batch, 1);
}

TEST(MatMulPlan, TwoBatchesStepTogether) {
    CaseData data;
    KernelCase c = matMul({2, 3, 5, 8}, {{2, 3, 6, 8}});
    c.attributes.set("transB", int64_t{1});
    c.attributes.set("alpha", 0.125f);
    const auto plan = planMatMul(deviceProblem(c, data));
    ASSERT_TRUE(plan.hasValue()) << plan.status().message();
    EXPECT_EQ(plan->batch, 6);
    EXPECT_EQ(plan->strideA, 40);
    EXPECT_EQ(plan->strideB, 48);
    EXPECT_EQ(plan->strideC, 30);
    EXPECT_TRUE(plan->transB);
    EXPECT_EQ(plan->alpha, 0.125f);
}

TEST(MatMulPlan, PartialBroadcastAndVectorsAreDeclined) {
    CaseData a, b;
    EXPECT_NE(planMatMul(deviceProblem(matMul({2, 1, 5, 8}, {{1, 3, 8, 6}}), a))
                  .status()
                  .message()
                  .find("broadcasts in part"),
              std::string::npos);
    EXPECT_NE(planMatMul(deviceProblem(matMul({8}, {{8, 6}}), b)).status().message().find("not vectors"),
              std::string::npos);
}

TEST(MatMulPlan, Epilogues) {
    CaseData a, b, c;
    EXPECT_EQ(
        planMatMul(deviceProblem(matMul({4, 8}, KernelInput::weights({8, 8}), "v1=Relu(v0); -> v1"), a))->activation,
        MatMulPlan::Activation::Relu);
    EXPECT_EQ(planMatMul(deviceProblem(matMul({4, 8}, KernelInput::weights({8, 8}), "v1=GeluTanh(v0); -> v1"), b))
                  ->activation,
              MatMulPlan::Activation::GeluTanh);
    // cuBLASLt's gelu is the tanh form: the exact one may not be replaced by it.
    const auto exact = planMatMul(deviceProblem(matMul({4, 8}, KernelInput::weights({8, 8}), "v1=Gelu(v0); -> v1"), c));
    EXPECT_EQ(exact->activation, MatMulPlan::Activation::None);
    EXPECT_NE(exact->unfused.find("Gelu"), std::string::npos);
}

}  // namespace
}  // namespace strobe
