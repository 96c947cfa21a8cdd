#include "kernels/cpu/simd_resize.h"

#include <algorithm>

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_resize.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE FloatVec mix(FloatVec a, FloatVec b, FloatVec weight) {
    return hn::MulAdd(hn::Sub(b, a), weight, a);
}

template <class T>
void blendRowsOf(const T* a, const T* b, float weight, float* to, int64_t count) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    const FloatVec w = set(weight);
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) storeFloats(mix(loadFloats(a + i), loadFloats(b + i), w), to + i);
    if (const auto rest = static_cast<size_t>(count - i); rest > 0)
        storeSomeFloats(mix(loadSomeFloats(a + i, rest), loadSomeFloats(b + i, rest), w), to + i, rest);
}

/// Single elements are read one by one, a vector of results at a time.
template <class T>
void blendElements(const float* row, const ResizeTap* taps, int64_t pixels, T* to) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    alignas(64) float results[hn::MaxLanes(FloatTag())];
    for (int64_t x = 0; x < pixels; x += lanes) {
        const int64_t count = std::min(lanes, pixels - x);
        for (int64_t i = 0; i < count; ++i) {
            const ResizeTap& tap = taps[x + i];
            results[i] = row[tap.first] + (row[tap.second] - row[tap.first]) * tap.weight;
        }
        count == lanes
            ? storeFloats(loadFloats(results), to + x)
            : storeSomeFloats(loadSomeFloats(results, static_cast<size_t>(count)), to + x, static_cast<size_t>(count));
    }
}

template <class T>
void blendPixelsOf(const float* row, const ResizeTap* taps, int64_t pixels, int64_t lanes, T* to) {
    if (lanes == 1) return blendElements(row, taps, pixels, to);
    for (int64_t x = 0; x < pixels; ++x) {
        const float *a = row + taps[x].first * lanes, *b = row + taps[x].second * lanes;
        T* pixel = to + x * lanes;
        const auto step = static_cast<int64_t>(hn::Lanes(FloatTag()));
        const FloatVec w = set(taps[x].weight);
        int64_t i = 0;
        for (; i + step <= lanes; i += step) storeFloats(mix(loadFloats(a + i), loadFloats(b + i), w), pixel + i);
        if (const auto rest = static_cast<size_t>(lanes - i); rest > 0)
            storeSomeFloats(mix(loadSomeFloats(a + i, rest), loadSomeFloats(b + i, rest), w), pixel + i, rest);
    }
}

void rowsDispatch(DataType type, const void* a, const void* b, float weight, float* to, int64_t count) {
    if (type == DataType::Float32)
        blendRowsOf(static_cast<const float*>(a), static_cast<const float*>(b), weight, to, count);
    else
        blendRowsOf(static_cast<const BFloat16*>(a), static_cast<const BFloat16*>(b), weight, to, count);
}

void pixelsDispatch(const float* row, const ResizeTap* taps, int64_t pixels, int64_t lanes, DataType type, void* to) {
    if (type == DataType::Float32)
        blendPixelsOf(row, taps, pixels, lanes, static_cast<float*>(to));
    else
        blendPixelsOf(row, taps, pixels, lanes, static_cast<BFloat16*>(to));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(rowsDispatch);
HWY_EXPORT(pixelsDispatch);
}  // namespace

void blendRows(DataType type, const void* a, const void* b, float weight, float* to, int64_t count) {
    HWY_DYNAMIC_DISPATCH(rowsDispatch)(type, a, b, weight, to, count);
}
void blendPixels(const float* row, const ResizeTap* taps, int64_t pixels, int64_t lanes, DataType type, void* to) {
    HWY_DYNAMIC_DISPATCH(pixelsDispatch)(row, taps, pixels, lanes, type, to);
}

}  // namespace strobe
#endif
