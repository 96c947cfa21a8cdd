#include <algorithm>

#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

constexpr size_t kMaxKnownValues = 1024;
/// Text of one extent or value, and of all values of a tensor. Ordinary models stay below a hundred; repeated squaring
/// doubles it each time.
constexpr size_t kMaxExtentText = 1024, kMaxValuesText = 16 * kMaxExtentText;

size_t textSize(const Dim& dim) {
    return dim.isConstant() ? 0 : dim.toString().size();
}

bool areSmall(const std::vector<Dim>& values) {
    size_t total = 0;
    for (const Dim& value : values) {
        const size_t size = textSize(value);
        total += size;
        if (size > kMaxExtentText || total > kMaxValuesText) return false;
    }
    return values.size() <= kMaxKnownValues;
}

class NetworkInference final : public InferenceContext {
public:
    NetworkInference(Network& network, LayerId id) : m_network(network), m_id(id) {}

    const Attributes& attributes() const override { return layer().attributes; }
    int inputCount() const override { return static_cast<int>(layer().inputs.size()); }
    int outputCount() const override { return static_cast<int>(layer().outputs.size()); }
    bool hasInput(int index) const override { return input(index) != nullptr; }
    DataType inputType(int index) const override { return input(index) ? input(index)->type : DataType::Undefined; }
    const Shape& inputShape(int index) const override {
        static const Shape kScalar;
        return input(index) ? input(index)->shape : kScalar;
    }
    std::optional<std::vector<Dim>> inputValues(int index) const override { return input(index) ? input(index)->values : std::nullopt; }
    WeightsPtr inputConstant(int index) const override { return input(index) ? input(index)->constant : nullptr; }
    std::span<const std::shared_ptr<const Network>> subgraphs() const override { return layer().subgraphs; }

    void setOutput(int index, DataType type, Shape shape) override {
        if (Tensor* t = output(index)) {
            t->type = type;
            t->rankKnown = true;
            for (Dim& extent : shape)
                if (textSize(extent) > kMaxExtentText) extent = freshSymbol();
            t->shape = std::move(shape);
        }
    }
    void setOutputUnknownRank(int index, DataType type) override {
        if (Tensor* t = output(index)) {
            t->type = type;
            t->rankKnown = false;
            t->shape.clear();
        }
    }
    void setOutputValues(int index, std::vector<Dim> values) override {
        if (Tensor* t = output(index); t && areSmall(values)) t->values = std::move(values);
    }
    /// Inferring the same layer again gives the same symbols, so that inference is idempotent.
    Dim freshSymbol() override {
        return Dim::symbol(m_network.symbolPrefix() + std::to_string(m_id) + (m_fresh++ ? "_" + std::to_string(m_fresh) : ""));
    }

private:
    const Layer& layer() const { return m_network.layer(m_id); }
    const Tensor* input(int index) const {
        const auto& inputs = layer().inputs;
        if (index < 0 || index >= static_cast<int>(inputs.size()) || inputs[static_cast<size_t>(index)] == kNone) return nullptr;
        return &m_network.tensor(inputs[static_cast<size_t>(index)]);
    }
    Tensor* output(int index) {
        const auto& outputs = layer().outputs;
        if (index < 0 || index >= static_cast<int>(outputs.size()) || outputs[static_cast<size_t>(index)] == kNone) return nullptr;
        return &m_network.tensor(outputs[static_cast<size_t>(index)]);
    }

    Network& m_network;
    LayerId m_id;
    int m_fresh = 0;
};

