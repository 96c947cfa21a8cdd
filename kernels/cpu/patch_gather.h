#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"

namespace strobe {

/// Where the input elements under one output pixel's window lie, for 1-D and 2-D convolutions (and matrix rows: a 1×1
/// window). The window's elements are numbered (plane, kernel row, kernel column, element of the tap): in channels-last
/// there is one plane and a tap is the channels of a group; in plain layout each channel is a plane and a tap one
/// element.
struct PatchShape {
    int64_t inHeight = 1, inWidth = 1, outHeight = 1, outWidth = 1;
    int64_t kernelHeight = 1, kernelWidth = 1, strideHeight = 1, strideWidth = 1;
    int64_t dilationHeight = 1, dilationWidth = 1, padTop = 0, padLeft = 0;
    int64_t planes = 1, tap = 1;
    int64_t pixelStride = 1, planeStride = 0, imageStride = 0;  // in elements of the input

    int64_t depth() const { return planes * kernelHeight * kernelWidth * tap; }
    /// Windows are rows that lie `pixelStride` apart: no gathering is needed.
    bool isDirect() const {
        return planes == 1 && kernelHeight * kernelWidth * strideHeight * strideWidth == 1 && padTop == 0 &&
               padLeft == 0 && inHeight == outHeight && inWidth == outWidth;
    }
};

/// Elements [kBegin, kEnd) of the windows of output pixels [firstRow, firstRow + rows), one window a line of `toStride`
/// elements; zero outside the input and behind kEnd up to `kPadded`.
struct PatchGather {
    const PatchShape* shape = nullptr;
    const void* source = nullptr;  // image 0, first channel of the group
    DataType sourceType = DataType::Float32;
    int64_t firstRow = 0, rows = 0, kBegin = 0, kEnd = 0, kPadded = 0;
    DataType toType = DataType::Float32;  // FP32, or the source's type
    void* to = nullptr;
    int64_t toStride = 0;
};
void gatherPatches(const PatchGather& gather);

}  // namespace strobe
