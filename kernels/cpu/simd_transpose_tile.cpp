#include <algorithm>
#include <cstring>

#include "kernels/cpu/simd_strided_copy.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_transpose_tile.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

/// 4×4 elements of 32 bits.
HWY_INLINE void transposeBlock(const uint32_t* from, int64_t fromStride, uint32_t* to, int64_t toStride) {
    const hn::Full128<uint32_t> d;
    const hn::Full128<uint64_t> d2;
    const auto a = hn::LoadU(d, from), b = hn::LoadU(d, from + fromStride);
    const auto c = hn::LoadU(d, from + 2 * fromStride), e = hn::LoadU(d, from + 3 * fromStride);
    const auto ab0 = hn::BitCast(d2, hn::InterleaveLower(d, a, b)), ab1 = hn::BitCast(d2, hn::InterleaveUpper(d, a, b));
    const auto ce0 = hn::BitCast(d2, hn::InterleaveLower(d, c, e)), ce1 = hn::BitCast(d2, hn::InterleaveUpper(d, c, e));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, ab0, ce0)), d, to);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, ab0, ce0)), d, to + toStride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d2, ab1, ce1)), d, to + 2 * toStride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d2, ab1, ce1)), d, to + 3 * toStride);
}

/// 8×8 elements of 16 bits.
HWY_INLINE void transposeBlock(const uint16_t* from, int64_t fromStride, uint16_t* to, int64_t toStride) {
    const hn::Full128<uint16_t> d;
    const hn::Full128<uint32_t> d4;
    const hn::Full128<uint64_t> d8;
    hn::Vec<decltype(d4)> pairs[8];
    for (int i = 0; i < 4; ++i) {
        const auto a = hn::LoadU(d, from + 2 * i * fromStride), b = hn::LoadU(d, from + (2 * i + 1) * fromStride);
        pairs[2 * i] = hn::BitCast(d4, hn::InterleaveLower(d, a, b));
        pairs[2 * i + 1] = hn::BitCast(d4, hn::InterleaveUpper(d, a, b));
    }
    // Rows 0–3 and 4–7, columns in twos.
    for (int half = 0; half < 2; ++half) {
        const auto low0 = hn::BitCast(d8, hn::InterleaveLower(d4, pairs[half], pairs[2 + half]));
        const auto low1 = hn::BitCast(d8, hn::InterleaveUpper(d4, pairs[half], pairs[2 + half]));
        const auto high0 = hn::BitCast(d8, hn::InterleaveLower(d4, pairs[4 + half], pairs[6 + half]));
        const auto high1 = hn::BitCast(d8, hn::InterleaveUpper(d4, pairs[4 + half], pairs[6 + half]));
        uint16_t* row = to + 4 * half * toStride;
        hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d8, low0, high0)), d, row);
        hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d8, low0, high0)), d, row + toStride);
        hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d8, low1, high1)), d, row + 2 * toStride);
        hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d8, low1, high1)), d, row + 3 * toStride);
    }
}

/// N columns that fill the rows of `to`: to[r·N + c] = from[c·fromStride + r], at least a vector of rows; the last
/// vector overlaps.
template <int N, class D, class T>
void interleaveColumns(D d, const T* from, int64_t fromStride, T* to, int64_t rows) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    for (int64_t r = 0; r < rows; r += lanes) {
        const int64_t at = std::min(r, rows - lanes);
        const auto a = hn::LoadU(d, from + at), b = hn::LoadU(d, from + fromStride + at);
        if constexpr (N == 2)
            hn::StoreInterleaved2(a, b, d, to + at * N);
        else if constexpr (N == 3)
            hn::StoreInterleaved3(a, b, hn::LoadU(d, from + 2 * fromStride + at), d, to + at * N);
        else
            hn::StoreInterleaved4(a, b, hn::LoadU(d, from + 2 * fromStride + at),
                                  hn::LoadU(d, from + 3 * fromStride + at), d, to + at * N);
    }
}
template <int N, class T>
void interleaveColumns(const T* from, int64_t fromStride, T* to, int64_t rows) {
    const hn::ScalableTag<T> longest;
    if (rows >= static_cast<int64_t>(hn::Lanes(longest)))
        interleaveColumns<N>(longest, from, fromStride, to, rows);
    else
        interleaveColumns<N>(hn::Full128<T>(), from, fromStride, to, rows);
}

