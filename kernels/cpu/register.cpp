#include "kernels/cpu/register.h"

#include "kernels/cpu/onednn_tactics.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {

void registerCpuKernels(KernelRegistry& registry) {
    registerSimdKernels(registry);  // they accept only what they are made for
    registerOnednnConv(registry);
    registerOnednnMatMul(registry);
    registerOnednnDeconv(registry);
    registerOnednnPool(registry);
    registerOnednnSoftmax(registry);
    registerOnednnRnn(registry);
    registerOnednnReorder(registry);
    registerTiledReformat(registry);
    registerReferenceKernels(registry);
}

}  // namespace strobe
