#include "engine_core/runtime/graph_check.h"

#include "engine_core/ops/control_flow.h"
#include "engine_core/ops/op_definition.h"

namespace strobe {
namespace {

/// Every layer runs once, after what it reads was made.
Status checkOrder(const CompiledGraph& graph) {
    std::vector<bool> ran(static_cast<size_t>(graph.network.layerIdCount()), false);
    for (const EngineLayer& engine : graph.layers) {
        const Layer& layer = graph.network.layer(engine.layer);
        if (ran[static_cast<size_t>(engine.layer)]) return invalidModel("layer '" + layer.name + "' runs twice");
        for (TensorId id : layer.inputs) {
            if (id == kNone) continue;
            const LayerId producer = graph.network.tensor(id).producer;
            if (!graph.network.isAlive(id) || (producer != kNone && !ran[static_cast<size_t>(producer)]))
                return invalidModel("layer '" + layer.name + "' reads tensor '" + graph.network.tensor(id).name +
                                    "' before it is made");
        }
        ran[static_cast<size_t>(engine.layer)] = true;
    }
    for (TensorId id : graph.network.outputs())
        if (!graph.network.isAlive(id))
            return invalidModel("network output '" + graph.network.tensor(id).name + "' is made by no layer");
    if (static_cast<int>(graph.layers.size()) != graph.network.layerCount())
        return invalidModel("the engine runs " + std::to_string(graph.layers.size()) + " layers, its network has " +
                            std::to_string(graph.network.layerCount()));
    return Status::ok();
}

Format plainFormat(const Tensor& tensor) {
    return {tensor.type, Layout::Plain, MemoryKind::Host};
}

Status requireFormat(const Tensor& tensor, const Format& found, const Format& needed, const std::string& who) {
    if (found == needed) return Status::ok();
    return invalidModel(who + " has tensor '" + tensor.name + "' as " + found.toString() + ", " + needed.toString() +
                        " is needed");
}

/// What a layer makes: elements of the tensor's type, in a layout that its rank allows, plain on the host where the
/// runtime itself reads them.
Status checkMade(const Tensor& tensor, const Format& made, bool runtimeReads, const std::string& who) {
    const bool hasChannels = tensor.rankKnown && tensor.shape.size() >= 3;
    Format needed = runtimeReads ? plainFormat(tensor) : made;
    needed.type = tensor.type;
    if (!hasChannels) needed.layout = Layout::Plain;
    return requireFormat(tensor, made, needed, who);
}

/// Every tensor is read in the format in which it was made; inputs and constants are plain, on the host.
Status checkFormats(const CompiledGraph& graph) {
    const Network& network = graph.network;
    std::vector<Format> formats;
    for (TensorId id = 0; id < network.tensorCount(); ++id) formats.push_back(plainFormat(network.tensor(id)));
    for (const EngineLayer& engine : graph.layers) {
        const Layer& layer = network.layer(engine.layer);
        const std::string who = "layer '" + layer.name + "'";
        for (size_t i = 0; i < layer.inputs.size(); ++i) {
            if (layer.inputs[i] == kNone) continue;
            const Format& made = formats[static_cast<size_t>(layer.inputs[i])];
            const Tensor& tensor = network.tensor(layer.inputs[i]);
            STROBE_RETURN_IF_ERROR(requireFormat(tensor, engine.inputs[i], made, who));
            if (!engine.bodies.empty()) STROBE_RETURN_IF_ERROR(checkMade(tensor, made, true, who));
        }
        for (size_t o = 0; o < layer.outputs.size(); ++o) {
            if (layer.outputs[o] == kNone) continue;
            const Tensor& tensor = network.tensor(layer.outputs[o]);
            const bool runtimeReads = tensor.isOutput || !engine.bodies.empty();
            STROBE_RETURN_IF_ERROR(checkMade(tensor, engine.outputs[o], runtimeReads, who));
            formats[static_cast<size_t>(tensor.id)] = engine.outputs[o];
        }
    }
    return Status::ok();
}

/// The body of an If, Loop or Scan beside the layer: which of its inputs and outputs belong to which of the layer's.
class BodyCheck {
public:
    BodyCheck(const Network& outer, const Layer& layer, const Network& body)
        : m_outer(outer),
          m_layer(layer),
          m_body(body),
          m_isLoop(layer.op->name == "Loop"),
          m_counts(controlFlowCounts(layer.op->name, layer.attributes, static_cast<int>(layer.inputs.size()))) {}

