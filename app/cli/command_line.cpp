#include "app/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "engine_core/base/nearest_name.h"

namespace strobe::cli {
namespace {

std::string nearestFlag(const CLI::App& app, const std::string& unknown) {
    std::vector<std::string_view> names;
    for (const CLI::Option* option : app.get_options()) names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    return nearestName(unknown, names, 4);
}

/// CLI::Range lets NaN pass.
CLI::Validator finiteRange(double low, double high) {
    const auto check = [low, high](const std::string& text) -> std::string {
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return {};
        char message[160];
        std::snprintf(message, sizeof message, "value '%s' is not a number from %g to %g", text.substr(0, 60).c_str(), low, high);
        return message;
    };
    return CLI::Validator(check, "NUMBER");
}

/// trtexec's "workspace:512" in MiB, or with a unit behind it; its other pools belong to hardware that is not served here.
Result<size_t> workspaceLimitFrom(const std::string& text) {
    const auto wrong = [&] { return invalidArgument("--memPoolSize: '" + text + "' is not a limit; write workspace:512 (MiB) or workspace:1.5G, 1 byte to 1e15"); };
    const size_t colon = text.find(':');
    if (colon == std::string::npos) return wrong();
    if (text.substr(0, colon) != "workspace") return invalidArgument("--memPoolSize: pool '" + text.substr(0, colon) + "' does not exist here; workspace is allowed");
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

Result<std::map<std::string, Dims>> resolveNames(const Network& network, std::map<std::string, Dims> shapes, const std::string& flag) {
    const auto unnamed = shapes.find("");
    if (unnamed == shapes.end()) return shapes;
    if (network.inputs().size() != 1) return invalidArgument(flag + ": the model has " + std::to_string(network.inputs().size()) + " inputs; give each as name:1x3x…");
    shapes[network.tensor(network.inputs()[0]).name] = unnamed->second;
    shapes.erase("");
    return shapes;
}

Status addProfile(const Options& o, const Network& network, Settings& settings) {
    if (o.minShapes.empty() && o.optShapes.empty() && o.maxShapes.empty() && o.shapes.empty()) return Status::ok();
    STROBE_ASSIGN(auto min, parseShapes(o.minShapes, "--minShapes"));
    STROBE_ASSIGN(auto opt, parseShapes(o.optShapes, "--optShapes"));
    STROBE_ASSIGN(auto max, parseShapes(o.maxShapes, "--maxShapes"));
    STROBE_ASSIGN(auto run, parseShapes(o.shapes, "--shapes"));
    STROBE_ASSIGN(min, resolveNames(network, min, "--minShapes"));
    STROBE_ASSIGN(opt, resolveNames(network, opt, "--optShapes"));
    STROBE_ASSIGN(max, resolveNames(network, max, "--maxShapes"));
    STROBE_ASSIGN(run, resolveNames(network, run, "--shapes"));
    settings.shapes = run;
    // As trtexec: a lone --shapes (or --optShapes) fixes min, opt and max.
    if (opt.empty()) opt = !run.empty() ? run : !max.empty() ? max : min;
    if (min.empty()) min = opt;
    if (max.empty()) max = opt;
    OptimizationProfile profile;
    for (const auto& [name, dims] : opt) {
        const auto low = min.find(name), high = max.find(name);
        profile.inputs[name] = {low == min.end() ? dims : low->second, dims, high == max.end() ? dims : high->second};
    }
    for (const auto* given : {&min, &max, &run})
        for (const auto& entry : *given)
            if (!profile.inputs.count(entry.first)) return invalidArgument("input '" + entry.first + "' has a min, max or run shape but no opt shape; give --optShapes for it");
    settings.builder.profiles = {profile};
    return Status::ok();
}

}  // namespace

void addModelFlags(CLI::App& app, Options& o) {
    app.add_option("--onnx", o.onnx, "ONNX model to build from");
    app.add_option("--loadEngine", o.loadEngine, "engine file to run instead of building");
    app.add_option("--device", o.device, "cpu, or cuda:0 …; see strobe-cli devices");
    app.add_flag("--verbose,-v", o.verbose, "say more while building");
}

void addBuildFlags(CLI::App& app, Options& o) {
    app.add_option("--saveEngine", o.saveEngine, "write the engine to this file");
    app.add_option("--saveSession", o.saveSession, "write model, settings, build and timings to this .strobe document");
    app.add_flag("--bf16", o.bf16, "compute in BF16 where there is a kernel");
    app.add_flag("--fp16", o.fp16, "FP16: a preview of accuracy where the device has no FP16 arithmetic");
    app.add_flag("--best", o.best, "each layer in the precision that is fastest");
    app.add_option("--minShapes", o.minShapes, "smallest shapes, name:1x3x32x32,…");
    app.add_option("--optShapes", o.optShapes, "shapes that the engine is tuned for");
    app.add_option("--maxShapes", o.maxShapes, "largest shapes");
    app.add_option("--layerPrecisions", o.layerPrecisions, "pattern:fp32|bf16|fp16,…; pattern is a layer or node name, a wildcard, or op:Conv")->delimiter(',');
    app.add_option("--builderOptimizationLevel", o.builderOptimizationLevel, "0 (no timing) … 5 (exhaustive); default 3")->check(CLI::Range(0, 5));
    app.add_option("--avgTiming", o.avgTiming, "runs that each candidate is timed over; default by level")->check(CLI::Range(0, 100000));
    app.add_option("--memPoolSize", o.memPoolSize, "workspace:N: MiB of scratch memory that one layer may use (or with B, K, M, G behind it)");
    app.add_option("--timingCacheFile", o.timingCacheFile, "measured times to reuse and extend");
    app.add_flag("--noTimingCache", o.noTimingCache, "measure everything anew");
    app.add_flag("--errorOnTimingCacheMiss", o.errorOnTimingCacheMiss, "fail rather than measure");
    app.add_option("--disablePasses", o.disablePasses, "graph passes to leave out, by name")->delimiter(',');
    app.add_option("--banTactics", o.banTactics, "tactics not to use, by name")->delimiter(',');
    app.add_option("--pinTactics", o.pinTactics, "layer:tactic,…")->delimiter(',');
}

void addInferenceFlags(CLI::App& app, Options& o) {
    app.add_option("--shapes", o.shapes, "shapes to run at, name:1x3x640x640,…");
    app.add_option("--loadInputs", o.loadInputs, "inputs: name:file.npy,… or one .npz");
    app.add_option("--seed", o.seed, "seed of random inputs");
    app.add_option("--iterations", o.iterations, "run at least so many times; default 10")->check(CLI::Range(1, 100000000));
    app.add_option("--duration", o.duration, "run at least so many seconds; default 3")->check(finiteRange(0.0, 1e6));
    app.add_option("--warmUp", o.warmUp, "milliseconds run before measuring; default 200")->check(finiteRange(0.0, 1e8));
    app.add_option("--sleepTime", o.sleepTime, "milliseconds to wait between inferences")->check(finiteRange(0.0, 1e6));
    app.add_option("--infStreams", o.infStreams, "execution contexts that run at once; default 1")->check(CLI::Range(1, 1024));
    app.add_option("--cpuThreads", o.threads, "CPU threads of one context; default all cores")->check(CLI::Range(0, 1024));
    app.add_flag("--threads", o.streamThreads, "a host thread for each stream (always so here)");
    app.add_flag("--noDataTransfers", o.noDataTransfers, "leave copies to and from a device out of the latency");
    app.add_flag("--skipInference", o.skipInference, "only build");
}

void addReportFlags(CLI::App& app, Options& o) {
    app.add_option("--avgRuns", o.avgRuns, "runs averaged into one line of progress; default 10")->check(CLI::Range(1, 1000000));
    app.add_option("--percentile", o.percentiles, "percentiles to report; default 90,95,99")->delimiter(',')->check(finiteRange(0.0, 100.0));
    app.add_flag("--dumpProfile", o.dumpProfile, "print the time of each layer");
    app.add_flag("--dumpLayerInfo", o.dumpLayerInfo, "print the engine's layers");
    app.add_flag("--dumpOutput", o.dumpOutput, "print the outputs of the last run");
    app.add_flag("--dumpOptimizationProfile", o.dumpOptimizationProfile, "print the shape profiles");
    app.add_flag("--separateProfileRun", o.separateProfileRun, "per-layer clocks run apart from the latency measurement (always so here)");
    app.add_option("--exportTimes", o.exportTimes, "write the time of each inference to this JSON file");
    app.add_option("--exportOutput", o.exportOutput, "write the outputs to this .npz or .json file");
    app.add_option("--exportProfile", o.exportProfile, "write the layer times to this JSON file");
    app.add_option("--exportLayerInfo", o.exportLayerInfo, "write the engine's layers to this JSON file");
}

Result<std::map<std::string, Dims>> parseShapes(const std::string& text, const std::string& flag) {
    std::map<std::string, Dims> shapes;
    size_t begin = 0;
    while (begin < text.size()) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        begin = end + 1;
        const size_t colon = part.rfind(':');
        const std::string name = colon == std::string::npos ? "" : part.substr(0, colon);
        const std::string extents = colon == std::string::npos ? part : part.substr(colon + 1);
        Dims dims;
        const char* at = extents.data();
        const char* last = at + extents.size();
        while (at < last) {
            int64_t extent = 0;
            const auto [next, error] = std::from_chars(at, last, extent);
            if (error != std::errc() || extent < 0 || (next < last && *next != 'x') || next + 1 == last)
                return invalidArgument(flag + ": '" + part + "' is not a shape; write name:1x3x224x224");
            dims.push_back(extent);
            at = next < last ? next + 1 : next;
        }
        shapes[name] = dims;
    }
    return shapes;
}

Result<Settings> settingsFrom(const Options& o, const Network& network) {
    Settings settings;
    BuilderConfig& config = settings.builder;
    if (o.bf16 + o.fp16 + o.best > 1) return invalidArgument("--bf16, --fp16 and --best exclude each other; give one");
    config.precision = o.bf16 ? PrecisionMode::Bf16 : o.fp16 ? PrecisionMode::Fp16 : o.best ? PrecisionMode::Best : PrecisionMode::Fp32;
    config.device = o.device;
    config.optimizationLevel = o.builderOptimizationLevel;
    config.threads = o.threads;
    config.averageTimings = o.avgTiming;
    config.timingCachePath = o.noTimingCache ? std::string() : o.timingCacheFile;
    if (!o.memPoolSize.empty()) {
        STROBE_ASSIGN(config.workspaceLimit, workspaceLimitFrom(o.memPoolSize));
    }
    config.errorOnTimingCacheMiss = o.errorOnTimingCacheMiss;
    config.disabledPasses = {o.disablePasses.begin(), o.disablePasses.end()};
    config.bannedTactics = {o.banTactics.begin(), o.banTactics.end()};
    for (const std::string& rule : o.layerPrecisions) {
        const size_t colon = rule.rfind(':');
        if (colon == std::string::npos) return invalidArgument("--layerPrecisions: '" + rule + "' is no rule; write pattern:fp32");
        STROBE_ASSIGN(const DataType type, precisionFromName(rule.substr(colon + 1)));
        config.precisionRules.push_back({rule.substr(0, colon), type});
    }
    for (const std::string& pin : o.pinTactics) {
        const size_t colon = pin.rfind(':');
        if (colon == std::string::npos) return invalidArgument("--pinTactics: '" + pin + "' is no pin; write layer:tactic");
        config.pinnedTactics[pin.substr(0, colon)] = pin.substr(colon + 1);
    }
    STROBE_RETURN_IF_ERROR(addProfile(o, network, settings));
    settings.seed = o.seed;
    settings.profileMs = o.duration * 1000;
    const bool isNpz = o.loadInputs.size() > 4 && o.loadInputs.compare(o.loadInputs.size() - 4, 4, ".npz") == 0 && o.loadInputs.find(':') == std::string::npos;
    if (isNpz) settings.inputFile = o.loadInputs;
    return settings;
}

int parse(CLI::App& app, int argc, const char* const* argv) {
    app.allow_extras(true);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help().c_str(), stdout);
        return kSuccess;
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "strobe-cli: %s\n", error.what());
        return kUsage;
    }
    for (const std::string& extra : app.remaining()) {
        const std::string flag = extra.substr(0, extra.find('='));
        const size_t dashes = std::min(flag.find_first_not_of('-'), flag.size());
        const std::string nearest = dashes > 0 ? nearestFlag(app, flag.substr(dashes)) : std::string();
        std::fprintf(stderr, "strobe-cli: unknown %s '%s'%s; --help lists all\n", dashes > 0 ? "flag" : "argument", flag.c_str(),
                     nearest.empty() ? "" : ("; did you mean --" + nearest + "?").c_str());
        return kUsage;
    }
    return -1;
}

int fail(const Status& status) {
    std::fprintf(stderr, "strobe-cli: %s\n", status.message().c_str());
    switch (status.code()) {
        case ErrorCode::InvalidArgument:
        case ErrorCode::InvalidModel:
        case ErrorCode::NotFound:
        case ErrorCode::Unsupported:
        case ErrorCode::OutOfRange:
        case ErrorCode::IoError: return kUsage;
        default: return kFailure;
    }
}

}  // namespace strobe::cli
