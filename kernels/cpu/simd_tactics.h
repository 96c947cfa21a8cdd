#pragma once
#include "engine_core/builder/tactic.h"

namespace strobe {

/// Our own kernels, a function a family; registerSimdKernels calls them all.
void registerDenseConv(KernelRegistry& registry);
void registerDenseMatMul(KernelRegistry& registry);
void registerSimdAttention(KernelRegistry& registry);
void registerSimdCast(KernelRegistry& registry);
void registerSimdCopies(KernelRegistry& registry);
void registerSimdDeconv(KernelRegistry& registry);
void registerSimdDepthwise(KernelRegistry& registry);
void registerSimdGather(KernelRegistry& registry);
void registerSimdGemv(KernelRegistry& registry);
void registerSimdIntegers(KernelRegistry& registry);
void registerSimdLstm(KernelRegistry& registry);
void registerSimdNormalizations(KernelRegistry& registry);
void registerSimdPointwise(KernelRegistry& registry);
void registerSimdPool(KernelRegistry& registry);
void registerSimdReductions(KernelRegistry& registry);
void registerSimdResize(KernelRegistry& registry);
void registerSimdShapes(KernelRegistry& registry);
void registerSimdSoftmax(KernelRegistry& registry);

/// "simd.*": kernels in Highway for AVX-512, AVX2 or plain scalar code, whatever the machine has; "amx.*": in AMX tiles.
void registerSimdKernels(KernelRegistry& registry);

}  // namespace strobe
