#pragma once
#include <optional>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// What a problem says of its inputs before the run.

/// The layer has the input: a bias, say.
bool isGiven(const Problem& problem, size_t input);
/// Elements of an integer input, none when it is absent or empty; nullopt when they come at run time.
std::optional<std::vector<int64_t>> knownIntegers(const Problem& problem, size_t input);
/// A non-negative axis.
size_t normalAxis(int64_t axis, size_t rank);
/// Which logical axes a Reduce op takes away (input 1); nullopt when that comes at run time.
std::optional<std::vector<bool>> reducedAxes(const Problem& problem);
/// A scale or bias has one entry for each element from `axis` on and is the same for all before it.
bool coversRow(const Dims& parameter, const Dims& dims, size_t axis);

}  // namespace strobe
