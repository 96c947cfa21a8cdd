// Loads, stores and conversions of vectors for our own kernels. Included once per Highway target.
#if defined(STROBE_SIMD_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef STROBE_SIMD_VECTORS_INL
#undef STROBE_SIMD_VECTORS_INL
#else
#define STROBE_SIMD_VECTORS_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine_core/base/float_formats.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;
using IntTag = hn::RebindToSigned<FloatTag>;

HWY_INLINE FloatVec set(float value) {
    return hn::Set(FloatTag(), value);
}

/// A whole vector of FP32 values from storage of either type.
HWY_INLINE FloatVec loadFloats(const float* from) {
    return hn::LoadU(FloatTag(), from);
}
HWY_INLINE FloatVec loadFloats(const BFloat16* from) {
    const FloatTag d;
    const hn::RebindToUnsigned<FloatTag> du;
    const hn::Rebind<uint16_t, FloatTag> d16;
    const auto bits = hn::LoadU(d16, reinterpret_cast<const uint16_t*>(from));
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, bits)));
}

HWY_INLINE void storeFloats(FloatVec value, float* to) {
    hn::StoreU(value, FloatTag(), to);
}
/// To nearest even; NaN stays NaN.
HWY_INLINE void storeFloats(FloatVec value, BFloat16* to) {
    const hn::RebindToUnsigned<FloatTag> du;
    const IntTag di;
    const hn::Rebind<uint16_t, FloatTag> d16;
    const auto bits = hn::BitCast(du, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffu))));
    const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40u));
    const auto isNan = hn::RebindMask(du, hn::IsNaN(value));
    const auto result = hn::IfThenElse(isNan, quiet, rounded);
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, result)), d16, reinterpret_cast<uint16_t*>(to));
}

/// The first `count` < Lanes values; the rest are zero and their memory is not touched.
HWY_INLINE FloatVec loadSomeFloats(const float* from, size_t count) {
    const FloatTag d;
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
}
HWY_INLINE FloatVec loadSomeFloats(const BFloat16* from, size_t count) {
    alignas(64) BFloat16 buffer[hn::MaxLanes(FloatTag())];
    std::memset(static_cast<void*>(buffer), 0, sizeof buffer);
    std::memcpy(static_cast<void*>(buffer), from, count * sizeof(BFloat16));
    return loadFloats(buffer);
}
HWY_INLINE void storeSomeFloats(FloatVec value, float* to, size_t count) {
    const FloatTag d;
    hn::BlendedStore(value, hn::FirstN(d, count), d, to);
}
HWY_INLINE void storeSomeFloats(FloatVec value, BFloat16* to, size_t count) {
    alignas(64) BFloat16 buffer[hn::MaxLanes(FloatTag())];
    storeFloats(value, buffer);
    std::memcpy(static_cast<void*>(to), buffer, count * sizeof(BFloat16));
}

/// FP32 copies to or from storage.
template <class From, class To>
HWY_INLINE void convertFloats(const From* from, To* to, size_t n) {
    const size_t lanes = hn::Lanes(FloatTag());
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) storeFloats(loadFloats(from + i), to + i);
    if (i < n) storeSomeFloats(loadSomeFloats(from + i, n - i), to + i, n - i);
}

}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#endif
