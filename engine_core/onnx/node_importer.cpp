#include <algorithm>

#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/graph_importer.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

Status inferUnsupported(InferenceContext& context) {
    for (int i = 0; i < context.outputCount(); ++i) context.setOutputUnknownRank(i, DataType::Float32);
    return Status::ok();
}

/// Attributes against the op's specs: wrong kinds and missing ones are errors, unknown ones are dropped with a warning.
Status checkAttributes(ImportState& state, NodeLift& lift, const OpDefinition& op, const NodeAttributes& attributes) {
    for (const AttributeSpec& spec : op.attributes) {
        const AttributeValue* value = lift.attributes.find(spec.name);
        const bool isGraph = spec.kind == AttributeKind::Graph;
        const bool present = value || attributes.graphs.count(spec.name);
        if (!present && spec.required)
            return invalidModel("attribute '" + spec.name + "' (" + std::string(attributeKindName(spec.kind)) +
                                ") is missing");
        if (!isGraph && attributes.graphs.count(spec.name))
            return wrongAttributeKind(spec.name, AttributeKind::Graph, spec.kind);
        if (value && kindOf(*value) != spec.kind) return wrongAttributeKind(spec.name, kindOf(*value), spec.kind);
    }
    // Lifting sees no graphs: one in the place of an attribute that an older opset had would be dropped unread.
    for (const auto& graph : attributes.graphs)
        if (std::none_of(op.attributes.begin(), op.attributes.end(),
                         [&](const AttributeSpec& spec) { return spec.name == graph.first; }))
            return invalidModel("attribute '" + displayText(graph.first) + "' is a graph, which " + op.name +
                                " does not take");
    std::vector<std::string> unknown;
    for (const auto& attribute : lift.attributes.values())
        if (std::none_of(op.attributes.begin(), op.attributes.end(),
                         [&](const AttributeSpec& spec) { return spec.name == attribute.first; }))
            unknown.push_back(attribute.first);
    for (const std::string& name : unknown) {
        if (name != "consumed_inputs")
            state.warn(lift.name,
                       "attribute '" + displayText(name) + "' is not one of " + op.name + "'s and is not used");
        lift.attributes.erase(name);
    }
    return Status::ok();
}

/// Of a list of any length none may be missing, but for Loop's trip count and condition.
bool mayLeaveOut(const OpDefinition& op, int input) {
    if (op.maxInputs >= OpDefinition::kVariadic) return op.name == "Loop" && input < 2;
    return input >= op.minInputs;
}

Status checkArity(const NodeLift& lift, const OpDefinition& op) {
    const auto allowed = [](int least, int most) {
        return most >= OpDefinition::kVariadic ? std::to_string(least) + " or more"
               : least == most                 ? std::to_string(least)
                                               : std::to_string(least) + " to " + std::to_string(most);
    };
    const int count = static_cast<int>(lift.inputs.size());
    if (count < op.minInputs || count > op.maxInputs)
        return invalidModel("has " + std::to_string(count) + " inputs, " + allowed(op.minInputs, op.maxInputs) +
                            " are allowed");
    for (int i = 0; i < count; ++i)
        if (lift.inputs[static_cast<size_t>(i)] == kNone && !mayLeaveOut(op, i))
            return invalidModel("leaves out input " + std::to_string(i) + ", which is not optional");
    if (lift.outputCount < op.minOutputs || lift.outputCount > op.maxOutputs)
        return invalidModel("has " + std::to_string(lift.outputCount) + " outputs, " +
                            allowed(op.minOutputs, op.maxOutputs) + " are allowed");
    return Status::ok();
}

/// Trailing outputs without a name are left out, but for those that the op makes in any case (a Split divides its axis by
/// them).
int outputCountOf(const strobe_onnx::NodeProto& node) {
    int count = node.output_size();
    const OpDefinition* op =
        normalizedDomain(node.domain()).empty() ? OpRegistry::instance().find(node.op_type()) : nullptr;
    while (count > 0 && node.output(count - 1).empty() && !(op && op->needsOutput(count - 1))) --count;
    return count;
}

