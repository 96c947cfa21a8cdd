#include "profiler/device_times.h"

#include <algorithm>

#include "profiler/statistics.h"

namespace strobe {

void DeviceTimes::add(const std::vector<DeviceActivity>& activities) {
    for (const DeviceActivity& activity : activities) {
        if (activity.tag == 0 || m_layers.empty()) continue;
        const uint64_t index = activity.tag - 1;
        Run& run = m_layers[index % m_layers.size()][index / m_layers.size()];
        const uint64_t from = std::max(activity.start, run.end);
        if (activity.end > from) run.busy += activity.end - from;
        run.end = std::max(run.end, activity.end);
        run.activities.emplace_back(&*m_names.insert(activity.name).first, activity.end - std::min(activity.start, activity.end));
        m_any = true;
    }
}

std::vector<double> DeviceTimes::milliseconds(size_t layer) const {
    std::vector<double> times;
    for (const auto& [index, run] : m_layers[layer]) times.push_back(1e-6 * static_cast<double>(run.busy));
    return times;
}

std::vector<DeviceKernelTime> DeviceTimes::kernels(size_t layer) const {
    const auto& runs = m_layers[layer];
    if (runs.empty()) return {};
    std::vector<DeviceKernelTime> kernels;
    const auto& pattern = runs.rbegin()->second.activities;
    for (size_t k = 0; k < pattern.size(); ++k) {
        std::vector<double> times;
        // A library may start other kernels in its first run: only runs of the same pattern are counted.
        for (const auto& [index, run] : runs)
            if (run.activities.size() == pattern.size() && run.activities[k].first == pattern[k].first)
                times.push_back(1e-6 * static_cast<double>(run.activities[k].second));
        kernels.push_back({*pattern[k].first, summarize(times).median});
    }
    return kernels;
}

}  // namespace strobe
