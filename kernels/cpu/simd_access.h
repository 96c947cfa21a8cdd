#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "engine_core/ir/format.h"
#include "kernels/shared/copy_plan.h"

namespace strobe {

/// How a tensor is read in the stored order of another one that it broadcasts to: for each stored dim of the target
/// (channel block and lane included) the distance between elements. Neighbouring dims that step alike are merged.
struct TensorAccess {
    DataType type = DataType::Undefined;
    Dims dims;                // of the target as stored, merged; their product is the target's stored element count
    Dims strides;             // in elements of this tensor; 0 where it is broadcast
    bool contiguous = false;  // element i of the target is element i here
    bool uniform = false;     // one element for the whole target
    int64_t period = 0;       // reading repeats after so many elements; the whole count when it does not
    /// Channels in the last block when the target is blocked with padding and this tensor is not: the lanes behind them
    /// have no element.
    int64_t lastBlockChannels = 0;
};

/// False with no access when the combination is not readable: other block size, or a layout that needs rank ≥ 3.
bool makeAccess(const Dims& dims, const Format& format, const Dims& target, Layout targetLayout, TensorAccess& access);

/// Elements [begin, begin + n) of the target as FP32.
void readAccess(const TensorAccess& access, const void* data, int64_t begin, size_t n, float* to);
/// Equal keys mean equal results of readAccess (for the shorter of two lengths).
int64_t accessKey(const TensorAccess& access, int64_t begin, size_t n);

}  // namespace strobe
