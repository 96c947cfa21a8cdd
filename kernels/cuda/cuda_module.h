#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// All CUDA tactics in order of preference. Needs no driver: they are rules until prepare() is called.
/// `allowTf32`: FP32 products may round their factors to 10 bits of mantissa, many times faster.
void registerCudaTactics(KernelRegistry& registry, bool allowTf32);

}  // namespace strobe
