// A lower precision within a limit on its error: which layers must stay in FP32 for that, found by running them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine_core/builder/builder.h"
#include "profiler/profile.h"

namespace strobe {

/// Runs that a search takes of a file at most: each trial runs them all.
inline constexpr int kMaxRunsSearched = 16;

/// One layer that the mode would lower.
struct LayerSensitivity {
    std::string layer;          // of the fused network
    double error = 0;           // largest, when it alone is lowered
    double savedMs = 0;         // by lowering it, as far as both builds' timings say; 0: unknown, or nothing
    bool staysFp32 = false;     // what was decided
    bool savesNothing = false;  // it stays though the limit bears it: together, the layers got no faster
};

/// Errors are of any element of any output, as a share of that output's range in FP32 over all runs; infinite where one
/// side only is NaN or infinite, or shapes differ.
struct PrecisionSearchResult {
    BuildResult build;                     // with a rule for each layer that stays in FP32
    double before = 0, after = 0;          // largest error of the mode as it is, and of `build`
    std::vector<LayerSensitivity> layers;  // empty: nothing had to be searched, or there is nothing to choose
    int runs = 0;
};

/// The inputs to judge by, for an engine of the model.
using RunLoader = std::function<Result<std::vector<NamedTensors>>(const Engine&)>;

/// 0.0125: "1.25 %".
std::string shareText(double share);

/// Builds `request` in its mode (not FP32) such that no element of an output is off by more than `limit`, on the runs
/// that `load` gives: layers are lowered in order of error by millisecond saved, as long as their errors alone add up
/// to no more, a run keeps the limit, and all layers together get faster (from level 2 on, which times reformats). The
/// request's own rules and the bodies of layers are left as they are; where these alone break the limit, `after` says
/// so. One build in FP32, one in the mode, then one for each layer that the mode lowers, and up to two more for each to
/// find which can be lowered together; what the first two timed is not timed again. Cancelled when the request is.
Result<PrecisionSearchResult> buildWithin(double limit, const Builder& builder, const Builder::Request& request,
                                          const RunLoader& load);

}  // namespace strobe
