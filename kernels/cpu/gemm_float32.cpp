#include <algorithm>
#include <utility>

#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm_float32.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

// 28 sums, 2 vectors of B and a factor fill AVX-512's 32 registers; 12 + 2 + 1 AVX2's 16.
constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 14 : 6;
constexpr int kVectors = 2;
// Floats ahead: as far as memory is slow, across the page ends at which the processor's own prefetching stops.
constexpr int64_t kPrefetch = 1024;

/// `R` rows by `V` vectors of C. Three rows share a pointer, since an address may add one or two strides for nothing.
template <int R, int V>
HWY_INLINE void multiply(const GemmBlock& g, int64_t firstRow) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    const int64_t stride = g.aStride;
    const float* a[(R + 2) / 3];
    HWY_UNROLL(8)
    for (int i = 0; i < (R + 2) / 3; ++i) a[i] = static_cast<const float*>(g.a) + (firstRow + 3 * i) * stride;
    FloatVec sums[R][V];
    float* c = g.c + firstRow * g.cStride;
    const auto last = static_cast<size_t>(g.columns - (V - 1) * lanes);  // columns of the last vector
    HWY_UNROLL(16)
    for (int r = 0; r < R; ++r) {
        HWY_UNROLL(2)
        for (int v = 0; v < V; ++v) {
            const float* old = g.accumulate ? c + r * g.cStride + v * lanes : g.bias ? g.bias + v * lanes : nullptr;
            if (!old)
                sums[r][v] = hn::Zero(FloatTag());
            else if (g.accumulate && v + 1 == V && last < static_cast<size_t>(lanes))
                sums[r][v] = loadSomeFloats(old, last);
            else
                sums[r][v] = loadFloats(old);
        }
    }
    const float* b = static_cast<const float*>(g.b);
    const int64_t bStride = g.bStride > 0 ? g.bStride : kVectors * lanes;
    for (int64_t k = 0; k < g.k; ++k, b += bStride) {
        FloatVec from[V];
        HWY_UNROLL(2)
        for (int v = 0; v < V; ++v) {
            from[v] = loadFloats(b + v * lanes);
            hwy::Prefetch(b + v * lanes + kPrefetch);
        }
        HWY_UNROLL(16)
        for (int r = 0; r < R; ++r) {
            const FloatVec factor = set(a[r / 3][(r % 3) * stride]);
            HWY_UNROLL(2)
            for (int v = 0; v < V; ++v) sums[r][v] = hn::MulAdd(factor, from[v], sums[r][v]);
        }
        HWY_UNROLL(8)
        for (int i = 0; i < (R + 2) / 3; ++i) ++a[i];
    }
    HWY_UNROLL(16)
    for (int r = 0; r < R; ++r) {
        HWY_UNROLL(2)
        for (int v = 0; v < V; ++v) {
            float* to = c + r * g.cStride + v * lanes;
            if (v + 1 == V && last < static_cast<size_t>(lanes))
                storeSomeFloats(sums[r][v], to, last);
            else
                storeFloats(sums[r][v], to);
        }
    }
}

using RowsFunction = void (*)(const GemmBlock&, int64_t firstRow);

template <int R, int V>
void multiplyRows(const GemmBlock& g, int64_t firstRow) {
    multiply<R, V>(g, firstRow);
}

template <int V, int... R>
RowsFunction rowsFunction(int64_t rows, std::integer_sequence<int, R...>) {
    static constexpr RowsFunction kFunctions[] = {multiplyRows<R + 1, V>...};
    return kFunctions[rows - 1];
}

template <int V>
void multiplyBlock(const GemmBlock& g) {
    for (int64_t row = 0; row < g.rows; row += kRows)
        rowsFunction<V>(std::min<int64_t>(kRows, g.rows - row), std::make_integer_sequence<int, kRows>())(g, row);
}

void multiplyPanel(const GemmBlock& g) {
    if (g.columns <= static_cast<int64_t>(hn::Lanes(FloatTag())))
        multiplyBlock<1>(g);
    else
        multiplyBlock<kVectors>(g);
}

int64_t panelColumns() {
    return kVectors * static_cast<int64_t>(hn::Lanes(FloatTag()));
}
int64_t panelRows() {
    return kRows;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(multiplyPanel);
HWY_EXPORT(panelColumns);
HWY_EXPORT(panelRows);
}  // namespace

void gemmBlockFloat32(const GemmBlock& block) {
    HWY_DYNAMIC_DISPATCH(multiplyPanel)(block);
}

void smallGemm(const SmallGemm& gemm) {
    const int64_t columns = gemmPanelColumns(GemmCompute::Float32);
    GemmBlock block;
    block.a = gemm.a;
    block.aStride = gemm.aStride;
    block.bStride = gemm.bStride;
    block.cStride = gemm.cStride;
    block.rows = gemm.m;
    block.k = gemm.k;
    for (int64_t column = 0; column < gemm.n; column += columns) {
        block.b = gemm.b + column;
        block.c = gemm.c + column;
        block.columns = std::min(columns, gemm.n - column);
        gemmBlockFloat32(block);
    }
}

int64_t gemmPanelColumns(GemmCompute compute) {
    return compute == GemmCompute::AmxBFloat16 ? 32 : HWY_DYNAMIC_DISPATCH(panelColumns)();
}
int64_t gemmRows(GemmCompute compute) {
    return compute == GemmCompute::AmxBFloat16 ? 32 : HWY_DYNAMIC_DISPATCH(panelRows)();
}
int64_t gemmKStep(GemmCompute compute) {
    return compute == GemmCompute::AmxBFloat16 ? 32 : 1;
}

}  // namespace strobe
#endif
