#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

/// A, B, bias[N]? → A·B·alpha + bias; bias, transA, transB and alpha are ours, for fusions.
Status inferMatMul(InferenceContext& context) {
    const Attributes& attributes = context.attributes();
    STROBE_ASSIGN(Shape y, matMulShape(context.inputShape(0), context.inputShape(1),
                                       attributes.getBool("transA", false), attributes.getBool("transB", false)));
    if (context.hasInput(2)) {
        STROBE_RETURN_IF_ERROR(requireRank(context, 2, 1));
        if (y.empty() || context.inputShape(1).size() < 2)
            return invalidModel("a bias (input 2) is one value a column of input 1, which has shape " +
                                toString(context.inputShape(1)));
        STROBE_RETURN_IF_ERROR(requireDim(context, 2, 0, y.back(), "the last extent of the product"));
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

Status inferMatMulInteger(InferenceContext& context) {
    STROBE_ASSIGN(Shape y, matMulShape(context.inputShape(0), context.inputShape(1)));
    context.setOutput(0, DataType::Int32, std::move(y));
    return Status::ok();
}

/// op(A)[M,K], op(B)[K,N], C broadcast to [M,N] → alpha·A·B + beta·C.
Status inferGemm(InferenceContext& context) {
    const Attributes& attributes = context.attributes();
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 2));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 2));
    STROBE_ASSIGN(Shape y, matMulShape(context.inputShape(0), context.inputShape(1),
                                       attributes.getBool("transA", false), attributes.getBool("transB", false)));
    if (context.hasInput(2)) {
        STROBE_ASSIGN(const Shape joined, broadcastShapes(y, context.inputShape(2)));
        if (joined.size() != 2 || (joined != y && isConstant(joined) && isConstant(y)))
            return invalidModel("input 2 has shape " + toString(context.inputShape(2)) +
                                ", which does not broadcast to the product's " + toString(y));
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

double matMulFlops(const CostContext& cost) {
    const Dims& a = cost.inputs[0];
    const bool transposed = a.size() > 1 && cost.attributes.getBool("transA", false);
    const int64_t inner = a.empty() ? 1 : a[a.size() - (transposed ? 2 : 1)];
    return 2.0 * static_cast<double>(inner) * static_cast<double>(elementCount(cost.outputs[0]));
}

OpDefinition product(const char* name, int maxInputs, Status (*infer)(InferenceContext&)) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::MatMul;
    op.minInputs = 2;
    op.maxInputs = maxInputs;
    op.infer = infer;
    op.flops = matMulFlops;
    return op;
}

}  // namespace

STROBE_OPS(matmul) {
    OpDefinition matMul = product("MatMul", 3, inferMatMul);
    matMul.attributes = {
        {"alpha", AttributeKind::Float}, {"transA", AttributeKind::Int}, {"transB", AttributeKind::Int}};
    registry.add(std::move(matMul));

    OpDefinition gemm = product("Gemm", 3, inferGemm);
    gemm.attributes = {{"alpha", AttributeKind::Float},
                       {"beta", AttributeKind::Float},
                       {"transA", AttributeKind::Int},
                       {"transB", AttributeKind::Int}};
    registry.add(std::move(gemm));

    registry.add(product("MatMulInteger", 4, inferMatMulInteger));
}

}  // namespace strobe
