#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "kernels/shared/copy_plan.h"

namespace strobe {

/// A box copied by a generated kernel, one thread an element. Host code.
struct MovePlan {
    std::string source;
    int64_t count = 0;               // elements, several of the tensor's in one where runs allow
    std::vector<uint64_t> geometry;  // parameter words after the two addresses
};
/// Elements of 1, 2, 4 and 8 bytes; up to 8 dims that do not run on into each other.
Result<MovePlan> planMove(const StridedBox& box, size_t elementBytes);

/// Rows picked along one axis by indices on the device. An index outside the axis gives zeros: a kernel cannot refuse.
struct GatherPlan {
    std::string source;
    int64_t count = 0;
    std::vector<uint64_t> geometry;  // parameter words after the addresses of data, indices and output
};
Result<GatherPlan> planGather(const Problem& problem);

}  // namespace strobe
