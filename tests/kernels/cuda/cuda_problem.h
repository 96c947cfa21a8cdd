#pragma once
#include "kernels/cuda/cuda_tactics.h"
#include "tests/support/kernel_case.h"

namespace strobe {

/// A case's problem on the device in `layout`, as the builder would ask a CUDA tactic about it.
inline Problem deviceProblem(const KernelCase& kernelCase, CaseData& data, Layout layout = Layout::Plain) {
    const Status status = prepareCase(kernelCase, data);
    EXPECT_TRUE(status.isOk()) << status.message();
    return withFormats(data.problem, deviceFormats(data.problem, layout));
}

}  // namespace strobe
