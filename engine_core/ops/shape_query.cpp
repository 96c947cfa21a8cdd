#include <algorithm>

#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Status inferShape(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    const auto rank = static_cast<int64_t>(x.size());
    const auto clamped = [&](const char* name, int64_t fallback) {
        const int64_t value = context.attributes().getInt(name, fallback);
        return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
    };
    const int64_t start = clamped("start", 0), end = std::max(start, clamped("end", rank));
    context.setOutput(0, DataType::Int64, {Dim(end - start)});
    context.setOutputValues(0, std::vector<Dim>(x.begin() + start, x.begin() + end));
    return Status::ok();
}

Status inferSize(InferenceContext& context) {
    context.setOutput(0, DataType::Int64, {});
    context.setOutputValues(0, {elementCount(context.inputShape(0))});
    return Status::ok();
}

/// The extents that a 1-D shape input names; fresh symbols where only their number is known.
Result<Shape> shapeFromInput(InferenceContext& context, int input) {
    STROBE_RETURN_IF_ERROR(requireType(context, input, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireRank(context, input, 1));
    if (const auto values = context.inputValues(input)) {
        for (const Dim& value : *values)
            if (value.isConstant() && value.constant() < 0)
                return invalidModel("input " + std::to_string(input) + " (a shape) holds " + value.toString() +
                                    ", 0 or more is needed");
        return Shape(*values);
    }
    const Dim& rank = context.inputShape(input)[0];
    if (!rank.isConstant())
        return unsupported("input " + std::to_string(input) + " (a shape) has an unknown number of elements");
    return freshShape(context, rank.constant());
}

Status inferConstantOfShape(InferenceContext& context) {
    const WeightsPtr value = context.attributes().getWeights("value");
    const DataType type = value ? value->type : DataType::Float32;
    context.setOutputUnknownRank(0, type);
    if (value && value->count() != 1)
        return invalidModel("attribute 'value' has " + std::to_string(value->count()) + " elements, one is needed");
    if (!context.inputValues(0) && context.inputShape(0).size() == 1 && !context.inputShape(0)[0].isConstant())
        return Status::ok();
    STROBE_ASSIGN(const Shape shape, shapeFromInput(context, 0));
    context.setOutput(0, type, shape);
    const Dim count = elementCount(shape);
    const auto integer = value ? toInt64s(*value) : std::nullopt;
    if (integer && count.isConstant() && count.constant() <= 1024)
        setValues(context, 0, shape, std::vector<Dim>(static_cast<size_t>(count.constant()), Dim(integer->front())));
    return Status::ok();
}

Status inferExpand(InferenceContext& context) {
    context.setOutputUnknownRank(0, context.inputType(0));
    if (!context.inputValues(1) && context.inputShape(1).size() == 1 && !context.inputShape(1)[0].isConstant())
        return Status::ok();
    STROBE_ASSIGN(const Shape target, shapeFromInput(context, 1));
    const Shape& x = context.inputShape(0);
    STROBE_ASSIGN(Shape shape, broadcastShapes(x, target));
    if (!context.inputValues(1))  // a run learns what an extent is only where it stands alone
        for (size_t i = 0; i < target.size(); ++i)
            if (Dim& extent = shape[shape.size() - target.size() + i]; !extent.isConstant()) extent = target[i];
    context.setOutput(0, context.inputType(0), shape);
    const auto values = context.inputValues(0);
    if (values && values->size() == 1 && shape.size() == 1 && shape[0].isConstant() && shape[0].constant() <= 1024)
        setValues(context, 0, shape, std::vector<Dim>(static_cast<size_t>(shape[0].constant()), values->front()));
    else
        passValues(context, shape);
    return Status::ok();
}

Status inferTile(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    context.setOutputUnknownRank(0, context.inputType(0));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
    if (const Dim& count = context.inputShape(1)[0]; count.isConstant() && count != Dim(static_cast<int64_t>(x.size())))
        return invalidModel("input 1 (repeats) has " + count.toString() + " elements, input 0 has rank " +
                            std::to_string(x.size()));
    const auto repeats = context.inputValues(1);
    Shape y;
    for (size_t i = 0; i < x.size(); ++i) {
        if (repeats && (*repeats)[i].isConstant() && (*repeats)[i].constant() < 0)
            return invalidModel("input 1 (repeats) holds " + (*repeats)[i].toString() + ", 0 or more is needed");
        y.push_back(repeats ? x[i] * (*repeats)[i] : context.freshSymbol());
    }
    context.setOutput(0, context.inputType(0), y);
    const auto values = context.inputValues(0);
    if (values && y.size() == 1 && y[0].isConstant() && y[0].constant() <= 1024 && !values->empty()) {
        std::vector<Dim> tiled;
        for (size_t i = 0; i < static_cast<size_t>(y[0].constant()); ++i)
            tiled.push_back((*values)[i % values->size()]);
        setValues(context, 0, y, std::move(tiled));
    }
    return Status::ok();
}

}  // namespace

STROBE_OPS(shape_query) {
    OpDefinition filled = copyOp("ConstantOfShape", 1, inferConstantOfShape, {{"value", AttributeKind::Tensor}});
    filled.valueInputs = 0b01;
    OpDefinition expand = copyOp("Expand", 2, inferExpand), tile = copyOp("Tile", 2, inferTile);
    expand.valueInputs = tile.valueInputs = 0b10;
    registry.add(copyOp("Shape", 1, inferShape, {{"end", AttributeKind::Int}, {"start", AttributeKind::Int}}));
    registry.add(copyOp("Size", 1, inferSize));
    registry.add(std::move(filled));
    registry.add(std::move(expand));
    registry.add(std::move(tile));
}

}  // namespace strobe
