// Two engines timed in turn, so that what else the machine does hits both alike: the only way to say which is faster on a
// machine that is shared. (Times of different moments compare the moments.)
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"
#include "profiler/profile.h"
#include "profiler/statistics.h"

namespace strobe {

/// Smallest and largest of the rounds' figures.
struct RoundRange {
    double min = 0, max = 0;
    void take(double value, bool isFirst) {
        min = isFirst ? value : std::min(min, value);
        max = isFirst ? value : std::max(max, value);
    }
};

struct SpeedInTurn {
    Statistics a, b;                   // ms, of all rounds together
    RoundRange roundsA, roundsB;       // medians of the rounds, ms
    RoundRange ratio;                  // of one round's medians, a / b
    std::map<std::string, Dims> shapes;  // that both ran at
    /// How many times as fast B is.
    double speedup() const { return b.median > 0 ? a.median / b.median : 0; }
    /// Every round says the same of which is faster.
    bool isDecided() const { return ratio.min > 1 || ratio.max < 1; }
};

/// One side's run times of one round, ms. Side 0 is A, 1 is B.
using RoundSampler = std::function<Result<std::vector<double>>(int side, int round)>;
inline constexpr int kSpeedRounds = 3;
Result<SpeedInTurn> measureInTurn(const RoundSampler& sample);

/// Both on these inputs, `durationMs` in all and a little to warm up. `progress` gets 0…1.
Result<SpeedInTurn> measureInTurn(const Engine& a, const Engine& b, const NamedTensors& inputs, double durationMs,
                                  const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

}  // namespace strobe
