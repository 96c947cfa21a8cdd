#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sessions/session.h"

namespace strobe {

/// What is wrong or risky in a model or a build. Told by these alone, so that it is there again when a document is
/// opened.
std::vector<ProblemEntry> problemsOf(const Model& model);
/// Their source is problemSource().
std::vector<ProblemEntry> problemsOf(const Build& build);
std::string problemSource(const Build& build);
/// Of a build that must not be run (Build::weightsLost).
Status weightsLostError(const Build& build);

/// That extents are taken which neither the model nor the settings say; none where all of them are said.
std::optional<ProblemEntry> openExtentsProblem(const Model& model, const Settings& settings);

/// Why the times of this build cannot be trusted: other work ran meanwhile. Empty when they can, or when there are
/// none.
std::string disturbanceOf(const Build& build);

}  // namespace strobe
