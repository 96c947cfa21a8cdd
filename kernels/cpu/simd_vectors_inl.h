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
#include "kernels/cpu/bfloat16_instructions.h"

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
using HalfTag = hn::Rebind<uint16_t, FloatTag>;  // as many bit patterns of BF16
using HalfVec = hn::Vec<HalfTag>;

HWY_INLINE FloatVec fromBFloat16(HalfVec bits) {
    const hn::RebindToUnsigned<FloatTag> du;
    return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(hn::PromoteTo(du, bits)));
}
/// To nearest even; NaN stays NaN. The processor's own instruction, where there is one, makes subnormal numbers zero.
HWY_INLINE HalfVec toBFloat16(FloatVec value) {
#if HWY_TARGET == HWY_AVX3
    if (kBFloat16Instructions) {
        HalfVec result;  // in assembler: Highway 1.0 has no target for these instructions
        asm("vcvtneps2bf16 %1, %0" : "=v"(result.raw) : "v"(value.raw));
        return result;
    }
#endif
    const hn::RebindToUnsigned<FloatTag> du;
    const auto bits = hn::BitCast(du, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffu))));
    const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40u));
    const auto isNan = hn::RebindMask(du, hn::IsNaN(value));
    return hn::DemoteTo(HalfTag(), hn::BitCast(IntTag(), hn::IfThenElse(isNan, quiet, rounded)));
}

HWY_INLINE FloatVec loadFloats(const BFloat16* from) {
    return fromBFloat16(hn::LoadU(HalfTag(), reinterpret_cast<const uint16_t*>(from)));
}
HWY_INLINE void storeFloats(FloatVec value, float* to) {
    hn::StoreU(value, FloatTag(), to);
}
HWY_INLINE void storeFloats(FloatVec value, BFloat16* to) {
    hn::StoreU(toBFloat16(value), HalfTag(), reinterpret_cast<uint16_t*>(to));
}

/// The first `count` < Lanes values; the rest are zero and their memory is not touched.
HWY_INLINE FloatVec loadSomeFloats(const float* from, size_t count) {
    const FloatTag d;
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
}
HWY_INLINE FloatVec loadSomeFloats(const BFloat16* from, size_t count) {
    const HalfTag d;
    if constexpr (HWY_TARGET == HWY_AVX3)
        return fromBFloat16(hn::MaskedLoad(hn::FirstN(d, count), d, reinterpret_cast<const uint16_t*>(from)));
    alignas(64) uint16_t buffer[hn::MaxLanes(FloatTag())] = {};
    std::memcpy(buffer, from, count * sizeof(BFloat16));
    return fromBFloat16(hn::Load(d, buffer));
}
HWY_INLINE void storeSomeFloats(FloatVec value, float* to, size_t count) {
    const FloatTag d;
    hn::BlendedStore(value, hn::FirstN(d, count), d, to);
}
HWY_INLINE void storeSomeFloats(FloatVec value, BFloat16* to, size_t count) {
    const HalfTag d;
    if constexpr (HWY_TARGET == HWY_AVX3)
        return hn::BlendedStore(toBFloat16(value), hn::FirstN(d, count), d, reinterpret_cast<uint16_t*>(to));
    alignas(64) uint16_t buffer[hn::MaxLanes(FloatTag())];
    hn::Store(toBFloat16(value), d, buffer);
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
