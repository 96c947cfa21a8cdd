#include "sessions/job_outcome.h"

#include <cstdio>

#include "profiler/accuracy_verdict.h"

namespace strobe {
namespace {

std::string milliseconds(double ms) {
    char text[32];
    std::snprintf(text, sizeof text, ms < 100 ? "%#.3g ms" : "%.0f ms", ms);
    return text;
}

std::string counted(size_t count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace

std::string outcomeOf(const Model& model) {
    return counted(model.parsed->sourceNodes().size(), "node");
}

std::string measuredText(const Build& build) {
    std::string text = counted(build.engine->graph().layers.size(), "layer");
    if (build.profile) text += ", " + milliseconds(build.profile->latency.median);
    return text;
}

std::string outcomeOf(const Build& build) {
    std::string text = measuredText(build);
    const auto timed = static_cast<size_t>(build.report.timedCandidates);
    if (timed > 0) text += " · " + counted(timed, "candidate") + " timed";
    if (build.report.cachedCandidates > 0)
        text += (timed > 0 ? ", " : " · ") + std::to_string(build.report.cachedCandidates) + " known from the timing cache";
    return text;
}

std::string outcomeOf(const Comparison& comparison) {
    if (!comparison.accuracy) return {};
    const AccuracyJudgement judgement = judge(*comparison.accuracy);
    return accuracyVerdictText(judgement.verdict) + (judgement.reason.empty() ? "" : ": " + judgement.reason);
}

}  // namespace strobe
