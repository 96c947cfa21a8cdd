#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/builder/builder_config.h"
#include "engine_core/builder/timing_cache.h"
#include "engine_core/passes/pass.h"
#include "engine_core/runtime/engine.h"

namespace strobe {

struct BuildProgress {
    std::string step;        // "Fusing", "Timing block2/conv (12 of 71)"
    double fraction = 0;     // 0 … 1
    double secondsLeft = -1; // −1: unknown yet
};

/// A request of the user that did not come true, or a risk, for the Problems page.
struct BuildNote {
    enum class Severity : uint8_t { Info, Warning, Error } severity = Severity::Info;
    std::string layer;  // engine or fused layer; may be empty
    std::vector<int> provenance;
    std::string message;
    std::string fix;
};

struct BuildReport {
    PassReport passes;
    std::shared_ptr<const Network> fused;
    std::vector<BuildNote> notes;
    double totalSeconds = 0, passSeconds = 0, timingSeconds = 0;
    int timedCandidates = 0, cachedCandidates = 0;
    int reformats = 0, reformatsAvoided = 0;  // Reformat layers in the engine; edges where both sides agreed on a non-plain format
};

struct BuildResult {
    std::shared_ptr<const Engine> engine;
    BuildReport report;
};

/// Turns a parsed network into an engine. Stateless; several builds may run at once (their timings then disturb each other).
/// Shapes that the network cannot take are refused before anything is timed.
class Builder {
public:
    explicit Builder(const KernelRegistry& kernels) : m_kernels(kernels) {}
    using ProgressCallback = std::function<void(const BuildProgress&)>;

    struct Request {
        std::shared_ptr<const Network> parsed;
        BuilderConfig config;
        std::string modelName, modelHash;
        TimingCache* timingCache = nullptr;  // may be null
        std::shared_ptr<const BuildReport> fused;  // what fuse() told of this request, whatever its precision was; null: build() fuses
        ProgressCallback progress;           // called from the building thread
        CancelToken cancel;                  // obeyed within 200 ms
    };
    Result<BuildResult> build(const Request& request) const;
    /// The first step of build() alone, which no precision changes: `passes` and `fused` of the report, and its notes.
    Result<BuildReport> fuse(const Request& request) const;

private:
    const KernelRegistry& m_kernels;
};

/// Profiles as the builder will use them: checks min ≤ opt ≤ max and dims against the network, gives the inputs that a profile leaves out
/// the extents of the others where they share them, else those of `assumed` (AssumedExtents::values). Without any: one profile, all assumed.
Result<std::vector<OptimizationProfile>> completeProfiles(const Network& network, const std::vector<OptimizationProfile>& asked, const SymbolValues& assumed);
/// Symbols of the network inputs bound by concrete shapes; an error names input and dim on a conflict.
Result<SymbolValues> bindSymbols(const Network& network, const std::map<std::string, Dims>& shapes);
/// Those of a profile's min, opt or max.
Result<SymbolValues> symbolsAt(const Network& network, const OptimizationProfile& profile, Dims ShapeRange::*corner);

}  // namespace strobe
