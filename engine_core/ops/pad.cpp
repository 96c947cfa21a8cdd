#include <numeric>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// Axes that are padded; nullopt: known only at run time.
Result<std::optional<std::vector<int64_t>>> paddedAxes(const InferenceContext& context) {
    const auto rank = static_cast<int64_t>(context.inputShape(0).size());
    std::optional<std::vector<int64_t>> axes(static_cast<size_t>(rank));
    std::iota(axes->begin(), axes->end(), 0);
    if (!context.hasInput(3)) return axes;
    axes = constantValues(context, 3);
    if (!axes) return axes;
    for (int64_t& axis : *axes) {
        STROBE_ASSIGN(axis, normalizeAxis(axis, rank));
    }
    return axes;
}

Status inferPad(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(
        requireOneOf(context.attributes(), "mode", "constant", {"constant", "reflect", "edge", "wrap"}));
    if (const Dim count = elementCount(context.inputShape(2)); context.hasInput(2) && !count.isConstant(1))
        if (count.isConstant())
            return invalidModel("input 2 (the value) has " + count.toString() + " elements, one is needed");
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireType(context, 3, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
    STROBE_ASSIGN(const std::optional<std::vector<int64_t>> known, paddedAxes(context));
    if (!known) {
        STROBE_ASSIGN(Shape y, freshShape(context, static_cast<int64_t>(x.size())));
        context.setOutput(0, context.inputType(0), std::move(y));
        return Status::ok();
    }
    const std::vector<int64_t>& axes = *known;
    const auto pads = context.inputValues(1);
    if (pads && pads->size() != 2 * axes.size())
        return invalidModel("input 1 (pads) has " + std::to_string(pads->size()) + " elements, " +
                            std::to_string(2 * axes.size()) + " are needed");
    Shape y = x;
    for (size_t i = 0; i < axes.size(); ++i) {
        Dim& extent = y[static_cast<size_t>(axes[i])];
        extent = pads ? extent + (*pads)[i] + (*pads)[i + axes.size()] : context.freshSymbol();
        if (extent.isConstant() && extent.constant() < 0)
            return invalidModel("pads take away more of axis " + std::to_string(axes[i]) + " than input " +
                                toString(x) + " has");
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

}  // namespace

STROBE_OPS(pad) {
    OpDefinition pad;
    pad.name = "Pad";
    pad.family = OpFamily::ShapeCopy;
    pad.flops = noFlops;
    pad.minInputs = 2;
    pad.maxInputs = 4;
    pad.attributes = {{"mode", AttributeKind::String}};
    pad.valueInputs = 0b1010;
    pad.infer = inferPad;
    registry.add(std::move(pad));
}

}  // namespace strobe
