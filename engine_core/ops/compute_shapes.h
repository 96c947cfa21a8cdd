#pragma once
#include "engine_core/ops/inference_helpers.h"

namespace strobe {

/// Numpy's matrix product on symbols: 1-D operands are promoted, leading dims broadcast. A transpose swaps the last two
/// dims of an operand of rank ≥ 2.
Result<Shape> matMulShape(const Shape& a, const Shape& b, bool transA = false, bool transB = false);

/// Non-negative and ascending; error for one outside the rank or given twice.
Result<std::vector<int64_t>> normalizeAxes(std::vector<int64_t> axes, int64_t rank);

/// Error when input `input` has another extent than `expected` along `axis`, both being constants. `why` ends the
/// message.
Status requireDim(const InferenceContext& context, int input, size_t axis, const Dim& expected, const std::string& why);
/// Error unless the int attribute is at least `minimum`.
Status requireAtLeast(const Attributes& attributes, const char* name, int64_t fallback, int64_t minimum);
/// The same, with an upper bound too.
Status requireWithin(const Attributes& attributes, const char* name, int64_t fallback, int64_t minimum,
                     int64_t maximum);
/// Samples that RoiAlign takes along one side of a bin: more than any image has, few enough that absurd boxes and
/// ratios end.
constexpr int64_t kMostRoiSamples = 4096;
/// Error unless the string attribute is one of `allowed`.
Status requireOneOf(const Attributes& attributes, const char* name, const std::string& fallback,
                    std::initializer_list<const char*> allowed);

/// A transposed convolution: strides, dilations and the pads that auto_pad or output_shape ask for, and Y's spatial
/// extents.
struct TransposedWindow {
    WindowAttributes window;
    Shape output;
};
Result<TransposedWindow> transposedWindow(const Attributes& attributes, const Shape& input,
                                          const std::vector<int64_t>& kernel);

/// FLOPs = Factor × elements of input 0.
template <int Factor>
double flopsPerInput(const CostContext& cost) {
    return Factor * static_cast<double>(elementCount(cost.inputs[0]));
}

}  // namespace strobe
