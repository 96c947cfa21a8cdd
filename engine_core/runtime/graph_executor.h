#pragma once
#include <memory>
#include <vector>

#include "engine_core/runtime/execution_context.h"
#include "engine_core/runtime/growing_buffer.h"
#include "engine_core/runtime/plan.h"

namespace strobe {

class LoopMemory;

/// What the executors of one context (the graph's and its bodies') share.
struct ExecutorEnvironment {
    PlanEnvironment plan;
    PlanCache* plans = nullptr;
    int threads = 1;
    std::shared_ptr<Stream> stream;  // null on the CPU
};

struct RunScope {
    LoopMemory& loopMemory;
    StepObserver* observer = nullptr;
    CancelToken cancel;
    int depth = 0;
};

/// Runs one CompiledGraph: binds inputs and outputs, keeps the plan for the current dims, the arenas, and executors for bodies.
class GraphExecutor {
public:
    GraphExecutor(const CompiledGraph& graph, const ExecutorEnvironment& environment);
    ~GraphExecutor();

    void setInput(int index, const void* data, const Dims& dims);
    void setOutput(int index, void* data, size_t bytes);
    /// Symbols of the surroundings that dims of this body's inputs may use.
    void setOuterSymbols(const SymbolValues& symbols);
    Status prepare(const CancelToken* cancel = nullptr);
    Status run(const RunScope& scope);

    /// Known after prepare(), or null until run() when data-dependent.
    const Dims* outputDims(int index) const;
    const void* outputData(int index) const;
    const Plan* plan() const { return m_plan.get(); }
    size_t bytesHeld() const;

private:
    class LateAllocator;
    class BodyRuns;
    class LoopRun;
    class ScanRun;
    struct LateTensor {
        GrowingBuffer buffer;
        Dims dims;
        const void* pointer = nullptr;
        bool known = false;
        WeightsPtr symbolic;  // an evaluated symbolic constant
    };
    struct Output {
        void* userData = nullptr;
        size_t userBytes = 0;
        GrowingBuffer own;
    };

    Status resolve();
    Status bindOutputMemory(int index);
    void* pointerOf(TensorId id) const;
    const Dims& dimsOf(TensorId id) const;
    Status runStep(const PlanStep& step, const RunScope& scope);
    Status runLate(const PlanStep& step, const RunScope& scope);
    Result<std::vector<ConcreteInput>> lateInputs(const Layer& layer, std::vector<TensorView>& views);
    Result<std::vector<Dims>> placeLateOutputs(const Layer& layer, const EngineLayer& chosen, const std::vector<ConcreteInput>& inputs, std::vector<TensorView>& views);
    Result<std::shared_ptr<const Kernel>> lateKernel(const PlanStep& step, const std::vector<ConcreteInput>& inputs, const std::vector<Dims>& outputDims, const CancelToken& cancel);
    Status runControlFlow(const PlanStep& step, const RunScope& scope);
    Status runIf(const PlanStep& step, const RunScope& scope);
    Status runLoop(const PlanStep& step, const RunScope& scope);
    Status runScan(const PlanStep& step, const RunScope& scope);
    GraphExecutor& body(int layer, size_t index);
    Status bindBodyInput(GraphExecutor& executor, int index, TensorId outer);
    /// Copies a host value into tensor `id` of this graph, wherever it lives.
    Status storeTensor(TensorId id, const void* data, const Dims& dims);
    Result<void*> lateMemory(TensorId id, const Dims& dims, size_t bytes);
    Status resolveLateInput(TensorId id);
    /// Learns symbols from the dims that a late step produced.
    void learnSymbols(const Layer& layer);
    Status finishOutputs();
    Status fail(const PlanStep& step, const Status& status) const;

    const CompiledGraph& m_graph;
    const ExecutorEnvironment& m_environment;
    std::vector<const void*> m_inputs;
    std::vector<Dims> m_inputDims;
    std::vector<Output> m_outputs;
    SymbolValues m_outerSymbols, m_symbols;
    std::shared_ptr<const Plan> m_plan;
    bool m_planDirty = true, m_pointersDirty = true;
    bool m_symbolsLearnt = true;  // m_symbols holds more than the plan's
    GrowingBuffer m_arena;
    std::shared_ptr<void> m_deviceArena;
    size_t m_deviceArenaBytes = 0;
    std::vector<LateTensor> m_late;                  // by TensorId
    std::vector<std::vector<TensorView>> m_stepInputs, m_stepOutputs;  // by step, resolved
    std::map<std::string, std::shared_ptr<const Kernel>> m_lateKernels;
    GrowingBuffer m_lateWorkspace;
    std::map<std::pair<int, size_t>, std::unique_ptr<GraphExecutor>> m_bodies;
};

/// Rounds FP32 elements to what `format` can hold (precision preview).
void roundToFormat(float* data, int64_t count, DataType format);

}  // namespace strobe
