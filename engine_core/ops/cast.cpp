#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

bool isTracked(DataType type) {
    return isInteger(type) || type == DataType::Bool;
}

bool fits(int64_t value, DataType type) {
    const int bits = dataTypeBits(type);
    if (!isSigned(type)) return value >= 0 && (bits == 64 || value < int64_t{1} << bits);
    return bits == 64 || (value >= -(int64_t{1} << (bits - 1)) && value < int64_t{1} << (bits - 1));
}

void passCastValues(InferenceContext& context, DataType to) {
    if (!isTracked(context.inputType(0)) || !isTracked(to)) return;
    auto values = context.inputValues(0);
    if (!values) return;
    // What does not fit wraps around when the model runs ("to the end" of a Slice becomes −1).
    if (to != DataType::Bool && to != DataType::Int64)
        for (const Dim& value : *values)
            if (value.isConstant() && !fits(value.constant(), to)) return;
    if (to == DataType::Bool)
        for (Dim& value : *values) {
            const auto isZero = provablyEqual(value, Dim(0));
            if (!isZero) return;
            value = Dim(*isZero ? 0 : 1);
        }
    setValues(context, 0, context.inputShape(0), std::move(*values));
}

Status inferCast(InferenceContext& context) {
    STROBE_ASSIGN(const DataType to, typeAttribute(context.attributes(), "to", DataType::Undefined));
    context.setOutput(0, to, context.inputShape(0));
    passCastValues(context, to);
    return Status::ok();
}

Status inferCastLike(InferenceContext& context) {
    context.setOutput(0, context.inputType(1), context.inputShape(0));
    passCastValues(context, context.inputType(1));
    return Status::ok();
}

Status inferBitCast(InferenceContext& context) {
    STROBE_ASSIGN(const DataType to, typeAttribute(context.attributes(), "to", DataType::Undefined));
    context.setOutput(0, to, context.inputShape(0));
    const DataType from = context.inputType(0);
    if (from == DataType::String || to == DataType::String) return invalidModel("a string has no bits to reinterpret");
    if (from != DataType::Undefined && dataTypeBits(from) != dataTypeBits(to))
        return invalidModel("attribute 'to' is " + std::string(dataTypeName(to)) +
                            ", whose elements are not as wide as those of " + std::string(dataTypeName(from)));
    return Status::ok();
}

/// A cast between FP32-like types, or from bool, is nothing to a program that computes in FP32; the store rounds.
std::optional<int> castToPointwise(const Layer& layer, const Network& network, const std::vector<int>& values,
                                   PointwiseProgram& program) {
    const auto plainFloat = [](DataType type) {
        return type == DataType::Float32 || type == DataType::Float16 || type == DataType::BFloat16;
    };
    const DataType from = network.tensor(layer.inputs[0]).type, to = network.tensor(layer.outputs[0]).type;
    if (plainFloat(to) && (plainFloat(from) || from == DataType::Bool)) return values[0];
    if (to != DataType::Bool || !plainFloat(from)) return std::nullopt;
    program.instructions.push_back({PointwiseOp::Not, values[0], -1, -1, 0.0f, 0.0f});
    program.instructions.push_back({PointwiseOp::Not, program.valueCount() - 1, -1, -1, 0.0f, 0.0f});
    return program.valueCount() - 1;
}

}  // namespace

STROBE_OPS(cast) {
    OpDefinition cast;
    cast.name = "Cast";
    cast.minInputs = cast.maxInputs = 1;
    cast.attributes = {
        {"round_mode", AttributeKind::String}, {"saturate", AttributeKind::Int}, {"to", AttributeKind::Int, true}};
    cast.infer = inferCast;
    cast.toPointwise = castToPointwise;
    OpDefinition like = cast;
    like.name = "CastLike";
    like.minInputs = like.maxInputs = 2;
    like.attributes.pop_back();
    like.infer = inferCastLike;
    OpDefinition bits = cast;
    bits.name = "BitCast";
    bits.family = OpFamily::ShapeCopy;
    bits.flops = noFlops;
    bits.attributes = {{"to", AttributeKind::Int, true}};
    bits.infer = inferBitCast;
    bits.toPointwise = nullptr;
    registry.add(std::move(cast));
    registry.add(std::move(like));
    registry.add(std::move(bits));
}

}  // namespace strobe
