#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// MaxPool, AveragePool, GlobalMaxPool and GlobalAveragePool of one or two spatial dims, plain or channels-last, one
/// thread an output.
struct PoolPlan {
    std::string source;
    int64_t outputs = 0;
    std::vector<uint64_t> geometry;  // parameter words after the two addresses
};
Result<PoolPlan> planPool(const Problem& problem);

}  // namespace strobe
