#pragma once
#include <cstddef>
#include <cstdint>

#include "engine_core/base/data_type.h"
#include "engine_core/ir/pointwise_program.h"

namespace strobe {

/// One instruction over `n` elements: out[i] = op(a[i], b[i], c[i]). `out` may be any of the operands. No alignment is
/// needed and nothing past element n is touched.
using TileFunction = void (*)(const PointwiseInstruction& instruction, const float* a, const float* b, const float* c,
                              float* out, size_t n);
TileFunction tileFunction(PointwiseOp op);

/// True for types that tiles can be read from and written to.
bool isTileType(DataType type);
/// to[i] = element `offset + i·stride` of `from`, as FP32.
void loadTile(DataType type, const void* from, int64_t offset, int64_t stride, float* to, size_t n);
/// Elements offset … of `to` = from[i]: floats to nearest even, integers towards zero and held in range, bools are "not
/// zero".
void storeTile(DataType type, const float* from, void* to, int64_t offset, size_t n);

}  // namespace strobe