/// What an output is called that its node names not, but the op makes all the same.
std::string unnamedTensor(const std::string& layer, int output) {
    return layer + "/unnamed output " + std::to_string(output);
}

}  // namespace

const OpDefinition* unsupportedOp() {
    static const OpDefinition op = [] {
        OpDefinition definition;
        definition.name = "Unsupported";
        definition.maxInputs = definition.maxOutputs = OpDefinition::kVariadic;
        definition.minOutputs = 0;
        definition.attributes = {{"op_type", AttributeKind::String}, {"domain", AttributeKind::String}};
        definition.infer = inferUnsupported;
        return definition;
    }();
    return &op;
}

std::string GraphImporter::tensorName(const std::string& name, const NameScope& scope) {
    const auto known = scope.outputNames.find(name);
    return known == scope.outputNames.end() ? scope.prefix + displayText(name) : known->second;
}

int GraphImporter::sourceOf(const strobe_onnx::NodeProto& node, const std::string& name) {
    const auto [place, fresh] = m_state.sourceIndex.emplace(&node, static_cast<int>(m_state.sourceNodes->size()));
    if (!fresh) return place->second;
    SourceNode source;
    source.name = name;
    source.opType = displayText(node.op_type());
    source.domain = displayText(node.domain());
    for (const std::string& input : node.input()) source.inputs.push_back(displayText(input));
    for (const std::string& output : node.output()) source.outputs.push_back(displayText(output));
    m_state.sourceNodes->push_back(std::move(source));
    return place->second;
}

Status GraphImporter::importNode(const strobe_onnx::NodeProto& node, int index, NameScope& scope) {
    if (++m_state.importedNodes > kMaxImportedNodes)
        return unsupported("more than " + std::to_string(kMaxImportedNodes) +
                           " nodes once functions and loop bodies are written out");
    if (m_state.options.cancel.isCancelled()) return cancelled();
    for (const std::string& output : node.output())
        if (!output.empty() && scope.names.count(output))
            return invalidModel("tensor '" + displayText(output) + "' is an output of node '" + nodeName(node, index) +
                                "' and also an input or initializer of the graph; every tensor is defined once");
    const std::string name = nodeName(node, index);
    const int source = scope.source != kNone ? scope.source : sourceOf(node, name);
    const std::string context = "node '" + scope.prefix + name + "' (" + displayText(node.op_type(), 60) + ")";
    switch (routeOf(m_state, node)) {
        case NodeRoute::Constant:
            return importConstant(node, scope).withContext(context);
        case NodeRoute::Function:
            return importFunctionCall(node, name, source, scope);
        case NodeRoute::Op:
            return importOp(node, name, source, scope);
        case NodeRoute::Unsupported:
            return importPlaceholder(node, name, source, scope);
    }
    return Status::ok();
}

Status GraphImporter::importConstant(const strobe_onnx::NodeProto& node, NameScope& scope) {
    STROBE_ASSIGN(const NodeAttributes attributes, readAttributes(m_state, node, scope.attributes));
    if (attributes.values.values().size() != 1 || !attributes.graphs.empty())
        return invalidModel("has " + std::to_string(attributes.values.values().size()) +
                            " values, exactly one of value, sparse_value, value_int … is needed");
    if (node.output_size() != 1 || node.output(0).empty())
        return invalidModel("has " + std::to_string(node.output_size()) + " outputs, 1 is needed");
    const auto& [name, value] = *attributes.values.values().begin();
    const WeightsPtr weights = std::visit(
        [](const auto& v) -> WeightsPtr {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, WeightsPtr>)
                return v;
            else if constexpr (std::is_same_v<T, int64_t>)
                return makeInt64Weights({}, std::vector<int64_t>{v});
            else if constexpr (std::is_same_v<T, float>)
                return makeFloatWeights({}, std::vector<float>{v});
            else if constexpr (std::is_same_v<T, std::string>)
                return makeWeights<std::string>(DataType::String, {}, std::vector<std::string>{v});
            else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
                return makeInt64Weights({static_cast<int64_t>(v.size())}, v);
            else if constexpr (std::is_same_v<T, std::vector<float>>)
                return makeFloatWeights({static_cast<int64_t>(v.size())}, v);
            else
                return makeWeights<std::string>(DataType::String, {static_cast<int64_t>(v.size())}, v);
        },
        value);
    scope.names[node.output(0)] = scope.target->network.addConstant(tensorName(node.output(0), scope), weights);
    return Status::ok();
}

