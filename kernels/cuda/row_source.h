#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// A kernel that gives each row of `columns` contiguous elements to one block of 256 threads. Host code.
struct RowPlan {
    std::string source;
    int64_t rows = 0, columns = 0;
    std::vector<std::optional<size_t>> inputs = {0, {}, {}};  // the problem's, in the order of the kernel's parameters
    std::vector<uint64_t> words;  // parameter words after the addresses of these and the output
};
/// Softmax, LogSoftmax, LayerNormalization, RMSNormalization, ReduceMean, ReduceSum, ReduceMax and ReduceMin over
/// trailing axes.
Result<RowPlan> planRows(const Problem& problem);

}  // namespace strobe
