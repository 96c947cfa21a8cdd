#include "kernels/cpu/simd_gemm.h"

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_gemm.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 8 : 4;
constexpr int kVectors = 3;

/// `R` rows by `V` vectors of C, held in registers.
template <int R, int V>
HWY_INLINE void gemmBlock(const SmallGemm& g, int64_t row, int64_t column) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    FloatVec sums[R][V];
    HWY_UNROLL(8)
    for (int r = 0; r < R; ++r) {
        HWY_UNROLL(8)
        for (int v = 0; v < V; ++v) sums[r][v] = hn::Zero(FloatTag());
    }
    const float* a = g.a + row * g.aStride;
    const float* b = g.b + column;
    for (int64_t k = 0; k < g.k; ++k, b += g.bStride) {
        FloatVec from[V];
        HWY_UNROLL(8)
        for (int v = 0; v < V; ++v) from[v] = loadFloats(b + v * lanes);
        HWY_UNROLL(8)
        for (int r = 0; r < R; ++r) {
            const FloatVec factor = set(a[r * g.aStride + k]);
            HWY_UNROLL(8)
            for (int v = 0; v < V; ++v) sums[r][v] = hn::MulAdd(factor, from[v], sums[r][v]);
        }
    }
    HWY_UNROLL(8)
    for (int r = 0; r < R; ++r) {
        HWY_UNROLL(8)
        for (int v = 0; v < V; ++v) storeFloats(sums[r][v], g.c + (row + r) * g.cStride + column + v * lanes);
    }
}

template <int V>
HWY_INLINE void gemmColumns(const SmallGemm& g, int64_t column) {
    int64_t row = 0;
    for (; row + kRows <= g.m; row += kRows) gemmBlock<kRows, V>(g, row, column);
    for (; row + 2 <= g.m; row += 2) gemmBlock<2, V>(g, row, column);
    if (row < g.m) gemmBlock<1, V>(g, row, column);
}

void gemmOf(const SmallGemm& g) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    int64_t column = 0;
    // One row: as many sums at once as hide the latency of an addition.
    if (g.m == 1)
        for (; column + kRows * lanes <= g.n; column += kRows * lanes) gemmBlock<1, kRows>(g, 0, column);
    for (; column + kVectors * lanes <= g.n; column += kVectors * lanes) gemmColumns<kVectors>(g, column);
    for (; column + 2 * lanes <= g.n; column += 2 * lanes) gemmColumns<2>(g, column);
    if (column < g.n) gemmColumns<1>(g, column);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(gemmOf);
}  // namespace

void smallGemm(const SmallGemm& gemm) {
    HWY_DYNAMIC_DISPATCH(gemmOf)(gemm);
}

}  // namespace strobe
#endif
