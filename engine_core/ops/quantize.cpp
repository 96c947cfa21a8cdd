#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// An output_dtype of 0 means "not said".
Result<DataType> outputType(const InferenceContext& context, DataType fallback) {
    if (context.attributes().getInt("output_dtype", 0) == 0) return fallback;
    return typeAttribute(context.attributes(), "output_dtype", fallback);
}

/// Scale (and zero point, of the same shape): one in all, one for each entry of `axis`, or one for each block of
/// `block_size` along it.
Status checkScale(const InferenceContext& context) {
    const Shape &x = context.inputShape(0), &scale = context.inputShape(1);
    STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), "block_size", 0, 0));
    if (context.hasInput(2) && isConstant(scale) && isConstant(context.inputShape(2)) &&
        elementCount(toDims(scale)) != elementCount(toDims(context.inputShape(2))))
        return invalidModel("scale (input 1) has shape " + toString(scale) + ", zero point (input 2) " +
                            toString(context.inputShape(2)) + "; they must be equal");
    if (scale.empty() || elementCount(scale).isConstant(1)) return Status::ok();
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", 1), static_cast<int64_t>(x.size())));
    const int64_t block = context.attributes().getInt("block_size", 0);
    const auto at = static_cast<size_t>(axis);
    if (block == 0) {
        STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
        return requireDim(context, 1, 0, x[at], "one scale for each entry of axis " + std::to_string(axis));
    }
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(x.size())));
    for (size_t i = 0; i < x.size(); ++i)
        STROBE_RETURN_IF_ERROR(
            requireDim(context, 1, i, i == at ? Dim::ceilDiv(x[i], Dim(block)) : x[i],
                       "blocks of " + std::to_string(block) + " along axis " + std::to_string(axis)));
    return Status::ok();
}

Status inferQuantize(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(checkScale(context));
    DataType type = DataType::UInt8;
    if (context.hasInput(2)) {
        type = context.inputType(2);
    } else {
        STROBE_ASSIGN(type, outputType(context, type));
    }
    context.setOutput(0, type, context.inputShape(0));
    return Status::ok();
}

Status inferDequantize(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(checkScale(context));
    STROBE_ASSIGN(const DataType type, outputType(context, context.inputType(1)));
    context.setOutput(0, type, context.inputShape(0));
    return Status::ok();
}

Status inferDynamicQuantize(InferenceContext& context) {
    context.setOutput(0, DataType::UInt8, context.inputShape(0));
    context.setOutput(1, DataType::Float32, {});
    context.setOutput(2, DataType::UInt8, {});
    return Status::ok();
}

/// a, scale, zero point, b, scale, zero point, y's scale and zero point.
Status inferQLinearMatMul(InferenceContext& context) {
    STROBE_ASSIGN(Shape y, matMulShape(context.inputShape(0), context.inputShape(3)));
    for (int input : {1, 4, 6})
        if (elementCount(context.inputShape(input)).isConstant(0))
            return invalidModel("input " + std::to_string(input) + " (a scale) has no element");
    context.setOutput(0, context.inputType(7), std::move(y));
    return Status::ok();
}

double qLinearMatMulFlops(const CostContext& cost) {
    const double inner = cost.inputs[0].empty() ? 1.0 : static_cast<double>(cost.inputs[0].back());
    return 2.0 * inner * static_cast<double>(elementCount(cost.outputs[0]));
}

OpDefinition quantization(const char* name, int minInputs, int maxInputs, Status (*infer)(InferenceContext&)) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::Quantization;
    op.minInputs = minInputs;
    op.maxInputs = maxInputs;
    op.infer = infer;
    return op;
}

}  // namespace

STROBE_OPS(quantize) {
    const AttributeSpec axis = {"axis", AttributeKind::Int}, block = {"block_size", AttributeKind::Int},
                        type = {"output_dtype", AttributeKind::Int};
    OpDefinition quantize = quantization("QuantizeLinear", 2, 3, inferQuantize);
    quantize.attributes = {axis, block, type, {"precision", AttributeKind::Int}, {"saturate", AttributeKind::Int}};
    registry.add(std::move(quantize));
    OpDefinition dequantize = quantization("DequantizeLinear", 2, 3, inferDequantize);
    dequantize.attributes = {axis, block, type};
    registry.add(std::move(dequantize));
    OpDefinition dynamic = quantization("DynamicQuantizeLinear", 1, 1, inferDynamicQuantize);
    dynamic.minOutputs = dynamic.maxOutputs = 3;
    registry.add(std::move(dynamic));
    OpDefinition product = quantization("QLinearMatMul", 8, 8, inferQLinearMatMul);
    product.flops = qLinearMatMulFlops;
    registry.add(std::move(product));
}

}  // namespace strobe
