#pragma once
#include "app/cli/command_line.h"
#include "sessions/samples.h"

namespace strobe::cli {

/// The data of --loadInputs as it lies in its files; empty without.
Result<NamedTensors> readInputs(const Options& options);
/// Data that the engine could not take is refused before it is built. An .npz may hold more than inputs, and is cut
/// along its first dim.
Status checkInputNames(const Options& options, const NamedTensors& given, const Network& network);
Status checkInputShapes(const Options& options, const NamedTensors& given,
                        const std::vector<OptimizationProfile>& profiles);
/// The same for an engine that is there.
Status checkInputsOfEngine(const Options& options, const Engine& engine);
/// Inputs that the flags name, completed by random ones, and labels where the data has them. Prints what was done to
/// the data.
Result<Samples> obtainSamples(const Options& options, const Engine& engine, int maxRuns = kAllRuns);

}  // namespace strobe::cli
