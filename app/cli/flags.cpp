// Which command reads which flag. A flag that a command would ignore is not registered for it.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/cli/command_line.h"

namespace strobe::cli {
namespace {

/// CLI::Range lets NaN pass.
CLI::Validator finiteRange(double low, double high, const char* hint = "") {
    const auto check = [low, high, hint](const std::string& text) -> std::string {
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return {};
        char message[160];
        std::snprintf(message, sizeof message, "value '%s' is not a number from %g to %g%s", text.substr(0, 60).c_str(),
                      low, high, hint);
        return message;
    };
    return CLI::Validator(check, "NUMBER");
}

/// Adds to one help group.
struct Group {
    CLI::App& app;
    const char* name;
    template <class T>
    CLI::Option* option(const char* flags, T& value, const char* help) {
        return app.add_option(flags, value, help)->group(name);
    }
    /// May be given several times.
    void ordered(const char* flag, std::vector<GivenFlag>& given, const char* help) {
        const auto keep = [flag, &given](const std::string& value) { given.push_back({flag, value}); };
        app.add_option_function<std::string>(flag, keep, help)->trigger_on_parse()->group(name);
    }
    void flag(const char* flags, bool& value, const char* help) {
        app.add_flag(flags, value, help)->group(name)->disable_flag_override();
    }
};

void addModel(CLI::App& app, Options& o) {
    app.add_option("file", o.file, "ONNX model, as --onnx");
    app.add_option("--onnx", o.onnx, "ONNX model to build from");
}
void addModelOrEngine(CLI::App& app, Options& o) {
    app.add_option("file", o.file, "ONNX model, as --onnx, or engine file, as --loadEngine");
    app.add_option("--onnx", o.onnx, "ONNX model to build from");
    app.add_option("--loadEngine", o.loadEngine, "engine file to use instead of building");
}
void addDevice(CLI::App& app, Options& o) {
    app.add_option("--device", o.device, "cpu (default), or cuda:0 …; see strobe-cli devices");
}
void addSaveEngine(CLI::App& app, Options& o) {
    app.add_option("--saveEngine", o.saveEngine, "write the engine to this file");
}

void addBuilding(CLI::App& app, Options& o) {
    Group g{app, kBuildingFlags};
    g.flag("--bf16", o.bf16, "compute in BF16 where there is a kernel");
    g.flag("--fp16", o.fp16, "FP16: a preview of accuracy where the device has no FP16 arithmetic");
    g.flag("--best", o.best, "each layer in the precision that is fastest");
    g.ordered("--minShapes", o.profileFlags, "smallest shapes, name:1x3x32x32,…");
    g.ordered("--optShapes", o.profileFlags, "shapes that the engine is tuned for");
    g.ordered("--maxShapes", o.profileFlags, "largest shapes");
    g.ordered("--profile", o.profileFlags,
              "begins profile N (0, 1, …): the shapes behind it, up to the next --profile, are its own");
    g.option("--layerPrecisions", o.layerPrecisions,
             "pattern:fp32|bf16|fp16,…; pattern is a layer or node name, a wildcard, or op:Conv")
        ->delimiter(',');
    g.option("--builderOptimizationLevel", o.builderOptimizationLevel, "0 (no timing) … 5 (exhaustive); default 3")
        ->check(CLI::Range(0, 5));
    g.option("--avgTiming", o.avgTiming, "runs that each candidate is timed over; default by level")
        ->check(CLI::Range(0, 100000));
    g.option("--memPoolSize", o.memPoolSize,
             "workspace:N: MiB of scratch memory that one layer may use (or with B, K, M, G behind it)");
    g.option("--timingCacheFile", o.timingCacheFile, "measured times to reuse and extend");
    g.flag("--noTimingCache", o.noTimingCache, "measure everything anew");
    g.flag("--errorOnTimingCacheMiss", o.errorOnTimingCacheMiss, "fail rather than measure");
    g.option("--disablePasses", o.disablePasses, "graph passes to leave out, by name")->delimiter(',');
    g.option("--banTactics", o.banTactics, "tactics not to use, by name")->delimiter(',');
    g.option("--pinTactics", o.pinTactics, "layer:tactic,…")->delimiter(',');
}
void addAccuracyLimit(CLI::App& app, Options& o) {
    Group{app, kBuildingFlags}
        .option("--accuracyLimit", o.accuracyLimit,
                "with --bf16, --fp16 or --best: keep layers in FP32 until no element of an output is off by more than "
                "this share of the output's range (0.03) on the data of --loadInputs")
        ->check(finiteRange(1e-5, 1.0, "; a share: 0.03 means 3 %"));
}
void addVerbose(CLI::App& app, Options& o) {
    Group{app, kBuildingFlags}.flag("--verbose,-v", o.verbose, "say more while building");
}

void addThreads(CLI::App& app, Options& o) {
    Group{app, kRunningFlags}
        .option("--cpuThreads", o.threads, "CPU threads of one inference; default all cores")
        ->check(CLI::Range(0, 1024));
}
void addShapes(CLI::App& app, Options& o, const char* help) {
    Group{app, kRunningFlags}.option("--shapes", o.shapes, help);
}

void addData(CLI::App& app, Options& o, const char* help) {
    Group g{app, kRunningFlags};
    g.option("--loadInputs", o.loadInputs, help);
    g.option("--seed", o.seed, "seed of random inputs");
}

void addInputs(CLI::App& app, Options& o) {
    addShapes(app, o, "shapes to run at, name:1x3x640x640,…; alone, also those to build for");
    Group g{app, kRunningFlags};
    g.option("--useProfile,--useOptimizationProfile", o.useProfile,
             "run at the opt shapes of profile N, or at shapes that must lie in it; default: whichever profile the "
             "shapes fit, without shapes the first")
        ->check(CLI::Range(0, 1000000));
    addData(app, o, "inputs: name:file.npy,… or one .npz; without shapes, the engine is built for theirs");
    addThreads(app, o);
}

void addMeasuring(CLI::App& app, Options& o, const char* duration) {
    Group g{app, kMeasuringFlags};
    g.option("--iterations", o.iterations, "run at least so many times; default 10")->check(CLI::Range(1, 100000000));
    g.option("--duration", o.duration, duration)->check(finiteRange(0.0, 1e6));
    g.option("--warmUp", o.warmUp, "milliseconds run before measuring; default 200")->check(finiteRange(0.0, 1e8));
    g.option("--sleepTime", o.sleepTime, "milliseconds to wait between inferences")->check(finiteRange(0.0, 1e6));
    g.option("--infStreams", o.infStreams, "execution contexts that run at once; default 1")
        ->check(CLI::Range(1, 1024));
    g.flag("--threads", o.streamThreads, "a host thread for each stream (always so here)");
    g.flag("--noDataTransfers", o.noDataTransfers,
           "leave copies to and from a GPU out of the latency (the CPU has none)");
}

void addReports(CLI::App& app, Options& o) {
    Group g{app, kResultFlags};
    g.option("--avgRuns", o.avgRuns, "print the average latency of each N runs")->check(CLI::Range(1, 1000000));
    g.option("--percentile", o.percentiles, "percentiles to report; default 90,95,99")
        ->delimiter(',')
        ->check(finiteRange(0.0, 100.0));
    g.flag("--dumpProfile", o.dumpProfile, "print the time of each layer");
    g.flag("--dumpOutput", o.dumpOutput, "print the outputs of all runs");
    g.flag("--separateProfileRun", o.separateProfileRun,
           "per-layer clocks run apart from the latency measurement (always so here)");
    g.option("--exportTimes", o.exportTimes, "write the time of each inference to this JSON file");
    g.option("--exportProfile", o.exportProfile, "write the layer times to this JSON file");
}
void addExportOutput(CLI::App& app, Options& o) {
    Group{app, kResultFlags}.option("--exportOutput", o.exportOutput,
                                    "write the outputs of all runs to this .npz or .json file");
}

void addEngineReports(CLI::App& app, Options& o) {
    Group g{app, "The engine"};
    g.flag("--dumpLayerInfo", o.dumpLayerInfo, "print the engine's layers");
    g.flag("--dumpOptimizationProfile", o.dumpOptimizationProfile, "print the shape profiles");
    g.option("--exportLayerInfo", o.exportLayerInfo, "write the engine's layers to this JSON file");
    addSaveEngine(app, o);
}
void addSaveSession(CLI::App& app, Options& o) {
    app.add_option("--saveSession", o.saveSession,
                   "write model, settings, builds and timings to this .strobe document");
}

}  // namespace

void addBenchFlags(CLI::App& app, Options& o) {
    addModelOrEngine(app, o);
    addDevice(app, o);
    addSaveSession(app, o);
    addBuilding(app, o);
    addAccuracyLimit(app, o);
    addVerbose(app, o);
    addInputs(app, o);
    addMeasuring(app, o, "run at least so many seconds; default 3");
    Group{app, kMeasuringFlags}.flag("--skipInference", o.skipInference, "only build");
    addReports(app, o);
    addExportOutput(app, o);
    addEngineReports(app, o);
}

void addBuildCommandFlags(CLI::App& app, Options& o) {
    addModel(app, o);
    addDevice(app, o);
    addSaveSession(app, o);
    addBuilding(app, o);
    addAccuracyLimit(app, o);
    addVerbose(app, o);
    addShapes(app, o, "the only shapes to build for, name:1x3x640x640,…");
    addData(app, o,
            "data that the accuracy limit is kept on: name:file.npy,… or one .npz; without shapes, the engine is "
            "built for theirs");
    addThreads(app, o);
    app.add_flag("--skipInference", o.skipInference, "only build (always so here)");
    addEngineReports(app, o);
}

void addRunFlags(CLI::App& app, Options& o) {
    addModelOrEngine(app, o);
    addDevice(app, o);
    addSaveEngine(app, o);
    addBuilding(app, o);
    addAccuracyLimit(app, o);
    addVerbose(app, o);
    addInputs(app, o);
    addExportOutput(app, o);
}

void addInspectFlags(CLI::App& app, Options& o) {
    addModelOrEngine(app, o);
    addDevice(app, o);
    addBuilding(app, o);
    addShapes(app, o, "shapes to fuse and build for, name:1x3x640x640,…");
    addThreads(app, o);
}

void addCompareFlags(CLI::App& app, Options& o) {
    o.duration = 1.5;
    app.add_option("--onnx", o.onnx, "ONNX model that both sides are built from");
    addDevice(app, o);
    addSaveSession(app, o);
    addBuilding(app, o);
    addAccuracyLimit(app, o);
    addInputs(app, o);
    addMeasuring(app, o, "measure both sides for at least so many seconds in all; default 1.5");
}

void addSideFlags(CLI::App& app, Options& o) {
    addDevice(app, o);
    addBuilding(app, o);
    addAccuracyLimit(app, o);
    addThreads(app, o);
}

}  // namespace strobe::cli
