#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"
#include "engine_core/ir/pointwise_program.h"

namespace strobe {

/// A depthwise convolution over images whose `lanes` channels lie side by side (channels-last: all of them; blocked:
/// one block).
struct DepthwiseShape {
    int64_t lanes = 0;
    int64_t inHeight = 0, inWidth = 0, outHeight = 0, outWidth = 0;
    int64_t kernelHeight = 0, kernelWidth = 0;
    int64_t strideHeight = 1, strideWidth = 1;
    int64_t dilationHeight = 1, dilationWidth = 1;
    int64_t padTop = 0, padLeft = 0;
};

/// Activations that are applied in registers.
struct DepthwiseActivation {
    enum class Kind : uint8_t { None, Relu, Clip, HardSwish, LeakyRelu, Silu } kind = Kind::None;
    PointwiseInstruction instruction;
};

/// One output row of one image: `weights` are FP32 [kernel position][lanes], `bias` FP32 [lanes]. `in` is the image,
/// `out` the row; types FP32 or BF16.
struct DepthwiseRow {
    const void* in = nullptr;
    DataType inType = DataType::Float32;
    void* out = nullptr;
    DataType outType = DataType::Float32;
    const float* weights = nullptr;
    const float* bias = nullptr;
    DepthwiseActivation activation;
    int64_t y = 0;
};
void depthwiseRow(const DepthwiseShape& shape, const DepthwiseRow& row);

/// One plane of a plain tensor: input rows are unpacked into `ring`, zero-padded and split by the stride's phases, so
/// that every tap of neighbouring outputs reads neighbouring floats. Calls nothing; writes output rows [firstRow,
/// lastRow) of the plane at `out`.
struct DepthwisePlane {
    const void* in = nullptr;
    DataType inType = DataType::Float32;
    float* out = nullptr;            // FP32 rows of outWidth, row firstRow first
    const float* weights = nullptr;  // [kernel position]
    float bias = 0.0f;
    DepthwiseActivation activation;
    int64_t firstRow = 0, lastRow = 0;
    float* ring = nullptr;  // depthwiseRingFloats(shape)
};
int64_t depthwiseRingFloats(const DepthwiseShape& shape);
void depthwisePlane(const DepthwiseShape& shape, const DepthwisePlane& plane);

/// Floats in a vector on this machine.
int64_t simdLanes();

}  // namespace strobe
