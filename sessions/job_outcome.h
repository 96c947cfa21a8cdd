// What a job that succeeded came to, in one line for the log. Pure; any thread.
#pragma once

#include <string>

#include "sessions/session.h"

namespace strobe {

/// "672 nodes".
std::string outcomeOf(const Model& model);
/// "95 layers, 1.74 ms · 401 candidates timed, 30 known from the timing cache".
std::string outcomeOf(const Build& build);
/// "95 layers, 1.74 ms".
std::string measuredText(const Build& build);
/// "Accuracy holds: 'y' has an SNR of …".
std::string outcomeOf(const Comparison& comparison);

}  // namespace strobe
