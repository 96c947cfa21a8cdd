#include <cublasLt.h>
#include <cudnn.h>

#include <fstream>
#include <iterator>

#include "kernels/cuda/cuda_device.h"
#include "kernels/cuda/driver_facts.h"
#include "kernels/cuda_loader.h"

namespace strobe {
namespace {

DriverFacts askDriver() {
    DriverFacts facts;
    if (cudaDriverGetVersion(&facts.cudaVersion) != cudaSuccess) facts.cudaVersion = 0;
    std::ifstream file("/proc/driver/nvidia/version");
    facts.driverVersion = parseDriverVersion(std::string(std::istreambuf_iterator<char>(file), {}));
    if (facts.cudaVersion < 13000) return facts;
    const cudaError_t error = cudaGetDeviceCount(&facts.deviceCount);
    if (error != cudaSuccess && error != cudaErrorNoDevice) facts.deviceError = cudaGetErrorString(error);
    if (error != cudaSuccess) facts.deviceCount = 0;
    cudaGetLastError();
    return facts;
}

DeviceInfo describeDevice(int index, const DriverFacts& facts) {
    DeviceInfo info;
    info.kind = DeviceKind::Cuda;
    info.index = index;
    info.id = "cuda:" + std::to_string(index);
    cudaDeviceProp properties{};
    if (const Status status = cudaStatus(cudaGetDeviceProperties(&properties, index), "asking the device");
        !status.isOk()) {
        info.unavailableReason = status.message();
        return info;
    }
    const std::string architecture = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
    info.name = properties.name;
    info.memoryBytes = properties.totalGlobalMem;
    info.cores = properties.multiProcessorCount;
    info.features = {architecture};
    info.hasBf16 = info.hasFp16 = info.hasInt8 = properties.major >= 8;
    info.unavailableReason = capabilityProblem(properties.major, properties.minor);
    info.fingerprint = info.name + " " + architecture + " driver " + facts.driverVersion + " cudnn " +
                       std::to_string(cudnnGetVersion()) + " cublaslt " + std::to_string(cublasLtGetVersion());
    return info;
}

class CudaProvider final : public DeviceProvider {
public:
    explicit CudaProvider(std::vector<DeviceInfo> devices) : m_devices(std::move(devices)) {}
    DeviceKind kind() const override { return DeviceKind::Cuda; }
    std::vector<DeviceInfo> list() const override { return m_devices; }
    /// One Device an index for as long as anyone holds it, so that engines share constants and generated kernels.
    Result<std::shared_ptr<Device>> open(int index) const override {
        if (index < 0 || index >= static_cast<int>(m_devices.size()))
            return invalidArgument("device 'cuda:" + std::to_string(index) + "' does not exist; there are " +
                                   std::to_string(m_devices.size()));
        std::lock_guard lock(m_mutex);
        if (auto held = m_open[index].lock()) return held;
        STROBE_ASSIGN(std::shared_ptr<Device> device, CudaDevice::open(index, m_devices[static_cast<size_t>(index)]));
        m_open[index] = device;
        return device;
    }

private:
    std::vector<DeviceInfo> m_devices;
    mutable std::mutex m_mutex;
    mutable std::map<int, std::weak_ptr<Device>> m_open;
};

}  // namespace

std::unique_ptr<DeviceProvider> makeCudaProvider() {
    const DriverFacts facts = askDriver();
    if (std::string problem = driverProblem(facts); !problem.empty()) return makeUnavailableCuda(std::move(problem));
    std::vector<DeviceInfo> devices;
    for (int index = 0; index < facts.deviceCount; ++index) devices.push_back(describeDevice(index, facts));
    return std::make_unique<CudaProvider>(std::move(devices));
}

}  // namespace strobe
