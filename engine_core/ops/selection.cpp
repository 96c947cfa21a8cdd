#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Status inferNonZero(InferenceContext& context) {
    // A scalar counts as one element of rank 0: the output then has no rows, as numpy's.
    context.setOutput(0, DataType::Int64,
                      {Dim(static_cast<int64_t>(context.inputShape(0).size())), context.freshSymbol()});
    return Status::ok();
}

Result<std::optional<size_t>> optionalAxis(const InferenceContext& context) {
    if (!context.attributes().has("axis")) return std::optional<size_t>();
    STROBE_ASSIGN(const int64_t axis, normalizeAxis(context.attributes().getInt("axis", 0),
                                                    static_cast<int64_t>(context.inputShape(0).size())));
    return std::optional<size_t>(static_cast<size_t>(axis));
}

Status inferUnique(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    STROBE_ASSIGN(const std::optional<size_t> axis, optionalAxis(context));
    const Dim count = context.freshSymbol();
    Shape y = {count};
    if (axis) {
        y = x;
        y[*axis] = count;
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    context.setOutput(1, DataType::Int64, {count});
    context.setOutput(2, DataType::Int64, {axis ? x[*axis] : elementCount(x)});
    context.setOutput(3, DataType::Int64, {count});
    return Status::ok();
}

Status inferCompress(InferenceContext& context) {
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kBoolType));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
    STROBE_ASSIGN(const std::optional<size_t> axis, optionalAxis(context));
    Shape y = {context.freshSymbol()};
    if (axis) {
        const Dim kept = y[0];
        y = context.inputShape(0);
        y[*axis] = kept;
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

OpDefinition selection(const char* name, int inputs, Status (*infer)(InferenceContext&),
                       std::vector<AttributeSpec> attributes = {}) {
    OpDefinition op = copyOp(name, inputs, infer, std::move(attributes));
    op.dataDependentShape = true;
    return op;
}

}  // namespace

STROBE_OPS(selection) {
    registry.add(selection("NonZero", 1, inferNonZero));
    registry.add(selection("Compress", 2, inferCompress, {{"axis", AttributeKind::Int}}));
    OpDefinition unique =
        selection("Unique", 1, inferUnique, {{"axis", AttributeKind::Int}, {"sorted", AttributeKind::Int}});
    unique.maxOutputs = 4;
    registry.add(std::move(unique));
}

}  // namespace strobe
