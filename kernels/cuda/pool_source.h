#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// MaxPool and AveragePool of one or two spatial dims, plain or channels-last, one thread an output.
struct PoolPlan {
    std::string source;
    int64_t outputs = 0;
    std::vector<uint64_t> geometry;  // parameter words after the two addresses
};
Result<PoolPlan> planPool(const Problem& problem);

/// GlobalMaxPool and GlobalAveragePool in two steps: blocks join parts of the pixels, then one thread an output joins the
/// parts. A few channels of many pixels fill the device that way.
struct GlobalPoolPlan {
    std::string partSource, joinSource;
    int64_t blocks = 0, outputs = 0, parts = 0;  // of 256 threads; a part is one value an output
    /// Parameter words after the addresses of input and parts, and of parts and output.
    std::vector<uint64_t> partGeometry, joinGeometry;
    size_t workspaceBytes() const { return static_cast<size_t>(outputs * parts) * sizeof(float); }
};
Result<GlobalPoolPlan> planGlobalPool(const Problem& problem);

}  // namespace strobe
