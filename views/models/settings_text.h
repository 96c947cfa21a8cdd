// How settings are written and read: shapes, and what the choices mean in plain words. Pure; any thread.
#pragma once

#include <QString>

#include "sessions/session.h"

namespace strobe {

// Reads extents divided by ×, x, *, comma or blanks; an error names what is wrong. "" is rank 0.
Result<Dims> parseDims(const QString& text);

/// The names of the input data's files, or "random input".
QString inputDataName(const Settings& settings);
/// What the accuracy limit does, or why nothing.
QString accuracyLimitExplanation(const Settings& settings);
QString precisionExplanation(PrecisionMode mode, const DeviceInfo& device);
// `level` 0 … 5.
QString levelExplanation(int level);
// How many layers of the network a precision rule's pattern fits.
int countMatches(const QString& pattern, const Network& network);

}  // namespace strobe
