#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// X, K[1] → values and int64 indices with K along the axis.
Status inferTopK(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    Shape y = context.inputShape(0);
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", -1), static_cast<int64_t>(y.size())));
    const auto k = context.inputValues(1);
    if (k && k->size() != 1)
        return invalidModel("input 1 (K) has " + std::to_string(k->size()) + " elements, 1 is needed");
    Dim& extent = y[static_cast<size_t>(axis)];
    const Dim wanted = k ? k->front() : context.freshSymbol();
    if (wanted.isConstant() &&
        (wanted.constant() < 0 || (extent.isConstant() && wanted.constant() > extent.constant())))
        return invalidModel("input 1 (K) is " + wanted.toString() + ", 0 to " + extent.toString() +
                            " is allowed (the extent of axis " + std::to_string(axis) + ")");
    extent = wanted;
    context.setOutput(1, DataType::Int64, y);
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

Status inferCumSum(InferenceContext& context) {
    if (const auto axis = constantValues(context, 1); axis && !axis->empty())
        STROBE_RETURN_IF_ERROR(
            normalizeAxis(axis->front(), static_cast<int64_t>(context.inputShape(0).size())).status());
    return inferLikeInput0(context);
}

}  // namespace

STROBE_OPS(ordering) {
    OpDefinition topK;
    topK.name = "TopK";
    topK.family = OpFamily::PoolingReduction;
    topK.minInputs = topK.maxInputs = 2;
    topK.minOutputs = topK.maxOutputs = 2;
    topK.attributes = {{"axis", AttributeKind::Int}, {"largest", AttributeKind::Int}, {"sorted", AttributeKind::Int}};
    topK.valueInputs = 1u << 1;
    topK.keepFp32Reason = "rounding makes ties, which change the chosen indices";
    topK.infer = inferTopK;
    topK.flops = flopsPerInput<4>;
    registry.add(std::move(topK));

    OpDefinition cumSum;
    cumSum.name = "CumSum";
    cumSum.family = OpFamily::PoolingReduction;
    cumSum.minInputs = cumSum.maxInputs = 2;
    cumSum.attributes = {{"exclusive", AttributeKind::Int}, {"reverse", AttributeKind::Int}};
    // Not a shape, but host memory saves a device round trip for one number.
    cumSum.valueInputs = 1u << 1;
    cumSum.keepFp32Reason = "a running sum loses its small terms when rounded";
    cumSum.infer = inferCumSum;
    registry.add(std::move(cumSum));
}

}  // namespace strobe
