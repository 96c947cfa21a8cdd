#include "kernels/cpu/simd_tactics.h"

namespace strobe {

void registerSimdKernels(KernelRegistry& registry) {
    registerSimdAttention(registry);
    registerSimdCast(registry);
    registerSimdCopies(registry);
    registerSimdDeconv(registry);
    registerSimdDepthwise(registry);
    registerSimdGather(registry);
    registerSimdGemv(registry);
    registerDenseConv(registry);
    registerDenseMatMul(registry);
    registerSimdIntegers(registry);
    registerSimdLstm(registry);
    registerSimdNormalizations(registry);
    registerSimdPointwise(registry);
    registerSimdPool(registry);
    registerSimdReductions(registry);
    registerSimdResize(registry);
    registerSimdShapes(registry);
    registerSimdSoftmax(registry);
}

}  // namespace strobe