Result<std::vector<TensorId>> GraphImporter::resolveInputs(const strobe_onnx::NodeProto& node, const std::string& name,
                                                           NameScope& scope) {
    std::vector<TensorId> inputs;
    for (int i = 0; i < node.input_size(); ++i) {
        inputs.push_back(node.input(i).empty() ? kNone : lookUp(node.input(i), scope));
        const bool leftOut =
            node.input(i).empty() || scope.names.count(node.input(i)) > 0;  // an optional input of the function call
        if (inputs.back() == kNone && !leftOut)
            return invalidModel("node '" + scope.prefix + name + "' (" + displayText(node.op_type(), 60) + ") reads '" +
                                displayText(node.input(i)) + "' as input " + std::to_string(i) +
                                ", which no node, input or initializer defines; export the model again");
    }
    while (!inputs.empty() && inputs.back() == kNone) inputs.pop_back();
    return inputs;
}

Status GraphImporter::importOp(const strobe_onnx::NodeProto& node, const std::string& name, int source,
                               NameScope& scope) {
    STROBE_ASSIGN(std::vector<TensorId> inputs, resolveInputs(node, name, scope));
    NodeLift lift(scope.target->network, scope.target->uniqueLayerName(scope.prefix + name), {source});
    lift.op = node.op_type();
    lift.domain = normalizedDomain(node.domain());
    const auto version = scope.opsets.find(lift.domain);
    lift.version = version == scope.opsets.end() ? kNewestOpset : version->second;
    lift.inputs = std::move(inputs);
    lift.outputCount = outputCountOf(node);
    const std::string context =
        "node '" + lift.name + "' (" + lift.op + ", opset " + std::to_string(lift.version) + ")";
    Result<NodeAttributes> attributes = readAttributes(m_state, node, scope.attributes);
    if (!attributes) return attributes.status().withContext(context);
    lift.attributes = std::move(attributes->values);
    STROBE_RETURN_IF_ERROR(liftToNewest(lift).withContext(context));
    while (!lift.inputs.empty() && lift.inputs.back() == kNone) lift.inputs.pop_back();
    const OpDefinition* op = OpRegistry::instance().find(lift.op);
    if (!op) return unsupported(context + ": is written with " + lift.op + ", which is not available");
    STROBE_RETURN_IF_ERROR(checkAttributes(m_state, lift, *op, *attributes).withContext(context));
    STROBE_RETURN_IF_ERROR(checkArity(lift, *op).withContext(context));
    std::vector<std::shared_ptr<const Network>> bodies;
    if (!attributes->graphs.empty()) {
        auto imported = importBodies(lift, *attributes, scope);
        if (!imported) return imported.status().withContext(context);
        bodies = std::move(*imported);
    }
    return addLayer(lift, *op, node, std::move(bodies), scope);
}

