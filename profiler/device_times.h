#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine_core/builder/device.h"

namespace strobe {

/// A kernel, copy or fill that a layer starts on its device.
struct DeviceKernelTime {
    std::string name;
    double milliseconds = 0;  // median of a run
};

/// Adds up what a device recorded by run and layer. Scopes of layers are told apart by their tag.
class DeviceTimes {
public:
    explicit DeviceTimes(size_t layers) : m_layers(layers) {}
    DeviceTimes(const DeviceTimes&) = delete;
    DeviceTimes& operator=(const DeviceTimes&) = delete;

    /// The tag (1…) to record layer `layer` of run `run` under.
    uint64_t tag(size_t run, size_t layer) const { return 1 + run * m_layers.size() + layer; }
    /// Activities in order of their start; those without a tag of ours are passed over.
    void add(const std::vector<DeviceActivity>& activities);
    /// False: the device recorded nothing of any layer.
    bool any() const { return m_any; }
    /// Milliseconds that the device worked for the layer, one a run that started something there; what overlaps counts
    /// once.
    std::vector<double> milliseconds(size_t layer) const;
    /// What one run of the layer starts, in order.
    std::vector<DeviceKernelTime> kernels(size_t layer) const;

private:
    struct Run {
        uint64_t busy = 0, end = 0;  // nanoseconds worked, and where the last activity ended
        std::vector<std::pair<const std::string*, uint64_t>> activities;  // name in m_names, nanoseconds
    };
    std::set<std::string> m_names;  // few, where there are many activities
    std::vector<std::map<size_t, Run>> m_layers;  // by layer, then by run
    bool m_any = false;
};

}  // namespace strobe
