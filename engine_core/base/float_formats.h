#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace strobe {

/// Conversions between FP32 and the narrow formats, to nearest even; NaN stays NaN.
inline uint16_t floatToBFloat16(float value) {
    uint32_t bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
    bits += 0x7fffu + ((bits >> 16) & 1u);
    return static_cast<uint16_t>(bits >> 16);
}
inline float bfloat16ToFloat(uint16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); }

uint16_t floatToFloat16(float value);
float float16ToFloat(uint16_t value);
/// OCP FP8 formats (OCP 8-bit floating point specification, 2023). E4M3FN saturates; E5M2 saturates when `saturate`.
uint8_t floatToFloat8E4M3FN(float value, bool saturate = true);
float float8E4M3FNToFloat(uint8_t value);
uint8_t floatToFloat8E5M2(float value, bool saturate = true);
float float8E5M2ToFloat(uint8_t value);

struct BFloat16 {
    uint16_t bits = 0;
    BFloat16() = default;
    explicit BFloat16(float value) : bits(floatToBFloat16(value)) {}
    explicit operator float() const { return bfloat16ToFloat(bits); }
};
struct Float16 {
    uint16_t bits = 0;
    Float16() = default;
    explicit Float16(float value) : bits(floatToFloat16(value)) {}
    explicit operator float() const { return float16ToFloat(bits); }
};

}  // namespace strobe