Status GraphImporter::addLayer(NodeLift& lift, const OpDefinition& op, const strobe_onnx::NodeProto& node,
                               std::vector<std::shared_ptr<const Network>> bodies, NameScope& scope) {
    Network& network = scope.target->network;
    std::vector<TensorId> outputs;
    for (int i = 0; i < lift.outputCount; ++i) {
        const bool wanted = i < node.output_size() && !node.output(i).empty();
        if (wanted)
            outputs.push_back(scope.names[node.output(i)] = network.addTensor(tensorName(node.output(i), scope)));
        else
            outputs.push_back(op.needsOutput(i) ? network.addTensor(unnamedTensor(lift.name, i)) : kNone);
    }
    for (const auto& [index, tensor] : lift.aliases)
        if (index < node.output_size() && !node.output(index).empty()) scope.names[node.output(index)] = tensor;
    const LayerId id =
        network.addLayer(lift.name, &op, std::move(lift.attributes), std::move(lift.inputs), std::move(outputs));
    network.layer(id).provenance = lift.provenance;
    network.layer(id).subgraphs = std::move(bodies);
    return inferLayer(network, id);
}

Status GraphImporter::importPlaceholder(const strobe_onnx::NodeProto& node, const std::string& name, int source,
                                        NameScope& scope) {
    STROBE_ASSIGN(std::vector<TensorId> inputs, resolveInputs(node, name, scope));
    NodeLift lift(scope.target->network, scope.target->uniqueLayerName(scope.prefix + name), {source});
    lift.inputs = std::move(inputs);
    lift.outputCount = outputCountOf(node);
    lift.attributes.set("op_type", displayText(node.op_type()));
    lift.attributes.set("domain", displayText(node.domain()));
    return addLayer(lift, *unsupportedOp(), node, {}, scope);
}

Status GraphImporter::importFunctionCall(const strobe_onnx::NodeProto& node, const std::string& name, int source,
                                         NameScope& scope) {
    const strobe_onnx::FunctionProto& function = *findFunction(m_state, node);
    const std::string context =
        "node '" + scope.prefix + name + "' (function " + displayText(function.name(), 60) + ")";
    if (scope.depth >= kMaxFunctionDepth)
        return invalidModel(context + ": calls are nested more than " + std::to_string(kMaxFunctionDepth) + " deep");
    if (node.input_size() > function.input_size() || node.output_size() > function.output_size())
        return invalidModel(context + ": the call has " + std::to_string(node.input_size()) + " inputs and " +
                            std::to_string(node.output_size()) + " outputs, the function " +
                            std::to_string(function.input_size()) + " and " + std::to_string(function.output_size()));
    NameScope inner;
    inner.target = scope.target;
    inner.opsets = functionOpsets(m_state, function);
    inner.prefix = scope.prefix + name + "/";
    inner.source = source;
    inner.depth = scope.depth + 1;
    for (const auto& attribute : function.attribute_proto()) inner.attributes[attribute.name()] = &attribute;
    for (const auto& attribute : node.attribute()) {
        const auto given = attribute.ref_attr_name().empty() ? scope.attributes.end()
                                                             : scope.attributes.find(attribute.ref_attr_name());
        if (attribute.ref_attr_name().empty())
            inner.attributes[attribute.name()] = &attribute;
        else if (given != scope.attributes.end())
            inner.attributes[attribute.name()] = given->second;
    }
    for (int i = 0; i < node.output_size(); ++i)
        if (!node.output(i).empty()) inner.outputNames[function.output(i)] = tensorName(node.output(i), scope);
    STROBE_ASSIGN(const std::vector<TensorId> inputs, resolveInputs(node, name, scope));
    for (int i = 0; i < function.input_size(); ++i)
        inner.names[function.input(i)] =
            static_cast<size_t>(i) < inputs.size() ? inputs[static_cast<size_t>(i)] : kNone;
    Result<std::vector<int>> order = orderNodes(function);
    if (!order) return order.status().withContext(context);
    for (int index : *order) STROBE_RETURN_IF_ERROR(importNode(function.node(index), index, inner));
    for (int i = 0; i < node.output_size(); ++i) {
        if (node.output(i).empty()) continue;
        const TensorId id = lookUp(function.output(i), inner);
        if (id == kNone)
            return invalidModel(context + ": output '" + displayText(function.output(i)) +
                                "' is defined by no node of the function");
        scope.names[node.output(i)] = id;
    }
    return Status::ok();
}

}  // namespace strobe
