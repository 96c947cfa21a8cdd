#include <limits>
#include <map>

#include "engine_core/ops/elementwise.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

struct UnaryRow {
    const char* name;
    unsigned types;
    bool toBool = false;
    std::vector<AttributeSpec> attributes = {};
    int maxInputs = 1;
};

const std::vector<UnaryRow>& rows() {
    static const AttributeSpec kAlpha = {"alpha", AttributeKind::Float};
    static const std::vector<UnaryRow> kRows = {
        {"Abs", kNumberTypes},
        {"Acos", kFloatTypes},
        {"Acosh", kFloatTypes},
        {"Asin", kFloatTypes},
        {"Asinh", kFloatTypes},
        {"Atan", kFloatTypes},
        {"Atanh", kFloatTypes},
        {"BitwiseNot", kIntTypes},
        {"Ceil", kFloatTypes},
        {"Cos", kFloatTypes},
        {"Cosh", kFloatTypes},
        {"Erf", kNumberTypes},
        {"Exp", kFloatTypes},
        {"Floor", kFloatTypes},
        {"Log", kFloatTypes},
        {"Neg", kFloatTypes | kSignedTypes},
        {"Not", kBoolType, true},
        {"Reciprocal", kFloatTypes},
        {"Round", kFloatTypes},
        {"Sign", kNumberTypes},
        {"Sin", kFloatTypes},
        {"Sinh", kFloatTypes},
        {"Sqrt", kFloatTypes},
        {"Tan", kFloatTypes},
        {"Tanh", kFloatTypes},
        {"IsNaN", kFloatTypes, true},
        {"IsInf",
         kFloatTypes,
         true,
         {{"detect_negative", AttributeKind::Int}, {"detect_positive", AttributeKind::Int}}},
        {"Relu", kFloatTypes | kSignedTypes},
        {"LeakyRelu", kFloatTypes, false, {kAlpha}},
        {"ThresholdedRelu", kFloatTypes, false, {kAlpha}},
        {"Clip", kNumberTypes, false, {}, 3},
        {"Sigmoid", kFloatTypes},
        {"HardSigmoid", kFloatTypes, false, {kAlpha, {"beta", AttributeKind::Float}}},
        {"HardSwish", kFloatTypes},
        {"Gelu", kFloatTypes, false, {{"approximate", AttributeKind::String}}},
        {"Softplus", kFloatTypes},
        {"Softsign", kFloatTypes},
        {"Elu", kFloatTypes, false, {kAlpha}},
        {"Selu", kFloatTypes, false, {kAlpha, {"gamma", AttributeKind::Float}}},
        {"Celu", kFloatTypes, false, {kAlpha}},
        {"Mish", kFloatTypes},
        {"Swish", kFloatTypes, false, {kAlpha}},
        {"Shrink", kNumberTypes, false, {{"bias", AttributeKind::Float}, {"lambd", AttributeKind::Float}}},
    };
    return kRows;
}

Status inferKept(InferenceContext& context, unsigned types) {
    context.setOutput(0, context.inputType(0), context.inputShape(0));
    return requireType(context, 0, types);
}
Status inferFloat(InferenceContext& context) {
    return inferKept(context, kFloatTypes);
}
Status inferInt(InferenceContext& context) {
    return inferKept(context, kIntTypes);
}
Status inferSignedOrFloat(InferenceContext& context) {
    return inferKept(context, kFloatTypes | kSignedTypes);
}
Status inferNumber(InferenceContext& context) {
    return inferKept(context, kNumberTypes);
}

Status inferToBool(InferenceContext& context, unsigned types) {
    context.setOutput(0, DataType::Bool, context.inputShape(0));
    return requireType(context, 0, types);
}
Status inferFloatTest(InferenceContext& context) {
    return inferToBool(context, kFloatTypes);
}

Status inferGelu(InferenceContext& context) {
    const std::string form = context.attributes().getString("approximate", "none");
    if (form != "none" && form != "tanh")
        return invalidModel("attribute 'approximate' is '" + form + "'; none or tanh is allowed");
    return inferFloat(context);
}

Status inferClip(InferenceContext& context) {
    for (int i = 1; i <= 2; ++i) {
        if (!context.hasInput(i)) continue;
        STROBE_RETURN_IF_ERROR(requireSameType(context, 0, i));
        const Dim count = elementCount(context.inputShape(i));
        if (count.isConstant() && count.constant() != 1)
            return invalidModel("input " + std::to_string(i) + " (the limit) has shape " +
                                toString(context.inputShape(i)) + ", a scalar is needed");
    }
    return inferNumber(context);
}

