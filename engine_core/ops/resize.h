#pragma once
#include <string>
#include <vector>

#include "engine_core/ir/attributes.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// The axes that Resize's scales, sizes and roi speak of, in their order, non-negative.
Result<std::vector<int64_t>> resizeAxes(const Attributes& attributes, int64_t rank);
/// The one scale that keep_aspect_ratio_policy not_larger or not_smaller makes of the asked ones.
double keepAspectScale(const std::string& policy, const std::vector<double>& scales);

/// One axis of a Resize: extents, the asked scale (which need not be out / in), the asked length, and the part of the
/// input that tf_crop_and_resize takes.
struct ResizedAxis {
    int64_t in = 1, out = 1;
    double scale = 1.0;
    float resized = 1.0f;  // in · scale, which need not be whole; out where sizes are given
    float roiStart = 0.0f, roiEnd = 1.0f;
};
/// What to do along each of `axes`, whose scales, sizes and roi (as many, as many, twice as many; or empty) these are.
std::vector<ResizedAxis> resizedAxes(const Attributes& attributes, const std::vector<int64_t>& axes, const Dims& x,
                                     const Dims& y, const std::vector<double>& roi, const std::vector<double>& scales,
                                     const std::vector<double>& sizes);

/// Where output position `i` lies on the input, for a coordinate_transformation_mode. Operation by operation as
/// onnxruntime has it, in FP32: which pixel is the nearest to 7 / 0.7f hangs on the rounding. It differs in two: by
/// align_corners and scales it takes the length that comes out, 2 for 4 · 0.6, where ONNX's cases take the 2.4 that
/// were asked; and it copies its input where no length changes, whatever scales and roi say.
float resizePosition(const std::string& mode, const ResizedAxis& axis, int64_t i);

/// The nearest_mode of Resize-10, which has no name in ONNX (the importer takes it from no file): the pixel above where
/// an axis shrinks, that below where it grows. onnxruntime and the cases of that opset have it so.
inline constexpr const char* kNearestByScale = "ceil_if_shrinking_else_floor";
Status requireNearestModeOfOnnx(const Attributes& attributes);
/// The pixel that a nearest_mode takes for a position; it may lie outside the input. What FP32 rounds off half a pixel
/// (1e-6, as in onnxruntime) is half a pixel.
double nearestPixel(const std::string& mode, const ResizedAxis& axis, double position);

}  // namespace strobe
