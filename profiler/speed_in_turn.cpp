#include "profiler/speed_in_turn.h"

namespace strobe {
namespace {

/// A context with its inputs bound; the tensors must outlive it.
Result<std::unique_ptr<ExecutionContext>> boundContext(const Engine& engine, const NamedTensors& inputs) {
    STROBE_ASSIGN(std::unique_ptr<ExecutionContext> context, engine.createContext(0));
    for (const BindingInfo& binding : engine.inputs()) {
        const auto found = inputs.find(binding.name);
        if (found == inputs.end()) return invalidArgument("input '" + binding.name + "' has no data");
        STROBE_RETURN_IF_ERROR(context->setInput(context->inputIndex(binding.name), found->second->data.get(),
                                                 found->second->dims));
    }
    return context;
}

}  // namespace

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
        speed.roundsA.take(medians[0], round == 0);
        speed.roundsB.take(medians[1], round == 0);
        speed.ratio.take(medians[1] > 0 ? medians[0] / medians[1] : 0, round == 0);
    }
    speed.a = summarize(all[0]);
    speed.b = summarize(all[1]);
    return speed;
}

Result<SpeedInTurn> measureInTurn(const Engine& a, const Engine& b, const NamedTensors& inputs, double durationMs,
                                  const std::function<void(double)>& progress, const CancelToken& cancel) {
    constexpr int kLeastRuns = 3;
    constexpr double kLongestWarmUpMs = 50;
    STROBE_ASSIGN(const auto contextA, boundContext(a, inputs));
    STROBE_ASSIGN(const auto contextB, boundContext(b, inputs));
    const double slice = durationMs / (2 * kSpeedRounds);
    const auto sample = [&](int side, int round) -> Result<std::vector<double>> {
        ExecutionContext& context = side == 0 ? *contextA : *contextB;
        if (progress) progress((2 * round + side) / (2.0 * kSpeedRounds));
        // The other side has just had the caches.
        STROBE_RETURN_IF_ERROR(timeRuns(context, std::min(kLongestWarmUpMs, slice / 4), 1, cancel).status());
        return timeRuns(context, slice, kLeastRuns, cancel);
    };
    STROBE_ASSIGN(SpeedInTurn speed, measureInTurn(sample));
    for (const auto& [name, tensor] : inputs) speed.shapes[name] = tensor->dims;
    if (progress) progress(1);
    return speed;
}

}  // namespace strobe
