#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"

namespace strobe {

/// Where each output position reads: two inputs and the weight of the second (0 for nearest).
struct ResizeTap {
    int64_t first = 0, second = 0;
    float weight = 0.0f;
};

/// to[i] = a[i]·(1 − weight) + b[i]·weight, from storage to FP32.
void blendRows(DataType type, const void* a, const void* b, float weight, float* to, int64_t count);
/// Output pixels of `lanes` neighbouring elements, each blended from two pixels of `row`, into storage.
void blendPixels(const float* row, const ResizeTap* taps, int64_t pixels, int64_t lanes, DataType type, void* to);

}  // namespace strobe
