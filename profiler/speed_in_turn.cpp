#include "profiler/speed_in_turn.h"

#include <algorithm>

namespace strobe {
namespace {

template <class Figure>
SpeedRange rangeOf(const std::vector<SpeedRound>& rounds, const Figure& figure) {
    std::vector<double> values;
    for (const SpeedRound& round : rounds) values.push_back(figure(round));
    if (values.empty()) return {};
    const auto [min, max] = std::minmax_element(values.begin(), values.end());
    return {*min, *max};
}

}  // namespace

SpeedRange SpeedInTurn::rangeA() const {
    return rangeOf(rounds, [](const SpeedRound& round) { return round.a; });
}
SpeedRange SpeedInTurn::rangeB() const {
    return rangeOf(rounds, [](const SpeedRound& round) { return round.b; });
}
SpeedRange SpeedInTurn::rangeOfSpeedup() const {
    return rangeOf(rounds, [](const SpeedRound& round) { return round.speedup(); });
}
bool SpeedInTurn::isDecided() const {
    const SpeedRange range = rangeOfSpeedup();
    return !rounds.empty() && (range.min > 1 || range.max < 1);
}

Result<SpeedInTurn> measureInTurn(const RoundSampler& sample) {
    SpeedInTurn speed;
    std::vector<double> all[2];
    for (int round = 0; round < kSpeedRounds; ++round) {
        double medians[2] = {};
        for (const int side : {0, 1}) {
            STROBE_ASSIGN(const std::vector<double> times, sample(side, round));
            medians[side] = summarize(times).median;
            all[side].insert(all[side].end(), times.begin(), times.end());
        }
        speed.rounds.push_back({medians[0], medians[1]});
    }
    speed.a = summarize(all[0]);
    speed.b = summarize(all[1]);
    return speed;
}

Result<SpeedInTurn> measureInTurn(const Engine& a, const Engine& b, const NamedTensors& inputs, double durationMs,
                                  const std::function<void(double)>& progress, const CancelToken& cancel) {
    constexpr int kLeastRuns = 3;
    constexpr double kLongestWarmUpMs = 50;
    STROBE_ASSIGN(const auto contextA, a.createContext(0));
    STROBE_ASSIGN(const auto contextB, b.createContext(0));
    STROBE_RETURN_IF_ERROR(setInputs(*contextA, inputs));
    STROBE_RETURN_IF_ERROR(setInputs(*contextB, inputs));
    const double slice = durationMs / (2 * kSpeedRounds);
    const auto sample = [&](int side, int round) -> Result<std::vector<double>> {
        ExecutionContext& context = side == 0 ? *contextA : *contextB;
        const auto report = [&](double f) {
            if (progress) progress((2 * round + side + f) / (2.0 * kSpeedRounds));
        };
        // The other side has just had the caches.
        STROBE_RETURN_IF_ERROR(timeRuns(context, std::min(kLongestWarmUpMs, slice / 4), 1, {}, cancel).status());
        return timeRuns(context, slice, kLeastRuns, report, cancel);
    };
    STROBE_ASSIGN(SpeedInTurn speed, measureInTurn(sample));
    for (const auto& [name, tensor] : inputs) speed.shapes[name] = tensor->dims;
    if (progress) progress(1);
    return speed;
}

}  // namespace strobe
