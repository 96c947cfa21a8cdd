#include "sessions/problems.h"

#include <algorithm>
#include <cmath>

namespace strobe {
namespace {

std::vector<int> nodeOf(const Network& network, const std::string& name) {
    const auto& nodes = network.sourceNodes();
    for (size_t n = 0; n < nodes.size(); ++n)
        if (nodes[n].name == name) return {static_cast<int>(n)};
    return {};
}

/// Long names are shortened and may then be equal: the op tells the node.
std::vector<int> nodeOf(const Network& network, const UnsupportedNode& node) {
    const auto& nodes = network.sourceNodes();
    for (size_t n = 0; n < nodes.size(); ++n)
        if (nodes[n].opType == node.opType && nodes[n].name.rfind(node.name, 0) == 0) return {static_cast<int>(n)};
    return nodeOf(network, node.name);
}

/// The symbols of which the settings say what they are.
SymbolValues saidSymbols(const Model& model, const Settings& settings) {
    std::map<std::string, Dims> said = settings.shapes;
    if (!settings.builder.profiles.empty())
        for (const auto& [name, range] : settings.builder.profiles.front().inputs) said.try_emplace(name, range.opt);
    const auto symbols = bindSymbols(*model.parsed, said);
    return symbols ? *symbols : SymbolValues();
}

/// Kernels are chosen at the best shapes of the first profile.
bool ranWhereChosen(const Build& build) {
    const auto& profiles = build.engine->parts().profiles;
    if (profiles.empty()) return true;
    return std::all_of(profiles.front().inputs.begin(), profiles.front().inputs.end(), [&](const auto& input) {
        const auto ran = build.profile->shapes.find(input.first);
        return ran == build.profile->shapes.end() || ran->second == input.second.opt;
    });
}

/// How many times longer the layers took than while their kernels were chosen, where that is so much that they were
/// kept waiting, however evenly; 0 else.
double slowdownSinceChosen(const Build& build) {
    constexpr double kTooLong = 3, kTooMuchMs = 0.5;
    if (!build.engine || !ranWhereChosen(build)) return 0;
    const auto& layers = build.engine->graph().layers;
    double chosen = 0, ran = 0;
    for (const LayerProfile& layer : build.profile->layers) {
        const auto at = static_cast<size_t>(layer.layer);
        if (at >= layers.size() || layers[at].buildMilliseconds <= 0) continue;
        chosen += layers[at].buildMilliseconds;
        ran += layer.milliseconds.median;
    }
    return chosen > 0 && ran > kTooLong * chosen && ran > chosen + kTooMuchMs ? ran / chosen : 0;
}

ProblemSeverity severityOf(BuildNote::Severity severity) { return static_cast<ProblemSeverity>(severity); }

}  // namespace

std::vector<ProblemEntry> problemsOf(const Model& model) {
    std::vector<ProblemEntry> problems;
    const ImportedModel& imported = *model.imported;
    for (const UnsupportedNode& node : imported.unsupported)
        problems.push_back({ProblemSeverity::Error, "import", nodeOf(imported.network, node), node.name,
                            "op '" + node.opType + "'" +
                                (node.domain.empty() ? "" : " of domain '" + node.domain + "'") +
                                (node.version > 0 ? " (version " + std::to_string(node.version) + ")" : "") +
                                " is not supported",
                            node.help});
    for (const ImportIssue& issue : imported.warnings)
        problems.push_back(
            {issue.severity == ImportSeverity::Note ? ProblemSeverity::Info : ProblemSeverity::Warning, "import",
             nodeOf(imported.network, issue.node), issue.node, issue.message, issue.fix});
    return problems;
}

std::optional<ProblemEntry> openExtentsProblem(const Model& model, const Settings& settings) {
    const SymbolValues& assumed = model.assumed.values;
    if (assumed.empty() || !model.imported->unsupported.empty()) return std::nullopt;
    const SymbolValues said = saidSymbols(model, settings);
    const auto isSaid = [&](const auto& entry) { return said.count(entry.first) > 0; };
    if (std::all_of(assumed.begin(), assumed.end(), isSaid)) return std::nullopt;
    const auto profiles = completeProfiles(*model.parsed, {}, assumed);
    if (!profiles) return std::nullopt;
    std::map<std::string, Dims> shapes;
    for (const auto& [name, range] : profiles->front().inputs) shapes[name] = range.opt;
    const std::string open = "the model leaves extents of its inputs open";
    const std::string fix = "set the shapes that you run at";
    if (model.assumed.refused.isOk())
        return ProblemEntry{ProblemSeverity::Info, "import", {}, "",
                            open + "; until you set them, taken are " + shapesText(shapes), fix};
    return ProblemEntry{ProblemSeverity::Warning, "import", {}, "",
                        open + " and does not take " + shapesText(shapes) + ": " + model.assumed.refused.message(),
                        fix};
}

std::string disturbanceOf(const Build& build) {
    if (!build.profile) return {};
    if (std::string why = build.profile->disturbance(); !why.empty()) return why;
    const double slowdown = slowdownSinceChosen(build);
    return slowdown == 0 ? std::string()
                         : "its layers took " + std::to_string(std::lround(slowdown)) +
                               " times as long as while their kernels were chosen";
}

std::string problemSource(const Build& build) { return "build " + build.name; }

Status weightsLostError(const Build& build) {
    return ioError("build '" + build.name + "' has no weights any more: " + build.weightsLost);
}

std::vector<ProblemEntry> problemsOf(const Build& build) {
    const std::string source = problemSource(build);
    std::vector<ProblemEntry> problems;
    if (!build.weightsLost.empty())
        problems.push_back({ProblemSeverity::Warning, source, {}, "",
                            weightsLostError(build).message(), "build anew"});
    if (const std::string why = disturbanceOf(build); !why.empty())
        problems.push_back({ProblemSeverity::Warning, source, {}, "", "the measurement was disturbed: " + why,
                            "let other programs rest and measure again"});
    for (const auto* notes : {&build.notes, &build.report.notes})
        for (const BuildNote& note : *notes)
            problems.push_back(
                {severityOf(note.severity), source, note.provenance, note.layer, note.message, note.fix});
    return problems;
}

}  // namespace strobe
