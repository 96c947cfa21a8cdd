#include "engine_core/builder/layer_timer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "engine_core/base/float_formats.h"
#include "engine_core/builder/timing_samples.h"
#include "engine_core/runtime/growing_buffer.h"

namespace strobe {
namespace {

using Clock = std::chrono::steady_clock;

/// Small varied numbers; integers and bools stay zero, a valid index into anything. May stop early once cancelled.
void fillRandom(void* data, const TensorDesc& desc, size_t bytes, const CancelToken& cancel) {
    inSteps(&cancel, bytes, kBytesPerPoll, [&](size_t first, size_t last) { std::memset(static_cast<char*>(data) + first, 0, last - first); });
    std::minstd_rand generator(1);
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    const auto count = static_cast<size_t>(storedElementCount(desc.dims, desc.format.layout));
    // A repeating pattern is random enough for timing and cheap for large tensors.
    float pattern[1021];
    for (float& value : pattern) value = uniform(generator);
    inSteps(&cancel, count, kBytesPerPoll, [&](size_t first, size_t last) {
        for (size_t i = first; i < last; ++i) switch (desc.format.type) {
                case DataType::Float32: static_cast<float*>(data)[i] = pattern[i % 1021]; break;
                case DataType::Float16: static_cast<uint16_t*>(data)[i] = floatToFloat16(pattern[i % 1021]); break;
                case DataType::BFloat16: static_cast<uint16_t*>(data)[i] = floatToBFloat16(pattern[i % 1021]); break;
                default: return;
            }
    });
}

/// Host and device memory of one measurement.
struct Arena {
    Device* device = nullptr;
    const CancelToken& cancel;
    std::vector<std::shared_ptr<void>> owned;

