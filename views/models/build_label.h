#pragma once

#include <QString>

#include "sessions/session.h"

namespace strobe {

// "BF16 · 6.91 ms", or the name alone without a profile.
QString buildLabel(const Build& build);
// Names of the model's ONNX nodes by index; empty without a model.
QStringList nodeNames(const Model* model);

}  // namespace strobe
