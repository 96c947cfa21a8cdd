#include "engine_core/ops/inference_helpers.h"

namespace strobe {
namespace {

/// The same tensor in another memory layout, on another device, or with "to_type" (a DataType) as another element type.
Status inferReformat(InferenceContext& context) {
    const int64_t type = context.attributes().getInt("to_type", static_cast<int64_t>(context.inputType(0)));
    if (type <= static_cast<int64_t>(DataType::Undefined) || type >= static_cast<int64_t>(DataType::String))
        return invalidModel("attribute 'to_type' is " + std::to_string(type) + ", which is no numeric element type");
    context.setOutput(0, static_cast<DataType>(type), context.inputShape(0));
    if (auto values = context.inputValues(0)) context.setOutputValues(0, std::move(*values));
    return Status::ok();
}

}  // namespace

STROBE_OPS(reformat) {
    OpDefinition reformat;
    reformat.name = "Reformat";
    reformat.isInternal = true;
    reformat.family = OpFamily::ShapeCopy;
    reformat.minInputs = reformat.maxInputs = 1;
    reformat.attributes = {{"to_type", AttributeKind::Int}};
    reformat.infer = inferReformat;
    reformat.flops = [](const CostContext&) { return 0.0; };
    registry.add(std::move(reformat));
}

}  // namespace strobe
