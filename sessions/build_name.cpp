#include <algorithm>
#include <filesystem>

#include "engine_core/builder/shape_trials.h"
#include "sessions/limited_build.h"
#include "sessions/samples.h"
#include "sessions/session_state.h"

namespace strobe {
namespace {

std::string counted(size_t count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

/// The first file that the first build did not run on.
std::string dataText(const std::string& first, const std::string& second) {
    if (second.empty()) return " on random input";
    const auto was = parseInputFiles(first), is = parseInputFiles(second);
    if (!was || !is) return {};
    const auto isNew = [&](const InputFile& file) {
        return std::none_of(was->begin(), was->end(), [&](const InputFile& other) { return other.path == file.path; });
    };
    const auto found = std::find_if(is->begin(), is->end(), isNew);
    return found == is->end() ? std::string() : " on " + std::filesystem::path(found->path).filename().string();
}

}  // namespace

std::string buildTitle(const Settings& settings) {
    const BuilderConfig& builder = settings.builder;
    std::string title(precisionModeName(builder.precision));
    if (!builder.precisionRules.empty()) title += " + " + counted(builder.precisionRules.size(), "rule");
    if (limitsAccuracy(settings)) title += " within " + shareText(settings.accuracyLimit);
    if (builder.device != "cpu") title += " @" + builder.device;
    return title;
}

std::string differenceText(const Settings& first, const Settings& second) {
    const BuilderConfig &was = first.builder, &is = second.builder;
    if (was.optimizationLevel != is.optimizationLevel) return " level " + std::to_string(is.optimizationLevel);
    if (was.threads != is.threads)
        return is.threads > 0 ? " " + counted(static_cast<size_t>(is.threads), "thread") : std::string(" all threads");
    if (first.shapes != second.shapes && second.shapes.size() == 1)
        return " at " + shapesText(second.shapes);
    return first.inputFile == second.inputFile ? std::string() : dataText(first.inputFile, second.inputFile);
}

}  // namespace strobe