/// Integer results on known elements.
using Fold = std::optional<Dim> (*)(const Dim&);
template <Status (*infer)(InferenceContext&), Fold fold>
Status inferFolding(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(infer(context));
    const auto values = context.inputValues(0);
    if (!values) return Status::ok();
    std::vector<Dim> results;
    for (const Dim& value : *values) {
        const auto result = fold(value);
        if (!result) return Status::ok();
        results.push_back(*result);
    }
    setValues(context, 0, context.inputShape(0), std::move(results));
    return Status::ok();
}

std::optional<Dim> foldNeg(const Dim& a) {
    return Dim(0) - a;
}
std::optional<Dim> foldAbs(const Dim& a) {
    if (provablyAtMost(Dim(0), a)) return a;
    return provablyAtMost(a, Dim(0)) ? foldNeg(a) : std::nullopt;
}
std::optional<Dim> foldSign(const Dim& a) {
    if (a.isConstant()) return Dim((a.constant() > 0) - (a.constant() < 0));
    return provablyAtMost(Dim(1), a) ? std::optional<Dim>(1) : std::nullopt;
}
std::optional<Dim> foldNot(const Dim& a) {
    return Dim(1) - a;
}
std::optional<Dim> foldRelu(const Dim& a) {
    return maxOf(a, Dim(0));
}

Status inferLogic(InferenceContext& context) {
    return inferToBool(context, kBoolType);
}

auto inferFunction(const UnaryRow& row) -> Status (*)(InferenceContext&) {
    static const std::map<std::string, Status (*)(InferenceContext&), std::less<>> kSpecial = {
        {"Neg", inferFolding<inferSignedOrFloat, foldNeg>},
        {"Abs", inferFolding<inferNumber, foldAbs>},
        {"Sign", inferFolding<inferNumber, foldSign>},
        {"Not", inferFolding<inferLogic, foldNot>},
        {"Relu", inferFolding<inferSignedOrFloat, foldRelu>},
        {"Gelu", inferGelu},
        {"Clip", inferClip}};
    if (auto found = kSpecial.find(row.name); found != kSpecial.end()) return found->second;
    if (row.toBool) return inferFloatTest;
    if (row.types == kFloatTypes) return inferFloat;
    return row.types == kIntTypes ? inferInt : inferNumber;
}

bool hasScalarForm(const Layer& layer, const Network& network) {
    const DataType type = network.tensor(layer.inputs[0]).type;
    return (isFloatingPoint(type) && type != DataType::Float64) || type == DataType::Bool;
}

std::optional<int> unaryToPointwise(const Layer& layer, const Network& network, const std::vector<int>& values,
                                    PointwiseProgram& program) {
    if (!hasScalarForm(layer, network)) return std::nullopt;
    return lowerElementwise(layer.op->name, layer.attributes, values, program);
}

/// A constant limit, or the absent limit's `fallback`; nullopt when it is computed.
std::optional<float> clipLimit(const Layer& layer, const Network& network, size_t input, float fallback) {
    if (input >= layer.inputs.size() || layer.inputs[input] == kNone) return fallback;
    const WeightsPtr constant = network.tensor(layer.inputs[input]).constant;
    if (!constant || !constant->isScalarLike()) return std::nullopt;
    return toFloats(*constant).front();
}

std::optional<int> clipToPointwise(const Layer& layer, const Network& network, const std::vector<int>& values,
                                   PointwiseProgram& program) {
    if (!hasScalarForm(layer, network)) return std::nullopt;
    const float infinity = std::numeric_limits<float>::infinity();
    const auto low = clipLimit(layer, network, 1, -infinity), high = clipLimit(layer, network, 2, infinity);
    if (!low || !high) return lowerElementwise("Clip", layer.attributes, values, program);
    program.instructions.push_back({PointwiseOp::Clip, values[0], -1, -1, *low, *high});
    return program.valueCount() - 1;
}

}  // namespace

STROBE_OPS(unary) {
    for (const UnaryRow& row : rows()) {
        OpDefinition op;
        op.name = row.name;
        op.minInputs = 1;
        op.maxInputs = row.maxInputs;
        op.attributes = row.attributes;
        op.infer = inferFunction(row);
        if (op.name == "Clip")
            op.toPointwise = clipToPointwise;
        else if (op.name != "BitwiseNot")
            op.toPointwise = unaryToPointwise;
        registry.add(std::move(op));
    }
}

}  // namespace strobe
