#pragma once
#include <optional>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "kernels/cpu/simd_strided_copy.h"

namespace strobe {

/// A copy from one input to one output.
struct CopyPart {
    int input = 0, output = 0;
    StridedBox box;
};

/// What a data movement op does, as copies of boxes; `fill` when output 0 is first filled with the value of input
/// `fillInput` (zero when that is absent).
struct CopyPlan {
    std::vector<CopyPart> parts;
    bool fill = false;
    int fillInput = -1;
};

/// The plan of Transpose, Slice, Concat, Split, Expand, Tile, Pad, DepthToSpace, SpaceToDepth and of the ops
/// that only rename dims; or why there is none: layouts that do not fit, values that are not known.
Result<CopyPlan> makeCopyPlan(const Problem& problem);

}  // namespace strobe
