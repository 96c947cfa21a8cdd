#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/shared/copy_plan.h"

namespace strobe {

/// A box in the shape that copies fastest: dims in the order of the destination, merged where both sides run on, short
/// contiguous runs taken as one wider element. Immutable.
class StridedCopy {
public:
    StridedCopy(const StridedBox& box, size_t elementBytes);
    /// Uses parallelFor. The memory of both sides must not overlap.
    void run(const void* from, void* to) const;

private:
    enum class Kind { Empty, Runs, Transpose, Elements };

    void simplify();
    void widenElements();
    void chooseKind();
    void runShort(const char* source, char* target) const;
    void runPiece(const char* from, char* to, int64_t begin, int64_t count) const;

    Dims m_dims, m_from, m_to;  // in elements of m_bytes; the dims that the inner kernel walks come last
    int64_t m_fromOffset = 0, m_toOffset = 0;
    size_t m_bytes = 1;
    Kind m_kind = Kind::Empty;
    int64_t m_outer = 1;  // positions of the dims before the inner ones
    int64_t m_split = 1;  // extent of the inner dim that is cut into pieces
    int64_t m_piece = 1;  // its elements a piece
};

/// Fills `bytes` bytes with a value of `valueBytes` bytes, again and again.
void fillWith(void* to, size_t bytes, const void* value, size_t valueBytes);

/// to[r·toStride + c] = from[c·fromStride + r] for r < rows, c < columns, in `count` places that lie fromStep and
/// toStep apart; strides and steps in elements of 1, 2, 4, 8 or 16 bytes.
struct TransposeTiles {
    size_t elementBytes = 1;
    const void* from = nullptr;
    int64_t fromStride = 0;
    void* to = nullptr;
    int64_t toStride = 0;
    int64_t rows = 0, columns = 0;
    int64_t count = 1, fromStep = 0, toStep = 0;
};
void transposeTiles(const TransposeTiles& tiles);

}  // namespace strobe