    Status check() const {
        const size_t skipped = m_layer.op->name == "If" ? 1 : 0;  // the condition is no input of the branches
        const size_t own = m_isLoop ? 1 : 0;                      // the loop's condition is no output of the layer
        const bool divides = m_counts.captures >= 0 && m_counts.states >= 0 && m_counts.scanned >= 0 &&
                             m_counts.own >= static_cast<int>(skipped);
        if (!divides || m_layer.outputs.size() < static_cast<size_t>(m_counts.states))
            return invalidModel("layer '" + m_layer.name + "' has too few inputs or outputs for its attributes");
        if (m_body.inputs().size() != m_layer.inputs.size() - skipped)
            return wrongCount("inputs", m_body.inputs().size(), m_layer.inputs.size() - skipped);
        // The layer need not ask for the last ones.
        if (m_body.outputs().size() < m_layer.outputs.size() + own)
            return wrongCount("outputs", m_body.outputs().size(), m_layer.outputs.size() + own);
        if (skipped) STROBE_RETURN_IF_ERROR(requireOuter(0, DataType::Bool, false));
        for (size_t i = 0; i < m_body.inputs().size(); ++i)
            STROBE_RETURN_IF_ERROR(requireOuter(skipped + i, inputType(i), m_isLoop && i < 2));
        for (size_t o = 0; o < m_layer.outputs.size(); ++o)
            if (m_layer.outputs[o] != kNone)
                STROBE_RETURN_IF_ERROR(requireType(m_outer.tensor(m_layer.outputs[o]), outputType(own + o)));
        for (size_t s = 0; s < static_cast<size_t>(m_counts.states); ++s)
            STROBE_RETURN_IF_ERROR(requireType(input((m_isLoop ? 2 : 0) + s), outputType(own + s)));
        STROBE_RETURN_IF_ERROR(checkMoved(own));
        if (!m_isLoop) return Status::ok();
        STROBE_RETURN_IF_ERROR(requireType(input(0), DataType::Int64));
        STROBE_RETURN_IF_ERROR(requireType(input(1), DataType::Bool));
        return requireType(m_body.tensor(m_body.outputs()[0]), DataType::Bool);
    }

private:
    /// What the runtime copies, cuts and joins. `own`: outputs of the body that are none of the layer's.
    Status checkMoved(size_t own) const {
        const auto states = static_cast<size_t>(m_counts.states), scanned = static_cast<size_t>(m_counts.scanned);
        const std::string who = "layer '" + m_layer.name + "': ";
        for (size_t o = 0; o < m_layer.outputs.size(); ++o)
            STROBE_RETURN_IF_ERROR(requireMovable(who + "output " + std::to_string(o), outputType(own + o),
                                                  m_layer.op->name != "If" && o >= states));
        for (size_t k = 0; k < scanned; ++k)
            STROBE_RETURN_IF_ERROR(requireMovable(who + "scan input " + std::to_string(k), inputType(states + k), true));
        return Status::ok();
    }
    const Tensor& input(size_t index) const { return m_body.tensor(m_body.inputs()[index]); }
    DataType inputType(size_t index) const { return input(index).type; }
    DataType outputType(size_t index) const { return m_body.tensor(m_body.outputs()[index]).type; }

    Status wrongCount(const char* what, size_t found, size_t needed) const {
        return invalidModel("layer '" + m_layer.name + "' has a body with " + std::to_string(found) + " " + what +
                            ", " + std::to_string(needed) + " are needed");
    }
    Status requireType(const Tensor& tensor, DataType needed) const {
        if (tensor.type == needed) return Status::ok();
        return invalidModel("layer '" + m_layer.name + "' and its body disagree on tensor '" + tensor.name +
                            "': " + std::string(dataTypeName(tensor.type)) + " found, " +
                            std::string(dataTypeName(needed)) + " is needed");
    }
    /// Input `index` of the layer is there, unless it may be absent, and of the body's type.
    Status requireOuter(size_t index, DataType needed, bool optional) const {
        const TensorId id = m_layer.inputs[index];
        if (id != kNone) return requireType(m_outer.tensor(id), needed);
        if (optional) return Status::ok();
        return invalidModel("layer '" + m_layer.name + "' lacks input " + std::to_string(index));
    }

    const Network& m_outer;
    const Layer& m_layer;
    const Network& m_body;
    bool m_isLoop;
    ControlFlowCounts m_counts;
};

Status checkBodies(const CompiledGraph& graph) {
    for (const EngineLayer& engine : graph.layers) {
        const Layer& layer = graph.network.layer(engine.layer);
        const size_t needed = layer.op->name == "If" ? 2 : layer.op->name == "Loop" || layer.op->name == "Scan" ? 1 : 0;
        if (engine.bodies.size() != needed)
            return invalidModel("layer '" + layer.name + "' has " + std::to_string(engine.bodies.size()) + " bodies, " +
                                std::to_string(needed) + " are needed");
        for (const auto& body : engine.bodies)
            STROBE_RETURN_IF_ERROR(BodyCheck(graph.network, layer, body->network).check());
    }
    return Status::ok();
}

}  // namespace

Status checkGraph(const CompiledGraph& graph) {
    STROBE_RETURN_IF_ERROR(checkOrder(graph));
    STROBE_RETURN_IF_ERROR(checkBodies(graph));
    return checkFormats(graph);
}

}  // namespace strobe
