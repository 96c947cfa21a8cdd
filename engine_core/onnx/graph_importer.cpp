#include "engine_core/onnx/graph_importer.h"

#include <algorithm>

#include "engine_core/onnx/display_text.h"
#include "onnx.pb.h"

namespace strobe {

std::string NetworkTarget::uniqueLayerName(const std::string& wanted) {
    const int count = layerNames[wanted]++;
    if (count == 0) return wanted;
    return uniqueLayerName(wanted + "." + std::to_string(count));
}

Status importMainGraph(ImportState& state) {
    return GraphImporter(state).importMain();
}

Status GraphImporter::importMain() {
    const strobe_onnx::GraphProto& graph = m_state.model.graph();
    NetworkTarget target;
    target.network.setName(displayText(graph.name()));
    NameScope scope;
    scope.target = &target;
    scope.opsets = m_state.opsets;
    STROBE_RETURN_IF_ERROR(addInitializers(graph, scope));
    STROBE_RETURN_IF_ERROR(addMainInputs(graph, scope));
    STROBE_RETURN_IF_ERROR(importNodes(graph, scope));
    STROBE_RETURN_IF_ERROR(markOutputs(graph, scope));
    target.network.setSourceNodes(m_state.sourceNodes);
    m_state.out.network = std::move(target.network);
    return Status::ok();
}

Status GraphImporter::addInitializers(const strobe_onnx::GraphProto& graph, NameScope& scope) {
    const auto add = [&](const std::string& name, Result<WeightsPtr> weights) {
        if (!weights) return weights.status();
        if (name.empty()) return invalidModel("an initializer has no name; export the model again");
        if (scope.names.count(name))
            return invalidModel("tensor '" + displayText(name) +
                                "' is an initializer twice; every tensor is defined once");
        scope.names[name] = scope.target->network.addConstant(displayText(name), *weights);
        return Status::ok();
    };
    for (const auto& tensor : graph.initializer()) {
        if (m_state.options.cancel.isCancelled()) return cancelled();
        STROBE_RETURN_IF_ERROR(add(tensor.name(), m_state.reader.read(tensor)));
    }
    for (const auto& tensor : graph.sparse_initializer())
        STROBE_RETURN_IF_ERROR(add(tensor.values().name(), m_state.reader.read(tensor)));
    return Status::ok();
}

Status GraphImporter::addMainInputs(const strobe_onnx::GraphProto& graph, NameScope& scope) {
    for (const auto& input : graph.input()) {
        if (input.name().empty()) return invalidModel("a graph input has no name; export the model again");
        // Before IR 4 every initializer was listed as an input; since then it is a default value. Both are constants
        // here.
        if (const auto known = scope.names.find(input.name()); known != scope.names.end()) {
            if (scope.target->network.tensor(known->second).isInput)
                return invalidModel("tensor '" + displayText(input.name()) +
                                    "' is a graph input twice; every tensor is defined once");
            continue;
        }
        STROBE_ASSIGN(ValueShape value, readValueInfo(m_state, input));
        if (value.type == DataType::Undefined)
            return invalidModel("tensor '" + displayText(input.name()) +
                                "' is a graph input without an element type; export the model again");
        const TensorId id =
            scope.target->network.addInput(displayText(input.name()), value.type, std::move(value.shape));
        scope.target->network.tensor(id).rankKnown = value.rankKnown;
        scope.names[input.name()] = id;
    }
    return Status::ok();
}

Status GraphImporter::importNodes(const strobe_onnx::GraphProto& graph, NameScope& scope) {
    std::unordered_map<std::string, const strobe_onnx::ValueInfoProto*> declared;
    for (const auto& info : graph.value_info()) declared[info.name()] = &info;
    STROBE_ASSIGN(const std::vector<int> order, orderNodes(graph));
    for (int index : order) {
        const strobe_onnx::NodeProto& node = graph.node(index);
        STROBE_RETURN_IF_ERROR(importNode(node, index, scope));
        for (const std::string& output : node.output()) {
            const auto info = declared.find(output);
            const auto tensor = scope.names.find(output);
            if (info == declared.end() || tensor == scope.names.end()) continue;
            STROBE_RETURN_IF_ERROR(checkDeclared(*info->second, scope.target->network.tensor(tensor->second), false));
        }
    }
    return Status::ok();
}

namespace {

std::string describe(DataType type, const Shape& shape, bool rankKnown) {
    return std::string(dataTypeName(type)) + (rankKnown ? toString(shape) : std::string("[?]"));
}

bool shapesContradict(const Shape& a, const Shape& b) {
    if (a.size() != b.size()) return true;
    for (size_t i = 0; i < a.size(); ++i)
        if (a[i].isConstant() && b[i].isConstant() && a[i] != b[i]) return true;
    return false;
}

}  // namespace

Status GraphImporter::checkDeclared(const strobe_onnx::ValueInfoProto& info, const Tensor& tensor, bool isOutput) {
    const Result<ValueShape> declared = readValueInfo(m_state, info);
    if (!declared) {
        if (isOutput) return declared.status();
        m_state.warn(tensor.name, "its value_info is not used: " + declared.status().message());
        return Status::ok();
    }
    const bool typeDiffers = declared->type != DataType::Undefined && declared->type != tensor.type;
    const bool shapeDiffers =
        declared->rankKnown && tensor.rankKnown && shapesContradict(declared->shape, tensor.shape);
    if (!typeDiffers && !shapeDiffers) return Status::ok();
    const std::string message = "is declared as " + describe(declared->type, declared->shape, declared->rankKnown) +
                                ", shape inference gives " + describe(tensor.type, tensor.shape, tensor.rankKnown);
    // Exporters write symbolic declarations carelessly; a constant one is what the author relies on.
    if (isOutput && (typeDiffers || isConstant(declared->shape)))
        return invalidModel("output '" + tensor.name + "' " + message +
                            "; correct the declaration or export the model again");
    m_state.warn(tensor.name, message, "the inferred one is used");
    return Status::ok();
}

Status GraphImporter::markOutputs(const strobe_onnx::GraphProto& graph, NameScope& scope) {
    Network& network = scope.target->network;
    for (const auto& output : graph.output()) {
        TensorId id = lookUp(output.name(), scope);
        if (id == kNone)
            return invalidModel("graph output '" + displayText(output.name()) +
                                "' is defined by no node, input or initializer; export the model again");
        // A value that is an input, an output already, or known by another name (a function passed it through) gets a
        // tensor of its own: outputs are told apart by name.
        const Tensor& found = network.tensor(id);
        if (found.isInput || found.isOutput || (found.name != displayText(output.name()) && !found.constant)) {
            const OpDefinition* identity = OpRegistry::instance().find("Identity");
            if (!identity)
                return unsupported("graph output '" + displayText(output.name()) +
                                   "' is also an input or another output");
            const TensorId copy = network.addTensor(displayText(output.name()));
            const LayerId layer = network.addLayer(
                scope.target->uniqueLayerName(displayText(output.name()) + "/Identity"), identity, {}, {id}, {copy});
            STROBE_RETURN_IF_ERROR(inferLayer(network, layer));
            id = copy;
        }
        STROBE_RETURN_IF_ERROR(checkDeclared(output, network.tensor(id), true));
        network.markOutput(id);
    }
    if (graph.output_size() == 0 && !scope.outer)
        return invalidModel("the graph has no output; at least one is needed");
    return Status::ok();
}

TensorId GraphImporter::lookUp(const std::string& name, NameScope& scope) {
    if (const auto found = scope.names.find(name); found != scope.names.end()) return found->second;
    if (!scope.outer) return kNone;
    const TensorId outerId = lookUp(name, *scope.outer);
    if (outerId == kNone) return kNone;
    const Tensor& tensor = scope.outer->target->network.tensor(outerId);
    Network& network = scope.target->network;
    TensorId id = kNone;
    if (tensor.isConstant())
        id = network.addConstant(tensor.name, tensor.constant);
    else if (tensor.isSymbolicConstant())
        id = network.addSymbolicConstant(tensor.name, *tensor.values, tensor.shape.empty());
    if (id != kNone) scope.names[name] = id;
    return id;
}

}  // namespace strobe
