#include "engine_core/passes/pointwise_form.h"

#include <algorithm>

#include "engine_core/ops/inference_helpers.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {

int PointwiseComposer::input(TensorId tensor) {
    for (size_t i = 0; i < m_values.size(); ++i)
        if (m_values[i].tensor == tensor) return static_cast<int>(i);
    m_values.push_back({tensor, {}});
    return static_cast<int>(m_values.size()) - 1;
}

int PointwiseComposer::constant(float value) {
    PointwiseInstruction instruction;
    instruction.op = PointwiseOp::Constant;
    instruction.alpha = value;
    return add(instruction);
}

int PointwiseComposer::add(PointwiseInstruction instruction) {
    for (size_t i = 0; i < m_values.size(); ++i)
        if (m_values[i].tensor == kNone && m_values[i].instruction == instruction) return static_cast<int>(i);
    m_values.push_back({kNone, instruction});
    return static_cast<int>(m_values.size()) - 1;
}

std::vector<int> PointwiseComposer::inlineProgram(const PointwiseProgram& program,
                                                  const std::vector<int>& inputValues) {
    std::vector<int> place = inputValues;
    const auto at = [&](int value) { return value < 0 ? -1 : place[static_cast<size_t>(value)]; };
    for (PointwiseInstruction in : program.instructions) {
        in.a = at(in.a);
        in.b = at(in.b);
        in.c = at(in.c);
        place.push_back(add(in));
    }
    std::vector<int> results;
    for (int result : program.results) results.push_back(at(result));
    return results;
}

PointwiseForm PointwiseComposer::finish(const std::vector<int>& results, TensorId first) const {
    // Values only refer backwards, so one sweep from the end finds all that is needed.
    std::vector<bool> needed(m_values.size(), false);
    for (int result : results) needed[static_cast<size_t>(result)] = true;
    for (size_t i = m_values.size(); i-- > 0;) {
        if (!needed[i] || m_values[i].tensor != kNone) continue;
        const PointwiseInstruction& in = m_values[i].instruction;
        for (int operand : {in.a, in.b, in.c})
            if (operand >= 0) needed[static_cast<size_t>(operand)] = true;
    }
    PointwiseForm form;
    std::vector<int> number(m_values.size(), -1);
    const auto takeInput = [&](size_t i) {
        number[i] = static_cast<int>(form.inputs.size());
        form.inputs.push_back(m_values[i].tensor);
    };
    for (size_t i = 0; i < m_values.size(); ++i)
        if (needed[i] && m_values[i].tensor != kNone && m_values[i].tensor == first) takeInput(i);
    for (size_t i = 0; i < m_values.size(); ++i)
        if (needed[i] && m_values[i].tensor != kNone && m_values[i].tensor != first) takeInput(i);
    form.program.inputCount = static_cast<int>(form.inputs.size());
    const auto at = [&](int value) { return value < 0 ? -1 : number[static_cast<size_t>(value)]; };
    for (size_t i = 0; i < m_values.size(); ++i) {
        if (!needed[i] || m_values[i].tensor != kNone) continue;
        PointwiseInstruction in = m_values[i].instruction;
        in.a = at(in.a);
        in.b = at(in.b);
        in.c = at(in.c);
        number[i] = form.program.valueCount();
        form.program.instructions.push_back(in);
    }
    for (int result : results) form.program.results.push_back(at(result));
    return form;
}

std::optional<int> compose(PointwiseComposer& composer, const Network& network, const Layer& layer,
                           const std::map<TensorId, int>& known) {
    std::vector<int> slots, values;
    for (TensorId input : layer.inputs) {
        if (input == kNone) {
            values.push_back(-1);
            continue;
        }
        const auto place = known.find(input);
        const auto scalar = scalarConstant(network, input);
        slots.push_back(place != known.end() ? place->second
                        : scalar             ? composer.constant(static_cast<float>(*scalar))
                                             : composer.input(input));
        values.push_back(static_cast<int>(slots.size()) - 1);
    }
    if (layer.op->name == "Pointwise")
        return layer.program->results.size() == 1 ? std::optional(composer.inlineProgram(*layer.program, slots)[0])
                                                  : std::nullopt;
    PointwiseProgram program;
    program.inputCount = static_cast<int>(slots.size());
    const auto result = layer.op->toPointwise(layer, network, values, program);
    if (!result) return std::nullopt;
    program.results = {*result};
    return composer.inlineProgram(program, slots)[0];
}

std::optional<PointwiseForm> pointwiseForm(const Network& network, const Layer& layer) {
    const bool isProgram = layer.op->name == "Pointwise";
    if (!isProgram && (!layer.op->toPointwise || layer.program)) return std::nullopt;
    if (layer.outputs.size() != 1 || layer.outputs[0] == kNone || layer.inputs.empty()) return std::nullopt;
    const auto served = [&](TensorId id) {
        if (id == kNone) return true;
        const Tensor& t = network.tensor(id);
        return t.rankKnown && (isRealType(t.type) || t.type == DataType::Bool);
    };
    if (!served(layer.outputs[0]) || !std::all_of(layer.inputs.begin(), layer.inputs.end(), served))
        return std::nullopt;
    PointwiseComposer composer;
    const auto result = compose(composer, network, layer);
    if (!result) return std::nullopt;
    return composer.finish({*result});
}

std::optional<PointwiseForm> rankFreeForm(const Network& network, const Layer& layer) {
    if (!layer.op->toPointwise || layer.program || layer.inputs.size() != 1 || layer.inputs[0] == kNone) return std::nullopt;
    if (layer.outputs.size() != 1 || layer.outputs[0] == kNone) return std::nullopt;
    const Tensor &x = network.tensor(layer.inputs[0]), &y = network.tensor(layer.outputs[0]);
    if (x.rankKnown || y.rankKnown || !isRealType(x.type) || x.type != y.type) return std::nullopt;
    PointwiseComposer composer;
    const auto result = compose(composer, network, layer);
    return result ? std::optional(composer.finish({*result})) : std::nullopt;
}

bool broadcastsTo(const Network& network, const std::vector<TensorId>& inputs, const Shape& shape) {
    Shape joined;
    for (TensorId input : inputs) {
        auto next = broadcastShapes(joined, network.tensor(input).shape);
        if (!next) return false;
        joined = std::move(*next);
    }
    return joined == shape;
}

bool isTrivial(const PointwiseProgram& program) {
    return std::all_of(program.results.begin(), program.results.end(),
                       [&](int result) { return result < program.inputCount; });
}

}  // namespace strobe
