// Builds below FP32 whose error is limited by the settings.
#pragma once
#include <string>
#include <vector>

#include "profiler/precision_search.h"
#include "sessions/session.h"

namespace strobe {

/// A limit is set, and the mode is one that has an error.
bool limitsAccuracy(const Settings& settings);

/// Builds `request`, which holds the settings' config: within the settings' accuracy limit where they set one. `notes`
/// gets what came of that.
Result<BuildResult> buildAsAsked(const Settings& settings, const Builder& builder, const Builder::Request& request,
                                 std::vector<BuildNote>& notes);

}  // namespace strobe
