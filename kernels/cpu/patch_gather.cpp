#include "kernels/cpu/patch_gather.h"

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/patch_gather.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

/// BF16 moves as bits.
template <class T>
struct BitsOf {
    using Type = T;
};
template <>
struct BitsOf<BFloat16> {
    using Type = uint16_t;
};

template <class T>
HWY_INLINE void copyRun(const T* from, T* to, int64_t count) {
    using Bits = typename BitsOf<T>::Type;
    const hn::ScalableTag<Bits> d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    const auto* source = reinterpret_cast<const Bits*>(from);
    auto* target = reinterpret_cast<Bits*>(to);
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) hn::StoreU(hn::LoadU(d, source + i), d, target + i);
    if (i == count) return;
    if constexpr (HWY_TARGET == HWY_AVX3) {
        const auto some = hn::FirstN(d, static_cast<size_t>(count - i));
        hn::BlendedStore(hn::MaskedLoad(some, d, source + i), some, d, target + i);
    } else {
        for (; i < count; ++i) target[i] = source[i];
    }
}
HWY_INLINE void copyRun(const BFloat16* from, float* to, int64_t count) {
    convertFloats(from, to, static_cast<size_t>(count));
}
template <class T>
HWY_INLINE void clearRun(T* to, int64_t count) {
    if (count > 0) std::memset(static_cast<void*>(to), 0, static_cast<size_t>(count) * sizeof(T));
}

/// One kernel row of one window: elements [begin, end) of its `kernelWidth` taps, from the input row `line` or zero
/// when it is null.
template <class From, class To>
HWY_INLINE void gatherLine(const PatchShape& s, const From* line, int64_t x, int64_t begin, int64_t end, To* to) {
    if (!line) return clearRun(to, end - begin);
    if (s.pixelStride == s.tap && s.dilationWidth == 1) {  // the taps lie side by side
        const int64_t low = std::clamp(-x * s.tap, begin, end), high = std::clamp((s.inWidth - x) * s.tap, low, end);
        clearRun(to, low - begin);
        copyRun(line + x * s.tap + low, to + low - begin, high - low);
        clearRun(to + high - begin, end - high);
        return;
    }
    for (int64_t at = begin; at < end;) {
        const int64_t tap = at / s.tap, first = at % s.tap, count = std::min(s.tap - first, end - at);
        const int64_t column = x + tap * s.dilationWidth;
        if (column < 0 || column >= s.inWidth)
            clearRun(to + at - begin, count);
        else
            copyRun(line + column * s.pixelStride + first, to + at - begin, count);
        at += count;
    }
}

/// One window, from the kernel line in which kBegin lies on: `plane` and `kernelRow` are its number, `begin` the place.
template <class From, class To>
HWY_INLINE void gatherWindow(const PatchGather& g, const From* image, int64_t y, int64_t x, int64_t plane,
                             int64_t kernelRow, int64_t begin, To* to) {
    const PatchShape& s = *g.shape;
    const int64_t lineLength = s.kernelWidth * s.tap;
    for (int64_t left = g.kEnd - g.kBegin; left > 0; begin = 0) {
        const int64_t end = std::min(lineLength, begin + left), line = y + kernelRow * s.dilationHeight;
        const bool inside = line >= 0 && line < s.inHeight;
        gatherLine(s, inside ? image + plane * s.planeStride + line * s.inWidth * s.pixelStride : nullptr, x, begin,
                   end, to);
        to += end - begin;
        left -= end - begin;
        if (++kernelRow < s.kernelHeight) continue;
        kernelRow = 0;
        ++plane;
    }
    clearRun(to, g.kPadded - (g.kEnd - g.kBegin));
}

/// `count` elements and zeros up to `padded`.
template <class T>
HWY_INLINE void copyPadded(const T* from, T* to, int64_t count, int64_t padded) {
    using Bits = typename BitsOf<T>::Type;
    const hn::ScalableTag<Bits> d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    if (HWY_TARGET != HWY_AVX3 || padded % lanes != 0) {
        copyRun(from, to, count);
        return clearRun(to + count, padded - count);
    }
    const auto* source = reinterpret_cast<const Bits*>(from);
    auto* target = reinterpret_cast<Bits*>(to);
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) hn::StoreU(hn::LoadU(d, source + i), d, target + i);
    for (; i < padded; i += lanes) {
        const auto some = hn::FirstN(d, static_cast<size_t>(std::max<int64_t>(0, count - i)));
        hn::StoreU(hn::MaskedLoad(some, d, source + i), d, target + i);
    }
}
HWY_INLINE void copyPadded(const BFloat16* from, float* to, int64_t count, int64_t padded) {
    copyRun(from, to, count);
    clearRun(to + count, padded - count);
}

/// Windows that are rows of the input: a few instructions a row, since a row may be as short as a group's channels.
template <class From, class To>
void gatherDirect(const PatchGather& g) {
    const PatchShape& s = *g.shape;
    const auto* from = static_cast<const From*>(g.source) + g.firstRow * s.pixelStride + g.kBegin;
    auto* to = static_cast<To*>(g.to);
    for (int64_t r = 0; r < g.rows; ++r, from += s.pixelStride, to += g.toStride)
        copyPadded(from, to, g.kEnd - g.kBegin, g.kPadded);
}

template <class From, class To>
void gatherAll(const PatchGather& g) {
    const PatchShape& s = *g.shape;
    if (s.isDirect()) return gatherDirect<From, To>(g);
    const int64_t lineLength = s.kernelWidth * s.tap, line = g.kBegin / lineLength, begin = g.kBegin % lineLength;
    const int64_t plane = line / s.kernelHeight, kernelRow = line % s.kernelHeight;
    const int64_t pixels = s.outHeight * s.outWidth, pixel = g.firstRow % pixels;
    int64_t image = g.firstRow / pixels, row = pixel / s.outWidth, column = pixel % s.outWidth;
    for (int64_t r = 0; r < g.rows; ++r) {
        gatherWindow(g, static_cast<const From*>(g.source) + image * s.imageStride, row * s.strideHeight - s.padTop,
                     column * s.strideWidth - s.padLeft, plane, kernelRow, begin,
                     static_cast<To*>(g.to) + r * g.toStride);
        if (++column < s.outWidth) continue;
        column = 0;
        if (++row < s.outHeight) continue;
        row = 0;
        ++image;
    }
}

void gatherRows(const PatchGather& g) {
    if (g.sourceType == DataType::Float32)
        gatherAll<float, float>(g);
    else if (g.toType == DataType::Float32)
        gatherAll<BFloat16, float>(g);
    else
        gatherAll<BFloat16, BFloat16>(g);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(gatherRows);
}  // namespace

void gatherPatches(const PatchGather& gather) {
    HWY_DYNAMIC_DISPATCH(gatherRows)(gather);
}

}  // namespace strobe
#endif
