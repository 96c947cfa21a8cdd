#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// A kernel that gives each row of `columns` contiguous elements to one block of 256 threads. Host code.
struct RowPlan {
    std::string source;
    int64_t rows = 0, columns = 0;
    float epsilon = 0.0f;
    std::vector<size_t> inputs;  // the problem's inputs that the kernel reads, in the order of its parameters
};
/// Softmax, LogSoftmax, LayerNormalization, RMSNormalization, ReduceMean, ReduceSum, ReduceMax and ReduceMin over
/// trailing axes.
Result<RowPlan> planRows(const Problem& problem);

}  // namespace strobe
