#include <filesystem>

#include "engine_core/builder/shape_trials.h"
#include "sessions/session_state.h"

namespace strobe {
namespace {

std::string counted(size_t count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace

std::string buildTitle(const Settings& settings) {
    const BuilderConfig& builder = settings.builder;
    std::string title(precisionModeName(builder.precision));
    if (!builder.precisionRules.empty()) title += " + " + counted(builder.precisionRules.size(), "rule");
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
    if (first.inputFile != second.inputFile)
        return second.inputFile.empty() ? std::string(" on random input")
                                        : " on " + std::filesystem::path(second.inputFile).filename().string();
    return {};
}

}  // namespace strobe
