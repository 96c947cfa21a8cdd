#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Status inferGiven(InferenceContext& context) {
    STROBE_ASSIGN(const DataType type, typeAttribute(context.attributes(), "dtype", DataType::Float32));
    Shape shape;
    for (int64_t extent : context.attributes().getInts("shape")) {
        if (extent < 0)
            return invalidModel("attribute 'shape' holds " + std::to_string(extent) + ", 0 or more is needed");
        shape.push_back(Dim(extent));
    }
    context.setOutput(0, type, std::move(shape));
    return Status::ok();
}

Status inferLike(InferenceContext& context) {
    STROBE_ASSIGN(const DataType type, typeAttribute(context.attributes(), "dtype", context.inputType(0)));
    context.setOutput(0, type, context.inputShape(0));
    return Status::ok();
}

Status inferMultinomial(InferenceContext& context) {
    STROBE_ASSIGN(const DataType type, typeAttribute(context.attributes(), "dtype", DataType::Int32));
    context.setOutputUnknownRank(0, type);
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 2));
    if (type != DataType::Int32 && type != DataType::Int64)
        return invalidModel("attribute 'dtype' is " + std::string(dataTypeName(type)) + "; int32 or int64 is allowed");
    const int64_t samples = context.attributes().getInt("sample_size", 1);
    if (samples < 1)
        return invalidModel("attribute 'sample_size' is " + std::to_string(samples) + ", 1 or more is needed");
    context.setOutput(0, type, {context.inputShape(0)[0], Dim(samples)});
    return Status::ok();
}

void addRandom(OpRegistry& registry, const char* name, int inputs, Status (*infer)(InferenceContext&),
               std::vector<AttributeSpec> attributes) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::ShapeCopy;
    op.minInputs = op.maxInputs = inputs;
    op.attributes = std::move(attributes);
    op.attributes.push_back({"dtype", AttributeKind::Int});
    op.attributes.push_back({"seed", AttributeKind::Float});
    op.nondeterministic = true;
    op.infer = infer;
    registry.add(std::move(op));
}

}  // namespace

STROBE_OPS(random) {
    const std::vector<AttributeSpec> normal = {{"mean", AttributeKind::Float}, {"scale", AttributeKind::Float}};
    const std::vector<AttributeSpec> uniform = {{"high", AttributeKind::Float}, {"low", AttributeKind::Float}};
    const auto shaped = [](std::vector<AttributeSpec> attributes) {
        attributes.push_back({"shape", AttributeKind::Ints, true});
        return attributes;
    };
    addRandom(registry, "RandomNormal", 0, inferGiven, shaped(normal));
    addRandom(registry, "RandomUniform", 0, inferGiven, shaped(uniform));
    addRandom(registry, "RandomNormalLike", 1, inferLike, normal);
    addRandom(registry, "RandomUniformLike", 1, inferLike, uniform);
    addRandom(registry, "Bernoulli", 1, inferLike, {});
    addRandom(registry, "Multinomial", 1, inferMultinomial, {{"sample_size", AttributeKind::Int}});
}

}  // namespace strobe
