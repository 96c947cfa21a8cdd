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

/// A flag whose place among others matters: lists of these are in the order of the command line.
struct GivenFlag {
    std::string flag, value;
};

/// Everything that trtexec's flags (and our few of our own) say. One struct for all commands; each command registers
/// the groups it reads.
struct Options {
    // model and engine
    std::string file;  // positional: an ONNX model or an engine file
    std::string onnx, loadEngine, saveEngine, saveSession;
    // build
    bool bf16 = false, fp16 = false, best = false;
    std::vector<GivenFlag> profileFlags;  // --profile, --minShapes, --optShapes and --maxShapes
    std::string shapes;
    std::vector<std::string> layerPrecisions;
    double accuracyLimit = 0;  // share of an output's range; 0: none
    int builderOptimizationLevel = 3;
    int avgTiming = 0;
    std::string memPoolSize;
    std::string timingCacheFile;
    bool errorOnTimingCacheMiss = false, noTimingCache = false;
    std::vector<std::string> disablePasses, banTactics, pinTactics;
    std::string device;  // empty: the CPU, or the one that a loaded engine was built for
    int threads = 0;
    bool verbose = false;
    // inference
    int useProfile = -1;  // −1: the first one that the shapes fit
    std::string loadInputs;
    unsigned seed = 42;
    int iterations = 10, infStreams = 1;
    double warmUp = 200, duration = 3, sleepTime = 0;
    bool skipInference = false, noDataTransfers = false, streamThreads = true;
    // report
    std::vector<double> percentiles;
    int avgRuns = 0;  // 0: no such lines
    bool dumpProfile = false, dumpLayerInfo = false, dumpOutput = false, dumpOptimizationProfile = false,
         separateProfileRun = false;
    std::string exportTimes, exportOutput, exportProfile, exportLayerInfo;
};

/// Help groups, by which a command also tells what it was given.
inline constexpr const char* kBuildingFlags = "Building";
inline constexpr const char* kRunningFlags = "Running";
inline constexpr const char* kMeasuringFlags = "Measuring";
inline constexpr const char* kResultFlags = "Results of a run";

/// The flags of a command, each in the group that says what reads it.
void addBenchFlags(CLI::App& app, Options& options);
void addBuildCommandFlags(CLI::App& app, Options& options);
void addRunFlags(CLI::App& app, Options& options);
void addInspectFlags(CLI::App& app, Options& options);
void addCompareFlags(CLI::App& app, Options& options);
/// Of one side of compare.
void addSideFlags(CLI::App& app, Options& options);

/// Parses; prints errors (unknown flags with the nearest known name, or who reads them) and help. Returns −1 to go on,
/// else the exit code.
int parse(CLI::App& app, int argc, const char* const* argv);
/// The same without printing; help is an error here.
Status parseArguments(CLI::App& app, int argc, const char* const* argv);
/// Flags of a group that were given, as "--bf16, --device"; empty: none.
std::string givenFlags(const CLI::App& app, const char* group);
/// Puts the positional file where it belongs, and refuses flags that have no effect beside a loaded engine or
/// --skipInference.
Status resolveOptions(const CLI::App& app, Options& options);

/// Settings that the flags ask for; shapes are left to shape_flags.h.
Result<Settings> settingsFrom(const Options& options);
/// Names in the settings (layers, tactics, passes) that nothing goes by are refused with the nearest, before an hour of
/// building.
Status checkNames(const Settings& settings, const Model& model, const KernelRegistry& kernels);
/// Prints "strobe-cli: message" to stderr and returns the code that fits it: 2 for what the user gave, 1 for what
/// failed.
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
