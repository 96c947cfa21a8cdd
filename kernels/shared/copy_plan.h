#pragma once
#include <optional>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// A box of elements read and written with a stride of its own along each dim: transposes, slices, broadcasts,
/// concatenations. Strides and offsets in elements; `from` may be 0 or negative, `to` is positive and no element is
/// written twice.
struct StridedBox {
    Dims dims, from, to;
    int64_t fromOffset = 0, toOffset = 0;
};

/// Distance in elements along each logical dim of a plain or channels-last tensor; 0 along extents of 1, so that it
/// also reads as broadcast.
Dims logicalStrides(const Dims& dims, Layout layout);

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

/// The plan of Transpose, Slice, Concat, Split, Expand, Tile, Pad, DepthToSpace, SpaceToDepth, ChannelShuffle and of the ops
/// that only rename dims; or why there is none: layouts that do not fit, values that are not known.
Result<CopyPlan> makeCopyPlan(const Problem& problem);

}  // namespace strobe
