#include "engine_core/runtime/graph_executor.h"

#include <algorithm>
#include <cstring>

#include "engine_core/base/float_formats.h"

namespace strobe {

void roundToFormat(float* data, int64_t count, DataType format) {
    switch (format) {
        case DataType::Float16:
            for (int64_t i = 0; i < count; ++i) data[i] = float16ToFloat(floatToFloat16(data[i]));
            return;
        case DataType::BFloat16:
            for (int64_t i = 0; i < count; ++i) data[i] = bfloat16ToFloat(floatToBFloat16(data[i]));
            return;
        case DataType::Float8E4M3FN:
            for (int64_t i = 0; i < count; ++i) data[i] = float8E4M3FNToFloat(floatToFloat8E4M3FN(data[i]));
            return;
        default: return;
    }
}

GraphExecutor::GraphExecutor(const CompiledGraph& graph, const ExecutorEnvironment& environment)
    : m_graph(graph), m_environment(environment), m_inputs(graph.network.inputs().size(), nullptr), m_inputDims(graph.network.inputs().size()),
      m_outputs(graph.network.outputs().size()), m_late(static_cast<size_t>(graph.network.tensorCount())) {}

GraphExecutor::~GraphExecutor() = default;

void GraphExecutor::setInput(int index, const void* data, const Dims& dims) {
    const auto i = static_cast<size_t>(index);
    if (m_inputs[i] != data) m_pointersDirty = true;
    m_inputs[i] = data;
    if (m_inputDims[i] == dims) return;
    m_planDirty = true;
    m_inputDims[i] = dims;
}

void GraphExecutor::setOutput(int index, void* data, size_t bytes) {
    Output& output = m_outputs[static_cast<size_t>(index)];
    if (output.userData != data || output.userBytes != bytes) m_pointersDirty = true;
    output.userData = data;
    output.userBytes = bytes;
}

void GraphExecutor::setOuterSymbols(const SymbolValues& symbols) {
    if (symbols == m_outerSymbols) return;
    m_outerSymbols = symbols;
    m_planDirty = true;
}

Status GraphExecutor::prepare(const CancelToken* cancel) {
    if (m_planDirty) {
        PlanEnvironment environment = m_environment.plan;
        environment.cancel = cancel;
        STROBE_ASSIGN(m_plan, m_environment.plans->get(m_graph, m_inputDims, m_outerSymbols, m_environment.threads, environment));
        m_planDirty = false;
        m_pointersDirty = m_symbolsLearnt = true;
    }
    return m_pointersDirty ? resolve() : Status::ok();
}

Status GraphExecutor::bindOutputMemory(int index) {
    Output& output = m_outputs[static_cast<size_t>(index)];
    const TensorId id = m_graph.network.outputs()[static_cast<size_t>(index)];
    const TensorPlace& place = m_plan->tensors[static_cast<size_t>(id)];
    if (place.kind == TensorPlace::Kind::Late) return Status::ok();
    const size_t bytes = dataTypeBytes(m_graph.network.tensor(id).type, elementCount(place.dims));
    // The last step of a run on a device copies into it and waits, so nothing else is ever under way to pinned memory.
    if (!output.userData) return output.own.reserve(bytes, m_environment.plan.device).status();
    if (bytes <= output.userBytes) return Status::ok();
    return outOfRange("output '" + m_graph.network.tensor(id).name + "' " + toString(place.dims) + " takes " + std::to_string(bytes) + " bytes, the bound memory has " +
                      std::to_string(output.userBytes));
}

/// Fills every step's views, so that run() only walks an array.
Status GraphExecutor::resolve() {
    STROBE_RETURN_IF_ERROR(m_arena.reserve(m_plan->hostBytes).status());
    if (m_plan->deviceBytes > m_deviceArenaBytes) {
        STROBE_ASSIGN(m_deviceArena, m_environment.plan.device->allocate(m_plan->deviceBytes));
        m_deviceArenaBytes = m_plan->deviceBytes;
    }
    for (size_t i = 0; i < m_outputs.size(); ++i) STROBE_RETURN_IF_ERROR(bindOutputMemory(static_cast<int>(i)));
    m_stepInputs.assign(m_plan->steps.size(), {});
    m_stepOutputs.assign(m_plan->steps.size(), {});
    for (size_t s = 0; s < m_plan->steps.size(); ++s) {
        const Layer& layer = m_graph.network.layer(m_graph.layers[static_cast<size_t>(m_plan->steps[s].layer)].layer);
        const auto view = [&](TensorId id) { return id == kNone ? TensorView{} : TensorView{pointerOf(id), &dimsOf(id)}; };
        for (TensorId id : layer.inputs) m_stepInputs[s].push_back(view(id));
        for (TensorId id : layer.outputs) m_stepOutputs[s].push_back(view(id));
    }
    m_pointersDirty = false;
    return Status::ok();
}

void* GraphExecutor::pointerOf(TensorId id) const {
    const TensorPlace& place = m_plan->tensors[static_cast<size_t>(id)];
    switch (place.kind) {
        case TensorPlace::Kind::Constant: return const_cast<void*>(place.pointer);
        case TensorPlace::Kind::Input: return const_cast<void*>(m_inputs[static_cast<size_t>(place.index)]);
        case TensorPlace::Kind::Output: {
            const Output& output = m_outputs[static_cast<size_t>(place.index)];
            return output.userData ? output.userData : output.own.data();
        }
        case TensorPlace::Kind::Arena: return static_cast<uint8_t*>(m_arena.data()) + place.offset;
        case TensorPlace::Kind::Device: return static_cast<uint8_t*>(m_deviceArena.get()) + place.offset;
        case TensorPlace::Kind::Late: return const_cast<void*>(m_late[static_cast<size_t>(id)].pointer);
        case TensorPlace::Kind::None: break;
    }
    return nullptr;
}

const Dims& GraphExecutor::dimsOf(TensorId id) const {
    const TensorPlace& place = m_plan->tensors[static_cast<size_t>(id)];
    return place.kind == TensorPlace::Kind::Late ? m_late[static_cast<size_t>(id)].dims : place.dims;
}

Status GraphExecutor::fail(const PlanStep& step, const Status& status) const {
    if (status.code() == ErrorCode::Cancelled) return status;
    const EngineLayer& chosen = m_graph.layers[static_cast<size_t>(step.layer)];
    // Only the host sees values, and may refuse one. What a device was prepared for, it must run.
    const bool isFailure = step.onDevice && status.code() == ErrorCode::Unsupported;
    const Status known = isFailure ? internalError(status.message()) : status;
    return known.withContext("layer '" + m_graph.network.layer(chosen.layer).name + "' (" + chosen.tactic + ")");
}

Status GraphExecutor::run(const RunScope& scope) {
    STROBE_RETURN_IF_ERROR(prepare(&scope.cancel));
    if (m_symbolsLearnt) m_symbols = m_plan->symbols;
    m_symbolsLearnt = false;
    for (TensorId id : m_plan->lateTensors) m_late[static_cast<size_t>(id)].known = false;
    for (size_t s = 0; s < m_plan->steps.size(); ++s) {
        const PlanStep& step = m_plan->steps[s];
        if (scope.cancel.isCancelled()) return cancelled();
        StepView view{&m_graph, step.layer, scope.depth, m_stepOutputs[s], m_environment.stream.get()};
        if (scope.observer) scope.observer->stepStarted(view);
        if (const Status status = runStep(step, scope); !status.isOk()) return fail(step, status);
        if (scope.observer) {
            view.outputs = m_stepOutputs[s];
            scope.observer->stepFinished(view);
        }
    }
    return finishOutputs();
}

Status GraphExecutor::runStep(const PlanStep& step, const RunScope& scope) {
    const auto s = static_cast<size_t>(&step - m_plan->steps.data());
    switch (step.kind) {
        case PlanStep::Kind::Nothing: return Status::ok();
        case PlanStep::Kind::Late: STROBE_RETURN_IF_ERROR(runLate(step, scope)); break;
        case PlanStep::Kind::ControlFlow: STROBE_RETURN_IF_ERROR(runControlFlow(step, scope)); break;
        case PlanStep::Kind::Kernel: {
            RunArguments arguments;
            arguments.inputs = m_stepInputs[s];
            arguments.outputs = m_stepOutputs[s];
            arguments.stream = m_environment.stream.get();
            arguments.cancel = &scope.cancel;
            uint8_t* arena = static_cast<uint8_t*>(step.onDevice ? m_deviceArena.get() : m_arena.data());
            arguments.workspace = step.workspaceBytes > 0 ? arena + step.workspaceOffset : nullptr;
            STROBE_RETURN_IF_ERROR(step.kernel->run(arguments));
            break;
        }
    }
    const EngineLayer& chosen = m_graph.layers[static_cast<size_t>(step.layer)];
    if (chosen.roundOutputs == DataType::Undefined) return Status::ok();
    for (size_t o = 0; o < m_stepOutputs[s].size(); ++o)
        if (m_stepOutputs[s][o].data && chosen.outputs[o].type == DataType::Float32)
            roundToFormat(m_stepOutputs[s][o].as<float>(), storedElementCount(*m_stepOutputs[s][o].dims, chosen.outputs[o].layout), chosen.roundOutputs);
    return Status::ok();
}

/// Outputs that no step wrote in place: late ones, inputs and constants passed through, and one tensor named twice.
Status GraphExecutor::finishOutputs() {
    for (size_t i = 0; i < m_outputs.size(); ++i) {
        const TensorId id = m_graph.network.outputs()[i];
        const TensorPlace& place = m_plan->tensors[static_cast<size_t>(id)];
        if (place.kind == TensorPlace::Kind::Output && place.index == static_cast<int>(i)) continue;
        STROBE_RETURN_IF_ERROR(resolveLateInput(id));
        const size_t bytes = dataTypeBytes(m_graph.network.tensor(id).type, elementCount(dimsOf(id)));
        Output& output = m_outputs[i];
        void* target = output.userData;
        if (target && bytes > output.userBytes)
            return outOfRange("output '" + m_graph.network.tensor(id).name + "' " + toString(dimsOf(id)) + " takes " + std::to_string(bytes) +
                              " bytes, the bound memory has " + std::to_string(output.userBytes));
        if (!target) {
            STROBE_ASSIGN(target, output.own.reserve(bytes));
        }
        if (bytes > 0) std::memcpy(target, pointerOf(id), bytes);
    }
    return Status::ok();
}

const Dims* GraphExecutor::outputDims(int index) const {
    if (!m_plan) return nullptr;
    const TensorId id = m_graph.network.outputs()[static_cast<size_t>(index)];
    if (m_plan->tensors[static_cast<size_t>(id)].kind == TensorPlace::Kind::Late && !m_late[static_cast<size_t>(id)].known) return nullptr;
    return &dimsOf(id);
}

const void* GraphExecutor::outputData(int index) const {
    const Output& output = m_outputs[static_cast<size_t>(index)];
    return output.userData ? output.userData : output.own.data();
}

size_t GraphExecutor::bytesHeld() const {
    size_t bytes = m_arena.capacity() + m_deviceArenaBytes + m_lateWorkspace.capacity();
    for (const Output& output : m_outputs) bytes += output.own.capacity();
    for (const LateTensor& late : m_late) bytes += late.buffer.capacity();
    for (const auto& entry : m_bodies) bytes += entry.second->bytesHeld();
    return bytes;
}

}  // namespace strobe
