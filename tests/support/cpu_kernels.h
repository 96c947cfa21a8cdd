#pragma once
#include "kernels/cpu/register.h"

namespace strobe {

/// The CPU's kernels, once for the whole program.
inline const KernelRegistry& cpuKernels() {
    static const KernelRegistry registry = [] {
        KernelRegistry kernels;
        registerCpuKernels(kernels);
        return kernels;
    }();
    return registry;
}

}  // namespace strobe
