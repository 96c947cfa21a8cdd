#include "engine_core/runtime/execution_context.h"

#include <atomic>
#include <thread>

#include "engine_core/builder/builder.h"
#include "engine_core/runtime/engine_shared.h"
#include "engine_core/runtime/graph_executor.h"
#include "engine_core/runtime/loop_values.h"

namespace strobe {

struct ExecutionContext::State {
    ExecutorEnvironment environment;
    std::unique_ptr<GraphExecutor> executor;
    std::map<std::string, Dims> shapes;
    bool shapesChecked = false;
    std::atomic<bool> running{false};
};

ExecutionContext::ExecutionContext(std::shared_ptr<const Engine> engine, std::unique_ptr<State> state)
    : m_engine(std::move(engine)), m_state(std::move(state)) {}
ExecutionContext::~ExecutionContext() = default;

Result<std::unique_ptr<ExecutionContext>> Engine::createContext(int threads) const {
    auto state = std::make_unique<ExecutionContext::State>();
    state->environment.plan = {&m_kernels, &m_shared->packedWeights, m_shared->device.get()};
    state->environment.plans = &m_shared->plans;
    const int hardware = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    state->environment.threads = threads > 0 ? threads : m_parts.config.threads > 0 ? m_parts.config.threads : hardware;
    if (m_shared->device) {
        STROBE_ASSIGN(std::unique_ptr<Stream> stream, m_shared->device->createStream());
        state->environment.stream = std::move(stream);
    }
    state->executor = std::make_unique<GraphExecutor>(graph(), state->environment);
    return std::unique_ptr<ExecutionContext>(new ExecutionContext(shared_from_this(), std::move(state)));
}

namespace {

int indexOf(const std::vector<BindingInfo>& bindings, std::string_view name) {
    for (size_t i = 0; i < bindings.size(); ++i)
        if (bindings[i].name == name) return static_cast<int>(i);
    return kNone;
}

}  // namespace

int ExecutionContext::inputIndex(std::string_view name) const { return indexOf(m_engine->inputs(), name); }
int ExecutionContext::outputIndex(std::string_view name) const { return indexOf(m_engine->outputs(), name); }

Status ExecutionContext::setInput(int index, const void* data, const Dims& dims) {
    const auto& inputs = m_engine->graph().network.inputs();
    if (index < 0 || index >= static_cast<int>(inputs.size()))
        return invalidArgument("input " + std::to_string(index) + " does not exist; the engine has " + std::to_string(inputs.size()));
    const Tensor& tensor = m_engine->graph().network.tensor(inputs[static_cast<size_t>(index)]);
    Dims& known = m_state->shapes[tensor.name];
    if (known != dims || !m_state->shapesChecked) {
        known = dims;
        m_state->shapesChecked = false;
    }
    m_state->executor->setInput(index, data, dims);
    return Status::ok();
}

Status ExecutionContext::setOutput(int index, void* data, size_t bytes) {
    const auto count = m_engine->graph().network.outputs().size();
    if (index < 0 || index >= static_cast<int>(count))
        return invalidArgument("output " + std::to_string(index) + " does not exist; the engine has " + std::to_string(count));
    m_state->executor->setOutput(index, data, bytes);
    return Status::ok();
}

Status ExecutionContext::checkInputs() {
    if (!m_state->shapesChecked) {
        const Network& network = m_engine->graph().network;
        for (TensorId id : network.inputs())
            if (!m_state->shapes.count(network.tensor(id).name))
                return invalidArgument("input '" + network.tensor(id).name + "' is not set; set every input before running");
        STROBE_RETURN_IF_ERROR(m_engine->profileFor(m_state->shapes).status());
        STROBE_RETURN_IF_ERROR(bindSymbols(network, m_state->shapes).status());
        m_state->shapesChecked = true;
    }
    return Status::ok();
}

Status ExecutionContext::prepare() {
    STROBE_RETURN_IF_ERROR(checkInputs());
    return m_state->executor->prepare();
}

Status ExecutionContext::run(StepObserver* observer, const CancelToken& cancel) {
    if (m_state->running.exchange(true)) return invalidArgument("this context is running in another thread; make one context per thread");
    Status status = checkInputs();
    LoopMemory loopMemory;
    if (status.isOk()) status = m_state->executor->run({loopMemory, observer, cancel, 0});
    m_state->running = false;
    return status;
}

Result<Dims> ExecutionContext::outputDims(int index) const {
    const Dims* dims = m_state->executor->outputDims(index);
    if (!dims) return notFound("the shape of output " + std::to_string(index) + " is known only after a run");
    return *dims;
}
const void* ExecutionContext::outputData(int index) const { return m_state->executor->outputData(index); }
DataType ExecutionContext::outputType(int index) const {
    const Network& network = m_engine->graph().network;
    return network.tensor(network.outputs()[static_cast<size_t>(index)]).type;
}

MemoryFigures ExecutionContext::memory() const {
    MemoryFigures figures;
    figures.activations = m_state->executor->bytesHeld();
    if (const Plan* plan = m_state->executor->plan()) figures.workspace = plan->largestWorkspace;
    figures.weights = m_engine->shared().packedWeights.totalBytes();
    return figures;
}

std::vector<float> readAsFloats(const void* data, const Dims& dims, const Format& format) {
    const Weights stored = borrowedWeights(format.type, {storedElementCount(dims, format.layout)}, data);
    std::vector<float> flat = toFloats(stored);
    if (format.layout == Layout::Plain || dims.size() < 2) return flat;
    std::vector<float> plain(static_cast<size_t>(elementCount(dims)));
    const int64_t block = format.layout == Layout::ChannelsLast ? dims[1] : layoutBlock(format.layout);
    const int64_t groups = block > 0 ? (dims[1] + block - 1) / block : 0;
    const int64_t spatial = dims[0] * dims[1] > 0 ? elementCount(dims) / (dims[0] * dims[1]) : 0;
    for (int64_t n = 0; n < dims[0]; ++n)
        for (int64_t c = 0; c < dims[1]; ++c)
            for (int64_t s = 0; s < spatial; ++s) {
                const int64_t source = ((n * groups + c / block) * spatial + s) * block + c % block;
                plain[static_cast<size_t>((n * dims[1] + c) * spatial + s)] = flat[static_cast<size_t>(source)];
            }
    return plain;
}

}  // namespace strobe
