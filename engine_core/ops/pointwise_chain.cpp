#include "engine_core/ops/inference_helpers.h"

namespace strobe {
namespace {

/// Any number of broadcastable inputs; the layer's program says what is computed. Output types: FP32-like type of attribute
/// "output_types" when given (indices of DataType), else that of input 0.
Status inferPointwise(InferenceContext& context) {
    Shape shape;
    for (int i = 0; i < context.inputCount(); ++i) {
        STROBE_ASSIGN(shape, broadcastShapes(shape, context.inputShape(i)));
    }
    const std::vector<int64_t> types = context.attributes().getInts("output_types");
    for (int i = 0; i < context.outputCount(); ++i) {
        const bool given = i < static_cast<int>(types.size());
        if (given && (types[static_cast<size_t>(i)] <= static_cast<int64_t>(DataType::Undefined) ||
                      types[static_cast<size_t>(i)] >= static_cast<int64_t>(DataType::String)))
            return invalidModel("attribute 'output_types' holds " + std::to_string(types[static_cast<size_t>(i)]) +
                                ", which is no numeric element type");
        context.setOutput(i, given ? static_cast<DataType>(types[static_cast<size_t>(i)]) : context.inputType(0), shape);
    }
    return Status::ok();
}

}  // namespace

STROBE_OPS(pointwise_chain) {
    OpDefinition chain;
    chain.name = "Pointwise";
    chain.isInternal = true;
    chain.family = OpFamily::Pointwise;
    chain.minInputs = 0;
    chain.maxInputs = OpDefinition::kVariadic;
    chain.maxOutputs = 16;
    chain.attributes = {{"output_types", AttributeKind::Ints}};
    chain.infer = inferPointwise;
    registry.add(std::move(chain));
}

}  // namespace strobe
