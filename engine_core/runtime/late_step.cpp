#include <algorithm>
#include <cstring>

#include "engine_core/runtime/graph_executor.h"

namespace strobe {

/// Hands out memory for outputs whose extent only the kernel knows.
class GraphExecutor::LateAllocator final : public OutputAllocator {
public:
    LateAllocator(GraphExecutor& executor, const Layer& layer, const EngineLayer& chosen) : m_executor(executor), m_layer(layer), m_chosen(chosen) {}
    Result<void*> allocate(int index, const Dims& dims) override {
        const auto o = static_cast<size_t>(index);
        return m_executor.lateMemory(m_layer.outputs[o], dims, storedBytes(dims, m_chosen.outputs[o]));
    }

private:
    GraphExecutor& m_executor;
    const Layer& m_layer;
    const EngineLayer& m_chosen;
};

Result<void*> GraphExecutor::lateMemory(TensorId id, const Dims& dims, size_t bytes) {
    const TensorPlace& place = m_plan->tensors[static_cast<size_t>(id)];
    if (place.kind != TensorPlace::Kind::Late) {
        if (place.dims != dims)
            return internalError("tensor '" + m_graph.network.tensor(id).name + "' came out as " + toString(dims) + ", planned were " + toString(place.dims));
        return pointerOf(id);
    }
    LateTensor& late = m_late[static_cast<size_t>(id)];
    STROBE_ASSIGN(void* memory, late.buffer.reserve(bytes));
    late.dims = dims;
    late.pointer = memory;
    late.known = true;
    return memory;
}

/// Symbolic constants whose symbols were learnt on the way.
Status GraphExecutor::resolveLateInput(TensorId id) {
    if (id == kNone || m_plan->tensors[static_cast<size_t>(id)].kind != TensorPlace::Kind::Late) return Status::ok();
    LateTensor& late = m_late[static_cast<size_t>(id)];
    const Tensor& tensor = m_graph.network.tensor(id);
    if (late.known || !tensor.isSymbolicConstant()) return Status::ok();
    late.symbolic = evaluateSymbolicConstant(tensor, m_symbols);
    if (!late.symbolic) return internalError("tensor '" + tensor.name + "' depends on an extent that is not known yet");
    late.pointer = late.symbolic->data.get();
    late.dims = late.symbolic->dims;
    late.known = true;
    return Status::ok();
}

void GraphExecutor::learnSymbols(const Layer& layer) {
    for (TensorId id : layer.outputs) {
        if (id == kNone || !m_graph.network.tensor(id).rankKnown) continue;
        const Shape& shape = m_graph.network.tensor(id).shape;
        const Dims& dims = dimsOf(id);
        for (size_t d = 0; d < std::min(shape.size(), dims.size()); ++d)
            if (const auto symbol = shape[d].symbolName()) m_symbolsLearnt = m_symbols.try_emplace(*symbol, dims[d]).second || m_symbolsLearnt;
    }
}

/// What the step's inputs turned out to be.
Result<std::vector<ConcreteInput>> GraphExecutor::lateInputs(const Layer& layer, std::vector<TensorView>& views) {
    std::vector<ConcreteInput> inputs;
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
        const TensorId id = layer.inputs[i];
        STROBE_RETURN_IF_ERROR(resolveLateInput(id));
        inputs.push_back(id == kNone ? ConcreteInput{} : ConcreteInput{true, m_graph.network.tensor(id).type, dimsOf(id), nullptr});
        const bool isValue = i < 32 && (layer.op->valueInputs >> i & 1u);
        if (id != kNone && (isValue || m_graph.network.tensor(id).isConstant())) inputs.back().hostData = pointerOf(id);
        views[i] = id == kNone ? TensorView{} : TensorView{pointerOf(id), &dimsOf(id)};
    }
    return inputs;
}

/// Infers the outputs' dims; outputs that the kernel does not allocate itself get their memory.
Result<std::vector<Dims>> GraphExecutor::placeLateOutputs(const Layer& layer, const EngineLayer& chosen, const std::vector<ConcreteInput>& inputs,
                                                          std::vector<TensorView>& views) {
    STROBE_ASSIGN(const auto inferred, inferConcrete(*layer.op, layer.attributes, layer.subgraphs, inputs, static_cast<int>(layer.outputs.size())));
    std::vector<Dims> dims(layer.outputs.size());
    for (size_t o = 0; o < layer.outputs.size(); ++o) {
        if (layer.outputs[o] == kNone) continue;
        dims[o] = inferred[o].dims;
        views[o] = {};
        if (layer.op->dataDependentShape) continue;
        STROBE_ASSIGN(void* memory, lateMemory(layer.outputs[o], dims[o], storedBytes(dims[o], chosen.outputs[o])));
        views[o] = {memory, &dimsOf(layer.outputs[o])};
    }
    return dims;
}

