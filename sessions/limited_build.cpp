#include "sessions/limited_build.h"

#include <algorithm>
#include <cmath>

#include "sessions/samples.h"

namespace strobe {
namespace {

std::string counted(int count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string errorText(double share) {
    return std::isfinite(share) ? shareText(share) + " of their range"
                                : std::string("more than can be said (NaN, infinities or other shapes)");
}

/// What the search decided, for the Problems page.
BuildNote outcomeOf(const PrecisionSearchResult& result, const Settings& settings) {
    const auto kept = static_cast<int>(std::count_if(result.layers.begin(), result.layers.end(),
                                                     [](const LayerSensitivity& layer) { return layer.staysFp32; }));
    const std::string limit = "the accuracy limit of " + shareText(settings.accuracyLimit);
    const std::string data =
        "on " + counted(result.runs, "run") +
        (settings.inputFile.empty() ? std::string(" of random input") : " of " + settings.inputFile);
    const std::string mode(precisionModeName(settings.builder.precision));
    BuildNote note;
    if (result.after > settings.accuracyLimit) {
        note.severity = BuildNote::Severity::Warning;
        note.message = limit + " is not kept: outputs are off by up to " + errorText(result.after) + " " +
                       data + ", with every layer in FP32 that no rule sets otherwise and that is in no body";
        note.fix = "change the precision rules, or raise the limit";
    } else if (kept == 0) {
        note.message = limit + " is kept with every layer in " + mode + ": outputs are off by at most " +
                       errorText(result.after) + " " + data;
    } else {
        note.message = std::to_string(kept) + " of " + counted(static_cast<int>(result.layers.size()), "layer") +
                       " that " + mode + " would lower stay in FP32, to keep " + limit +
                       (kept == static_cast<int>(result.layers.size()) ? "" : " or since lowering them saves nothing") +
                       ": outputs are off by at most " + errorText(result.after) + ", and would be by " +
                       errorText(result.before) + ", " + data;
        note.fix = "the Inspector says what each layer costs; raise the limit for more speed";
        if (kept == static_cast<int>(result.layers.size())) note.severity = BuildNote::Severity::Warning;
    }
    return note;
}

}  // namespace

bool limitsAccuracy(const Settings& settings) {
    return settings.accuracyLimit > 0 && settings.builder.precision != PrecisionMode::Fp32;
}

Result<BuildResult> buildAsAsked(const Settings& settings, const Builder& builder, const Builder::Request& request,
                                 std::vector<BuildNote>& notes) {
    if (!limitsAccuracy(settings)) return builder.build(request);
    const auto load = [&](const Engine& engine) -> Result<std::vector<NamedTensors>> {
        STROBE_ASSIGN(Samples samples,
                      loadSamples(engine, settings.inputFile, settings.shapes, settings.seed, kMaxRunsSearched));
        return std::move(samples.runs);
    };
    STROBE_ASSIGN(PrecisionSearchResult result, buildWithin(settings.accuracyLimit, builder, request, load));
    notes.push_back(outcomeOf(result, settings));
    if (settings.inputFile.empty())
        notes.push_back({BuildNote::Severity::Warning,
                         "",
                         {},
                         "the accuracy limit was kept on random input, which says little of real data",
                         "give real input data"});
    return std::move(result.build);
}

}  // namespace strobe
