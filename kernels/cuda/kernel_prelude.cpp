#include "kernels/cuda/nvrtc_compiler.h"

namespace strobe {

// No include: a machine that runs Strobe need not have the toolkit's headers. evaluatePointwise() defines what each
// function means.
const std::string& kernelPrelude() {
    static const std::string text = R"(
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64; typedef long long i64;
__device__ inline float inf() { return __int_as_float(0x7f800000); }
__device__ inline float loadF32(const void* p, i64 i) { return ((const float*)p)[i]; }
__device__ inline void storeF32(void* p, i64 i, float v) { ((float*)p)[i] = v; }
__device__ inline float fromBf16(u32 bits) { return __uint_as_float(bits << 16); }
__device__ inline u32 toBf16(float v) {
    u32 bits = __float_as_uint(v);
    if (isnan(v)) return (bits >> 16) | 0x40u;
    return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
__device__ inline float loadBf16(const void* p, i64 i) { return fromBf16(((const u16*)p)[i]); }
__device__ inline void storeBf16(void* p, i64 i, float v) { ((u16*)p)[i] = (u16)toBf16(v); }
__device__ inline float fromF16(u32 bits) { float v; asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"((u16)bits)); return v; }
__device__ inline u32 toF16(float v) { u16 bits; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(v)); return bits; }
__device__ inline float loadF16(const void* p, i64 i) { return fromF16(((const u16*)p)[i]); }
__device__ inline void storeF16(void* p, i64 i, float v) { ((u16*)p)[i] = (u16)toF16(v); }
__device__ inline float loadBool(const void* p, i64 i) { return ((const u8*)p)[i] ? 1.0f : 0.0f; }
__device__ inline void storeBool(void* p, i64 i, float v) { ((u8*)p)[i] = v != 0.0f ? 1 : 0; }
__device__ inline void load4F32(const void* p, i64 i, float* v) {
    const float4 q = *(const float4*)((const float*)p + i);
    v[0] = q.x; v[1] = q.y; v[2] = q.z; v[3] = q.w;
}
__device__ inline void store4F32(void* p, i64 i, const float* v) { *(float4*)((float*)p + i) = make_float4(v[0], v[1], v[2], v[3]); }
__device__ inline void load4Bf16(const void* p, i64 i, float* v) {
    const uint2 q = *(const uint2*)((const u16*)p + i);
    v[0] = fromBf16(q.x & 0xffffu); v[1] = fromBf16(q.x >> 16); v[2] = fromBf16(q.y & 0xffffu); v[3] = fromBf16(q.y >> 16);
}
__device__ inline void store4Bf16(void* p, i64 i, const float* v) {
    *(uint2*)((u16*)p + i) = make_uint2(toBf16(v[0]) | (toBf16(v[1]) << 16), toBf16(v[2]) | (toBf16(v[3]) << 16));
}
__device__ inline void load4F16(const void* p, i64 i, float* v) {
    const uint2 q = *(const uint2*)((const u16*)p + i);
    v[0] = fromF16(q.x & 0xffffu); v[1] = fromF16(q.x >> 16); v[2] = fromF16(q.y & 0xffffu); v[3] = fromF16(q.y >> 16);
}
__device__ inline void store4F16(void* p, i64 i, const float* v) {
    *(uint2*)((u16*)p + i) = make_uint2(toF16(v[0]) | (toF16(v[1]) << 16), toF16(v[2]) | (toF16(v[3]) << 16));
}
__device__ inline void load4Bool(const void* p, i64 i, float* v) {
    const u32 q = *(const u32*)((const u8*)p + i);
    for (int k = 0; k < 4; ++k) v[k] = (q >> (8 * k)) & 0xffu ? 1.0f : 0.0f;
}
__device__ inline void store4Bool(void* p, i64 i, const float* v) {
    u32 q = 0;
    for (int k = 0; k < 4; ++k) q |= (v[k] != 0.0f ? 1u : 0u) << (8 * k);
    *(u32*)((u8*)p + i) = q;
}
__device__ inline float truth(bool b) { return b ? 1.0f : 0.0f; }
__device__ inline float opMin(float a, float b) { return isnan(a) ? a : isnan(b) ? b : (b < a ? b : a); }
__device__ inline float opMax(float a, float b) { return isnan(a) ? a : isnan(b) ? b : (a < b ? b : a); }
__device__ inline float opClip(float a, float lo, float hi) { return isnan(a) ? a : opMin(opMax(a, lo), hi); }
__device__ inline float opSigmoid(float a) { return 1.0f / (1.0f + expf(-a)); }
__device__ inline float opSoftplus(float a) { return a > 40.0f ? a : log1pf(expf(a)); }
__device__ inline float opSign(float a) { return a > 0.0f ? 1.0f : a < 0.0f ? -1.0f : a; }
__device__ inline float opHardSwish(float a) { return a * opClip(a / 6.0f + 0.5f, 0.0f, 1.0f); }
__device__ inline float opGelu(float a) { return 0.5f * a * (1.0f + erff(a * 0.70710678118654752f)); }
__device__ inline float opGeluTanh(float a) { return 0.5f * a * (1.0f + tanhf(0.79788456080286536f * (a + 0.044715f * a * a * a))); }
__device__ inline float opElu(float a, float alpha) { return a < 0.0f ? alpha * expm1f(a) : a; }
__device__ inline float opSelu(float a, float alpha, float gamma) { return gamma * (a > 0.0f ? a : alpha * expm1f(a)); }
__device__ inline float opCelu(float a, float alpha) { return fmaxf(a, 0.0f) + fminf(0.0f, alpha * expm1f(a / alpha)); }
__device__ inline float opMod(float a, float b) {
    const float rest = fmodf(a, b);
    if (rest == 0.0f) return copysignf(0.0f, b);
    return (rest < 0.0f) != (b < 0.0f) ? rest + b : rest;
}
)";
    return text;
}

std::string elementSuffix(DataType type) {
    switch (type) {
        case DataType::Float32:
            return "F32";
        case DataType::Float16:
            return "F16";
        case DataType::BFloat16:
            return "Bf16";
        case DataType::Bool:
            return "Bool";
        default:
            return {};
    }
}

const char* wordType(size_t bytes) {
    return bytes == 1    ? "u8"
           : bytes == 2  ? "u16"
           : bytes == 4  ? "u32"
           : bytes == 8  ? "u64"
           : bytes == 16 ? "uint4"
                         : nullptr;
}

std::string replaceAll(std::string text, const std::string& what, const std::string& with) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

}  // namespace strobe