/// Prepared at the first run with these dims and values, then kept for a while.
Result<std::shared_ptr<const Kernel>> GraphExecutor::lateKernel(const PlanStep& step, const std::vector<ConcreteInput>& concrete, const std::vector<Dims>& outputDims,
                                                                const CancelToken& cancel) {
    const EngineLayer& chosen = m_graph.layers[static_cast<size_t>(step.layer)];
    const Layer& layer = m_graph.network.layer(chosen.layer);
    ProblemInputs inputs;
    inputs.threads = m_environment.threads;
    inputs.dims = [&](TensorId id) -> const Dims& {
        const auto output = std::find(layer.outputs.begin(), layer.outputs.end(), id);
        return output == layer.outputs.end() ? dimsOf(id) : outputDims[static_cast<size_t>(output - layer.outputs.begin())];
    };
    std::string values;
    inputs.known = [&](TensorId id) -> KnownData {
        if (const WeightsPtr& constant = m_graph.network.tensor(id).constant) return {constant->data.get(), constantKeyOf(*constant)};
        for (size_t i = 0; i < layer.inputs.size(); ++i) {
            if (layer.inputs[i] != id || !concrete[i].hostData) continue;
            // The kernel may bake these values in: they are part of what it is cached by.
            values.append(static_cast<const char*>(concrete[i].hostData), dataTypeBytes(concrete[i].type, elementCount(concrete[i].dims)));
            return {concrete[i].hostData, {}};
        }
        return {};
    };
    const Problem problem = makeProblem(m_graph.network, layer, inputs, &chosen.inputs, &chosen.outputs);
    // Extents that differ from run to run must not fill the memory.
    constexpr size_t kMostKept = 512;
    if (m_lateKernels.size() >= kMostKept) m_lateKernels.clear();
    std::shared_ptr<const Kernel>& kernel = m_lateKernels[std::to_string(step.layer) + " " + problem.key() + values];
    if (kernel) return kernel;
    std::string tactic;
    PlanEnvironment environment = m_environment.plan;
    environment.cancel = &cancel;
    STROBE_ASSIGN(std::unique_ptr<Kernel> fresh, prepareKernel(problem, chosen, layer.name, environment, tactic));
    kernel = std::move(fresh);
    return kernel;
}

Status GraphExecutor::runLate(const PlanStep& step, const RunScope& scope) {
    const EngineLayer& chosen = m_graph.layers[static_cast<size_t>(step.layer)];
    const Layer& layer = m_graph.network.layer(chosen.layer);
    const auto s = static_cast<size_t>(&step - m_plan->steps.data());
    STROBE_ASSIGN(const std::vector<ConcreteInput> inputs, lateInputs(layer, m_stepInputs[s]));
    STROBE_ASSIGN(const std::vector<Dims> outputDims, placeLateOutputs(layer, chosen, inputs, m_stepOutputs[s]));
    const bool empty = !layer.op->dataDependentShape && std::all_of(outputDims.begin(), outputDims.end(), [](const Dims& d) { return elementCount(d) == 0; });
    if (empty) return learnSymbols(layer), Status::ok();
    STROBE_ASSIGN(const std::shared_ptr<const Kernel> kernel, lateKernel(step, inputs, outputDims, scope.cancel));
    RunArguments arguments;
    arguments.inputs = m_stepInputs[s];
    arguments.outputs = m_stepOutputs[s];
    arguments.stream = m_environment.stream.get();
    LateAllocator allocator(*this, layer, chosen);
    arguments.allocator = &allocator;
    arguments.cancel = &scope.cancel;
    STROBE_ASSIGN(arguments.workspace, m_lateWorkspace.reserve(kernel->workspaceBytes()));
    STROBE_RETURN_IF_ERROR(kernel->run(arguments));
    for (size_t o = 0; o < layer.outputs.size(); ++o)
        if (layer.outputs[o] != kNone) m_stepOutputs[s][o] = {pointerOf(layer.outputs[o]), &dimsOf(layer.outputs[o])};
    learnSymbols(layer);
    return Status::ok();
}

}  // namespace strobe
