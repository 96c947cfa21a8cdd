#include "kernels/cpu/register.h"

#include "kernels/cpu/onednn_tactics.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {

void registerCpuKernels(KernelRegistry& registry) {
    registerOnednnConv(registry);
    registerOnednnReorder(registry);
    registerTiledReformat(registry);
    registerSimdKernels(registry);
    registerReferenceKernels(registry);
}

}  // namespace strobe
