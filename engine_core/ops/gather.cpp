#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

void passGatheredValues(InferenceContext& context, const Shape& y) {
    const auto values = context.inputValues(0);
    const auto indices = constantValues(context, 1);
    if (!values || !indices || context.inputShape(0).size() != 1) return;
    std::vector<Dim> chosen;
    const auto count = static_cast<int64_t>(values->size());
    for (int64_t index : *indices) {
        if (index < -count || index >= count) return;
        chosen.push_back((*values)[static_cast<size_t>(index < 0 ? index + count : index)]);
    }
    setValues(context, 0, y, std::move(chosen));
}

/// Known constant indices must lie inside the extent; others are checked when the model runs.
Status requireInside(const InferenceContext& context, const Dim& extent) {
    const auto indices = constantValues(context, 1);
    if (!indices || !extent.isConstant()) return Status::ok();
    for (int64_t index : *indices)
        if (index < -extent.constant() || index >= extent.constant())
            return invalidModel("input 1 (indices) holds " + std::to_string(index) + ", the axis has extent " +
                                extent.toString());
    return Status::ok();
}

Status inferGather(InferenceContext& context) {
    const Shape &x = context.inputShape(0), &indices = context.inputShape(1);
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", 0), static_cast<int64_t>(x.size())));
    STROBE_RETURN_IF_ERROR(requireInside(context, x[static_cast<size_t>(axis)]));
    Shape y(x.begin(), x.begin() + axis);
    y.insert(y.end(), indices.begin(), indices.end());
    y.insert(y.end(), x.begin() + axis + 1, x.end());
    context.setOutput(0, context.inputType(0), y);
    passGatheredValues(context, y);
    return Status::ok();
}

Status inferGatherElements(InferenceContext& context) {
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(context.inputShape(0).size())));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_RETURN_IF_ERROR(
        normalizeAxis(context.attributes().getInt("axis", 0), static_cast<int64_t>(context.inputShape(0).size()))
            .status());
    context.setOutput(0, context.inputType(0), context.inputShape(1));
    return Status::ok();
}

Status inferGatherND(InferenceContext& context) {
    const Shape &x = context.inputShape(0), &indices = context.inputShape(1);
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 1, 1));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    const auto rank = static_cast<int64_t>(x.size());
    const int64_t batch = context.attributes().getInt("batch_dims", 0);
    if (batch < 0 || batch >= rank || batch >= static_cast<int64_t>(indices.size()))
        return invalidModel("attribute 'batch_dims' is " + std::to_string(batch) +
                            "; it must be 0 or more and below both ranks (" + std::to_string(rank) + ", " +
                            std::to_string(indices.size()) + ")");
    for (size_t d = 0; d < static_cast<size_t>(batch); ++d)
        if (x[d].isConstant() && indices[d].isConstant() && x[d] != indices[d])
            return invalidModel("input 0 " + toString(x) + " and indices " + toString(indices) +
                                " differ in batch dim " + std::to_string(d));
    if (!indices.back().isConstant()) return Status::ok();
    const int64_t tuple = indices.back().constant();
    if (tuple < 1 || batch + tuple > rank)
        return invalidModel("indices " + toString(indices) + " address " + std::to_string(tuple) + " axes after " +
                            std::to_string(batch) + " batch dims, input 0 has rank " + std::to_string(rank));
    Shape y(indices.begin(), indices.end() - 1);
    y.insert(y.end(), x.begin() + batch + tuple, x.end());
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

}  // namespace

STROBE_OPS(gather) {
    registry.add(copyOp("Gather", 2, inferGather, {{"axis", AttributeKind::Int}}));
    registry.add(copyOp("GatherElements", 2, inferGatherElements, {{"axis", AttributeKind::Int}}));
    registry.add(copyOp("GatherND", 2, inferGatherND, {{"batch_dims", AttributeKind::Int}}));
}

}  // namespace strobe