#endif

template <class T>
void transposeElements(const T* from, int64_t fromStride, T* to, int64_t toStride, int64_t firstRow, int64_t rows,
                       int64_t firstColumn, int64_t columns) {
    for (int64_t r = firstRow; r < rows; ++r)
        for (int64_t c = firstColumn; c < columns; ++c)
            std::memcpy(to + r * toStride + c, from + c * fromStride + r, sizeof(T));
}

template <class T>
void transposeInBlocks(const T* from, int64_t fromStride, T* to, int64_t toStride, int64_t rows, int64_t columns) {
#if HWY_TARGET != HWY_SCALAR
    constexpr int64_t kBlock = 16 / sizeof(T);
    if (columns == toStride && rows >= kBlock) {
        if (columns == 2) return interleaveColumns<2>(from, fromStride, to, rows);
        if (columns == 3) return interleaveColumns<3>(from, fromStride, to, rows);
        if (columns == 4) return interleaveColumns<4>(from, fromStride, to, rows);
    }
    const int64_t wholeRows = rows / kBlock * kBlock, wholeColumns = columns / kBlock * kBlock;
    for (int64_t c = 0; c < wholeColumns; c += kBlock)
        for (int64_t r = 0; r < wholeRows; r += kBlock)
            transposeBlock(from + c * fromStride + r, fromStride, to + r * toStride + c, toStride);
    transposeElements(from, fromStride, to, toStride, 0, wholeRows, wholeColumns, columns);
    transposeElements(from, fromStride, to, toStride, wholeRows, rows, 0, columns);
#else
    transposeElements(from, fromStride, to, toStride, 0, rows, 0, columns);
#endif
}

struct Bytes16 {
    uint64_t halves[2];
};

void transposeAny(size_t elementBytes, const void* from, int64_t fromStride, void* to, int64_t toStride, int64_t rows,
                  int64_t columns) {
    const auto plain = [&](auto element) {
        using T = decltype(element);
        transposeElements(static_cast<const T*>(from), fromStride, static_cast<T*>(to), toStride, 0, rows, 0, columns);
    };
    switch (elementBytes) {
        case 1:
            return plain(uint8_t());
        case 2:
            return transposeInBlocks(static_cast<const uint16_t*>(from), fromStride, static_cast<uint16_t*>(to),
                                     toStride, rows, columns);
        case 4:
            return transposeInBlocks(static_cast<const uint32_t*>(from), fromStride, static_cast<uint32_t*>(to),
                                     toStride, rows, columns);
        case 8:
            return plain(uint64_t());
        default:
            return plain(Bytes16());
    }
}

void transposeEach(const TransposeTiles& tiles) {
    const auto bytes = static_cast<int64_t>(tiles.elementBytes);
    for (int64_t i = 0; i < tiles.count; ++i)
        transposeAny(tiles.elementBytes, static_cast<const char*>(tiles.from) + i * tiles.fromStep * bytes,
                     tiles.fromStride, static_cast<char*>(tiles.to) + i * tiles.toStep * bytes, tiles.toStride,
                     tiles.rows, tiles.columns);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(transposeEach);
}  // namespace

void transposeTiles(const TransposeTiles& tiles) {
    // Narrow strips of columns keep the rows that are being written in the L1 cache.
    constexpr int64_t kColumns = 64;
    const auto bytes = static_cast<int64_t>(tiles.elementBytes);
    TransposeTiles strip = tiles;
    for (int64_t c = 0; c < tiles.columns; c += kColumns) {
        strip.from = static_cast<const char*>(tiles.from) + c * tiles.fromStride * bytes;
        strip.to = static_cast<char*>(tiles.to) + c * bytes;
        strip.columns = std::min(kColumns, tiles.columns - c);
        HWY_DYNAMIC_DISPATCH(transposeEach)(strip);
    }
}

}  // namespace strobe
#endif
