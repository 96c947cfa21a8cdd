#include "engine_core/ops/slice.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

constexpr int64_t kHuge = 1'000'000'000;  // "to the end", as exporters write it: 1e9, INT32_MAX or INT64_MAX
constexpr int64_t kHugeStep = int64_t{1} << 48;

/// `position` counted from the front: one below zero counts from the back. Where its sign hangs on the symbols, so does
/// that, except where clamping to `low` makes both ways the same: extent − c is negative when extent < c, and from the
/// back it is then at most c − 2.
Dim countedFromFront(const Dim& position, const Dim& extent, const Dim& low) {
    const Dim zero(0), one(1);
    if (provablyAtMost(position, Dim(-1))) return position + extent;
    if (provablyAtMost(zero, position) || provablyAtMost(extent - position - Dim(2), low)) return position;
    const Dim isNegative = maxOf(zero, minOf(one, zero - position));
    return position + extent * isNegative;
}

/// `position` counted from the front, clamped to [low, high].
Dim resolvePosition(const Dim& position, const Dim& extent, const Dim& low, const Dim& high) {
    if (position.isConstant() && !extent.isConstant()) {
        if (position.constant() >= kHuge) return high;
        if (position.constant() <= -kHuge) return low;
    }
    return maxOf(low, minOf(countedFromFront(position, extent, low), high));
}

}  // namespace

SliceRange resolveSlice(const Dim& extent, const Dim& start, const Dim& end, int64_t step) {
    const Dim zero(0), last = extent - Dim(1);
    SliceRange range;
    range.step = step;
    // A step beyond any extent takes one element, like every larger one; so bounded, the sums below do not overflow.
    const Dim stride(step > 0 ? std::min(step, kHugeStep) : -std::max(step, -kHugeStep));
    if (step > 0) {
        range.start = resolvePosition(start, extent, zero, extent);
        const Dim stop = resolvePosition(end, extent, zero, extent);
        range.count = maxOf(zero, Dim::ceilDiv(stop - range.start, stride));
    } else {
        range.start = resolvePosition(start, extent, zero, last);
        const Dim stop = resolvePosition(end, extent, Dim(-1), last);
        // Of an empty axis the bounds cross (0 to −1) and would leave one element.
        range.count = minOf(extent, maxOf(zero, Dim::ceilDiv(range.start - stop, stride)));
    }
    return range;
}

namespace {

struct SliceInputs {
    bool axesKnown = true;
    std::vector<int64_t> axes;
    std::optional<std::vector<Dim>> starts, ends;
    std::optional<std::vector<int64_t>> steps;
};

Result<SliceInputs> readInputs(const InferenceContext& context, int64_t rank, size_t count) {
    SliceInputs in;
    in.starts = context.inputValues(1);
    in.ends = context.inputValues(2);
    in.steps = context.hasInput(4) ? constantValues(context, 4) : std::vector<int64_t>(count, 1);
    if (context.hasInput(3)) {
        const auto axes = constantValues(context, 3);
        in.axesKnown = axes.has_value();
        if (!axes) return in;
        in.axes = *axes;
    } else {
        in.axes.resize(count);
        std::iota(in.axes.begin(), in.axes.end(), 0);
    }
    for (int64_t& axis : in.axes) {
        STROBE_ASSIGN(axis, normalizeAxis(axis, rank));
    }
    const auto wrong = [&](const auto& values) { return values && values->size() != in.axes.size(); };
    if (wrong(in.starts) || wrong(in.ends) || wrong(in.steps))
        return invalidModel("inputs starts, ends, axes and steps must have the same number of elements, " +
                            std::to_string(in.axes.size()) + " axes found");
    if (in.steps)
        for (int64_t step : *in.steps)
            if (step == 0) return invalidModel("input 4 (steps) holds 0");
    return in;
}

void passSlicedValues(InferenceContext& context, const SliceRange& range, const Shape& y) {
    const auto values = context.inputValues(0);
    if (!values || y.size() != 1 || !range.start.isConstant() || !range.count.isConstant()) return;
    std::vector<Dim> chosen;
    for (int64_t i = 0; i < range.count.constant(); ++i) {
        const int64_t at = range.start.constant() + i * range.step;
        if (at < 0 || at >= static_cast<int64_t>(values->size())) return;
        chosen.push_back((*values)[static_cast<size_t>(at)]);
    }
    setValues(context, 0, y, std::move(chosen));
}

Status inferSlice(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(0));
    for (int i = 1; i <= 4; ++i) STROBE_RETURN_IF_ERROR(requireType(context, i, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
    STROBE_RETURN_IF_ERROR(requireRank(context, 2, 1));
    const Dim& count = context.inputShape(1)[0];
    if (count.isConstant() && count.constant() > static_cast<int64_t>(x.size()))
        return invalidModel("input 1 (starts) has " + count.toString() + " elements, input 0 has rank " +
                            std::to_string(x.size()));
    STROBE_ASSIGN(const SliceInputs in, readInputs(context, static_cast<int64_t>(x.size()),
                                                   count.isConstant() ? static_cast<size_t>(count.constant()) : 0));
    if (!in.axesKnown) {
        STROBE_ASSIGN(Shape y, freshShape(context, static_cast<int64_t>(x.size())));
        context.setOutput(0, context.inputType(0), std::move(y));
        return Status::ok();
    }
    Shape y = x;
    SliceRange range;
    for (size_t i = 0; i < in.axes.size(); ++i) {
        const auto axis = static_cast<size_t>(in.axes[i]);
        if (in.starts && in.ends && in.steps) {
            range = resolveSlice(x[axis], (*in.starts)[i], (*in.ends)[i], (*in.steps)[i]);
            y[axis] = range.count;
        } else {
            y[axis] = context.freshSymbol();
        }
    }
    context.setOutput(0, context.inputType(0), y);
    if (in.starts && in.ends && in.steps && in.axes.size() == 1) passSlicedValues(context, range, y);
    return Status::ok();
}

}  // namespace

STROBE_OPS(slice) {
    OpDefinition slice;
    slice.name = "Slice";
    slice.family = OpFamily::ShapeCopy;
    slice.flops = noFlops;
    slice.minInputs = 3;
    slice.maxInputs = 5;
    slice.valueInputs = 0b11110;
    slice.infer = inferSlice;
    registry.add(std::move(slice));
}

}  // namespace strobe
