#pragma once
#include <cuda_runtime_api.h>

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "engine_core/builder/tactic.h"
#include "kernels/cuda/build_cache.h"
#include "kernels/cuda/cuda_check.h"

struct cudnnContext;
struct cublasLtContext;

namespace strobe {

class CudaStream final : public Stream {
public:
    CudaStream(int device, cudaStream_t stream) : m_device(device), m_stream(stream) {}
    ~CudaStream() override;
    Status synchronize() override;
    void* nativeHandle() const override { return m_stream; }
    cudaStream_t get() const { return m_stream; }
    /// cuDNN's handle that works on this stream; made at first use.
    Result<cudnnContext*> cudnn();

private:
    int m_device;
    cudaStream_t m_stream;
    cudnnContext* m_cudnn = nullptr;
};

/// A kernel generated from text, compiled for and loaded on one device. Parameters are one block of 8-byte words.
class GeneratedKernel {
public:
    explicit GeneratedKernel(cudaLibrary_t library, cudaKernel_t kernel) : m_library(library), m_kernel(kernel) {}
    ~GeneratedKernel();
    GeneratedKernel(const GeneratedKernel&) = delete;
    GeneratedKernel& operator=(const GeneratedKernel&) = delete;
    /// One thread for each of `threads`, in blocks of `blockSize`; the kernel checks its bounds. Nothing for none.
    Status launch(int64_t threads, int blockSize, std::span<const uint64_t> parameters, cudaStream_t stream) const;

private:
    cudaLibrary_t m_library;
    cudaKernel_t m_kernel;
};

/// One NVIDIA GPU. Thread-safe; makes itself the calling thread's current device.
class CudaDevice final : public Device, public std::enable_shared_from_this<CudaDevice> {
public:
    static Result<std::shared_ptr<Device>> open(int index, DeviceInfo info);
    ~CudaDevice() override;

    const DeviceInfo& info() const override { return m_info; }
    Result<std::shared_ptr<void>> allocate(size_t bytes) override;
    Result<std::shared_ptr<void>> allocatePinnedHost(size_t bytes) override;
    Status copyToDevice(void* destination, const void* source, size_t bytes, Stream* stream) override;
    Status copyToHost(void* destination, const void* source, size_t bytes, Stream* stream) override;
    Result<std::unique_ptr<Stream>> createStream() override;
    Result<std::unique_ptr<Event>> createEvent() override;
    Result<std::unique_ptr<DeviceTraceRecorder>> createTraceRecorder() override;

    Status makeCurrent() const { return cudaStatus(cudaSetDevice(m_info.index), "choosing the device"); }
    /// `bytes` of host memory on the device. Equal keys share one copy as long as anyone holds it; an empty key is
    /// never shared.
    Result<std::shared_ptr<const void>> constant(const std::string& key, const void* host, size_t bytes);
    /// Compiled at first request, then kept by its text.
    Result<std::shared_ptr<const GeneratedKernel>> generated(const std::string& source);
    /// Things that take long to build and serve many kernels.
    BuildCache& builds() { return m_builds; }
    Result<cublasLtContext*> cublasLt();

private:
    explicit CudaDevice(DeviceInfo info, int major, int minor);
    Result<std::shared_ptr<const GeneratedKernel>> compile(const std::string& source) const;

    DeviceInfo m_info;
    std::string m_architecture;
    std::mutex m_mutex;
    std::map<std::string, std::weak_ptr<const void>> m_constants;
    std::map<std::string, std::shared_ptr<const GeneratedKernel>> m_generated;
    BuildCache m_builds{512};  // more than a network has convolutions to choose from
    cublasLtContext* m_cublasLt = nullptr;
};

/// Devices that the driver lists; when there is none, "cuda:0" with the reason.
std::unique_ptr<DeviceProvider> makeCudaProvider();

/// The device of a prepare() on DeviceKind::Cuda.
CudaDevice& cudaDevice(const PrepareContext& context);
inline CudaStream& cudaStream(const RunArguments& arguments) {
    return static_cast<CudaStream&>(*arguments.stream);
}

}  // namespace strobe
