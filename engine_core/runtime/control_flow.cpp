#include "engine_core/ops/control_flow.h"

#include <cstring>
#include <limits>

#include "engine_core/runtime/graph_executor.h"
#include "engine_core/runtime/loop_values.h"

namespace strobe {

GraphExecutor& GraphExecutor::body(int layer, size_t index) {
    auto& executor = m_bodies[{layer, index}];
    if (!executor)
        executor =
            std::make_unique<GraphExecutor>(*m_graph.layers[static_cast<size_t>(layer)].bodies[index], m_environment);
    executor->setOuterSymbols(m_symbols);
    return *executor;
}

Status GraphExecutor::bindBodyInput(GraphExecutor& executor, int index, TensorId outer) {
    STROBE_RETURN_IF_ERROR(resolveLateInput(outer));
    executor.setInput(index, pointerOf(outer), dimsOf(outer));
    return Status::ok();
}

Status GraphExecutor::storeTensor(TensorId id, const void* data, const Dims& dims) {
    if (id == kNone) return Status::ok();
    const size_t bytes = dataTypeBytes(m_graph.network.tensor(id).type, elementCount(dims));
    STROBE_ASSIGN(void* target, lateMemory(id, dims, bytes));
    if (bytes > 0 && target != data) std::memcpy(target, data, bytes);
    return Status::ok();
}

Status GraphExecutor::runControlFlow(const PlanStep& step, const RunScope& scope) {
    const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(step.layer)].layer);
    RunScope inner = scope;
    ++inner.depth;
    if (layer.op->name == "If")
        STROBE_RETURN_IF_ERROR(runIf(step, inner));
    else if (layer.op->name == "Loop")
        STROBE_RETURN_IF_ERROR(runLoop(step, inner));
    else
        STROBE_RETURN_IF_ERROR(runScan(step, inner));
    const auto s = static_cast<size_t>(&step - m_plan->steps.data());
    for (size_t o = 0; o < layer.outputs.size(); ++o)
        if (layer.outputs[o] != kNone) m_stepOutputs[s][o] = {pointerOf(layer.outputs[o]), &dimsOf(layer.outputs[o])};
    learnSymbols(layer);
    return Status::ok();
}

Status GraphExecutor::runIf(const PlanStep& step, const RunScope& scope) {
    const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(step.layer)].layer);
    STROBE_RETURN_IF_ERROR(resolveLateInput(layer.inputs[0]));
    if (elementCount(dimsOf(layer.inputs[0])) != 1)
        return invalidArgument("the condition has " + toString(dimsOf(layer.inputs[0])) + " elements, one is needed");
    const bool condition = *static_cast<const uint8_t*>(pointerOf(layer.inputs[0])) != 0;
    GraphExecutor& branch = body(step.layer, condition ? 0 : 1);
    for (size_t i = 1; i < layer.inputs.size(); ++i)
        STROBE_RETURN_IF_ERROR(bindBodyInput(branch, static_cast<int>(i) - 1, layer.inputs[i]));
    STROBE_RETURN_IF_ERROR(branch.prepare(&scope.cancel));
    // Known extents: the branch writes where the result is wanted.
    for (size_t o = 0; o < layer.outputs.size(); ++o) {
        const TensorId id = layer.outputs[o];
        const Dims* dims = branch.outputDims(static_cast<int>(o));
        const bool direct = id != kNone && dims &&
                            m_plan->tensors[static_cast<size_t>(id)].kind != TensorPlace::Kind::Late &&
                            *dims == dimsOf(id);
        if (direct)
            branch.setOutput(static_cast<int>(o), pointerOf(id),
                             dataTypeBytes(m_graph.network.tensor(id).type, elementCount(*dims)));
        else
            branch.setOutput(static_cast<int>(o), nullptr, 0);
    }
    STROBE_RETURN_IF_ERROR(branch.run(scope));
    for (size_t o = 0; o < layer.outputs.size(); ++o)
        STROBE_RETURN_IF_ERROR(storeTensor(layer.outputs[o], branch.outputData(static_cast<int>(o)),
                                           *branch.outputDims(static_cast<int>(o))));
    return Status::ok();
}

