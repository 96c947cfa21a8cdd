#include <algorithm>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// Extents with 0 copied from the input; the place of −1, if any, in `wildcard`.
Result<Shape> requestedShape(const InferenceContext& context, const std::vector<Dim>& wanted,
                             std::optional<size_t>& wildcard) {
    const Shape& x = context.inputShape(0);
    const bool allowZero = context.attributes().getBool("allowzero", false);
    Shape shape = wanted;
    for (size_t i = 0; i < shape.size(); ++i) {
        if (!shape[i].isConstant()) continue;
        const int64_t extent = shape[i].constant();
        if (extent == 0 && !allowZero) {
            if (i >= x.size())
                return invalidModel("shape " + toString(wanted) + " copies dim " + std::to_string(i) +
                                    " of an input of rank " + std::to_string(x.size()));
            shape[i] = x[i];
        } else if (extent == -1) {
            if (wildcard) return invalidModel("shape " + toString(wanted) + " holds -1 more than once");
            wildcard = i;
        } else if (extent < -1) {
            return invalidModel("shape " + toString(wanted) + " holds " + std::to_string(extent) +
                                "; -1, 0 or more is allowed");
        }
    }
    return shape;
}

/// What is left for the −1: equal extents on both sides cancel first, so that symbols divide out.
Result<Dim> wildcardExtent(const Shape& x, const Shape& shape, size_t wildcard) {
    Shape above = x, below = shape;
    below.erase(below.begin() + static_cast<std::ptrdiff_t>(wildcard));
    for (auto it = below.begin(); it != below.end();) {
        const auto same = it->isConstant(0) ? above.end() : std::find(above.begin(), above.end(), *it);
        if (same == above.end()) {
            ++it;
            continue;
        }
        above.erase(same);
        it = below.erase(it);
    }
    const Dim numerator = elementCount(above), divisor = elementCount(below);
    if (numerator.isConstant() && divisor.isConstant()) {
        if (divisor.constant() == 0) {
            if (numerator.constant() == 0) return Dim(0);
            return invalidModel("input " + toString(x) + " cannot take shape " + toString(shape) +
                                ": it has no elements to spread");
        }
        if (numerator.constant() % divisor.constant() != 0)
            return invalidModel("input " + toString(x) + " cannot take shape " + toString(shape) + ": " +
                                divisor.toString() + " does not divide " + numerator.toString());
    }
    return Dim::floorDiv(numerator, divisor);
}

Status inferReshape(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
    const auto wanted = context.inputValues(1);
    if (!wanted) {
        const Dim& rank = context.inputShape(1)[0];
        if (!rank.isConstant() || rank.constant() < 0) return Status::ok();
        STROBE_ASSIGN(Shape y, freshShape(context, rank.constant()));
        context.setOutput(0, context.inputType(0), std::move(y));
        return Status::ok();
    }
    std::optional<size_t> wildcard;
    STROBE_ASSIGN(Shape y, requestedShape(context, *wanted, wildcard));
    if (wildcard) {
        STROBE_ASSIGN(y[*wildcard], wildcardExtent(x, y, *wildcard));
    } else if (const Dim have = elementCount(x), want = elementCount(y);
               have.isConstant() && want.isConstant() && have != want) {
        return invalidModel("input " + toString(x) + " has " + have.toString() + " elements, shape " + toString(y) +
                            " needs " + want.toString());
    }
    context.setOutput(0, context.inputType(0), y);
    passValues(context, y);
    return Status::ok();
}

Status inferFlatten(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    const auto rank = static_cast<int64_t>(x.size());
    int64_t axis = context.attributes().getInt("axis", 1);
    if (axis < -rank || axis > rank)
        return invalidModel("attribute 'axis' is " + std::to_string(axis) + ", outside [" + std::to_string(-rank) +
                            ", " + std::to_string(rank) + "]");
    if (axis < 0) axis += rank;
    context.setOutput(
        0, context.inputType(0),
        {elementCount(Shape(x.begin(), x.begin() + axis)), elementCount(Shape(x.begin() + axis, x.end()))});
    return Status::ok();
}

Status inferSqueeze(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(0));
    std::vector<bool> drop(x.size(), false);
    if (context.hasInput(1)) {
        const auto axes = constantValues(context, 1);
        if (!axes) return Status::ok();
        STROBE_ASSIGN(const std::vector<int64_t> sorted, normalizeAxes(*axes, static_cast<int64_t>(x.size())));
        for (int64_t axis : sorted) {
            const Dim& extent = x[static_cast<size_t>(axis)];
            if (extent.isConstant() && extent.constant() != 1)
                return invalidModel("axis " + std::to_string(axis) + " of input " + toString(x) + " has extent " +
                                    extent.toString() + ", only 1 can be squeezed");
            drop[static_cast<size_t>(axis)] = true;
        }
    } else {
        if (!isConstant(x)) return Status::ok();  // which extents are 1 is seen at run time
        for (size_t i = 0; i < x.size(); ++i) drop[i] = x[i].isConstant(1);
    }
    Shape y;
    for (size_t i = 0; i < x.size(); ++i)
        if (!drop[i]) y.push_back(x[i]);
    context.setOutput(0, context.inputType(0), y);
    passValues(context, y);
    return Status::ok();
}

Status inferUnsqueeze(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(0));
    const auto axes = constantValues(context, 1);
    if (!axes) return Status::ok();
    const size_t rank = x.size() + axes->size();
    STROBE_ASSIGN(const std::vector<int64_t> sorted, normalizeAxes(*axes, static_cast<int64_t>(rank)));
    Shape y = x;
    for (int64_t axis : sorted) y.insert(y.begin() + axis, Dim(1));
    context.setOutput(0, context.inputType(0), y);
    passValues(context, y);
    return Status::ok();
}

}  // namespace

STROBE_OPS(reshape) {
    OpDefinition reshape = copyOp("Reshape", 2, inferReshape, {{"allowzero", AttributeKind::Int}}),
                 squeeze = copyOp("Squeeze", 2, inferSqueeze), unsqueeze = copyOp("Unsqueeze", 2, inferUnsqueeze);
    squeeze.minInputs = 1;  // all extents of 1
    reshape.valueInputs = squeeze.valueInputs = unsqueeze.valueInputs = 0b10;
    registry.add(copyOp("Flatten", 1, inferFlatten, {{"axis", AttributeKind::Int}}));
    registry.add(std::move(reshape));
    registry.add(std::move(squeeze));
    registry.add(std::move(unsqueeze));
}

}  // namespace strobe
