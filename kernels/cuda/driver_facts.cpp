#include "kernels/cuda/driver_facts.h"

#include <cctype>

namespace strobe {

std::string driverProblem(const DriverFacts& facts) {
    if (facts.cudaVersion == 0) return "no NVIDIA driver answers; install the NVIDIA driver, version 580 or newer";
    if (facts.cudaVersion < 13000) {
        const std::string version =
            facts.driverVersion.empty() ? "for CUDA " + std::to_string(facts.cudaVersion / 1000) : facts.driverVersion;
        return "driver " + version + " is older than CUDA 13 needs; install version 580 or newer";
    }
    if (!facts.deviceError.empty()) return "the driver cannot list its devices: " + facts.deviceError;
    if (facts.deviceCount == 0) return "no device: the driver finds no NVIDIA GPU; see what nvidia-smi lists and whether CUDA_VISIBLE_DEVICES hides it";
    return {};
}

std::string capabilityProblem(int major, int minor) {
    if (major >= 8) return {};
    return "compute capability " + std::to_string(major) + "." + std::to_string(minor) + "; 8.0 or newer is needed";
}

std::string parseDriverVersion(std::string_view text) {
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul …", for open modules "… Kernel Module for
    // x86_64  580.65.06"
    for (size_t at = text.find("Module"); at != std::string_view::npos && at < text.size(); ++at) {
        if (!std::isdigit(static_cast<unsigned char>(text[at])) || text[at - 1] != ' ') continue;
        const size_t end = text.find_first_not_of("0123456789.", at);
        const std::string_view word = text.substr(at, end == std::string_view::npos ? end : end - at);
        if (word.find('.') != std::string_view::npos) return std::string(word);
    }
    return {};
}

std::string architectureName(int major, int minor) {
    return "sm_" + std::to_string(major) + std::to_string(minor) + (major == 9 && minor == 0 ? "a" : "");
}

}  // namespace strobe