/// What Loop and Scan have in common: values carried from one run of the body to the next, slices gathered, captures.
class GraphExecutor::BodyRuns {
public:
    BodyRuns(GraphExecutor& graph, const PlanStep& step, const RunScope& scope)
        : m_graph(graph),
          m_scope(scope),
          m_layer(graph.m_graph.network.layer(graph.m_graph.layers[static_cast<size_t>(step.layer)].layer)),
          m_body(graph.body(step.layer, 0)),
          m_counts(controlFlowCounts(m_layer.op->name, m_layer.attributes, static_cast<int>(m_layer.inputs.size()))) {}

protected:
    size_t states() const { return static_cast<size_t>(m_counts.states); }
    size_t results() const { return m_layer.outputs.size() - states(); }
    const Tensor& bodyInput(size_t index) const {
        return m_body.m_graph.network.tensor(m_body.m_graph.network.inputs()[index]);
    }
    const Tensor& bodyOutput(size_t index) const {
        return m_body.m_graph.network.tensor(m_body.m_graph.network.outputs()[index]);
    }

    /// Initial values are the layer's inputs from `firstState` on.
    Status start(size_t firstState) {
        for (TensorId id : m_layer.inputs) STROBE_RETURN_IF_ERROR(m_graph.resolveLateInput(id));
        for (size_t g = 0; g < results(); ++g) m_gathered.emplace_back(&m_scope.loopMemory);
        for (size_t c = 0; c < states(); ++c) {
            m_carried.emplace_back(m_scope.loopMemory);
            const TensorId id = m_layer.inputs[firstState + c];
            const DataType type = m_graph.m_graph.network.tensor(id).type;
            STROBE_RETURN_IF_ERROR(m_carried[c].assign(m_graph.pointerOf(id), m_graph.dimsOf(id), type));
        }
        return Status::ok();
    }

    /// Runs the body once; the iteration's own inputs are bound already. `firstState`: the first carried value among
    /// the body's inputs, `firstOutput` among its outputs.
    Status turn(size_t firstState, size_t firstOutput) {
        if (m_scope.cancel.isCancelled()) return cancelled();
        for (size_t c = 0; c < states(); ++c)
            m_body.setInput(static_cast<int>(firstState + c), m_carried[c].data(), m_carried[c].dims());
        const auto captures = static_cast<size_t>(m_counts.captures);
        for (size_t k = 0; k < captures; ++k)
            STROBE_RETURN_IF_ERROR(m_graph.bindBodyInput(m_body,
                                                         static_cast<int>(m_body.m_inputs.size() - captures + k),
                                                         m_layer.inputs[m_layer.inputs.size() - captures + k]));
        STROBE_RETURN_IF_ERROR(m_body.run(m_scope));
        for (size_t o = 0; o < states() + results(); ++o) {
            const auto index = static_cast<int>(firstOutput + o);
            const void* data = m_body.outputData(index);
            const DataType type = bodyOutput(firstOutput + o).type;
            if (o < states())
                STROBE_RETURN_IF_ERROR(m_carried[o].assign(data, *m_body.outputDims(index), type));
            else
                STROBE_RETURN_IF_ERROR(m_gathered[o - states()].append(data, *m_body.outputDims(index), type));
        }
        return Status::ok();
    }

    Status storeStates() {
        for (size_t c = 0; c < states(); ++c)
            STROBE_RETURN_IF_ERROR(
                m_graph.storeTensor(m_layer.outputs[c], m_carried[c].data(), m_carried[c].dims()));
        return Status::ok();
    }
    Status storeGathered(size_t index, size_t firstOutput, int64_t axis, bool reverse) {
        GatheredSlices& gathered = m_gathered[index];
        const Tensor& slice = bodyOutput(firstOutput + states() + index);
        if (gathered.count() == 0)
            gathered.setSliceDims(evaluate(slice.shape, m_graph.m_symbols).value_or(Dims(slice.shape.size(), 0)));
        const auto rank = static_cast<int64_t>(gathered.sliceDims().size());
        if (axis < 0) axis += rank + 1;
        if (axis < 0 || axis > rank)
            return invalidModel("an output axis lies outside slices of shape " + toString(gathered.sliceDims()));
        const TensorId id = m_layer.outputs[states() + index];
        if (id == kNone) return Status::ok();
        const Dims dims = gathered.joinedDims(axis);
        STROBE_ASSIGN(void* target, m_graph.lateMemory(id, dims, dataTypeBytes(slice.type, elementCount(dims))));
        gathered.join(axis, reverse, dataTypeBytes(slice.type, 1), target);
        return Status::ok();
    }

    GraphExecutor& m_graph;
    const RunScope& m_scope;
    const Layer& m_layer;
    GraphExecutor& m_body;
    ControlFlowCounts m_counts;
    std::vector<CarriedValue> m_carried;
    std::vector<GatheredSlices> m_gathered;
};

