#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"

namespace strobe {

/// The microkernels of dense products: FP32 in Highway vectors on every machine, or BF16 in AMX tiles with FP32 sums.
enum class GemmCompute : uint8_t { Float32, AmxBFloat16 };

/// C[m, n] = bias[n] + Σ A[m, k]·B[k, n] for one panel of B, in the calling thread. Elements of A and B are FP32 or
/// BF16 as the microkernel says; strides in elements.
///
/// A panel holds gemmPanelColumns() columns, padded with zeros. In FP32 it lies as [k][columns]; for AMX as
/// [k / 32][columns / 16][16 pairs of k][16 columns][2], so that a tile is 1 KiB in one piece. For AMX `k` is a
/// multiple of gemmKStep() (A and B padded with zeros) and memory of A up to a multiple of 16 rows can be read.
struct GemmBlock {
    const void* a = nullptr;
    int64_t aStride = 0;
    const void* b = nullptr;
    int64_t bStride = 0;          // FP32: from one k to the next, if not gemmPanelColumns()
    const float* bias = nullptr;  // gemmPanelColumns() values; null for none in FP32
    float* c = nullptr;
    int64_t cStride = 0;
    int64_t rows = 0, columns = 0, k = 0;
    bool accumulate = false;  // adds to C instead of the bias
};

void gemmBlockFloat32(const GemmBlock& block);

/// C[m, n] = Σ A[m, k]·B[k, n] in FP32 for plain matrices that lie in the caches: a step inside a kernel. `n` is a
/// multiple of simdLanes(); strides in elements.
struct SmallGemm {
    const float* a = nullptr;
    const float* b = nullptr;
    float* c = nullptr;
    int64_t m = 0, n = 0, k = 0;
    int64_t aStride = 0, bStride = 0, cStride = 0;
};
void smallGemm(const SmallGemm& gemm);

/// Inside an AmxScope.
void gemmBlockAmx(const GemmBlock& block);
inline void gemmBlock(GemmCompute compute, const GemmBlock& block) {
    compute == GemmCompute::Float32 ? gemmBlockFloat32(block) : gemmBlockAmx(block);
}

int64_t gemmPanelColumns(GemmCompute compute);
/// Rows of C that the registers hold.
int64_t gemmRows(GemmCompute compute);
int64_t gemmKStep(GemmCompute compute);

/// Whether the processor has AMX with BF16 and the kernel lets this process use it.
bool amxAvailable();

/// Sets up the tile registers of this thread, and frees them: other code has its own shapes for them.
class AmxScope {
public:
    explicit AmxScope(GemmCompute compute);
    ~AmxScope();
    AmxScope(const AmxScope&) = delete;
    AmxScope& operator=(const AmxScope&) = delete;

private:
    bool m_active;
};

}  // namespace strobe
