#pragma once
#include <string>

#include "engine_core/ir/pointwise_program.h"

namespace strobe {

/// `__device__ void program(float a0, …, float& r0, …)` in CUDA C++ on top of kernelPrelude().
std::string programText(const PointwiseProgram& program);

}  // namespace strobe
