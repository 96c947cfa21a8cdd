#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// How cuda.copy brings a tensor from one format to the other. Host code.
struct ReformatPlan {
    bool convert = false;            // layout or type changes: a generated kernel runs
    std::string source;              // of that kernel
    int64_t storedElements = 0;      // of the destination, padding included
    std::vector<uint64_t> geometry;  // parameter words after the two addresses
    size_t fromBytes = 0, toBytes = 0;
    bool fromHost = false, toHost = false;
    /// The side on the host passes through a copy of it on the device when there is something to convert.
    size_t stagingBytes() const { return !convert ? 0 : fromHost ? fromBytes : toHost ? toBytes : 0; }
};
Result<ReformatPlan> planReformat(const TensorDesc& from, const TensorDesc& to);

}  // namespace strobe
