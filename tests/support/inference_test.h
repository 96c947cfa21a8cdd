#pragma once
#include <string>
#include <vector>

#include "engine_core/ops/op_definition.h"

namespace strobe {

/// A network that grows layer by layer, each inferred as it is added: `x = g.input(…); y = g.add("Shape", {x});`.
class InferenceGraph {
public:
    TensorId input(DataType type, Shape shape) { return network.addInput("in", type, std::move(shape)); }
    TensorId ints(const std::vector<int64_t>& values) {
        return network.addConstant("c", makeInt64Weights({static_cast<int64_t>(values.size())}, values));
    }
    TensorId scalar(int64_t value) {
        return network.addConstant("c", makeInt64Weights({}, std::vector<int64_t>{value}));
    }
    /// First output of the new layer; `status` holds the outcome of its inference.
    TensorId add(const std::string& op, std::vector<TensorId> inputs, Attributes attributes = {}, int outputs = 1) {
        std::vector<TensorId> results;
        for (int i = 0; i < outputs; ++i) results.push_back(network.addTensor("t"));
        layer = network.addLayer("", OpRegistry::instance().get(op), std::move(attributes), std::move(inputs), results);
        status = inferLayer(network, layer);
        return results.empty() ? kNone : results.front();
    }
    std::string shape(TensorId id) const {
        const Tensor& tensor = network.tensor(id);
        return tensor.rankKnown ? toString(tensor.shape) : "?";
    }
    std::string values(TensorId id) const {
        const auto& known = network.tensor(id).values;
        return known ? toString(Shape(*known)) : "?";
    }

    Network network;
    LayerId layer = kNone;
    Status status;
};

inline Attributes attributes(std::vector<std::pair<std::string, AttributeValue>> values) {
    Attributes result;
    for (auto& [name, value] : values) result.set(name, std::move(value));
    return result;
}

}  // namespace strobe
