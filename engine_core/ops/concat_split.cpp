#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Result<size_t> axisAttribute(const InferenceContext& context, int64_t fallback) {
    STROBE_ASSIGN(const int64_t axis, normalizeAxis(context.attributes().getInt("axis", fallback),
                                                    static_cast<int64_t>(context.inputShape(0).size())));
    return static_cast<size_t>(axis);
}

void passConcatValues(InferenceContext& context, const Shape& shape) {
    std::vector<Dim> all;
    for (int i = 0; i < context.inputCount(); ++i) {
        const auto values = context.inputValues(i);
        if (!values || all.size() + values->size() > 1024) return;
        all.insert(all.end(), values->begin(), values->end());
    }
    setValues(context, 0, shape, std::move(all));
}

Status inferConcat(InferenceContext& context) {
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_ASSIGN(const size_t axis, axisAttribute(context, 0));
    Shape y = context.inputShape(0);
    for (int i = 1; i < context.inputCount(); ++i) {
        const Shape& x = context.inputShape(i);
        STROBE_RETURN_IF_ERROR(requireRank(context, i, static_cast<int>(y.size())));
        STROBE_RETURN_IF_ERROR(requireSameType(context, 0, i));
        for (size_t d = 0; d < y.size(); ++d) {
            if (d == axis) continue;
            if (x[d].isConstant() && y[d].isConstant() && x[d] != y[d])
                return invalidModel("inputs 0 and " + std::to_string(i) + " have shapes " +
                                    toString(context.inputShape(0)) + " and " + toString(x) +
                                    ", which differ outside axis " + std::to_string(axis));
            if (x[d].isConstant()) y[d] = x[d];
        }
        y[axis] = y[axis] + x[axis];
    }
    context.setOutput(0, context.inputType(0), y);
    passConcatValues(context, y);
    return Status::ok();
}

/// Extents of the parts when no sizes are given: equal, the last one smaller.
Result<Shape> equalParts(const InferenceContext& context, const Dim& extent) {
    const int64_t outputs = context.outputCount(), count = context.attributes().getInt("num_outputs", outputs);
    if (count != outputs)
        return invalidModel("attribute 'num_outputs' is " + std::to_string(count) + ", the node has " +
                            std::to_string(outputs) + " outputs");
    const Dim part = Dim::ceilDiv(extent, Dim(count));
    Shape parts(static_cast<size_t>(count), part);
    // ceil(n/k)·(k−1) may pass n (5 in 4): the trailing parts are then empty.
    if (!provablyEqual(part * Dim(count), extent).value_or(false))
        for (int64_t i = 0; i < count; ++i)
            parts[static_cast<size_t>(i)] = maxOf(Dim(0), minOf(part, extent - part * Dim(i)));
    return parts;
}

Result<Shape> partExtents(InferenceContext& context, const Dim& extent) {
    const auto outputs = static_cast<size_t>(context.outputCount());
    if (!context.hasInput(1)) return equalParts(context, extent);
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    const auto sizes = context.inputValues(1);
    if (!sizes) {
        Shape parts;
        for (size_t i = 0; i < outputs; ++i) parts.push_back(context.freshSymbol());
        return parts;
    }
    if (sizes->size() != outputs)
        return invalidModel("input 1 (split) has " + std::to_string(sizes->size()) + " sizes, the node has " +
                            std::to_string(outputs) + " outputs");
    Dim sum(0);
    for (const Dim& size : *sizes) {
        if (size.isConstant() && size.constant() < 0)
            return invalidModel("input 1 (split) holds " + size.toString() + ", 0 or more is needed");
        sum = sum + size;
    }
    if (sum.isConstant() && extent.isConstant() && sum != extent)
        return invalidModel("input 1 (split) sums to " + sum.toString() + ", the axis has extent " + extent.toString());
    return Shape(*sizes);
}

Status inferSplit(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_ASSIGN(const size_t axis, axisAttribute(context, 0));
    STROBE_ASSIGN(const Shape parts, partExtents(context, x[axis]));
    const auto values = context.inputValues(0);
    size_t offset = 0;
    bool known = values.has_value();
    for (int i = 0; i < context.outputCount(); ++i) {
        Shape y = x;
        y[axis] = parts[static_cast<size_t>(i)];
        context.setOutput(i, context.inputType(0), y);
        known = known && y[axis].isConstant() && offset + static_cast<size_t>(y[axis].constant()) <= values->size();
        if (!known) continue;
        const auto begin = values->begin() + static_cast<std::ptrdiff_t>(offset);
        offset += static_cast<size_t>(y[axis].constant());
        setValues(context, i, y, std::vector<Dim>(begin, values->begin() + static_cast<std::ptrdiff_t>(offset)));
    }
    return Status::ok();
}

}  // namespace

STROBE_OPS(concat_split) {
    OpDefinition concat;
    concat.name = "Concat";
    concat.family = OpFamily::ShapeCopy;
    concat.flops = noFlops;
    concat.minInputs = 1;
    concat.maxInputs = OpDefinition::kVariadic;
    concat.attributes = {{"axis", AttributeKind::Int, true}};
    concat.infer = inferConcat;
    OpDefinition split;
    split.name = "Split";
    split.family = OpFamily::ShapeCopy;
    split.flops = noFlops;
    split.minInputs = 1;
    split.maxInputs = 2;
    split.maxOutputs = OpDefinition::kVariadic;
    split.needsEveryOutput = true;
    split.attributes = {{"axis", AttributeKind::Int}, {"num_outputs", AttributeKind::Int}};
    split.valueInputs = 2;
    split.infer = inferSplit;
    registry.add(std::move(concat));
    registry.add(std::move(split));
}

}  // namespace strobe
