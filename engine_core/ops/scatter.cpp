#include <algorithm>
#include <iterator>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Status requireReduction(const InferenceContext& context) {
    return requireOneOf(context.attributes(), "reduction", "none", {"none", "add", "mul", "max", "min"});
}

bool differ(const Dim& a, const Dim& b) {
    return a.isConstant() && b.isConstant() && a != b;
}

Status inferScatterElements(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutput(0, context.inputType(0), x);
    STROBE_RETURN_IF_ERROR(requireReduction(context));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(x.size())));
    STROBE_RETURN_IF_ERROR(requireRank(context, 2, static_cast<int>(x.size())));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireSameType(context, 0, 2));
    for (size_t d = 0; d < x.size(); ++d)
        if (differ(context.inputShape(1)[d], context.inputShape(2)[d]))
            return invalidModel("indices " + toString(context.inputShape(1)) + " and updates " +
                                toString(context.inputShape(2)) + " must have the same shape");
    return normalizeAxis(context.attributes().getInt("axis", 0), static_cast<int64_t>(x.size())).status();
}

Status inferScatterND(InferenceContext& context) {
    const Shape &x = context.inputShape(0), &indices = context.inputShape(1), &updates = context.inputShape(2);
    context.setOutput(0, context.inputType(0), x);
    STROBE_RETURN_IF_ERROR(requireReduction(context));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 1, 1));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireSameType(context, 0, 2));
    if (!indices.back().isConstant()) return Status::ok();
    const int64_t tuple = indices.back().constant();
    if (tuple < 0 || tuple > static_cast<int64_t>(x.size()))
        return invalidModel("indices " + toString(indices) + " address " + std::to_string(tuple) +
                            " axes, input 0 has rank " + std::to_string(x.size()));
    Shape expected(indices.begin(), indices.end() - 1);
    expected.insert(expected.end(), x.begin() + tuple, x.end());
    bool fits = expected.size() == updates.size();
    for (size_t d = 0; fits && d < expected.size(); ++d) fits = !differ(expected[d], updates[d]);
    if (!fits)
        return invalidModel("updates have shape " + toString(updates) + ", " + toString(expected) + " is needed");
    return Status::ok();
}

/// past_cache, update, write_indices? → present_cache (LLM key/value caches).
Status inferTensorScatter(InferenceContext& context) {
    const Shape &cache = context.inputShape(0), &update = context.inputShape(1);
    context.setOutput(0, context.inputType(0), cache);
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(cache.size())));
    STROBE_RETURN_IF_ERROR(requireSameType(context, 0, 1));
    STROBE_RETURN_IF_ERROR(requireOneOf(context.attributes(), "mode", "linear", {"linear", "circular"}));
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", -2), static_cast<int64_t>(cache.size())));
    if (axis == 0) return invalidModel("attribute 'axis' names the batch; the sequence axis is needed");
    for (size_t d = 0; d < cache.size(); ++d)
        if (static_cast<int64_t>(d) != axis && differ(cache[d], update[d]))
            return invalidModel("update " + toString(update) + " and cache " + toString(cache) +
                                " differ outside axis " + std::to_string(axis));
    if (!context.hasInput(2)) return Status::ok();
    STROBE_RETURN_IF_ERROR(requireType(context, 2, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireRank(context, 2, 1));
    if (differ(context.inputShape(2)[0], cache[0]))
        return invalidModel("input 2 (write_indices) has " + context.inputShape(2)[0].toString() +
                            " elements for a batch of " + cache[0].toString());
    return Status::ok();
}

}  // namespace

STROBE_OPS(scatter) {
    registry.add(copyOp("ScatterElements", 3, inferScatterElements,
                        {{"axis", AttributeKind::Int}, {"reduction", AttributeKind::String}}));
    registry.add(copyOp("ScatterND", 3, inferScatterND, {{"reduction", AttributeKind::String}}));
    OpDefinition cache =
        copyOp("TensorScatter", 3, inferTensorScatter, {{"axis", AttributeKind::Int}, {"mode", AttributeKind::String}});
    cache.minInputs = 2;
    registry.add(std::move(cache));
}

}  // namespace strobe
