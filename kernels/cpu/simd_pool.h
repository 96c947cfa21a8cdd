#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"

namespace strobe {

/// Pooling of images whose `lanes` channels lie side by side (channels-last: all of them; blocked: one block).
struct PoolShape {
    int64_t lanes = 0;
    int64_t inHeight = 0, inWidth = 0, outHeight = 0, outWidth = 0;
    int64_t kernelHeight = 0, kernelWidth = 0;
    int64_t strideHeight = 1, strideWidth = 1;
    int64_t dilationHeight = 1, dilationWidth = 1;
    int64_t padTop = 0, padLeft = 0;
    bool maximum = true;        // else the mean
    bool countsPadding = false;  // the mean divides by the whole window
};

/// One output row of one image, first down the columns of its window into `scratch`, then along it. No window lies wholly outside of
/// the image. Storage is FP32 or BF16, arithmetic FP32.
struct PoolRow {
    DataType type = DataType::Float32;
    const void* in = nullptr;  // the image
    void* out = nullptr;       // the row
    int64_t y = 0;
    float* scratch = nullptr;  // poolScratchFloats(shape)
};
int64_t poolScratchFloats(const PoolShape& shape);
void poolRow(const PoolShape& shape, const PoolRow& row);

/// The greater one, NaN when there is one.
inline float greaterOrNan(float best, float x) {
    return x > best || x != x ? x : best;
}

/// totals[c] becomes the sum, or the greatest, of totals[c] and `positions` rows of `channels` elements.
struct PoolTotals {
    DataType type = DataType::Float32;
    const void* in = nullptr;
    int64_t positions = 0, channels = 0;
    bool maximum = false;
    float* totals = nullptr;
};
void poolTotals(const PoolTotals& pool);

}  // namespace strobe
