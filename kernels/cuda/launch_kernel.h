#pragma once
#include <optional>

#include "kernels/cuda/cuda_tactics.h"

namespace strobe {

/// One start of a generated kernel. Its parameters are addresses (the inputs, output 0, then a table of the plan's if
/// it has one) and words that the plan knows.
struct Launch {
    std::string source;
    std::vector<std::optional<size_t>> inputs;  // of the problem; nothing: address 0
    std::vector<uint64_t> words;
    int64_t threads = 0;
    int blockSize = 256;
    std::shared_ptr<const void> table = nullptr;  // on the device
};

/// A kernel that starts `launch` at every run; constants among its inputs are brought to the device.
Result<std::unique_ptr<Kernel>> makeLaunchKernel(const Problem& problem, const PrepareContext& context, Launch launch);

}  // namespace strobe
