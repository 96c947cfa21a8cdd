#include <algorithm>
#include <set>

#include "engine_core/ir/network.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

Status checkTensors(const Network& network) {
    std::set<std::string> names;
    for (TensorId id = 0; id < network.tensorCount(); ++id) {
        if (!network.isAlive(id)) continue;
        const Tensor& t = network.tensor(id);
        if (!names.insert(t.name).second) return internalError("two tensors are named '" + t.name + "'");
        if (t.type == DataType::Undefined) return internalError("tensor '" + t.name + "' has no element type");
        const int definitions = (t.isInput ? 1 : 0) + (t.constant ? 1 : 0) + (t.producer != kNone ? 1 : 0);
        if (definitions > 1) return internalError("tensor '" + t.name + "' is defined twice");
        for (const TensorUse& use : t.uses) {
            const Layer& user = network.layer(use.layer);
            if (user.removed || user.inputs[static_cast<size_t>(use.index)] != id)
                return internalError("tensor '" + t.name + "' lists a use by '" + user.name + "' that does not exist");
        }
    }
    return Status::ok();
}

Status checkAttributes(const Layer& layer) {
    for (const AttributeSpec& spec : layer.op->attributes) {
        const AttributeValue* value = layer.attributes.find(spec.name);
        if (value && kindOf(*value) != spec.kind)
            return internalError("attribute '" + spec.name + "' of layer '" + layer.name + "' is " +
                                 std::string(attributeKindName(kindOf(*value))) + ", " +
                                 std::string(attributeKindName(spec.kind)) + " is needed");
        if (!value && spec.required && spec.kind != AttributeKind::Graph)
            return internalError("attribute '" + spec.name + "' of layer '" + layer.name + "' is missing");
    }
    return Status::ok();
}

Status checkArity(const Layer& layer) {
    const OpDefinition& op = *layer.op;
    const int count = static_cast<int>(layer.inputs.size());
    if (count < op.minInputs || (count > op.maxInputs && !layer.program))
        return internalError("layer '" + layer.name + "' (" + op.name + ") has " + std::to_string(count) + " inputs, " + std::to_string(op.minInputs) +
                             " to " + std::to_string(op.maxInputs) + " are allowed");
    for (int i = 0; i < op.minInputs; ++i)
        if (layer.inputs[static_cast<size_t>(i)] == kNone)
            return internalError("layer '" + layer.name + "' (" + op.name + ") lacks input " + std::to_string(i));
    if (static_cast<int>(layer.outputs.size()) < op.minOutputs)
        return internalError("layer '" + layer.name + "' (" + op.name + ") has " + std::to_string(layer.outputs.size()) + " outputs, " +
                             std::to_string(op.minOutputs) + " are needed");
    for (size_t i = 0; i < layer.outputs.size(); ++i)
        if (layer.outputs[i] == kNone && op.needsOutput(static_cast<int>(i)))
            return internalError("layer '" + layer.name + "' (" + op.name + ") lacks output " + std::to_string(i));
    if (layer.op->name == "Pointwise" && !layer.program) return internalError("layer '" + layer.name + "' has no program");
    return Status::ok();
}

Status checkEdges(const Network& network, const Layer& layer) {
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
        const TensorId id = layer.inputs[i];
        if (id == kNone) continue;
        if (!network.isAlive(id)) return internalError("layer '" + layer.name + "' reads input " + std::to_string(i) + ", which nothing defines");
        const auto& uses = network.tensor(id).uses;
        const TensorUse expected{layer.id, static_cast<int>(i)};
        if (std::count(uses.begin(), uses.end(), expected) != 1)
            return internalError("tensor '" + network.tensor(id).name + "' does not list its use by '" + layer.name + "' once");
    }
    for (size_t i = 0; i < layer.outputs.size(); ++i) {
        const TensorId id = layer.outputs[i];
        if (id != kNone && (network.tensor(id).producer != layer.id || network.tensor(id).producerOutput != static_cast<int>(i)))
            return internalError("tensor '" + network.tensor(id).name + "' does not name '" + layer.name + "' as its producer");
    }
    return Status::ok();
}

/// Stored types and shapes are what inference gives.
Status checkInference(const Network& network) {
    Network copy = network;
    STROBE_RETURN_IF_ERROR(inferNetwork(copy));
    for (LayerId id : network.topologicalOrder())
        for (TensorId output : network.layer(id).outputs) {
            if (output == kNone) continue;
            const Tensor &stored = network.tensor(output), &inferred = copy.tensor(output);
            if (stored.type != inferred.type || stored.rankKnown != inferred.rankKnown || stored.shape != inferred.shape)
                return internalError("tensor '" + stored.name + "' is stored as " + std::string(dataTypeName(stored.type)) + toString(stored.shape) +
                                     " but infers to " + std::string(dataTypeName(inferred.type)) + toString(inferred.shape));
        }
    return Status::ok();
}

}  // namespace

Status checkProgram(const Layer& layer) {
    if (!layer.program) return Status::ok();
    const bool isChain = layer.op->name == "Pointwise";
    const int extra = static_cast<int>(layer.inputs.size()) - (isChain ? 0 : layer.op->maxInputs);
    const int expected = isChain ? layer.program->inputCount : layer.program->inputCount - 1;
    if (!layer.program->isValid() || extra != expected)
        return internalError("program of layer '" + layer.name + "' has " + std::to_string(layer.program->inputCount) +
                             " inputs, the layer gives " + std::to_string(extra));
    if (isChain && layer.program->results.size() < layer.outputs.size())
        return internalError("program of layer '" + layer.name + "' has too few results");
    return Status::ok();
}

Status checkLayer(const Layer& layer) {
    STROBE_RETURN_IF_ERROR(checkArity(layer));
    STROBE_RETURN_IF_ERROR(checkAttributes(layer));
    return checkProgram(layer);
}

Status verify(const Network& network) {
    STROBE_RETURN_IF_ERROR(checkTensors(network));
    const std::vector<LayerId> order = network.topologicalOrder();
    if (static_cast<int>(order.size()) != network.layerCount()) {
        std::set<LayerId> reached(order.begin(), order.end());
        for (LayerId id = 0; id < network.layerIdCount(); ++id)
            if (!network.layer(id).removed && !reached.count(id))
                return internalError("layer '" + network.layer(id).name + "' depends on its own output (a cycle)");
    }
    for (LayerId id : order) {
        STROBE_RETURN_IF_ERROR(checkLayer(network.layer(id)));
        STROBE_RETURN_IF_ERROR(checkEdges(network, network.layer(id)));
    }
    for (TensorId output : network.outputs())
        if (!network.isAlive(output)) return internalError("network output '" + network.tensor(output).name + "' is not defined");
    return checkInference(network);
}

}  // namespace strobe
