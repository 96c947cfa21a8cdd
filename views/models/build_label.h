#pragma once

#include <QString>

#include "sessions/session.h"

namespace strobe {

// A time of this build as every page shows it: with "! " before it where it cannot be trusted.
QString markedTime(const Build& build, const QString& time);
// Why it cannot, as a sentence; empty where it can or nothing was measured.
QString doubtText(const Build& build);
// That the layer times of this build do not add up to its latency, since a run with a clock around every layer took
// much longer or shorter; empty where both agree or nothing was measured.
QString clocksText(const Build& build);
// "BF16 · 6.91 ms", or the name alone without a profile; the time is marked.
QString buildLabel(const Build& build);
// Names of the model's ONNX nodes by index; empty without a model.
QStringList nodeNames(const Model* model);

}  // namespace strobe
