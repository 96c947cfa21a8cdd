#pragma once
#include <cstdint>

#include "kernels/shared/resize_plan.h"

namespace strobe {

/// to[i] = a[i]·(1 − weight) + b[i]·weight, from storage to FP32.
void blendRows(DataType type, const void* a, const void* b, float weight, float* to, int64_t count);
/// Output pixels of `lanes` neighbouring elements, each blended from two pixels of `row`, into storage.
void blendPixels(const float* row, const ResizeTap* taps, int64_t pixels, int64_t lanes, DataType type, void* to);

}  // namespace strobe