    Result<void*> allocate(const TensorDesc& desc, bool fill) {
        const size_t bytes = storedBytes(desc.dims, desc.format);
        GrowingBuffer host;
        STROBE_ASSIGN(void* memory, host.reserve(bytes));
        if (fill) fillRandom(memory, desc, bytes, cancel);
        auto keep = std::make_shared<GrowingBuffer>(host);
        if (desc.format.memory == MemoryKind::Host) {
            owned.push_back(keep);
            return memory;
        }
        STROBE_ASSIGN(std::shared_ptr<void> onDevice, device->allocate(bytes));
        STROBE_RETURN_IF_ERROR(device->copyToDevice(onDevice.get(), memory, bytes, nullptr));
        owned.push_back(onDevice);
        return onDevice.get();
    }
    Result<void*> workspace(size_t bytes, bool onDevice) {
        TensorDesc desc;
        desc.format = {DataType::UInt8, Layout::Plain, onDevice ? MemoryKind::Device : MemoryKind::Host};
        desc.dims = {static_cast<int64_t>(bytes)};
        return allocate(desc, false);
    }
};

TimingEffort effortOf(const BuilderConfig& config) {
    static constexpr TimingEffort kByLevel[] = {{1, 1, 1}, {2, 4, 4}, {3, 6, 6}, {4, 10, 10}, {8, 24, 40}, {16, 64, 150}};
    TimingEffort effort = kByLevel[std::clamp(config.optimizationLevel, 0, 5)];
    if (config.averageTimings > 0) effort = {config.averageTimings, config.averageTimings, 1e9};
    return effort;
}

/// To be raised when kernels become faster or slower: what an earlier program measured of them would decide wrongly.
constexpr const char* kKernelRevision = " | r5";

/// A copy to the host is device work too: its workspace lies where the plan will put it.
bool touchesDevice(const Problem& problem) {
    const auto isOnDevice = [](const TensorDesc& d) { return d.format.memory == MemoryKind::Device; };
    return std::any_of(problem.outputs.begin(), problem.outputs.end(), isOnDevice) || std::any_of(problem.inputs.begin(), problem.inputs.end(), isOnDevice);
}

/// Even a cold first run does not take that much longer than the next one.
bool isHopeless(double firstRun, double best) {
    return firstRun > 20 && firstRun > 10 * best;
}

}  // namespace

LayerTimer::LayerTimer(const BuilderConfig& config, std::string deviceFingerprint, TimingCache* cache, Device* device, PackedWeightsCache& packedWeights, CancelToken cancel)
    : m_config(config), m_fingerprint(std::move(deviceFingerprint)), m_cache(cache), m_device(device), m_packedWeights(packedWeights), m_cancel(std::move(cancel)) {}

Result<double> LayerTimer::time(const Tactic& tactic, const Problem& problem, double best) {
    const char* how = touchesDevice(problem) ? " | least in flight | " : " | least when quiet | ";
    const std::string key = m_fingerprint + kKernelRevision + how + std::string(tactic.name()) + " | " + problem.key();
    if (m_cache)
        if (const auto known = m_cache->find(key)) {
            ++m_cached;
            return *known;
        }
    if (m_config.errorOnTimingCacheMiss)
        return notFound("the timing cache has no entry for " + std::string(tactic.name()) + " on " + problem.key() + "; build once without --errorOnTimingCacheMiss");
    STROBE_ASSIGN(const double milliseconds, measure(tactic, problem, best));
    ++m_timed;
    if (m_cache) m_cache->store(key, milliseconds);
    return milliseconds;
}

size_t LayerTimer::workspaceBytes(const Tactic& tactic, const Problem& problem) const {
    const auto kernel = tactic.prepare(problem, {&m_packedWeights, m_device, &m_cancel});
    return kernel ? (*kernel)->workspaceBytes() : 0;
}

Result<double> LayerTimer::measure(const Tactic& tactic, const Problem& problem, double best) {
    const bool onDevice = touchesDevice(problem);
    STROBE_ASSIGN(std::unique_ptr<Kernel> kernel, tactic.prepare(problem, {&m_packedWeights, m_device, &m_cancel}));
    Arena arena{m_device, m_cancel, {}};
    std::vector<TensorView> inputs, outputs;
    for (const TensorDesc& desc : problem.outputs) {
        void* data = nullptr;
        if (desc.present) {
            STROBE_ASSIGN(data, arena.allocate(desc, false));
        }
        outputs.push_back(desc.present ? TensorView{data, &desc.dims} : TensorView{});
    }
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& desc = problem.inputs[i];
        void* data = const_cast<void*>(desc.constantData);
        // As the planner will place it. Not for an op's own inputs: run after run on its own result, numbers would decay.
        const bool isExtra = static_cast<int>(i) >= problem.op->maxInputs;
        if (isExtra && desc.present && !data && !onDevice && tactic.canRunInPlace(problem, static_cast<int>(i), 0)) {
            data = outputs[0].data;
            fillRandom(data, desc, storedBytes(desc.dims, desc.format), m_cancel);
        }
        if (const auto place = desc.present && !data && !onDevice ? tactic.placeInOutput(problem, static_cast<int>(i)) : std::nullopt)
            data = outputs[0].as<char>() + *place;
        if (desc.present && !data) {
            STROBE_ASSIGN(data, arena.allocate(desc, true));
        }
        inputs.push_back(desc.present ? TensorView{data, &desc.dims} : TensorView{});
    }
    RunArguments arguments;
    arguments.inputs = inputs;
    arguments.outputs = outputs;
    if (m_device && !m_stream) {
        STROBE_ASSIGN(m_stream, m_device->createStream());
    }
    arguments.stream = m_stream.get();
    arguments.cancel = &m_cancel;
    STROBE_ASSIGN(arguments.workspace, arena.workspace(kernel->workspaceBytes(), onDevice));
    TimingSamples samples(effortOf(m_config));
    int runs = 1;
    // The first run warms caches and thread pools and is not counted.
    for (bool warm = false; !samples.isEnough(); warm = true) {
        if (m_cancel.isCancelled()) return cancelled();
        const auto start = Clock::now();
        for (int i = 0; i < runs; ++i) STROBE_RETURN_IF_ERROR(kernel->run(arguments));
        if (m_stream) STROBE_RETURN_IF_ERROR(m_stream->synchronize());
        const double milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count() / runs;
        // A device's first run may load its code.
        if (!warm && !onDevice && isHopeless(milliseconds, best)) return milliseconds;
        // In an engine, layers of a device are started while it works for those before: short ones share a wait.
        runs = onDevice && milliseconds < 0.5 ? 8 : 1;
        if (warm && !waitForQuiet(milliseconds)) samples.add(milliseconds);
    }
    return samples.least();
}

/// True when other work disturbed a run just measured and there is patience left to wait for a better moment.
bool LayerTimer::waitForQuiet(double measured) {
    if (m_patienceMs <= 0 || !isMachineBusy()) return false;
    // Who sleeps is served first afterwards: the scheduler owes it time.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    m_patienceMs -= measured + 1.0;
    return true;
}

}  // namespace strobe
