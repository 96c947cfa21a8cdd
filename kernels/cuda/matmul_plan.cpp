#include "kernels/cuda/matmul_plan.h"

#include <algorithm>

#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/pointwise_source.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {
namespace {

int64_t product(const Dims& dims, size_t end) {
    int64_t count = 1;
    for (size_t d = 0; d < end; ++d) count *= dims[d];
    return count;
}

/// Elements from one matrix to the next along the batch of the output; 0: the same one for all.
Result<int64_t> batchStride(const Dims& operand, const Dims& output) {
    const size_t own = operand.size() - 2;
    if (product(operand, own) == 1) return int64_t{0};
    if (own == output.size() - 2 &&
        std::equal(operand.begin(), operand.begin() + static_cast<std::ptrdiff_t>(own), output.begin()))
        return operand[own] * operand[own + 1];
    return unsupported("batch " + toString(Dims(operand.begin(), operand.begin() + static_cast<std::ptrdiff_t>(own))) +
                       " broadcasts in part to that of " + toString(output));
}

void translateEpilogue(const Problem& problem, MatMulPlan& plan) {
    if (!problem.program) return;
    const PointwiseProgram& program = *problem.program;
    if (program.instructions.size() == 1 && program.inputCount == 1 && program.instructions[0].op == PointwiseOp::Relu)
        plan.activation = MatMulPlan::Activation::Relu;
    else if (program.instructions.size() == 1 && program.inputCount == 1 &&
             program.instructions[0].op == PointwiseOp::GeluTanh)
        plan.activation = MatMulPlan::Activation::GeluTanh;
    else
        plan.unfused = "cuBLASLt's epilogues are relu and gelu (tanh), this one is " + program.toString();
}

Status checkMatMul(const Problem& problem) {
    if (const Support support = checkDeviceTensors(problem); !support.supported) return unsupported(support.reason);
    const TensorDesc &a = problem.inputs[0], &b = problem.inputs[1], &c = problem.outputs[0];
    if (a.dims.size() < 2 || b.dims.size() < 2)
        return unsupported("multiplies matrices, not vectors: " + toString(a.dims) + " and " + toString(b.dims));
    if (elementCount(a.dims) == 0 || elementCount(b.dims) == 0) return unsupported("an input has no elements");
    if (a.format.type != b.format.type || a.format.type != c.format.type)
        return unsupported("both factors and the product must have one type");
    for (const TensorDesc* desc : {&a, &b, &c})
        if (desc->format.layout != Layout::Plain) return unsupported("multiplies plain tensors");
    return Status::ok();
}

}  // namespace

Result<MatMulPlan> planMatMul(const Problem& problem) {
    STROBE_RETURN_IF_ERROR(checkMatMul(problem));
    const Dims &a = problem.inputs[0].dims, &b = problem.inputs[1].dims, &c = problem.outputs[0].dims;
    MatMulPlan plan;
    plan.transA = problem.attributes->getBool("transA", false);
    plan.transB = problem.attributes->getBool("transB", false);
    plan.alpha = problem.attributes->getFloat("alpha", 1.0f);
    plan.type = problem.inputs[0].format.type;
    plan.m = c[c.size() - 2];
    plan.n = c[c.size() - 1];
    plan.k = plan.transA ? a[a.size() - 2] : a[a.size() - 1];
    plan.batch = product(c, c.size() - 2);
    plan.hasBias = isGiven(problem, 2);
    if (product(b, b.size() - 2) == 1 && !plan.transA && product(a, a.size() - 2) == plan.batch) {
        plan.m *= plan.batch;  // one matrix B for all: the batch is more rows
        plan.batch = 1;
    } else {
        STROBE_ASSIGN(plan.strideA, batchStride(a, c));
        STROBE_ASSIGN(plan.strideB, batchStride(b, c));
        plan.strideC = plan.m * plan.n;
    }
    if (std::max({plan.m, plan.n, plan.k, plan.batch}) > INT32_MAX) return unsupported("an extent is beyond 31 bits");
    translateEpilogue(problem, plan);
    if (plan.unfused.empty()) return plan;
    std::vector<TensorDesc> inputs = {problem.outputs[0]};
    for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
        inputs.push_back(problem.inputs[i]);
    STROBE_RETURN_IF_ERROR(pointwiseSource(*problem.program, inputs, problem.outputs).status());
    return plan;
}

}  // namespace strobe
