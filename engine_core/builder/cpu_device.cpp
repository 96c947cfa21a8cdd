#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine_core/builder/device.h"

namespace strobe {
namespace {

/// What kernels choose between; the rest of the flags does not matter to an engine.
constexpr const char* kFeatures[] = {"avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8"};

DeviceInfo readCpuInfo() {
    DeviceInfo info;
    info.kind = DeviceKind::Cpu;
    info.id = "cpu";
    info.name = "CPU";
    info.cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    info.memoryBytes = static_cast<size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES))) * static_cast<size_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line) && !line.empty();) {
        const size_t colon = line.find(": ");
        if (colon == std::string::npos) continue;
        const std::string value = line.substr(colon + 2);
        if (line.rfind("model name", 0) == 0) info.name = value;
        if (line.rfind("flags", 0) != 0) continue;
        std::istringstream words(value);
        for (std::string word; words >> word;)
            if (std::find(std::begin(kFeatures), std::end(kFeatures), word) != std::end(kFeatures)) info.features.push_back(word);
    }
    std::sort(info.features.begin(), info.features.end());
    const auto has = [&](const char* feature) { return std::find(info.features.begin(), info.features.end(), feature) != info.features.end(); };
    info.hasBf16 = has("avx512_bf16") || has("amx_bf16");
    info.hasInt8 = has("avx512_vnni") || has("amx_int8");
    info.fingerprint = info.name;
    for (const std::string& feature : info.features) info.fingerprint += " " + feature;
    return info;
}

}  // namespace

DeviceInfo cpuDeviceInfo() {
    static const DeviceInfo info = readCpuInfo();
    return info;
}

}  // namespace strobe
