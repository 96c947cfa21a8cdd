#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "engine_core/ir/attributes.h"
#include "engine_core/ir/pointwise_program.h"

namespace strobe {

/// What an element-wise op computes on floating-point (for logic: bool) elements, appended to `program` as
/// instructions. `inputs` are the value numbers of the op's inputs, −1 for absent ones. Returns the result's value
/// number, or nullopt when the op or its attributes have no such form. The one place that defines it: fusion and the
/// reference kernels both use it.
std::optional<int> lowerElementwise(std::string_view op, const Attributes& attributes, const std::vector<int>& inputs,
                                    PointwiseProgram& program);

}  // namespace strobe
