#include "kernels/cpu/bfloat16_store.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace strobe {

#if defined(__x86_64__)
namespace {

// Highway 1.0 has no target for these instructions.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) void store(const float* from, BFloat16* to, size_t n) {
    auto* target = reinterpret_cast<uint16_t*>(to);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m512bh pair = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + i + 16), _mm512_loadu_ps(from + i));
        _mm512_storeu_si512(target + i, reinterpret_cast<__m512i>(pair));
    }
    for (; i < n; i += 16) {
        const auto mask = static_cast<__mmask16>(n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1u);
        const __m256bh half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from + i));
        _mm256_mask_storeu_epi16(target + i, mask, reinterpret_cast<__m256i>(half));
    }
}

}  // namespace

bool storeBFloat16(const float* from, BFloat16* to, size_t n) {
    static const bool available = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") &&
                                  __builtin_cpu_supports("avx512bw");
    if (available) store(from, to, n);
    return available;
}
#else
bool storeBFloat16(const float*, BFloat16*, size_t) {
    return false;
}
#endif

}  // namespace strobe
