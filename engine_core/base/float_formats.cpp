#include "engine_core/base/float_formats.h"

namespace strobe {
namespace {

/// Rounds to a float format of `exponentBits`/`mantissaBits` with IEEE-style bias; returns magnitude bits without the sign,
/// possibly past the largest finite code, which the caller saturates or turns into infinity.
uint32_t roundMagnitude(float magnitude, int exponentBits, int mantissaBits) {
    const int bias = (1 << (exponentBits - 1)) - 1;
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    const int unbiased = std::max(exponent - 1, 1 - bias);
    // Exact: the quotient is a power-of-two scaling of the input.
    const double scaled = std::ldexp(static_cast<double>(magnitude), mantissaBits - unbiased);
    const uint32_t rounded = static_cast<uint32_t>(std::nearbyint(scaled));
    // Subnormals have biased exponent 0; a carry out of the mantissa moves into the exponent by itself.
    return rounded + (static_cast<uint32_t>(unbiased + bias - 1) << mantissaBits);
}

float expand(uint32_t magnitudeBits, int exponentBits, int mantissaBits) {
    const int bias = (1 << (exponentBits - 1)) - 1;
    const int exponent = static_cast<int>(magnitudeBits >> mantissaBits);
    const uint32_t mantissa = magnitudeBits & ((1u << mantissaBits) - 1u);
    if (exponent == 0) return std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissaBits);
    return std::ldexp(static_cast<float>(mantissa | (1u << mantissaBits)), exponent - bias - mantissaBits);
}

}  // namespace

uint16_t floatToFloat16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (bits >> 16) & 0x8000u;
    const float magnitude = std::fabs(value);
    if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7e00u);
    if (magnitude >= 65520.0f) return static_cast<uint16_t>(sign | 0x7c00u);
    if (magnitude == 0.0f) return static_cast<uint16_t>(sign);
    return static_cast<uint16_t>(sign | roundMagnitude(magnitude, 5, 10));
}

float float16ToFloat(uint16_t value) {
    const uint32_t magnitude = value & 0x7fffu;
    float result = 0.0f;
    if (magnitude > 0x7c00u)
        result = std::numeric_limits<float>::quiet_NaN();
    else if (magnitude == 0x7c00u)
        result = std::numeric_limits<float>::infinity();
    else
        result = expand(magnitude, 5, 10);
    return (value & 0x8000u) ? -result : result;
}

uint8_t floatToFloat8E4M3FN(float value, bool saturate) {
    const uint32_t sign = std::signbit(value) ? 0x80u : 0u;
    const float magnitude = std::fabs(value);
    if (std::isnan(value)) return static_cast<uint8_t>(sign | 0x7fu);
    if (magnitude == 0.0f) return static_cast<uint8_t>(sign);
    if (std::isinf(value)) return static_cast<uint8_t>(sign | (saturate ? 0x7eu : 0x7fu));
    const uint32_t code = magnitude > 1.0e6f ? 0x7fu : roundMagnitude(magnitude, 4, 3);
    if (code >= 0x7fu) return static_cast<uint8_t>(sign | (saturate ? 0x7eu : 0x7fu));
    return static_cast<uint8_t>(sign | code);
}

float float8E4M3FNToFloat(uint8_t value) {
    const uint32_t magnitude = value & 0x7fu;
    const float result = magnitude == 0x7fu ? std::numeric_limits<float>::quiet_NaN() : expand(magnitude, 4, 3);
    return (value & 0x80u) ? -result : result;
}

uint8_t floatToFloat8E5M2(float value, bool saturate) {
    const uint32_t sign = std::signbit(value) ? 0x80u : 0u;
    const float magnitude = std::fabs(value);
    if (std::isnan(value)) return static_cast<uint8_t>(sign | 0x7fu);
    if (magnitude == 0.0f) return static_cast<uint8_t>(sign);
    if (std::isinf(value)) return static_cast<uint8_t>(sign | (saturate ? 0x7bu : 0x7cu));
    const uint32_t code = magnitude > 1.0e6f ? 0x7cu : roundMagnitude(magnitude, 5, 2);
    if (code >= 0x7cu) return static_cast<uint8_t>(sign | (saturate ? 0x7bu : 0x7cu));
    return static_cast<uint8_t>(sign | code);
}

float float8E5M2ToFloat(uint8_t value) {
    const uint32_t magnitude = value & 0x7fu;
    float result = 0.0f;
    if (magnitude > 0x7cu)
        result = std::numeric_limits<float>::quiet_NaN();
    else if (magnitude == 0x7cu)
        result = std::numeric_limits<float>::infinity();
    else
        result = expand(magnitude, 5, 2);
    return (value & 0x80u) ? -result : result;
}

}  // namespace strobe
