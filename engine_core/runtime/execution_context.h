#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/runtime/engine.h"

namespace strobe {

/// What an observer sees of a step that just ran. Pointers are valid during the call only.
struct StepView {
    const CompiledGraph* graph = nullptr;
    int index = 0;                        // into graph->layers
    int depth = 0;                        // 0: the engine's own graph; 1…: inside If, Loop, Scan
    std::span<const TensorView> outputs;  // in graph->layers[index].outputs formats
    Stream* stream = nullptr;             // null on the CPU
};

/// Called around every step, on the thread that runs the context. Costs nothing when absent.
class StepObserver {
public:
    virtual ~StepObserver() = default;
    virtual void stepStarted(const StepView& step) = 0;
    virtual void stepFinished(const StepView& step) = 0;
};

/// The state of one running inference: bound inputs and outputs, memory, the plan for the current shapes. One thread at a time;
/// a second thread inside run() gets an error. Keeps its engine alive.
class ExecutionContext {
public:
    ~ExecutionContext();

    int inputIndex(std::string_view name) const;   // kNone: unknown
    int outputIndex(std::string_view name) const;
    /// Zero-copy: `data` (row-major, the binding's type and alignment, 64 bytes help) is read during run() and stays the caller's. Takes
    /// effect for all following runs.
    Status setInput(int index, const void* data, const Dims& dims);
    /// Zero-copy output: run() writes here when the output's size is at most `bytes`, else fails with OutOfRange. nullptr: the
    /// context's own memory again.
    Status setOutput(int index, void* data, size_t bytes);
    /// Works out the plan for the bound input shapes without running (run() does it when needed).
    Status prepare();
    Status run(StepObserver* observer = nullptr, const CancelToken& cancel = {});

    /// Valid after prepare() for outputs whose shape follows from the inputs', else after run().
    Result<Dims> outputDims(int index) const;
    /// Row-major elements after run(), until the next run or the context's end.
    const void* outputData(int index) const;
    DataType outputType(int index) const;
    /// Memory that this context holds now.
    MemoryFigures memory() const;
    const Engine& engine() const { return *m_engine; }

    struct State;

private:
    friend class Engine;
    ExecutionContext(std::shared_ptr<const Engine> engine, std::unique_ptr<State> state);
    /// All inputs are bound, to shapes that a profile allows.
    Status checkInputs();
    std::shared_ptr<const Engine> m_engine;
    std::unique_ptr<State> m_state;
};

/// Elements of a host tensor in any format as row-major FP32 (integers and bools converted).
std::vector<float> readAsFloats(const void* data, const Dims& dims, const Format& format);

}  // namespace strobe
