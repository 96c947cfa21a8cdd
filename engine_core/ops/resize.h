#pragma once
#include <string>
#include <vector>

#include "engine_core/ir/attributes.h"

namespace strobe {

/// The axes that Resize's scales, sizes and roi speak of, in their order, non-negative.
Result<std::vector<int64_t>> resizeAxes(const Attributes& attributes, int64_t rank);
/// The one scale that keep_aspect_ratio_policy not_larger or not_smaller makes of the asked ones.
double keepAspectScale(const std::string& policy, const std::vector<double>& scales);

}  // namespace strobe
