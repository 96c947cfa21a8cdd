#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine_core/ops/op_definition.h"

namespace strobe::test {

/// Builds small networks in a test, a line a layer. Every layer stands for one ONNX node of the same name.
class NetworkBuilder {
public:
    TensorId input(const std::string& name, Shape shape, DataType type = DataType::Float32) {
        return m_network.addInput(name, type, std::move(shape));
    }
    TensorId floats(const std::string& name, Dims dims, const std::vector<float>& values) {
        return m_network.addConstant(name, makeFloatWeights(std::move(dims), values));
    }
    TensorId scalar(const std::string& name, float value) { return floats(name, {}, {value}); }
    TensorId integers(const std::string& name, const std::vector<int64_t>& values) {
        return m_network.addConstant(name, makeInt64Weights({static_cast<int64_t>(values.size())}, values));
    }
    /// Values in about [−1, 1] that differ from element to element and from seed to seed.
    TensorId wave(const std::string& name, Dims dims, float seed = 1.0f) {
        std::vector<float> values(static_cast<size_t>(elementCount(dims)));
        for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(seed + 0.7f * static_cast<float>(i));
        return floats(name, std::move(dims), values);
    }
    /// Adds a layer named `name` whose outputs are tensors `name`, `name`_1 …; returns the first.
    TensorId layer(const std::string& name, const std::string& op, std::vector<TensorId> inputs,
                   Attributes attributes = {}, int outputs = 1) {
        const OpDefinition* definition = OpRegistry::instance().find(op);
        if (!definition) {
            ADD_FAILURE() << "no op " << op;
            return kNone;
        }
        std::vector<TensorId> results;
        for (int i = 0; i < outputs; ++i)
            results.push_back(m_network.addTensor(i == 0 ? name : name + "_" + std::to_string(i)));
        const LayerId id = m_network.addLayer(name, definition, std::move(attributes), std::move(inputs), results);
        m_network.layer(id).provenance = {static_cast<int>(m_nodes.size())};
        m_nodes.push_back({name, op, {}, {}, {}});
        const Status status = inferLayer(m_network, id);
        EXPECT_TRUE(status) << status.message();
        return results[0];
    }
    void output(TensorId tensor) { m_network.markOutput(tensor); }
    Network& network() { return m_network; }
    Network take() {
        m_network.setSourceNodes(std::make_shared<const std::vector<SourceNode>>(m_nodes));
        const Status status = verify(m_network);
        EXPECT_TRUE(status) << status.message();
        return std::move(m_network);
    }

private:
    Network m_network;
    std::vector<SourceNode> m_nodes;
};

/// Attributes in one expression: attributes({{"axis", int64_t{1}}}).
inline Attributes attributes(std::vector<std::pair<std::string, AttributeValue>> values) {
    Attributes result;
    for (auto& [name, value] : values) result.set(std::move(name), std::move(value));
    return result;
}

}  // namespace strobe::test
