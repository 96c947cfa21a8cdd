#pragma once
#include "app/cli/command_line.h"
#include "app/cli/input_data.h"
#include "app/cli/output_files.h"
#include "app/cli/shape_flags.h"
#include "profiler/trtexec_report.h"

namespace strobe::cli {

/// An engine to run and what is known about its making.
struct Subject {
    std::shared_ptr<const Engine> engine;
    std::shared_ptr<const Build> build;  // null when the engine was loaded
};

/// What a command that takes an engine writes.
std::vector<OutputFile> outputFiles(const Options& options);
/// Opens --onnx, printing trtexec's line; nodes without an op here are refused, all of them at once.
Status openModel(const Options& options, Session& session);
/// Settings for a build of the open model from the flags, all checked: shapes, names, data.
Status prepareBuild(const Options& options, Session& session, SaidLines& said);
/// Builds from --onnx (printing trtexec's lines) or loads --loadEngine. `session` keeps the build. What can be refused
/// is refused before the building begins.
Result<Subject> obtainEngine(const Options& options, Session& session);
struct Measurement {
    std::vector<QueryTimes> queries;
    double wallSeconds = 0;
    Transfers transfers = Transfers::None;
    int warmUpQueries = 0;
    double warmUpMs = 0;  // of the slowest stream
};
/// Warm-up and measurement on --infStreams contexts.
Result<Measurement> measure(const Options& options, const Engine& engine, const NamedTensors& inputs);
/// The end-to-end times of the queries.
Statistics latencyOf(const Measurement& measurement);
/// Times each layer; the end-to-end times are those that were measured and printed.
Result<Profile> profileLayers(const Options& options, const Engine& engine, const NamedTensors& inputs,
                              const Statistics& latency);
/// These print that they wrote.
Status writeEngine(const std::string& path, const Engine& engine);
Status writeSession(const std::string& path, Session& session);

}  // namespace strobe::cli