/// ONNX Loop: inputs M?, cond?, v…, captures…; body: iteration, cond, v…, captures… → cond, v…, scan….
class GraphExecutor::LoopRun final : BodyRuns {
public:
    using BodyRuns::BodyRuns;
    Status run() {
        STROBE_RETURN_IF_ERROR(start(2));
        const TensorId most = m_layer.inputs[0], first = m_layer.inputs[1];
        for (TensorId id : {most, first})
            if (id != kNone && elementCount(m_graph.dimsOf(id)) != 1)
                return invalidArgument("trip count or condition has shape " + toString(m_graph.dimsOf(id)) +
                                       ", one element is needed");
        const int64_t trips =
            most == kNone ? std::numeric_limits<int64_t>::max() : *static_cast<const int64_t*>(m_graph.pointerOf(most));
        uint8_t condition = first == kNone ? 1 : *static_cast<const uint8_t*>(m_graph.pointerOf(first));
        for (int64_t iteration = 0; iteration < trips && condition; ++iteration) {
            m_body.setInput(0, &iteration, bodyInput(0).shape.empty() ? Dims{} : Dims{1});
            m_body.setInput(1, &condition, bodyInput(1).shape.empty() ? Dims{} : Dims{1});
            STROBE_RETURN_IF_ERROR(turn(2, 1));
            condition = *static_cast<const uint8_t*>(m_body.outputData(0));
        }
        STROBE_RETURN_IF_ERROR(storeStates());
        for (size_t g = 0; g < results(); ++g) STROBE_RETURN_IF_ERROR(storeGathered(g, 1, 0, false));
        return Status::ok();
    }
};

/// ONNX Scan (opset 9): inputs states…, scanned…, captures…; body: states…, slices…, captures… → states…, slices….
class GraphExecutor::ScanRun final : BodyRuns {
public:
    using BodyRuns::BodyRuns;
    Status run() {
        STROBE_RETURN_IF_ERROR(start(0));
        STROBE_RETURN_IF_ERROR(cutInputs());
        const std::vector<int64_t> directions = perTensor("scan_input_directions", m_slices.size());
        for (int64_t i = 0; i < m_length; ++i) {
            for (size_t k = 0; k < m_slices.size(); ++k)
                m_body.setInput(static_cast<int>(states() + k), m_slices[k].slice(directions[k] ? m_length - 1 - i : i),
                                m_slices[k].sliceDims());
            STROBE_RETURN_IF_ERROR(turn(0, 0));
        }
        STROBE_RETURN_IF_ERROR(storeStates());
        const std::vector<int64_t> axes = perTensor("scan_output_axes", results()),
                                   reversed = perTensor("scan_output_directions", results());
        for (size_t g = 0; g < results(); ++g) STROBE_RETURN_IF_ERROR(storeGathered(g, 0, axes[g], reversed[g] != 0));
        return Status::ok();
    }

private:
    std::vector<int64_t> perTensor(const char* attribute, size_t count) const {
        std::vector<int64_t> values = m_layer.attributes.getInts(attribute);
        values.resize(count, 0);
        return values;
    }

    Status cutInputs() {
        const auto scanned = static_cast<size_t>(m_counts.scanned);
        const std::vector<int64_t> axes = perTensor("scan_input_axes", scanned);
        for (size_t k = 0; k < scanned; ++k) {
            const TensorId id = m_layer.inputs[states() + k];
            const Dims& dims = m_graph.dimsOf(id);
            const int64_t axis = axes[k] < 0 ? axes[k] + static_cast<int64_t>(dims.size()) : axes[k];
            if (axis < 0 || axis >= static_cast<int64_t>(dims.size()))
                return invalidModel("attribute 'scan_input_axes' holds " + std::to_string(axes[k]));
            const size_t element = dataTypeBytes(m_graph.m_graph.network.tensor(id).type, 1);
            STROBE_ASSIGN(GatheredSlices slices, GatheredSlices::cut(m_graph.pointerOf(id), dims, axis, element));
            if (k > 0 && slices.count() != m_length)
                return invalidArgument("scanned inputs have " + std::to_string(m_length) + " and " +
                                       std::to_string(slices.count()) + " slices");
            m_length = slices.count();
            m_slices.push_back(std::move(slices));
        }
        return Status::ok();
    }

    std::vector<GatheredSlices> m_slices;
    int64_t m_length = 0;
};

Status GraphExecutor::runLoop(const PlanStep& step, const RunScope& scope) {
    return LoopRun(*this, step, scope).run();
}

Status GraphExecutor::runScan(const PlanStep& step, const RunScope& scope) {
    return ScanRun(*this, step, scope).run();
}

}  // namespace strobe
