#include "kernels/cuda_loader.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "kernels/cuda_abi.h"

namespace strobe {
namespace {

namespace fs = std::filesystem;

class UnavailableCuda final : public DeviceProvider {
public:
    explicit UnavailableCuda(std::string reason) : m_reason(std::move(reason)) {}
    DeviceKind kind() const override { return DeviceKind::Cuda; }
    std::vector<DeviceInfo> list() const override {
        DeviceInfo info;
        info.kind = DeviceKind::Cuda;
        info.id = "cuda:0";
        info.unavailableReason = m_reason;
        return {info};
    }
    Result<std::shared_ptr<Device>> open(int) const override { return unsupported(m_reason); }

private:
    std::string m_reason;
};

std::string lastError() {
    const char* text = dlerror();
    return text ? text : "unknown error";
}

/// Empty when the module registered itself.
std::string loadModule(KernelRegistry& registry, const std::string& path) {
    // The module draws in CUDA's libraries, hundreds of megabytes: not without a driver that could use them.
    void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (!driver) return "no NVIDIA driver: libcuda.so.1 not found; install the NVIDIA driver, version 580 or newer";
    void* module = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (!module)
        return "the CUDA module cannot be loaded: " + lastError() +
               "; install CUDA 13 with cuDNN 9, or name their folders in LD_LIBRARY_PATH";
    const auto abi = reinterpret_cast<CudaAbiFunction>(dlsym(module, "strobeCudaAbi"));
    const auto enter = reinterpret_cast<RegisterCudaFunction>(dlsym(module, "strobeRegisterCuda"));
    if (!abi || !enter) return path + " is no CUDA module of Strobe: it lacks strobeRegisterCuda";
    if (abi() != kCudaModuleAbi)
        return path + " has interface version " + std::to_string(abi()) + ", this program needs " +
               std::to_string(kCudaModuleAbi) + "; build both from the same sources";
    enter(&registry);
    return {};
}

}  // namespace

std::vector<std::string> cudaModulePaths() {
    if (const char* given = std::getenv("STROBE_CUDA_MODULE"); given && *given) return {given};
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (error) return {kCudaModuleName};
    const fs::path folder = program.parent_path();
    return {(folder / kCudaModuleName).string(), (folder.parent_path() / "lib" / kCudaModuleName).string()};
}

std::unique_ptr<DeviceProvider> makeUnavailableCuda(std::string reason) {
    return std::make_unique<UnavailableCuda>(std::move(reason));
}

void registerCudaModule(KernelRegistry& registry, const std::vector<std::string>& paths) {
    std::error_code error;
    std::string looked;
    for (const std::string& path : paths) {
        looked += (looked.empty() ? "" : " and ") + path;
        if (!fs::exists(path, error)) continue;
        if (std::string reason = loadModule(registry, path); !reason.empty())
            registry.addDevice(makeUnavailableCuda(std::move(reason)));
        return;
    }
    registry.addDevice(makeUnavailableCuda("the CUDA module is not beside the program: looked for " + looked +
                                           "; build Strobe with CUDA 13 and cuDNN 9"));
}

}  // namespace strobe
