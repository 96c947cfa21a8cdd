#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Status inferIdentity(InferenceContext& context) {
    context.setOutput(0, context.inputType(0), context.inputShape(0));
    passValues(context, context.inputShape(0));
    return Status::ok();
}

/// Inference form: the data itself and a mask of ones. Training mode is refused when it can be seen.
Status inferDropout(InferenceContext& context) {
    context.setOutput(0, context.inputType(0), context.inputShape(0));
    context.setOutput(1, DataType::Bool, context.inputShape(0));
    if (const auto training = scalarValue(context, 2); training && training->isConstant() && !training->isConstant(0))
        if (!context.hasInput(1) || !context.inputConstant(1) ||
            toDoubles(*context.inputConstant(1)) != std::vector<double>{0.0})
            return unsupported(
                "training_mode is true; Strobe runs inference only: set it to false or export for inference");
    return Status::ok();
}

std::optional<int> passThrough(const Layer& layer, const Network& network, const std::vector<int>& values,
                               PointwiseProgram&) {
    const DataType type = network.tensor(layer.inputs[0]).type;
    const bool oneOutput = layer.outputs.size() == 1 || layer.outputs[1] == kNone;
    if (!oneOutput || !isFloatingPoint(type) || type == DataType::Float64) return std::nullopt;
    return values[0];
}

}  // namespace

STROBE_OPS(identity) {
    OpDefinition identity;
    identity.name = "Identity";
    identity.family = OpFamily::ShapeCopy;
    identity.flops = noFlops;
    identity.minInputs = identity.maxInputs = 1;
    identity.infer = inferIdentity;
    identity.toPointwise = passThrough;
    OpDefinition dropout = identity;
    dropout.name = "Dropout";
    dropout.maxInputs = 3;
    dropout.maxOutputs = 2;
    dropout.attributes = {{"seed", AttributeKind::Int}};
    dropout.infer = inferDropout;
    registry.add(std::move(identity));
    registry.add(std::move(dropout));
}

}  // namespace strobe
