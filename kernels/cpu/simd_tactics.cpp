#include "kernels/cpu/simd_tactics.h"

namespace strobe {

void registerSimdKernels(KernelRegistry& registry) {
    registerSimdCopies(registry);
    registerSimdDepthwise(registry);
    registerSimdPointwise(registry);
}

}  // namespace strobe
