#include "kernels/cpu/register.h"

#include "kernels/reference/reference_kernel.h"

namespace strobe {

void registerCpuKernels(KernelRegistry& registry) { registerReferenceKernels(registry); }

}  // namespace strobe
