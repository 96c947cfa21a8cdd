#pragma once
#include <string>
#include <vector>

#include "engine_core/base/status.h"

namespace strobe {

/// An equation with its dims numbered: labels[i][d] is the label of dim d of input i. Labels below `outputLabels` are
/// the output's dims in order, the others are summed over. An ellipsis' dims are labels of their own, aligned to the
/// right.
struct EinsumPlan {
    std::vector<std::vector<int>> labels;
    int outputLabels = 0;
    int labelCount = 0;
};
Result<EinsumPlan> parseEinsum(const std::string& equation, const std::vector<size_t>& ranks);

}  // namespace strobe
