#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "kernels/shared/resize_plan.h"

namespace strobe {

/// Nearest and linear resizing of images on the device, plain or channels-last, one thread an output element. Host
/// code.
struct DeviceResizePlan {
    std::string source;
    int64_t count = 0;
    std::vector<uint32_t> taps;      // first, second, weight's bits: of every row, then of every column
    std::vector<uint64_t> geometry;  // parameter words after the addresses of input, output and taps
};
Result<DeviceResizePlan> planDeviceResize(const Problem& problem);

}  // namespace strobe
