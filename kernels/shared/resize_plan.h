#pragma once
#include <cstdint>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// Where each output position reads: two inputs and the weight of the second (0 for nearest).
struct ResizeTap {
    int64_t first = 0, second = 0;
    float weight = 0.0f;
};

/// A Resize of images by taps along both spatial axes; one spatial dim has a single row.
struct ResizePlan {
    bool linear = false;
    int64_t inHeight = 1, inWidth = 1;
    std::vector<ResizeTap> rows, columns;
};

/// Nearest and linear resizing of rank 3 and 4 whose input and output share a format of any layout; or why there is no
/// plan.
Result<ResizePlan> planResize(const Problem& problem);

}  // namespace strobe
