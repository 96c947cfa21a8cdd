#pragma once
#include <cstdint>

namespace strobe {

/// C[m, n] = Σ A[m, k]·B[k, n] in FP32 for matrices that lie in the caches: a step inside a kernel, in the calling
/// thread. `n` is a multiple of simdLanes(); strides in elements.
struct SmallGemm {
    const float* a = nullptr;
    const float* b = nullptr;
    float* c = nullptr;
    int64_t m = 0, n = 0, k = 0;
    int64_t aStride = 0, bStride = 0, cStride = 0;
};
void smallGemm(const SmallGemm& gemm);

}  // namespace strobe
