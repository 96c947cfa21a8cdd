// Flags → Settings, and whether the names in them mean something.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "app/cli/command_line.h"
#include "engine_core/base/nearest_name.h"
#include "engine_core/builder/precision_policy.h"

namespace strobe::cli {
namespace {

/// trtexec's "workspace:512" in MiB, or with a unit behind it; its other pools belong to hardware that is not served
/// here.
Result<size_t> workspaceLimitFrom(const std::string& text) {
    const auto wrong = [&] {
        return invalidArgument("--memPoolSize: '" + text +
                               "' is not a limit; write workspace:512 (MiB) or workspace:1.5G, 1 byte to 1e15");
    };
    const size_t colon = text.find(':');
    if (colon == std::string::npos) return wrong();
    if (text.substr(0, colon) != "workspace")
        return invalidArgument("--memPoolSize: pool '" + text.substr(0, colon) +
                               "' does not exist here; workspace is allowed");
    std::string number = text.substr(colon + 1);
    int shift = 20;
    if (const size_t unit = std::string("BKMG").find(number.empty() ? '?' : number.back()); unit != std::string::npos) {
        shift = 10 * static_cast<int>(unit);
        number.pop_back();
    }
    double amount = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), amount);
    const double bytes = std::ldexp(amount, shift);
    if (error != std::errc() || end != number.data() + number.size() || !(bytes >= 1 && bytes <= 1e15)) return wrong();
    return static_cast<size_t>(bytes);
}

Result<DataType> precisionFromName(const std::string& name) {
    if (name == "fp32") return DataType::Float32;
    if (name == "bf16") return DataType::BFloat16;
    if (name == "fp16") return DataType::Float16;
    return invalidArgument("--layerPrecisions: precision '" + name + "' is unknown; fp32, bf16 or fp16 is allowed");
}

std::string orNearest(const std::string& unknown, const std::vector<std::string>& known) {
    const std::string nearest = nearestName(unknown, {known.begin(), known.end()}, 4);
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

template <class Match>
bool anyLayer(const Network& network, const Match& match) {
    const std::vector<LayerId> order = network.topologicalOrder();
    return std::any_of(order.begin(), order.end(), [&](LayerId id) { return match(network.layer(id)); });
}

std::vector<std::string> layerNames(const Network& network) {
    std::vector<std::string> names;
    for (const LayerId id : network.topologicalOrder()) names.push_back(network.layer(id).name);
    return names;
}

std::string patternHelp(const std::string& pattern, const Network& network) {
    if (pattern.rfind("op:", 0) != 0)
        return orNearest(pattern, layerNames(network)) +
               "; wildcards * and ? and op:Conv are allowed, --dumpLayerInfo lists the layers";
    std::vector<std::string> ops;
    for (const LayerId id : network.topologicalOrder()) ops.push_back("op:" + network.layer(id).op->name);
    return orNearest(pattern, ops);
}

/// A rule or pin may speak of an ONNX node, or of a layer that fusing makes.
class LayerNames {
public:
    LayerNames(const Settings& settings, const Model& model, const KernelRegistry& kernels)
        : m_settings(settings), m_model(model), m_kernels(kernels) {}

    Status checkRule(const PrecisionRule& rule) {
        if (anyLayer(*m_model.parsed,
                     [&](const Layer& layer) { return matchesRule(rule.pattern, layer, *m_model.parsed); }))
            return Status::ok();
        STROBE_RETURN_IF_ERROR(fuse());
        if (anyLayer(*m_fused, [&](const Layer& layer) { return matchesRule(rule.pattern, layer, *m_fused); }))
            return Status::ok();
        return invalidArgument("--layerPrecisions: '" + rule.pattern + "' matches no layer or node" +
                               patternHelp(rule.pattern, *m_model.parsed));
    }
    Status checkPin(const std::string& name, const std::string& tactic) {
        if (!m_kernels.findByName(tactic))
            return invalidArgument("--pinTactics: no tactic is called '" + tactic +
                                   "'; --dumpLayerInfo lists the candidates of each layer");
        STROBE_RETURN_IF_ERROR(fuse());
        if (m_fused->findLayer(name) != kNone) return Status::ok();
        return invalidArgument("--pinTactics: no layer of the fused network is called '" + name + "'" +
                               orNearest(name, layerNames(*m_fused)) + "; --dumpLayerInfo lists them");
    }

private:
    Status fuse() {
        if (m_fused) return Status::ok();
        Builder::Request request;
        request.parsed = m_model.parsed;
        request.config = m_settings.builder;
        STROBE_ASSIGN(const BuildReport report, Builder(m_kernels).fuse(request));
        m_fused = report.fused;
        return Status::ok();
    }

    const Settings& m_settings;
    const Model& m_model;
    const KernelRegistry& m_kernels;
    std::shared_ptr<const Network> m_fused;
};

}  // namespace

