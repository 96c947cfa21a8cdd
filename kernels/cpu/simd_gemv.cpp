#include "kernels/cpu/simd_gemv.h"

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_gemv.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

constexpr int kVectors = 4;
constexpr int64_t kPrefetch = 1024;  // elements ahead: across page ends, where the processor's own prefetching stops

/// Two sets of sums for one row, so that additions do not wait for each other.
template <int R, class T>
void panelRows(const GemvPanel& p) {
    constexpr int kSets = R == 1 ? 2 : 1;
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    const int64_t width = kVectors * lanes;
    FloatVec sums[kSets][R][kVectors];
    for (auto& sets : sums)
        for (auto& row : sets)
            for (FloatVec& sum : row) sum = hn::Zero(FloatTag());
    const T* from = static_cast<const T*>(p.panel);
    int64_t k = 0;
    for (; k + kSets <= p.k; k += kSets) {
        HWY_UNROLL(2)
        for (int s = 0; s < kSets; ++s, from += width) {
            HWY_UNROLL(4)
            for (int v = 0; v < kVectors; ++v) {
                const FloatVec b = loadFloats(from + v * lanes);
                hwy::Prefetch(from + v * lanes + kPrefetch);
                HWY_UNROLL(4)
                for (int r = 0; r < R; ++r)
                    sums[s][r][v] = hn::MulAdd(set(p.a[r * p.aStride + k + s]), b, sums[s][r][v]);
            }
        }
    }
    for (; k < p.k; ++k, from += width)
        for (int v = 0; v < kVectors; ++v)
            for (int r = 0; r < R; ++r)
                sums[0][r][v] = hn::MulAdd(set(p.a[r * p.aStride + k]), loadFloats(from + v * lanes), sums[0][r][v]);
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < kVectors; ++v)
            storeFloats(kSets == 1 ? sums[0][r][v] : hn::Add(sums[0][r][v], sums[kSets - 1][r][v]),
                        p.y + r * p.yStride + v * lanes);
}

template <class T>
void panelOf(const GemvPanel& p) {
    switch (p.rows) {
        case 1:
            return panelRows<1, T>(p);
        case 2:
            return panelRows<2, T>(p);
        case 3:
            return panelRows<3, T>(p);
        default:
            return panelRows<4, T>(p);
    }
}

void panelDispatch(const GemvPanel& p) {
    p.type == DataType::Float32 ? panelOf<float>(p) : panelOf<BFloat16>(p);
}
int64_t panelWidth() {
    return kVectors * static_cast<int64_t>(hn::Lanes(FloatTag()));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(panelDispatch);
HWY_EXPORT(panelWidth);
}  // namespace

int64_t gemvPanelWidth() {
    return HWY_DYNAMIC_DISPATCH(panelWidth)();
}
void gemvPanel(const GemvPanel& panel) {
    HWY_DYNAMIC_DISPATCH(panelDispatch)(panel);
}

}  // namespace strobe
#endif
