#pragma once
#include <string>
#include <vector>

#include "engine_core/ir/attributes.h"

namespace strobe {

/// The axes that Resize's scales, sizes and roi speak of, in their order, non-negative.
Result<std::vector<int64_t>> resizeAxes(const Attributes& attributes, int64_t rank);
/// The one scale that keep_aspect_ratio_policy not_larger or not_smaller makes of the asked ones.
double keepAspectScale(const std::string& policy, const std::vector<double>& scales);

/// One axis of a Resize: extents, the asked scale (which need not be out / in), and the part of it that
/// tf_crop_and_resize takes.
struct ResizedAxis {
    int64_t in = 1, out = 1;
    double scale = 1.0;
    float roiStart = 0.0f, roiEnd = 1.0f;
};
/// Where output position `i` lies on the input, for a coordinate_transformation_mode. In FP32, as onnxruntime has it:
/// which pixel is the nearest to 7 / 0.7f hangs on the rounding.
float resizePosition(const std::string& mode, const ResizedAxis& axis, int64_t i);

}  // namespace strobe
