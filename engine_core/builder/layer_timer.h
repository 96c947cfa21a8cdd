#pragma once
#include <limits>
#include <string>

#include "engine_core/base/cancel.h"
#include "engine_core/builder/builder_config.h"
#include "engine_core/builder/tactic.h"
#include "engine_core/builder/timing_cache.h"

namespace strobe {

inline constexpr double kNoTime = std::numeric_limits<double>::infinity();

/// Measures how long a tactic takes on a problem, with made-up activations of the right shapes.
class LayerTimer {
public:
    LayerTimer(const BuilderConfig& config, std::string deviceFingerprint, TimingCache* cache, Device* device, PackedWeightsCache& packedWeights, CancelToken cancel = {});
    /// Least milliseconds, from the timing cache when it is there; a candidate that is hopeless beside `best`, another's time, is run only
    /// once. Errors: the tactic's own, Cancelled, NotFound when a miss is forbidden.
    Result<double> time(const Tactic& tactic, const Problem& problem, double best = kNoTime);
    /// Scratch memory of the tactic on this problem: it is prepared for that, not run. 0 where it cannot be prepared, or was cancelled.
    size_t workspaceBytes(const Tactic& tactic, const Problem& problem) const;
    int timed() const { return m_timed; }
    int cached() const { return m_cached; }

private:
    Result<double> measure(const Tactic& tactic, const Problem& problem, double best);
    bool waitForQuiet(double measured);
    const BuilderConfig& m_config;
    std::string m_fingerprint;
    TimingCache* m_cache;
    Device* m_device;
    PackedWeightsCache& m_packedWeights;
    CancelToken m_cancel;
    std::shared_ptr<Stream> m_stream;
    int m_timed = 0, m_cached = 0;
    double m_patienceMs = 1000;  // that one build may lose to other work on the machine
};

}  // namespace strobe
