#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine_core/runtime/engine.h"
#include "engine_core/runtime/execution_context.h"
#include "engine_core/builder/builder.h"
#include "profiler/device_times.h"
#include "profiler/statistics.h"

namespace strobe {

/// Sums over one layer's runs of hardware counters, where perf_event allows.
struct CounterValues {
    double cycles = 0, instructions = 0, cacheMisses = 0;
};

/// One layer of the engine (layers inside If/Loop bodies count into the layer that holds the body).
struct LayerProfile {
    int layer = 0;           // index into CompiledGraph::layers
    std::string name, op, tactic;
    std::vector<int> provenance;  // ONNX nodes
    Statistics milliseconds;
    double share = 0;        // of the sum of all layers' medians
    // Of one run, from the op's definition at the profiled shapes; what a Concat, Split or Reshape finds in place already is
    // no traffic.
    double flops = 0, bytes = 0;
    std::string outputShape; // concrete, "1×24×160×160"
    std::string precision;   // "bf16"
    std::optional<CounterValues> counters;  // per run
    std::vector<DeviceKernelTime> kernels;  // what it starts on a device, when that records
};

/// Timings of one engine at one set of shapes. Immutable.
struct Profile {
    std::vector<LayerProfile> layers;     // execution order
    Statistics latency;                   // end to end without per-layer clocks, ms
    Statistics instrumented;              // end to end with them
    double layersSum = 0;                 // sum of the layers' medians, ms
    double coverage() const { return instrumented.median > 0 ? layersSum / instrumented.median : 0; }  // 1: nothing between the layers
    /// Why these times cannot be trusted: other work ran meanwhile. Empty when they can.
    std::string disturbance() const;
    int iterations = 0;
    std::map<std::string, Dims> shapes;
    int threads = 0;
    std::string countersUnavailable;      // why there are none; empty when there are
    /// Layers on a device are timed by its own records: the time that it worked for them, waiting not counted. Why not, when the host's
    /// clock timed them with a wait after each; empty on the CPU.
    std::string deviceRecordsUnavailable;
    bool deviceRecords = false;
    MemoryFigures memory;
};

/// Runs that layer times are asked of at least, and that a device's records are kept of at most: medians need no more, and each keeps a
/// record for every kernel.
inline constexpr int kLayerRuns = 1000;

struct ProfileOptions {
    int minIterations = 10;                    // of layer times kLayerRuns at most
    double warmUpMs = 200, durationMs = 1000;  // each of the two measurements
    std::optional<Statistics> latency;         // of whoever measured it already: it is not measured again
    int threads = 0;
    bool counters = true;
};

/// Inputs to run with, by name: row-major elements of the binding's type.
using NamedTensors = std::map<std::string, WeightsPtr>;

/// Sets each as the context's input. Refused where the engine has no such input, or one of another type: the engine
/// itself takes bytes as they are.
Status setInputs(ExecutionContext& context, const NamedTensors& inputs);

/// Random inputs for every input not in `given`, at `shapes` (or the first profile's opt). Integers stay small; deterministic by seed.
Result<NamedTensors> completeInputs(const Engine& engine, const std::map<std::string, Dims>& shapes, const NamedTensors& given, unsigned seed);

/// Run times of a context whose inputs are bound, ms: for so long, and so many at least.
/// `progress` gets 0…1.
Result<std::vector<double>> timeRuns(ExecutionContext& context, double milliseconds, int minIterations,
                                     const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

/// Measures latency and per-layer times. `progress` gets 0…1.
Result<Profile> profileEngine(const Engine& engine, const NamedTensors& inputs, const ProfileOptions& options,
                              const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

}  // namespace strobe
