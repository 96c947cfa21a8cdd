#pragma once
#include <hwy/targets.h>

#include "tests/support/kernel_test.h"

namespace strobe {

/// Runs `body` once for each instruction set that the kernels are compiled for and this machine has.
template <class Body>
void forEachSimdTarget(Body body) {
    const int64_t available = hwy::SupportedTargets();
    for (const int64_t target : {HWY_AVX3, HWY_AVX2, HWY_SCALAR}) {
        if (target != HWY_SCALAR && !(available & target)) continue;
        SCOPED_TRACE(hwy::TargetName(target));
        hwy::SetSupportedTargetsForTest(target);
        body();
        hwy::SetSupportedTargetsForTest(0);
    }
}

/// The case under each target.
inline void expectMatchesOnEachTarget(const KernelCase& kernelCase, const std::string& tactic) {
    forEachSimdTarget([&] { expectMatchesReference(kernelCase, tactic); });
}

}  // namespace strobe
