#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "engine_core/builder/device.h"

namespace strobe {

/// CUPTI's activity buffers made into plain records. Needs no driver.
class ActivityRecords {
public:
    /// Kernels, copies, fills and external correlations; other kinds are passed over.
    Status add(const uint8_t* buffer, size_t validBytes);
    /// All so far with their tags, in order of start time; starts anew.
    std::vector<DeviceActivity> take();

private:
    std::vector<DeviceActivity> m_activities;
    std::map<uint32_t, uint64_t> m_tags;  // by correlation
};

}  // namespace strobe
