#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine_core/ir/network.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {

/// A node on its way to the newest meaning of its op. A lifter changes op, attributes and inputs, and may emit layers
/// that come before it. Inputs are tensors of the network whose types and shapes are inferred already.
class NodeLift {
public:
    NodeLift(Network& target, std::string layerName, std::vector<int> nodeProvenance)
        : network(target), name(std::move(layerName)), provenance(std::move(nodeProvenance)) {}

    Network& network;
    std::string name;
    std::string op, domain;
    int64_t version = 0;  // opset of the domain that the node is written in
    Attributes attributes;
    std::vector<TensorId> inputs;
    int outputCount = 1;
    std::map<int, TensorId> aliases;  // outputs that a layer emitted before this node defines
    std::vector<int> provenance;

    bool hasInput(size_t index) const { return index < inputs.size() && inputs[index] != kNone; }
    const Tensor* input(size_t index) const { return hasInput(index) ? &network.tensor(inputs[index]) : nullptr; }
    /// nullopt: absent or of unknown rank.
    std::optional<int64_t> rank(size_t index) const;
    /// Pads with absent inputs.
    void setInput(size_t index, TensorId tensor);

    TensorId constant(const char* role, WeightsPtr weights);
    TensorId ints(const char* role, const std::vector<int64_t>& values);
    TensorId intScalar(const char* role, int64_t value);
    /// A scalar of a floating-point or integer type.
    TensorId scalar(const char* role, DataType type, double value);

    /// Adds a layer before this node and infers its single output.
    Result<TensorId> emit(const char* op, Attributes attributes, std::vector<TensorId> inputs);
    void become(std::string newOp, Attributes newAttributes, std::vector<TensorId> newInputs);

    /// The attribute, or the fallback where it is absent. Error when it is of another kind: a lifter that takes an
    /// attribute away is the last to see it. T: int64_t, float, std::string or a vector of one of them.
    template <class T>
    Result<T> attribute(const std::string& key, T fallback) const;
    /// The same, and the attribute is gone.
    template <class T>
    Result<T> takeAttribute(const std::string& key, T fallback);
    /// Moves an attribute of ints to input `index` as a 1-D int64 constant; nothing when it is absent.
    Status attributeToInput(const std::string& key, size_t index);
};

/// "attribute 'axes' is int, ints is needed".
Status wrongAttributeKind(const std::string& key, AttributeKind found, AttributeKind needed);

template <class T>
Result<T> NodeLift::attribute(const std::string& key, T fallback) const {
    const AttributeValue* value = attributes.find(key);
    if (!value) return fallback;
    if (const T* held = std::get_if<T>(value)) return *held;
    return wrongAttributeKind(key, kindOf(*value), kindOf(AttributeValue(std::move(fallback))));
}

template <class T>
Result<T> NodeLift::takeAttribute(const std::string& key, T fallback) {
    Result<T> value = attribute<T>(key, std::move(fallback));
    attributes.erase(key);
    return value;
}

using Lifter = Status (*)(NodeLift&);

/// Lifts nodes of `op` that are written in an opset below `below`.
struct LiftRule {
    const char* domain;
    const char* op;
    int64_t below;
    Lifter lift;
};
/// Below this: every version, and the rule rewrites the node into another op.
inline constexpr int64_t kAnyVersion = 1 << 20;
/// Below this: every version of an op that keeps its name.
inline constexpr int64_t kEveryVersion = kAnyVersion - 1;

/// The rules of one lifting_*.cpp; a rule's result is looked at again, so that Upsample-7 becomes Upsample-9, then
/// Resize.
void appendLiftingShape(std::vector<LiftRule>& rules);
void appendLiftingCompute(std::vector<LiftRule>& rules);
void appendLiftingLegacy(std::vector<LiftRule>& rules);
void appendLiftingContrib(std::vector<LiftRule>& rules);

/// A rule exists for this op whatever its version: the op is known although OpRegistry may lack its name.
bool hasLifter(std::string_view domain, std::string_view op);
/// Applies every rule that fits, oldest first. Errors name attribute or input; the caller adds the node.
Status liftToNewest(NodeLift& node);

}  // namespace strobe
