#include "profiler/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <thread>

#include "engine_core/runtime/engine_shared.h"
#include "profiler/perf_counters.h"

namespace strobe {
namespace {

using Clock = std::chrono::steady_clock;
double millisecondsSince(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

/// Clock (and counter) readings around every step of the outermost graph. With a trace, layers on the device are not waited for but
/// marked, for its records to tell what they took.
class StepRecorder final : public StepObserver {
public:
    StepRecorder(const CompiledGraph& graph, const PerfCounters* counters, DeviceTraceRecorder* trace)
        : m_graph(graph), m_samples(graph.layers.size()), m_counts(graph.layers.size()), m_times(graph.layers.size()), m_counters(counters), m_trace(trace) {}

    void stepStarted(const StepView& step) override {
        if (step.depth > 0) return;
        const auto layer = static_cast<size_t>(step.index);
        if (m_trace) {
            if (m_started && layer <= m_last) ++m_run;
            m_started = true;
            m_last = layer;
            note(m_trace->enter(m_times.tag(m_run, layer)));
        }
        if (m_counters) m_countStart = m_counters->read();
        m_start = Clock::now();
    }
    void stepFinished(const StepView& step) override {
        if (step.depth > 0) return;
        const auto layer = static_cast<size_t>(step.index);
        if (step.stream && !m_trace) note(step.stream->synchronize());
        m_samples[layer].push_back(millisecondsSince(m_start));
        if (m_trace) note(m_trace->leave());
        if (!m_counters) return;
        const CounterValues now = m_counters->read();
        CounterValues& sum = m_counts[layer];
        sum.cycles += now.cycles - m_countStart.cycles;
        sum.instructions += now.instructions - m_countStart.instructions;
        sum.cacheMisses += now.cacheMisses - m_countStart.cacheMisses;
    }

    /// What a stream or the recorder said first, in any step.
    const Status& failure() const { return m_failure; }

    /// Ends the trace and takes over what the device recorded. Fails when that is nothing.
    Status finishTrace() {
        STROBE_ASSIGN(const std::vector<DeviceActivity> activities, m_trace->stop());
        STROBE_RETURN_IF_ERROR(m_failure);
        m_times.add(activities);
        const auto onDevice = [](const EngineLayer& layer) { return layer.device != DeviceKind::Cpu; };
        if (!m_times.any() && std::any_of(m_graph.layers.begin(), m_graph.layers.end(), onDevice))
            return unsupported("the device recorded nothing of " + std::to_string(m_run + 1) + " runs");
        return Status::ok();
    }

    std::vector<double> samples(size_t layer) const {
        // In place, nothing may be left to do for a layer of the device: then it takes no time there.
        if (!m_trace || m_graph.layers[layer].device == DeviceKind::Cpu) return m_samples[layer];
        std::vector<double> times = m_times.milliseconds(layer);
        return times.empty() ? std::vector<double>(m_samples[layer].size(), 0.0) : times;
    }
    std::vector<DeviceKernelTime> kernels(size_t layer) const { return m_trace ? m_times.kernels(layer) : std::vector<DeviceKernelTime>(); }
    const CounterValues& counts(size_t layer) const { return m_counts[layer]; }

private:
    void note(Status status) {
        if (m_failure.isOk()) m_failure = std::move(status);
    }
    const CompiledGraph& m_graph;
    std::vector<std::vector<double>> m_samples;
    std::vector<CounterValues> m_counts;
    DeviceTimes m_times;
    const PerfCounters* m_counters;
    DeviceTraceRecorder* m_trace;
    size_t m_run = 0, m_last = 0;
    bool m_started = false;
    Status m_failure;
    CounterValues m_countStart;
    Clock::time_point m_start;
};

/// Remembers the dims and places that tensors had in a run, for FLOPs and bytes.
class DimsRecorder final : public StepObserver {
public:
    void stepStarted(const StepView&) override {}
    void stepFinished(const StepView& step) override {
        if (step.depth > 0) return;
        const Layer& layer = step.graph->network.layer(step.graph->layers[static_cast<size_t>(step.index)].layer);
        for (size_t o = 0; o < layer.outputs.size(); ++o)
            if (layer.outputs[o] != kNone && step.outputs[o].dims) {
                dims[layer.outputs[o]] = *step.outputs[o].dims;
                places[layer.outputs[o]] = static_cast<const std::byte*>(step.outputs[o].data);
            }
    }
    std::map<TensorId, Dims> dims;
    std::map<TensorId, const std::byte*> places;  // valid only to be compared
};

/// How long a measurement takes: so many runs and milliseconds at least, but no more than `maxIterations`.
struct RunLength {
    double milliseconds;
    int minIterations, maxIterations = std::numeric_limits<int>::max();
};

Status runFor(ExecutionContext& context, const RunLength& length, StepObserver* observer, std::vector<double>* samples, const std::function<void(double)>& progress,
              const CancelToken& cancel) {
    const double milliseconds = length.milliseconds;
    const auto start = Clock::now();
    for (int i = 0; i < length.maxIterations && (i < length.minIterations || millisecondsSince(start) < milliseconds); ++i) {
        const auto iteration = Clock::now();
        STROBE_RETURN_IF_ERROR(context.run(observer, cancel));
        if (samples) samples->push_back(millisecondsSince(iteration));
        if (progress && milliseconds > 0) progress(std::min(1.0, millisecondsSince(start) / milliseconds));
    }
    return Status::ok();
}

std::string shapeText(const Dims& dims) {
    std::string text;
    for (size_t i = 0; i < dims.size(); ++i) text += (i ? "×" : "") + std::to_string(dims[i]);
    return text.empty() ? "scalar" : text;
}

/// Bytes of a layer that only moves data which lie where they are wanted, read and write counted.
double bytesInPlace(const CompiledGraph& graph, const EngineLayer& chosen, const DimsRecorder& run) {
    const Layer& layer = graph.network.layer(chosen.layer);
    if (layer.op->family != OpFamily::ShapeCopy || layer.program) return 0;
    struct Range {
        const std::byte* begin;
        size_t bytes;
        bool holds(const Range& r) const { return r.begin >= begin && r.begin + r.bytes <= begin + bytes; }
    };
    const auto rangeOf = [&](TensorId id, const Format& format) {
        const auto place = run.places.find(id);
        return place == run.places.end() || !place->second
                   ? Range{nullptr, 0}
                   : Range{place->second, static_cast<size_t>(storedBytes(run.dims.at(id), format))};
    };
    double bytes = 0;
    for (size_t i = 0; i < layer.inputs.size(); ++i)
        for (size_t o = 0; o < layer.outputs.size(); ++o) {
            const Range in = rangeOf(layer.inputs[i], chosen.inputs[i]);
            const Range out = rangeOf(layer.outputs[o], chosen.outputs[o]);
            const bool isNested = in.begin && out.begin && (out.holds(in) || in.holds(out));
            if (isNested) bytes += 2.0 * static_cast<double>(std::min(in.bytes, out.bytes));
        }
    return bytes;
}

LayerProfile describeLayer(const CompiledGraph& graph, size_t index, const DimsRecorder& run) {
    const std::map<TensorId, Dims>& dims = run.dims;
    const EngineLayer& chosen = graph.layers[index];
    const Layer& layer = graph.network.layer(chosen.layer);
    LayerProfile profile;
    profile.layer = static_cast<int>(index);
    profile.name = layer.name;
    profile.op = layer.op->name;
    profile.tactic = chosen.tactic;
    profile.provenance = layer.provenance;
    const DataType outputType = chosen.outputs.empty() ? DataType::Undefined : chosen.outputs[0].type;
    profile.precision = dataTypeName(chosen.roundOutputs != DataType::Undefined ? chosen.roundOutputs : outputType);
    std::vector<Dims> inputs, outputs;
    const auto collect = [&](const std::vector<TensorId>& ids, const std::vector<Format>& formats, std::vector<Dims>& into) {
        for (size_t i = 0; i < ids.size(); ++i) {
            const auto found = dims.find(ids[i]);
            into.push_back(found == dims.end() ? Dims{} : found->second);
            if (found != dims.end()) profile.bytes += static_cast<double>(storedBytes(found->second, formats[i]));
        }
    };
    collect(layer.inputs, chosen.inputs, inputs);
    collect(layer.outputs, chosen.outputs, outputs);
    profile.bytes = std::max(0.0, profile.bytes - bytesInPlace(graph, chosen, run));
    if (!outputs.empty()) profile.outputShape = shapeText(outputs[0]);
    const double elements = outputs.empty() ? 0 : static_cast<double>(elementCount(outputs[0]));
    const auto operations = layer.program ? static_cast<double>(layer.program->instructions.size()) : 0;
    if (layer.op->flops)
        profile.flops = layer.op->flops({layer.attributes, inputs, outputs});
    else if (layer.op->family != OpFamily::ShapeCopy && layer.op->family != OpFamily::ControlFlow && !layer.program)
        profile.flops = elements;
    profile.flops += operations * elements;
    return profile;
}

Result<WeightsPtr> randomTensor(const BindingInfo& binding, const Dims& dims, std::mt19937& generator) {
    STROBE_ASSIGN(const auto memory, tryAllocateWeights(binding.type, dims));
    const auto& [weights, data] = memory;
    std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
    const int64_t count = elementCount(dims);
    switch (binding.type) {
        case DataType::Float32:
            for (int64_t i = 0; i < count; ++i) static_cast<float*>(data)[i] = uniform(generator);
            break;
        case DataType::Float64:
            for (int64_t i = 0; i < count; ++i) static_cast<double*>(data)[i] = static_cast<double>(uniform(generator));
            break;
        case DataType::Int64:
            for (int64_t i = 0; i < count; ++i) static_cast<int64_t*>(data)[i] = static_cast<int64_t>(generator() % 2u);
            break;
        case DataType::Int32:
            for (int64_t i = 0; i < count; ++i) static_cast<int32_t*>(data)[i] = static_cast<int32_t>(generator() % 2u);
            break;
        case DataType::UInt8:
        case DataType::Bool:
            for (int64_t i = 0; i < count; ++i) static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(generator() % 2u);
            break;
        default: break;  // zeros
    }
    return weights;
}

}  // namespace

Status setInputs(ExecutionContext& context, const NamedTensors& inputs) {
    const std::vector<BindingInfo> bindings = context.engine().inputs();
    for (const auto& [name, tensor] : inputs) {
        const int index = context.inputIndex(name);
        if (index == kNone)
            return invalidArgument("the engine of '" + context.engine().parts().modelName + "' has no input '" + name +
                                   "'");
        if (const DataType type = bindings[static_cast<size_t>(index)].type; tensor->type != type)
            return invalidArgument("input '" + name + "' is " + std::string(dataTypeName(tensor->type)) +
                                   ", the engine takes " + std::string(dataTypeName(type)) + "; convert the data");
        STROBE_RETURN_IF_ERROR(context.setInput(index, tensor->data.get(), tensor->dims));
    }
    return Status::ok();
}

Result<NamedTensors> completeInputs(const Engine& engine, const std::map<std::string, Dims>& shapes, const NamedTensors& given, unsigned seed) {
    NamedTensors inputs;
    std::mt19937 generator(seed);
    for (const auto& entry : given) {
        const std::string& name = entry.first;
        const auto bindings = engine.inputs();
        if (std::none_of(bindings.begin(), bindings.end(), [&](const BindingInfo& b) { return b.name == name; })) {
            std::string names;
            for (const BindingInfo& b : bindings) names += (names.empty() ? "" : ", ") + b.name;
            return invalidArgument("the given data has a tensor '" + name + "', which is no input of the model; its inputs are: " + names);
        }
    }
    // Given tensors decide symbols that they share with inputs nobody gave.
    std::map<std::string, Dims> known = shapes;
    for (const auto& [name, tensor] : given) known[name] = tensor->dims;
    STROBE_ASSIGN(SymbolValues symbols, bindSymbols(engine.graph().network, known));
    for (const auto& [symbol, value] : engine.parts().optSymbols) symbols.try_emplace(symbol, value);
    for (const BindingInfo& binding : engine.inputs()) {
        if (const auto found = given.find(binding.name); found != given.end()) {
            if (found->second->type != binding.type)
                return invalidArgument("input '" + binding.name + "' is " + std::string(dataTypeName(found->second->type)) + ", the model takes " +
                                       std::string(dataTypeName(binding.type)) + "; convert the data");
            inputs[binding.name] = found->second;
            continue;
        }
        const auto shape = shapes.find(binding.name);
        const auto dims = shape != shapes.end() ? std::optional<Dims>(shape->second) : evaluate(binding.shape, symbols);
        if (!dims) return invalidArgument("input '" + binding.name + "' " + toString(binding.shape) + " has no shape; give --shapes=" + binding.name + ":…");
        STROBE_ASSIGN(inputs[binding.name], randomTensor(binding, *dims, generator));
    }
    return inputs;
}

namespace {

/// A recorder that is running, or why there is none.
Result<std::unique_ptr<DeviceTraceRecorder>> startTrace(Device& device) {
    STROBE_ASSIGN(std::unique_ptr<DeviceTraceRecorder> trace, device.createTraceRecorder());
    STROBE_RETURN_IF_ERROR(trace->start());
    return trace;
}

/// Runs with per-layer times and puts them into `profile`, by the device's own records when there is a trace.
Status timeLayers(ExecutionContext& context, const ProfileOptions& options, const PerfCounters* counters, DeviceTraceRecorder* trace, Profile& profile,
                  const std::function<void(double)>& progress, const CancelToken& cancel) {
    StepRecorder recorder(context.engine().graph(), counters, trace);
    std::vector<double> instrumented;
    RunLength length{options.durationMs, std::min(options.minIterations, kLayerRuns)};
    if (trace) length.maxIterations = kLayerRuns;
    STROBE_RETURN_IF_ERROR(runFor(context, length, &recorder, &instrumented, progress, cancel));
    if (trace) STROBE_RETURN_IF_ERROR(recorder.finishTrace().withContext("the device's records"));
    STROBE_RETURN_IF_ERROR(recorder.failure().withContext("waiting for the device"));
    profile.instrumented = summarize(instrumented);
    profile.deviceRecords = trace != nullptr;
    for (size_t i = 0; i < profile.layers.size(); ++i) {
        LayerProfile& layer = profile.layers[i];
        layer.milliseconds = summarize(recorder.samples(i));
        layer.kernels = recorder.kernels(i);
        profile.layersSum += layer.milliseconds.median;
        if (!counters) continue;
        const double runs = std::max(1, layer.milliseconds.count);
        const CounterValues& sum = recorder.counts(i);
        layer.counters = CounterValues{sum.cycles / runs, sum.instructions / runs, sum.cacheMisses / runs};
    }
    for (LayerProfile& layer : profile.layers) layer.share = profile.layersSum > 0 ? layer.milliseconds.median / profile.layersSum : 0;
    return Status::ok();
}

/// By the device's records where there are any, else by the host's clock.
Status timeLayersBestWay(ExecutionContext& context, const ProfileOptions& options, const PerfCounters* counters, Profile& profile, const std::function<void(double)>& progress,
                         const CancelToken& cancel) {
    double from = 0;
    if (Device* device = context.engine().shared().device.get()) {
        auto trace = startTrace(*device);
        // Half the way, since all may have to be measured again.
        const auto firstHalf = [&](double f) { progress(f / 2); };
        const Status status = trace ? timeLayers(context, options, counters, trace->get(), profile, firstHalf, cancel) : trace.status();
        if (status.code() == ErrorCode::Cancelled) return status;
        if (status.isOk()) return progress(1), status;
        if (trace) from = 0.5;
        profile.deviceRecordsUnavailable = status.message();
    }
    const auto rest = [&](double f) { progress(from + (1 - from) * f); };
    STROBE_RETURN_IF_ERROR(timeLayers(context, options, counters, nullptr, profile, rest, cancel));
    progress(1);
    return Status::ok();
}

}  // namespace

Result<std::vector<double>> timeRuns(ExecutionContext& context, double milliseconds, int minIterations,
                                     const std::function<void(double)>& progress, const CancelToken& cancel) {
    std::vector<double> times;
    STROBE_RETURN_IF_ERROR(runFor(context, {milliseconds, minIterations}, nullptr, &times, progress, cancel));
    return times;
}

Result<Profile> profileEngine(const Engine& engine, const NamedTensors& inputs, const ProfileOptions& options, const std::function<void(double)>& progress,
                              const CancelToken& cancel) {
    Profile profile;
    profile.threads = options.threads > 0 ? options.threads : engine.parts().config.threads > 0 ? engine.parts().config.threads : static_cast<int>(std::thread::hardware_concurrency());
    STROBE_ASSIGN(std::unique_ptr<ExecutionContext> context, engine.createContext(options.threads));
    std::optional<PerfCounters> counters;
    if (options.counters) counters.emplace();
    if (!counters) profile.countersUnavailable = "switched off";
    if (counters && !counters->available()) profile.countersUnavailable = counters->whyNot();
    DimsRecorder dims;
    STROBE_RETURN_IF_ERROR(setInputs(*context, inputs));
    for (const auto& [name, tensor] : inputs) {
        profile.shapes[name] = tensor->dims;
        dims.dims[engine.graph().network.findTensor(name)] = tensor->dims;
    }
    const Network& network = engine.graph().network;
    for (TensorId id = 0; id < network.tensorCount(); ++id)
        if (network.tensor(id).constant) dims.dims[id] = network.tensor(id).constant->dims;
    STROBE_RETURN_IF_ERROR(context->run(&dims, cancel));
    const auto part = [&](double from, double to) { return [&progress, from, to](double f) { if (progress) progress(from + (to - from) * f); }; };
    STROBE_RETURN_IF_ERROR(runFor(*context, {options.warmUpMs, 1}, nullptr, nullptr, part(0, 0.1), cancel));
    if (options.latency) {
        profile.latency = *options.latency;
    } else {
        std::vector<double> latency;
        STROBE_RETURN_IF_ERROR(runFor(*context, {options.durationMs, options.minIterations}, nullptr, &latency, part(0.1, 0.55), cancel));
        profile.latency = summarize(latency);
    }
    profile.iterations = profile.latency.count;
    for (size_t i = 0; i < engine.graph().layers.size(); ++i) profile.layers.push_back(describeLayer(engine.graph(), i, dims));
    const PerfCounters* usable = counters && counters->available() ? &*counters : nullptr;
    STROBE_RETURN_IF_ERROR(timeLayersBestWay(*context, options, usable, profile, part(0.55, 1), cancel));
    profile.memory = context->memory();
    return profile;
}

std::string Profile::disturbance() const {
    constexpr double kSpread = 0.15, kRatio = 1.5;
    const auto percent = [](double value) { return std::to_string(std::lround(100 * value)) + " %"; };
    if (latency.median <= 0) return {};
    if (latency.spread() > kSpread) return "single runs scatter by " + percent(latency.spread()) + " around the median";
    if (instrumented.median > 0 && (latency.median > kRatio * instrumented.median || instrumented.median > kRatio * latency.median + 0.1))
        return "with per-layer clocks the same run took " + percent(instrumented.median / latency.median) + " of the time without";
    return {};
}

}  // namespace strobe
