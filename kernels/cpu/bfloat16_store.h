#pragma once
#include <cstddef>

#include "engine_core/base/float_formats.h"

namespace strobe {

/// FP32 to BF16 by the processor's own instruction; subnormal numbers become zero. False with nothing done where there
/// is none: use vectors of integers then.
bool storeBFloat16(const float* from, BFloat16* to, size_t n);

}  // namespace strobe
