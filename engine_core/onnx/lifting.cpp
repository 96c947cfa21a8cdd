#include "engine_core/onnx/lifting.h"

#include <algorithm>
#include <cstring>

#include "engine_core/base/float_formats.h"

namespace strobe {
namespace {

template <class T>
WeightsPtr scalarOf(DataType type, T value) {
    return makeWeights<T>(type, {}, std::span<const T>(&value, 1));
}

WeightsPtr makeScalarWeights(DataType type, double value) {
    switch (type) {
        case DataType::Float64:
            return scalarOf(type, value);
        case DataType::Float16:
            return scalarOf(type, floatToFloat16(static_cast<float>(value)));
        case DataType::BFloat16:
            return scalarOf(type, floatToBFloat16(static_cast<float>(value)));
        case DataType::Int64:
        case DataType::UInt64:
            return scalarOf(type, static_cast<int64_t>(value));
        case DataType::Int32:
        case DataType::UInt32:
            return scalarOf(type, static_cast<int32_t>(value));
        case DataType::Int16:
        case DataType::UInt16:
            return scalarOf(type, static_cast<int16_t>(value));
        case DataType::Int8:
            return scalarOf(type, static_cast<int8_t>(value));
        case DataType::UInt8:
        case DataType::Bool:
            return scalarOf(type, static_cast<uint8_t>(value));
        default:
            return scalarOf(DataType::Float32, static_cast<float>(value));
    }
}

}  // namespace

std::optional<int64_t> NodeLift::rank(size_t index) const {
    const Tensor* tensor = input(index);
    if (!tensor || !tensor->rankKnown) return std::nullopt;
    return static_cast<int64_t>(tensor->shape.size());
}

void NodeLift::setInput(size_t index, TensorId tensor) {
    if (inputs.size() <= index) inputs.resize(index + 1, kNone);
    inputs[index] = tensor;
}

TensorId NodeLift::constant(const char* role, WeightsPtr weights) {
    return network.addConstant(name + "/" + role, std::move(weights));
}

TensorId NodeLift::ints(const char* role, const std::vector<int64_t>& values) {
    return constant(role, makeInt64Weights({static_cast<int64_t>(values.size())}, values));
}

TensorId NodeLift::intScalar(const char* role, int64_t value) {
    return constant(role, makeInt64Weights({}, std::vector<int64_t>{value}));
}

TensorId NodeLift::scalar(const char* role, DataType type, double value) {
    return constant(role, makeScalarWeights(type, value));
}

Result<TensorId> NodeLift::emit(const char* emitted, Attributes values, std::vector<TensorId> from) {
    const OpDefinition* definition = OpRegistry::instance().find(emitted);
    if (!definition) return unsupported(op + " is written with " + emitted + ", which is not available");
    const TensorId result = network.addTensor(name + "/" + emitted);
    const LayerId layer =
        network.addLayer(name + "/" + emitted, definition, std::move(values), std::move(from), {result});
    network.layer(layer).provenance = provenance;
    STROBE_RETURN_IF_ERROR(inferLayer(network, layer));
    return result;
}

void NodeLift::become(std::string newOp, Attributes newAttributes, std::vector<TensorId> newInputs) {
    op = std::move(newOp);
    domain.clear();
    version = kAnyVersion;
    attributes = std::move(newAttributes);
    inputs = std::move(newInputs);
}

Status NodeLift::attributeToInput(const std::string& key, size_t index) {
    if (!attributes.has(key)) return Status::ok();
    STROBE_ASSIGN(const std::vector<int64_t> values, takeAttribute<std::vector<int64_t>>(key, {}));
    setInput(index, ints(key.c_str(), values));
    return Status::ok();
}

Status wrongAttributeKind(const std::string& key, AttributeKind found, AttributeKind needed) {
    return invalidModel("attribute '" + key + "' is " + std::string(attributeKindName(found)) + ", " +
                        std::string(attributeKindName(needed)) + " is needed");
}

namespace {

const std::vector<LiftRule>& allRules() {
    static const std::vector<LiftRule> rules = [] {
        std::vector<LiftRule> list;
        appendLiftingShape(list);
        appendLiftingCompute(list);
        appendLiftingLegacy(list);
        appendLiftingContrib(list);
        std::stable_sort(list.begin(), list.end(),
                         [](const LiftRule& a, const LiftRule& b) { return a.below < b.below; });
        return list;
    }();
    return rules;
}

}  // namespace

bool hasLifter(std::string_view domain, std::string_view op) {
    const auto& rules = allRules();
    return std::any_of(rules.begin(), rules.end(), [&](const LiftRule& rule) {
        return rule.below == kAnyVersion && domain == rule.domain && op == rule.op;
    });
}

Status liftToNewest(NodeLift& node) {
    for (const LiftRule& rule : allRules()) {
        if (node.version >= rule.below || node.domain != rule.domain || node.op != rule.op) continue;
        STROBE_RETURN_IF_ERROR(rule.lift(node));
    }
    return Status::ok();
}

}  // namespace strobe
