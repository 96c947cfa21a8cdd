#include "engine_core/ir/network.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

std::string typedName(const Tensor& t) {
    return "%" + t.name + ": " + std::string(dataTypeName(t.type)) + (t.rankKnown ? toString(t.shape) : "[?]");
}

std::string printValues(const std::vector<Dim>& values) { return toString(Shape(values)); }

std::string printLayer(const Network& network, const Layer& layer) {
    std::string text = "  ";
    for (size_t i = 0; i < layer.outputs.size(); ++i)
        text += (i ? ", " : "") + (layer.outputs[i] == kNone ? std::string("_") : typedName(network.tensor(layer.outputs[i])));
    text += " = " + layer.op->name + "(";
    for (size_t i = 0; i < layer.inputs.size(); ++i)
        text += (i ? ", " : "") + (layer.inputs[i] == kNone ? std::string("_") : "%" + network.tensor(layer.inputs[i]).name);
    text += ")";
    if (const std::string attributes = layer.attributes.toString(); !attributes.empty()) text += " " + attributes;
    if (layer.program) text += " [" + layer.program->toString() + "]";
    return text + " @\"" + layer.name + "\"\n";
}

}  // namespace

std::string Network::toString() const {
    std::string text = "network \"" + m_name + "\" {\n";
    for (TensorId id : m_inputs) text += "  input " + typedName(tensor(id)) + "\n";
    for (const Tensor& t : m_tensors) {
        if (t.constant && !(t.uses.empty() && !t.isOutput)) text += "  const " + typedName(t) + "\n";
        if (t.isSymbolicConstant()) text += "  const " + typedName(t) + " = " + printValues(*t.values) + "\n";
    }
    for (LayerId id : topologicalOrder()) text += printLayer(*this, layer(id));
    for (TensorId id : m_outputs) text += "  output " + typedName(tensor(id)) + "\n";
    return text + "}\n";
}

}  // namespace strobe
