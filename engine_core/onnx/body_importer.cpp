#include <algorithm>

#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/graph_importer.h"
#include "onnx.pb.h"

namespace strobe {

Result<std::vector<GraphImporter::Capture>> GraphImporter::findCaptures(
    const std::vector<const strobe_onnx::GraphProto*>& graphs, NameScope& scope, const std::string& name) {
    std::vector<Capture> captures;
    for (const strobe_onnx::GraphProto* graph : graphs)
        for (const std::string& wanted : freeNames(*graph)) {
            if (std::any_of(captures.begin(), captures.end(), [&](const Capture& c) { return c.name == wanted; }))
                continue;
            const TensorId id = lookUp(wanted, scope);
            if (id == kNone)
                return invalidModel("a body of node '" + name + "' reads '" + displayText(wanted) +
                                    "', which neither the body nor the graph around it defines");
            const Tensor& tensor = scope.target->network.tensor(id);
            if (!tensor.isConstant() && !tensor.isSymbolicConstant()) captures.push_back({wanted, id});
        }
    return captures;
}

Result<GraphImporter::Body> GraphImporter::importBody(const strobe_onnx::GraphProto& graph,
                                                      const std::vector<ValueShape>& own,
                                                      const std::vector<Capture>& captures, NameScope& outer) {
    if (static_cast<size_t>(graph.input_size()) != own.size())
        return invalidModel("body '" + displayText(graph.name()) + "' has " + std::to_string(graph.input_size()) +
                            " inputs, " + std::to_string(own.size()) + " are needed");
    NetworkTarget target;
    target.network.setName(displayText(graph.name()));
    // Dims of captured tensors speak of the outer graph's symbols; the body's own must not be taken for them.
    target.network.setSymbolPrefix("b" + std::to_string(m_state.importedNodes) + "u");
    NameScope scope;
    scope.target = &target;
    scope.outer = &outer;
    scope.opsets = outer.opsets;
    scope.attributes = outer.attributes;
    scope.source = outer.source;
    scope.depth = outer.depth;
    for (int i = 0; i < graph.input_size(); ++i) {
        const std::string& name = graph.input(i).name();
        ValueShape value = own[static_cast<size_t>(i)];
        STROBE_ASSIGN(const ValueShape declared, readValueInfo(m_state, graph.input(i)));
        if (declared.type != DataType::Undefined && value.type != DataType::Undefined && declared.type != value.type)
            return invalidModel("body input '" + displayText(name) + "' is declared as " +
                                std::string(dataTypeName(declared.type)) + ", it is given " +
                                std::string(dataTypeName(value.type)));
        if (value.type == DataType::Undefined) value.type = declared.type;
        if (!value.rankKnown) value = {value.type, declared.shape, declared.rankKnown};
        if (scope.names.count(name))
            return invalidModel("body input '" + displayText(name) + "' is given twice; every tensor is defined once");
        const TensorId id = target.network.addInput(displayText(name), value.type, value.shape);
        target.network.tensor(id).rankKnown = value.rankKnown;
        scope.names[name] = id;
    }
    for (const Capture& capture : captures) {
        const Tensor& from = outer.target->network.tensor(capture.tensor);
        const TensorId id = target.network.addInput(displayText(capture.name), from.type, from.shape);
        target.network.tensor(id).rankKnown = from.rankKnown;
        target.network.tensor(id).values = from.values;
        if (!scope.names.count(capture.name)) scope.names[capture.name] = id;
    }
    STROBE_RETURN_IF_ERROR(addInitializers(graph, scope));
    STROBE_RETURN_IF_ERROR(importNodes(graph, scope));
    STROBE_RETURN_IF_ERROR(markOutputs(graph, scope));
    Body body;
    for (TensorId id : target.network.outputs()) {
        const Tensor& tensor = target.network.tensor(id);
        body.outputs.push_back({tensor.type, tensor.shape, tensor.rankKnown});
    }
    target.network.setSourceNodes(m_state.sourceNodes);
    body.network = std::make_shared<const Network>(std::move(target.network));
    return body;
}

namespace {

/// What holds for both: equal extents stay, others get a symbol of their own. True when `value` changed.
bool widen(ValueShape& value, const ValueShape& other, const std::string& symbol) {
    if (!value.rankKnown) return false;
    if (!other.rankKnown || other.shape.size() != value.shape.size()) {
        value.rankKnown = false;
        value.shape.clear();
        return true;
    }
    bool changed = false;
    for (size_t i = 0; i < value.shape.size(); ++i) {
        const Dim unknown = Dim::symbol(symbol + "_d" + std::to_string(i));
        if (value.shape[i] == other.shape[i] || value.shape[i] == unknown) continue;
        value.shape[i] = unknown;
        changed = true;
    }
    return changed;
}

}  // namespace

/// A carried value may change its shape from one iteration to the next: the body is imported with the first shapes, and
/// again with what differs made unknown, until input and output agree.
Result<GraphImporter::Body> GraphImporter::importLoopBody(const strobe_onnx::GraphProto& graph,
                                                          std::vector<ValueShape> own, size_t firstCarried,
                                                          size_t carried, size_t firstOutput,
                                                          const std::vector<Capture>& captures, NameScope& outer) {
    while (true) {
        STROBE_ASSIGN(Body body, importBody(graph, own, captures, outer));
        if (body.outputs.size() < firstOutput + carried)
            return invalidModel("body '" + displayText(graph.name()) + "' has " + std::to_string(body.outputs.size()) +
                                " outputs, " + std::to_string(firstOutput + carried) + " or more are needed");
        bool changed = false;
        for (size_t c = 0; c < carried; ++c) {
            ValueShape& value = own[firstCarried + c];
            const ValueShape& result = body.outputs[firstOutput + c];
            if (value.type != result.type)
                return invalidModel("the value carried by body input '" +
                                    displayText(graph.input(static_cast<int>(firstCarried + c)).name()) + "' is " +
                                    std::string(dataTypeName(value.type)) + " before and " +
                                    std::string(dataTypeName(result.type)) + " after an iteration");
            changed = widen(value, result,
                            "loop_" + identifierText(graph.input(static_cast<int>(firstCarried + c)).name())) ||
                      changed;
        }
        if (!changed) return body;
    }
}

Result<std::vector<ValueShape>> GraphImporter::ownBodyInputs(const NodeLift& lift, const strobe_onnx::GraphProto& body,
                                                             size_t& carried) {
    const auto valueOf = [&](size_t index) -> ValueShape {
        const Tensor* tensor = lift.input(index);
        return tensor ? ValueShape{tensor->type, tensor->shape, tensor->rankKnown} : ValueShape{};
    };
    std::vector<ValueShape> own;
    if (lift.op == "Loop") {
        for (DataType type : {DataType::Int64, DataType::Bool}) {
            ValueShape scalar{type, {}, true};
            if (const int slot = static_cast<int>(own.size()); slot < body.input_size()) {
                STROBE_ASSIGN(const ValueShape declared, readValueInfo(m_state, body.input(slot)));
                if (declared.rankKnown && declared.shape == Shape{Dim(1)}) scalar.shape = declared.shape;
            }
            own.push_back(std::move(scalar));
        }
        carried = lift.inputs.size() > 2 ? lift.inputs.size() - 2 : 0;
        for (size_t i = 2; i < lift.inputs.size(); ++i) own.push_back(valueOf(i));
        return own;
    }
    const int64_t scanned = lift.attributes.getInt("num_scan_inputs", 0);
    if (scanned < 1 || scanned > static_cast<int64_t>(lift.inputs.size()))
        return invalidModel("attribute 'num_scan_inputs' is " + std::to_string(scanned) + ", 1 to " +
                            std::to_string(lift.inputs.size()) + " are allowed");
    carried = lift.inputs.size() - static_cast<size_t>(scanned);
    const std::vector<int64_t> axes =
        lift.attributes.getInts("scan_input_axes", std::vector<int64_t>(static_cast<size_t>(scanned), 0));
    if (axes.size() != static_cast<size_t>(scanned))
        return invalidModel("attribute 'scan_input_axes' has " + std::to_string(axes.size()) + " values, " +
                            std::to_string(scanned) + " are needed");
    for (size_t i = 0; i < lift.inputs.size(); ++i) {
        own.push_back(valueOf(i));
        if (i < carried || !own.back().rankKnown) continue;
        const auto rank = static_cast<int64_t>(own.back().shape.size());
        const int64_t axis = axes[i - carried] < 0 ? axes[i - carried] + rank : axes[i - carried];
        if (axis < 0 || axis >= rank)
            return invalidModel("attribute 'scan_input_axes' holds " + std::to_string(axes[i - carried]) +
                                " for rank " + std::to_string(rank));
        own.back().shape.erase(own.back().shape.begin() + static_cast<std::ptrdiff_t>(axis));
    }
    return own;
}

/// The layer's inputs grow by what its bodies capture; every body lists the same captures after its own inputs.
Result<std::vector<std::shared_ptr<const Network>>> GraphImporter::importBodies(NodeLift& lift,
                                                                                const NodeAttributes& attributes,
                                                                                NameScope& scope) {
    std::vector<const strobe_onnx::GraphProto*> graphs;
    const bool isIf = lift.op == "If";
    for (const char* name :
         isIf ? std::vector<const char*>{"then_branch", "else_branch"} : std::vector<const char*>{"body"}) {
        const auto found = attributes.graphs.find(name);
        if (found == attributes.graphs.end())
            return invalidModel(std::string("attribute '") + name + "' (graph) is missing");
        graphs.push_back(found->second);
    }
    if (!isIf && lift.op != "Loop" && lift.op != "Scan")
        return unsupported(lift.op + " has a body, which only If, Loop and Scan may");
    STROBE_ASSIGN(const std::vector<Capture> captures, findCaptures(graphs, scope, lift.name));
    std::vector<std::shared_ptr<const Network>> bodies;
    if (isIf) {
        for (const strobe_onnx::GraphProto* graph : graphs) {
            STROBE_ASSIGN(Body body, importBody(*graph, {}, captures, scope));
            if (static_cast<int>(body.outputs.size()) < lift.outputCount)
                return invalidModel("branch '" + displayText(graph->name()) + "' has " +
                                    std::to_string(body.outputs.size()) + " outputs, the node " +
                                    std::to_string(lift.outputCount));
            bodies.push_back(std::move(body.network));
        }
    } else {
        size_t carried = 0;
        STROBE_ASSIGN(std::vector<ValueShape> own, ownBodyInputs(lift, *graphs[0], carried));
        const bool isLoop = lift.op == "Loop";
        STROBE_ASSIGN(Body body, importLoopBody(*graphs[0], std::move(own), isLoop ? 2 : 0, carried, isLoop ? 1 : 0,
                                                captures, scope));
        bodies.push_back(std::move(body.network));
        if (isLoop && lift.inputs.size() < 2) lift.inputs.resize(2, kNone);
        lift.outputCount = std::max(lift.outputCount, static_cast<int>(bodies[0]->outputs().size()) - (isLoop ? 1 : 0));
    }
    lift.attributes.set("captures", static_cast<int64_t>(captures.size()));
    for (const Capture& capture : captures) lift.inputs.push_back(capture.tensor);
    return bodies;
}

}  // namespace strobe
