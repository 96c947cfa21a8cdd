#include <cmath>
#include <limits>

#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// Number of elements from three known numbers; −1 when that is no number of elements.
int64_t rangeCount(double start, double limit, double delta) {
    const double count = std::ceil((limit - start) / delta);
    if (std::isnan(count) || count > 9.0e15) return -1;
    return count > 0.0 ? static_cast<int64_t>(count) : 0;
}

std::optional<double> scalarNumber(const InferenceContext& context, int input) {
    if (const WeightsPtr weights = context.inputConstant(input); weights && weights->count() == 1)
        return toDoubles(*weights).front();
    const auto value = scalarValue(context, input);
    return value && value->isConstant() ? std::optional<double>(static_cast<double>(value->constant())) : std::nullopt;
}

/// Count on symbols: a positive or negative constant step.
std::optional<Dim> symbolicCount(const InferenceContext& context) {
    const auto start = scalarValue(context, 0), limit = scalarValue(context, 1), delta = scalarValue(context, 2);
    if (!start || !limit || !delta || !delta->isConstant()) return std::nullopt;
    const int64_t step = delta->constant();
    if (step == 0 || step == std::numeric_limits<int64_t>::min()) return std::nullopt;
    const Dim span = step > 0 ? *limit - *start : *start - *limit;
    return maxOf(Dim(0), Dim::ceilDiv(span, Dim(step > 0 ? step : -step)));
}

Status inferRange(InferenceContext& context) {
    for (int i = 0; i < 3; ++i) {
        STROBE_RETURN_IF_ERROR(requireType(context, i, kNumberTypes));
        STROBE_RETURN_IF_ERROR(requireSameType(context, 0, i));
        const Dim elements = elementCount(context.inputShape(i));
        if (elements.isConstant() && elements.constant() != 1)
            return invalidModel("input " + std::to_string(i) + " has shape " + toString(context.inputShape(i)) +
                                ", a scalar is needed");
    }
    const auto start = scalarNumber(context, 0), limit = scalarNumber(context, 1), delta = scalarNumber(context, 2);
    if (delta && *delta == 0.0) return invalidModel("input 2 (delta) is 0");
    std::optional<Dim> count = symbolicCount(context);
    if (!count && start && limit && delta) {
        count = Dim(rangeCount(*start, *limit, *delta));
        if (count->isConstant(-1)) return invalidModel("start, limit and delta give no number of elements");
    }
    const Shape y = {count ? *count : context.freshSymbol()};
    context.setOutput(0, context.inputType(0), y);
    const auto first = scalarValue(context, 0), step = scalarValue(context, 2);
    if (!first || !step || !y[0].isConstant() || y[0].constant() > 1024) return Status::ok();
    std::vector<Dim> values;
    for (int64_t i = 0; i < y[0].constant(); ++i) values.push_back(*first + *step * Dim(i));
    setValues(context, 0, y, std::move(values));
    return Status::ok();
}

Status inferOneHot(InferenceContext& context) {
    const Shape& indices = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(2));
    STROBE_RETURN_IF_ERROR(requireRank(context, 2, 1));
    if (const Dim& count = context.inputShape(2)[0]; count.isConstant() && count.constant() != 2)
        return invalidModel("input 2 (values) has " + count.toString() + " elements, 2 are needed (off, on)");
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", -1), static_cast<int64_t>(indices.size()) + 1));
    Dim depth;
    if (const auto symbolic = scalarValue(context, 1))
        depth = *symbolic;
    else if (const auto number = scalarNumber(context, 1))
        depth = Dim(static_cast<int64_t>(*number));
    else
        depth = context.freshSymbol();
    if (depth.isConstant() && depth.constant() < 0)
        return invalidModel("input 1 (depth) is " + depth.toString() + ", 0 or more is needed");
    Shape y = indices;
    y.insert(y.begin() + axis, depth);
    context.setOutput(0, context.inputType(2), std::move(y));
    return Status::ok();
}

Status inferEyeLike(InferenceContext& context) {
    STROBE_ASSIGN(const DataType type, typeAttribute(context.attributes(), "dtype", context.inputType(0)));
    context.setOutputUnknownRank(0, type);
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 2));
    context.setOutput(0, type, context.inputShape(0));
    return Status::ok();
}

}  // namespace

STROBE_OPS(generate) {
    OpDefinition range = copyOp("Range", 3, inferRange, {{"stash_type", AttributeKind::Int}});
    range.valueInputs = 0b111;
    OpDefinition oneHot = copyOp("OneHot", 3, inferOneHot, {{"axis", AttributeKind::Int}});
    oneHot.valueInputs = 0b010;
    registry.add(std::move(range));
    registry.add(std::move(oneHot));
    registry.add(copyOp("EyeLike", 1, inferEyeLike, {{"dtype", AttributeKind::Int}, {"k", AttributeKind::Int}}));
}

}  // namespace strobe
