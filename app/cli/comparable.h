#pragma once
#include "sessions/session.h"

namespace strobe::cli {

/// Whether B can be measured and compared beside A on A's inputs: inputs and outputs of the same names and types, and
/// shapes that B takes. Engines of two models may; that is printed.
Status checkComparable(const Build& a, const Build& b, const NamedTensors& inputs);

}  // namespace strobe::cli
