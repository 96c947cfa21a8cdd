#include "engine_core/onnx/element_type.h"
#include "engine_core/onnx/lifting.h"

namespace strobe {
namespace {

/// Before opset 7 the second input broadcast only on request, from `axis` on.
Status legacyBroadcast(NodeLift& node) {
    const bool hasAxis = node.attributes.has("axis");
    STROBE_ASSIGN(const int64_t broadcast, node.takeAttribute<int64_t>("broadcast", 0));
    STROBE_ASSIGN(const int64_t stated, node.takeAttribute<int64_t>("axis", 0));
    if (broadcast == 0 || !hasAxis) return Status::ok();
    const auto a = node.rank(0), b = node.rank(1);
    if (!a || !b) return unsupported("broadcasting from an axis needs known ranks; export with opset 7 or newer");
    const int64_t axis = stated < 0 ? stated + *a : stated;
    const int64_t trailing = *a - axis - *b;
    if (axis < 0 || trailing < 0)
        return invalidModel("attribute 'axis' is " + std::to_string(stated) + ", which does not fit ranks " +
                            std::to_string(*a) + " and " + std::to_string(*b));
    if (trailing == 0) return Status::ok();
    std::vector<int64_t> axes;
    for (int64_t i = 0; i < trailing; ++i) axes.push_back(*b + i);
    STROBE_ASSIGN(node.inputs[1], node.emit("Unsqueeze", {}, {node.inputs[1], node.ints("axes", axes)}));
    return Status::ok();
}

/// A slope of one value a channel stood for channel dim 1.
Status preluChannelSlope(NodeLift& node) {
    const auto x = node.rank(0), slope = node.rank(1);
    if (!x || slope != 1 || *x < 3 || node.input(1)->shape[0].isConstant(1)) return Status::ok();
    std::vector<int64_t> axes;
    for (int64_t i = 1; i < *x - 1; ++i) axes.push_back(i);
    STROBE_ASSIGN(node.inputs[1], node.emit("Unsqueeze", {}, {node.inputs[1], node.ints("axes", axes)}));
    return Status::ok();
}

Status dropBroadcast(NodeLift& node) {
    node.attributes.erase("broadcast");
    return Status::ok();
}

Status dropOutputSequence(NodeLift& node) {
    node.attributes.erase("output_sequence");
    return Status::ok();
}

Status castByName(NodeLift& node) {
    STROBE_ASSIGN(const std::string name, node.attribute<std::string>("to", ""));
    STROBE_ASSIGN(const DataType type, elementTypeFromOnnxName(name));
    node.attributes.set("to", onnxTypeNumber(type));
    return Status::ok();
}

Status powerToInt(NodeLift& node) {
    if (const AttributeValue* p = node.attributes.find("p"); p && std::holds_alternative<float>(*p))
        node.attributes.set("p", static_cast<int64_t>(std::get<float>(*p)));
    return Status::ok();
}

}  // namespace

void appendLiftingLegacy(std::vector<LiftRule>& rules) {
    for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"})
        rules.push_back({"", op, 7, legacyBroadcast});
    for (const char* op : {"RNN", "GRU", "LSTM"}) rules.push_back({"", op, 7, dropOutputSequence});
    for (const char* op : {"LpPool", "GlobalLpPool"}) rules.push_back({"", op, 2, powerToInt});
    const LiftRule own[] = {
        {"", "PRelu", 7, preluChannelSlope}, {"", "Gemm", 7, dropBroadcast}, {"", "Cast", 6, castByName}};
    rules.insert(rules.end(), std::begin(own), std::end(own));
}

}  // namespace strobe
