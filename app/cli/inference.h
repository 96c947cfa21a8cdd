#pragma once
#include "app/cli/command_line.h"
#include "profiler/trtexec_report.h"

namespace strobe::cli {

/// An engine to run and what is known about its making.
struct Subject {
    std::shared_ptr<const Engine> engine;
    std::shared_ptr<const Build> build;  // null when the engine was loaded
};

/// Builds from --onnx (printing trtexec's lines) or loads --loadEngine. `session` keeps the build.
Result<Subject> obtainEngine(const Options& options, Session& session);
/// Inputs that the flags name, completed by random ones.
Result<NamedTensors> obtainInputs(const Options& options, const Engine& engine);
struct Measurement {
    std::vector<QueryTimes> queries;
    double wallSeconds = 0;
    int warmUpQueries = 0;
    double warmUpMs = 0;  // of the slowest stream
};
/// Warm-up and measurement on --infStreams contexts.
Result<Measurement> measure(const Options& options, const Engine& engine, const NamedTensors& inputs);
/// Runs once; outputs by name.
Result<NamedTensors> runOnce(const Engine& engine, const NamedTensors& inputs, int threads);
/// .npz, or JSON as trtexec writes it.
Status writeOutputs(const std::string& path, const NamedTensors& outputs);
Status writeText(const std::string& path, const std::string& text);
std::string outputsText(const NamedTensors& outputs);

}  // namespace strobe::cli
