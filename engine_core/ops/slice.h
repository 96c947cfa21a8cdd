#pragma once
#include <vector>

#include "engine_core/base/status.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// One axis of Slice, resolved against its extent: elements start, start+step, … (count of them).
struct SliceRange {
    Dim start, count;
    int64_t step = 1;
};
/// Negative start and end count from the back; both are clamped as ONNX says. Requires step ≠ 0.
SliceRange resolveSlice(const Dim& extent, const Dim& start, const Dim& end, int64_t step);

}  // namespace strobe
