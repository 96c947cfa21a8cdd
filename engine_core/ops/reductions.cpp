#include <algorithm>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// data, axes? → data with the axes' extents 1 (keepdims) or gone. No axes: all, or none with noop_with_empty_axes.
Status inferReduce(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    const auto rank = static_cast<int64_t>(x.size());
    const bool keep = context.attributes().getBool("keepdims", true);
    std::vector<int64_t> axes;
    if (context.hasInput(1)) {
        const auto known = constantValues(context, 1);
        const Shape& axesShape = context.inputShape(1);
        const bool empty = axesShape.size() == 1 && axesShape[0].isConstant(0);
        if (!known && !empty) {
            // Which extents go is only known when the axes are.
            Shape y(x.size());
            for (Dim& dim : y) dim = context.freshSymbol();
            if (keep)
                context.setOutput(0, context.inputType(0), std::move(y));
            else
                context.setOutputUnknownRank(0, context.inputType(0));
            return Status::ok();
        }
        if (known) axes = *known;
    }
    STROBE_ASSIGN(axes, normalizeAxes(axes, rank));
    if (axes.empty() && context.attributes().getBool("noop_with_empty_axes", false)) return inferLikeInput0(context);
    Shape y;
    for (int64_t i = 0; i < rank; ++i) {
        const bool reduced = axes.empty() || std::binary_search(axes.begin(), axes.end(), i);
        if (!reduced)
            y.push_back(x[static_cast<size_t>(i)]);
        else if (keep)
            y.push_back(Dim(1));
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

/// A reduction that also folds the known elements of shape arithmetic.
template <Dim (*combine)(const Dim&, const Dim&), int64_t initial>
Status inferFoldingReduce(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(inferReduce(context));
    // Elements are known of tensors of rank 0 and 1 only: unless nothing is reduced, all are.
    const bool noop = context.attributes().getBool("noop_with_empty_axes", false) &&
                      (!context.hasInput(1) || constantValues(context, 1) == std::vector<int64_t>());
    if (noop || (context.hasInput(1) && !constantValues(context, 1))) return Status::ok();
    const bool scalar = context.inputShape(0).empty() || !context.attributes().getBool("keepdims", true);
    if (const auto folded = foldValues(context, 0, Dim(initial), combine))
        setValues(context, 0, scalar ? Shape() : Shape{Dim(1)}, {*folded});
    return Status::ok();
}
Dim product(const Dim& a, const Dim& b) { return a * b; }
Dim sum(const Dim& a, const Dim& b) { return a + b; }

Status inferArg(InferenceContext& context) {
    Shape y = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", 0), static_cast<int64_t>(y.size())));
    const auto at = static_cast<size_t>(axis);
    if (y[at].isConstant(0))
        return invalidModel("input 0 has shape " + toString(y) + ": there is no extremum along axis " +
                            std::to_string(axis));
    if (context.attributes().getBool("keepdims", true))
        y[at] = Dim(1);
    else
        y.erase(y.begin() + axis);
    context.setOutput(0, DataType::Int64, std::move(y));
    return Status::ok();
}

}  // namespace

STROBE_OPS(reductions) {
    for (const char* name : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                             "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}) {
        OpDefinition op;
        op.name = name;
        op.family = OpFamily::PoolingReduction;
        op.minInputs = 1;
        op.maxInputs = 2;
        op.attributes = {{"keepdims", AttributeKind::Int}, {"noop_with_empty_axes", AttributeKind::Int}};
        op.valueInputs = 1u << 1;
        op.infer = inferReduce;
        if (op.name == "ReduceProd") op.infer = inferFoldingReduce<product, 1>;
        if (op.name == "ReduceSum") op.infer = inferFoldingReduce<sum, 0>;
        op.flops = flopsPerInput<1>;
        registry.add(std::move(op));
    }
    for (const char* name : {"ArgMax", "ArgMin"}) {
        OpDefinition op;
        op.name = name;
        op.family = OpFamily::PoolingReduction;
        op.minInputs = op.maxInputs = 1;
        op.attributes = {
            {"axis", AttributeKind::Int}, {"keepdims", AttributeKind::Int}, {"select_last_index", AttributeKind::Int}};
        op.infer = inferArg;
        op.flops = flopsPerInput<1>;
        registry.add(std::move(op));
    }
}

}  // namespace strobe