Result<Settings> settingsFrom(const Options& o) {
    Settings settings;
    BuilderConfig& config = settings.builder;
    if (o.bf16 + o.fp16 + o.best > 1) return invalidArgument("--bf16, --fp16 and --best exclude each other; give one");
    config.precision = o.bf16   ? PrecisionMode::Bf16
                       : o.fp16 ? PrecisionMode::Fp16
                       : o.best ? PrecisionMode::Best
                                : PrecisionMode::Fp32;
    if (o.accuracyLimit > 0 && config.precision == PrecisionMode::Fp32)
        return invalidArgument("--accuracyLimit limits what a lower precision costs; give --bf16, --fp16 or --best, too");
    settings.accuracyLimit = o.accuracyLimit;
    if (!o.device.empty()) config.device = o.device;
    config.optimizationLevel = o.builderOptimizationLevel;
    config.threads = o.threads;
    config.averageTimings = o.avgTiming;
    if (o.noTimingCache && !o.timingCacheFile.empty())
        return invalidArgument("--noTimingCache and --timingCacheFile exclude each other; give one");
    if (o.noTimingCache && o.errorOnTimingCacheMiss)
        return invalidArgument("--errorOnTimingCacheMiss needs a timing cache; leave out --noTimingCache");
    config.timingCachePath = o.timingCacheFile;
    if (!o.memPoolSize.empty()) {
        STROBE_ASSIGN(config.workspaceLimit, workspaceLimitFrom(o.memPoolSize));
    }
    config.errorOnTimingCacheMiss = o.errorOnTimingCacheMiss;
    config.disabledPasses = {o.disablePasses.begin(), o.disablePasses.end()};
    config.bannedTactics = {o.banTactics.begin(), o.banTactics.end()};
    for (const std::string& rule : o.layerPrecisions) {
        const size_t colon = rule.rfind(':');
        if (colon == std::string::npos)
            return invalidArgument("--layerPrecisions: '" + rule + "' is no rule; write pattern:fp32");
        STROBE_ASSIGN(const DataType type, precisionFromName(rule.substr(colon + 1)));
        config.precisionRules.push_back({rule.substr(0, colon), type});
    }
    for (const std::string& pin : o.pinTactics) {
        const size_t colon = pin.rfind(':');
        if (colon == std::string::npos)
            return invalidArgument("--pinTactics: '" + pin + "' is no pin; write layer:tactic");
        config.pinnedTactics[pin.substr(0, colon)] = pin.substr(colon + 1);
    }
    settings.seed = o.seed;
    settings.profileMs = o.duration * 1000;
    settings.inputFile = o.loadInputs;
    return settings;
}

Status checkNames(const Settings& settings, const Model& model, const KernelRegistry& kernels) {
    std::vector<std::string> passes;
    for (const auto& pass : PassManager::standardPasses()) passes.emplace_back(pass->name());
    for (const std::string& name : settings.builder.disabledPasses)
        if (std::find(passes.begin(), passes.end(), name) == passes.end())
            return invalidArgument("--disablePasses: no pass is called '" + name + "'" + orNearest(name, passes) +
                                   "; strobe-cli inspect model.onnx --stage=fused lists them");
    for (const std::string& name : settings.builder.bannedTactics)
        if (!kernels.findByName(name))
            return invalidArgument("--banTactics: no tactic is called '" + name +
                                   "'; --dumpLayerInfo lists the candidates of each layer");
    LayerNames layers(settings, model, kernels);
    for (const PrecisionRule& rule : settings.builder.precisionRules) STROBE_RETURN_IF_ERROR(layers.checkRule(rule));
    for (const auto& [layer, tactic] : settings.builder.pinnedTactics)
        STROBE_RETURN_IF_ERROR(layers.checkPin(layer, tactic));
    return Status::ok();
}

}  // namespace strobe::cli
