// Models that a window must stand: written as files, for the tour.
#pragma once

#include <string>

namespace strobe::testing {

/// Ops that nobody knows and names of 200 characters.
bool writeProblemModel(const std::string& path);
/// A network of about `nodes` nodes with branches and name scopes.
bool writeLargeModel(const std::string& path, int nodes);

}  // namespace strobe::testing
