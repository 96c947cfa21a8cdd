#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// All CPU tactics in order of preference: oneDNN, our own SIMD kernels, the naive references last.
void registerCpuKernels(KernelRegistry& registry);

}  // namespace strobe
