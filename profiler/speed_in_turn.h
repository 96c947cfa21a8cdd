// Two engines timed in turn, so that what else the machine does hits both alike: the only way to say which is faster on a
// machine that is shared. (Times of different moments compare the moments.)
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"
#include "profiler/profile.h"
#include "profiler/statistics.h"

namespace strobe {

/// Medians of both sides in one round, ms.
struct SpeedRound {
    double a = 0, b = 0;
    /// How many times as fast B is.
    double speedup() const { return b > 0 ? a / b : 0; }
};

struct SpeedRange {
    double min = 0, max = 0;
};

/// Latency of both: over all runs, and by rounds, which are further apart than the error of the median says.
struct SpeedInTurn {
    Statistics a, b;  // ms
    std::vector<SpeedRound> rounds;
    std::map<std::string, Dims> shapes;  // that both ran at; a sampler's caller fills them in
    double speedup() const { return SpeedRound{a.median, b.median}.speedup(); }
    SpeedRange rangeA() const;
    SpeedRange rangeB() const;
    SpeedRange rangeOfSpeedup() const;
    /// Every round says the same of which is faster.
    bool isDecided() const;
};

/// One side's run times of one round, ms. Side 0 is A, 1 is B.
using RoundSampler = std::function<Result<std::vector<double>>(int side, int round)>;
inline constexpr int kSpeedRounds = 3;
Result<SpeedInTurn> measureInTurn(const RoundSampler& sample);

/// Both on these inputs, `durationMs` in all and a little to warm up. `progress` gets 0…1.
Result<SpeedInTurn> measureInTurn(const Engine& a, const Engine& b, const NamedTensors& inputs, double durationMs,
                                  const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

}  // namespace strobe
