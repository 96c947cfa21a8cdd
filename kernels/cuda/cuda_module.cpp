#include "kernels/cuda/cuda_module.h"

#include "kernels/cuda/cuda_tactics.h"

namespace strobe {

void registerCudaTactics(KernelRegistry& registry, bool allowTf32) {
    registerCudaCopies(registry);
    registerCudaPointwise(registry);
    registerCudnnConv(registry, allowTf32);
    registerCublasLtMatMul(registry, allowTf32);
    registerCudaRows(registry);
    registerCudaPools(registry);
    registerCudaMoves(registry);
    registerCudaResize(registry);
    registerCudaAttention(registry);
}

}  // namespace strobe
