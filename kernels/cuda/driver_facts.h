#pragma once
#include <string>
#include <string_view>

namespace strobe {

/// What the system tells about its NVIDIA driver.
struct DriverFacts {
    int cudaVersion = 0;        // newest CUDA that the driver serves, 13000 for 13.0; 0: no driver
    std::string driverVersion;  // "580.65.06"; may be unknown
    int deviceCount = 0;
    std::string deviceError;  // why the devices cannot be counted
};

/// Why no device can be used and what to do; empty: nothing is wrong.
std::string driverProblem(const DriverFacts& facts);
/// Why a device of this compute capability cannot be used; empty: it can.
std::string capabilityProblem(int major, int minor);
/// The version in the text of /proc/driver/nvidia/version; empty when there is none.
std::string parseDriverVersion(std::string_view text);
/// NVRTC's name of the target for a compute capability: "sm_90a".
std::string architectureName(int major, int minor);

}  // namespace strobe
