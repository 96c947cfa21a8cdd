#pragma once
#include <map>
#include <string>
#include <vector>

#include "sessions/session.h"

namespace CLI {
class App;
}

namespace strobe::cli {

/// Exit codes of strobe-cli.
enum ExitCode { kSuccess = 0, kFailure = 1, kUsage = 2 };

/// Everything that trtexec's flags (and our few of our own) say. One struct for all commands; each command registers the groups it takes.
struct Options {
    // model and engine
    std::string onnx, loadEngine, saveEngine, saveSession;
    // build
    bool bf16 = false, fp16 = false, best = false;
    std::string minShapes, optShapes, maxShapes, shapes;
    std::vector<std::string> layerPrecisions;
    int builderOptimizationLevel = 3;
    int avgTiming = 0;
    std::string memPoolSize;
    std::string timingCacheFile;
    bool errorOnTimingCacheMiss = false, noTimingCache = false;
    std::vector<std::string> disablePasses, banTactics, pinTactics;
    std::string device = "cpu";
    int threads = 0;
    // inference
    std::string loadInputs;
    unsigned seed = 42;
    int iterations = 10, avgRuns = 10, infStreams = 1;
    double warmUp = 200, duration = 3, sleepTime = 0;
    std::vector<double> percentiles;
    bool skipInference = false, noDataTransfers = false, streamThreads = true;
    // report
    bool dumpProfile = false, dumpLayerInfo = false, dumpOutput = false, dumpOptimizationProfile = false, separateProfileRun = false, verbose = false;
    std::string exportTimes, exportOutput, exportProfile, exportLayerInfo;
};

void addModelFlags(CLI::App& app, Options& options);
void addBuildFlags(CLI::App& app, Options& options);
void addInferenceFlags(CLI::App& app, Options& options);
void addReportFlags(CLI::App& app, Options& options);

/// "x:1x3x640x640,y:1" → dims by input. Errors quote the part that is wrong. A lone shape without a name belongs to the only input ("").
Result<std::map<std::string, Dims>> parseShapes(const std::string& text, const std::string& flag);
/// Settings that the flags ask for on this model.
Result<Settings> settingsFrom(const Options& options, const Network& network);
/// Parses; prints errors (unknown flags with the nearest known name) and help. Returns −1 to go on, else the exit code.
int parse(CLI::App& app, int argc, const char* const* argv);
/// Prints "strobe-cli: message" to stderr and returns the code that fits it: 2 for what the user gave, 1 for what failed.
int fail(const Status& status);

/// Commands; argv without the program and command names. verify registers kernels of its own in each of its processes.
int benchCommand(const KernelRegistry& kernels, int argc, const char* const* argv);
int buildCommand(const KernelRegistry& kernels, int argc, const char* const* argv);
int runCommand(const KernelRegistry& kernels, int argc, const char* const* argv);
int inspectCommand(const KernelRegistry& kernels, int argc, const char* const* argv);
int compareCommand(const KernelRegistry& kernels, int argc, const char* const* argv);
int verifyCommand(const KernelRegistry& kernels, int argc, const char* const* argv);
int devicesCommand(const KernelRegistry& kernels, int argc, const char* const* argv);

}  // namespace strobe::cli
