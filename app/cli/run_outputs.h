#pragma once
#include <map>
#include <string>

#include "app/cli/command_line.h"
#include "sessions/samples.h"

namespace strobe::cli {

/// Runs once; outputs by name.
Result<NamedTensors> runOnce(const Engine& engine, const NamedTensors& inputs, int threads);

/// What all runs gave for one output.
struct WholeOutput {
    WeightsPtr array;  // null where the runs' shapes differ
    std::string note;  // that runs are stacked, or why there is no array; else empty
};
using WholeOutputs = std::map<std::string, WholeOutput>;

/// Runs once with each of the samples' runs. Outputs that begin with the batch are joined along it; others are stacked
/// along a new first dim, as a time-major one would mix time and samples.
Result<WholeOutputs> runAll(const Engine& engine, const Samples& samples, int threads);

/// Prints the notes, with `prints` the outputs too, and writes --exportOutput: nothing of it where an output has no
/// array.
Status reportOutputs(const Options& options, const WholeOutputs& outputs, bool prints);

}  // namespace strobe::cli