class ConcreteInference final : public InferenceContext {
public:
    ConcreteInference(const Attributes& attributes, std::span<const std::shared_ptr<const Network>> subgraphs, std::span<const ConcreteInput> inputs,
                      int outputs)
        : m_attributes(attributes), m_subgraphs(subgraphs), m_inputs(inputs), m_outputs(static_cast<size_t>(outputs)) {
        for (const ConcreteInput& in : inputs) m_shapes.push_back(toShape(in.dims));
    }
    const Attributes& attributes() const override { return m_attributes; }
    int inputCount() const override { return static_cast<int>(m_inputs.size()); }
    int outputCount() const override { return static_cast<int>(m_outputs.size()); }
    bool hasInput(int index) const override { return index < inputCount() && m_inputs[static_cast<size_t>(index)].present; }
    DataType inputType(int index) const override { return hasInput(index) ? at(index).type : DataType::Undefined; }
    const Shape& inputShape(int index) const override {
        static const Shape kScalar;
        return hasInput(index) ? m_shapes[static_cast<size_t>(index)] : kScalar;
    }
    std::optional<std::vector<Dim>> inputValues(int index) const override {
        const WeightsPtr weights = inputConstant(index);
        if (!weights) return std::nullopt;
        const auto integers = toInt64s(*weights);
        if (!integers) return std::nullopt;
        return std::vector<Dim>(integers->begin(), integers->end());
    }
    WeightsPtr inputConstant(int index) const override {
        if (!hasInput(index) || !at(index).hostData) return nullptr;
        return std::make_shared<Weights>(borrowedWeights(at(index).type, at(index).dims, at(index).hostData));
    }
    std::span<const std::shared_ptr<const Network>> subgraphs() const override { return m_subgraphs; }
    void setOutput(int index, DataType type, Shape shape) override {
        if (index < 0 || index >= outputCount()) return;
        ConcreteOutput& out = m_outputs[static_cast<size_t>(index)];
        out = {type, {}, true};
        for (const Dim& dim : shape) out.dims.push_back(dim.isConstant() ? dim.constant() : -1);
    }
    void setOutputUnknownRank(int index, DataType type) override {
        if (index >= 0 && index < outputCount()) m_outputs[static_cast<size_t>(index)] = {type, {}, false};
    }
    void setOutputValues(int, std::vector<Dim>) override {}
    Dim freshSymbol() override { return Dim::symbol("u"); }
    std::vector<ConcreteOutput> take() { return std::move(m_outputs); }

private:
    const ConcreteInput& at(int index) const { return m_inputs[static_cast<size_t>(index)]; }
    const Attributes& m_attributes;
    std::span<const std::shared_ptr<const Network>> m_subgraphs;
    std::span<const ConcreteInput> m_inputs;
    std::vector<Shape> m_shapes;
    std::vector<ConcreteOutput> m_outputs;
};

}  // namespace

Status inferLayer(Network& network, LayerId id) {
    const Layer& layer = network.layer(id);
    STROBE_RETURN_IF_ERROR(checkProgram(layer));
    NetworkInference context(network, id);
    const bool unknownRank = std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                         [&](TensorId t) { return t != kNone && !network.tensor(t).rankKnown; });
    for (TensorId output : layer.outputs)
        if (output != kNone) network.tensor(output).values.reset();
    if (unknownRank && layer.subgraphs.empty()) {
        // The element type still follows from rank-0 stand-ins where the op allows; an error here is not the model's.
        for (int i = 0; i < context.outputCount(); ++i) context.setOutput(i, context.inputType(0), {});
        (void)layer.op->infer(context);
        for (TensorId output : layer.outputs) {
            if (output == kNone) continue;
            network.tensor(output).rankKnown = false;
            network.tensor(output).shape.clear();
            network.tensor(output).values.reset();
        }
        return Status::ok();
    }
    return layer.op->infer(context).withContext("node '" + layer.name + "' (" + layer.op->name + ")");
}

Status inferNetwork(Network& network) {
    for (LayerId id : network.topologicalOrder()) STROBE_RETURN_IF_ERROR(inferLayer(network, id));
    return Status::ok();
}

Result<std::vector<ConcreteOutput>> inferConcrete(const OpDefinition& op, const Attributes& attributes,
                                                  std::span<const std::shared_ptr<const Network>> subgraphs,
                                                  std::span<const ConcreteInput> inputs, int outputCount) {
    ConcreteInference context(attributes, subgraphs, inputs, outputCount);
    STROBE_RETURN_IF_ERROR(op.infer(context));
    return context.take();
}

}  // namespace strobe
