#include "kernels/cuda/cuda_device.h"

#include <cublasLt.h>
#include <cudnn.h>

#include "kernels/cuda/cupti_recorder.h"
#include "kernels/cuda/driver_facts.h"
#include "kernels/cuda/nvrtc_compiler.h"

namespace strobe {
namespace {

class CudaEvent final : public Event {
public:
    explicit CudaEvent(cudaEvent_t event) : m_event(event) {}
    ~CudaEvent() override { cudaEventDestroy(m_event); }
    Status record(Stream& stream) override {
        return cudaStatus(cudaEventRecord(m_event, static_cast<CudaStream&>(stream).get()), "recording an event");
    }
    Status synchronize() override { return cudaStatus(cudaEventSynchronize(m_event), "waiting for an event"); }
    Result<double> millisecondsSince(const Event& earlier) const override {
        float milliseconds = 0;
        STROBE_RETURN_IF_ERROR(
            cudaStatus(cudaEventElapsedTime(&milliseconds, static_cast<const CudaEvent&>(earlier).m_event, m_event),
                       "reading events"));
        return static_cast<double>(milliseconds);
    }

private:
    cudaEvent_t m_event;
};

}  // namespace

CudaStream::~CudaStream() {
    cudaSetDevice(m_device);
    cudaStreamSynchronize(m_stream);
    if (m_cudnn) cudnnDestroy(m_cudnn);
    cudaStreamDestroy(m_stream);
}

Status CudaStream::synchronize() {
    return cudaStatus(cudaStreamSynchronize(m_stream), "waiting for the device");
}

Result<cudnnContext*> CudaStream::cudnn() {
    if (m_cudnn) return m_cudnn;
    cudnnHandle_t handle = nullptr;
    cudnnStatus_t status = cudnnCreate(&handle);
    if (status == CUDNN_STATUS_SUCCESS) status = cudnnSetStream(handle, m_stream);
    if (status != CUDNN_STATUS_SUCCESS) return internalError(std::string("cuDNN: ") + cudnnGetErrorString(status));
    return m_cudnn = handle;
}

GeneratedKernel::~GeneratedKernel() {
    cudaLibraryUnload(m_library);
}

Status GeneratedKernel::launch(int64_t threads, int blockSize, std::span<const uint64_t> parameters,
                               cudaStream_t stream) const {
    if (threads <= 0) return Status::ok();
    const auto blocks = static_cast<unsigned>((threads + blockSize - 1) / blockSize);
    void* arguments[] = {const_cast<uint64_t*>(parameters.data())};
    return cudaStatus(cudaLaunchKernel(reinterpret_cast<const void*>(m_kernel), dim3(blocks),
                                       dim3(static_cast<unsigned>(blockSize)), arguments, 0, stream),
                      "starting a generated kernel");
}

CudaDevice::CudaDevice(DeviceInfo info, int major, int minor)
    : m_info(std::move(info)), m_architecture(architectureName(major, minor)) {}

CudaDevice::~CudaDevice() {
    if (m_cublasLt) cublasLtDestroy(m_cublasLt);
}

Result<std::shared_ptr<Device>> CudaDevice::open(int index, DeviceInfo info) {
    if (!info.unavailableReason.empty())
        return unsupported("device '" + info.id + "' cannot be used: " + info.unavailableReason);
    int major = 0, minor = 0;
    STROBE_RETURN_IF_ERROR(
        cudaStatus(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index), "asking the device"));
    STROBE_RETURN_IF_ERROR(
        cudaStatus(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index), "asking the device"));
    const std::shared_ptr<CudaDevice> device(new CudaDevice(std::move(info), major, minor));
    STROBE_RETURN_IF_ERROR(device->makeCurrent());
    return std::shared_ptr<Device>(device);
}

Result<std::shared_ptr<void>> CudaDevice::allocate(size_t bytes) {
    STROBE_RETURN_IF_ERROR(makeCurrent());
    void* memory = nullptr;
    if (const cudaError_t error = cudaMalloc(&memory, bytes == 0 ? 256 : bytes); error != cudaSuccess) {
        if (error != cudaErrorMemoryAllocation) return cudaStatus(error, "allocating on the device");
        cudaGetLastError();
        size_t available = 0, total = 0;
        cudaMemGetInfo(&available, &total);
        return Status(ErrorCode::OutOfMemory, m_info.id + " has " + std::to_string(available) + " bytes free, " +
                                                  std::to_string(bytes) +
                                                  " are needed; use a smaller batch or free the device");
    }
    return std::shared_ptr<void>(memory, [](void* p) { cudaFree(p); });
}

Result<std::shared_ptr<void>> CudaDevice::allocatePinnedHost(size_t bytes) {
    STROBE_RETURN_IF_ERROR(makeCurrent());
    void* memory = nullptr;
    STROBE_RETURN_IF_ERROR(
        cudaStatus(cudaMallocHost(&memory, bytes == 0 ? 64 : bytes), "allocating pinned host memory"));
    return std::shared_ptr<void>(memory, [](void* p) { cudaFreeHost(p); });
}

Status CudaDevice::copyToDevice(void* destination, const void* source, size_t bytes, Stream* stream) {
    STROBE_RETURN_IF_ERROR(makeCurrent());
    const cudaStream_t native = stream ? static_cast<CudaStream*>(stream)->get() : nullptr;
    STROBE_RETURN_IF_ERROR(cudaStatus(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyHostToDevice, native),
                                      "copying to the device"));
    // Streams do not wait for the default one: without a stream the bytes must have arrived.
    return stream ? Status::ok() : cudaStatus(cudaStreamSynchronize(nullptr), "copying to the device");
}

Status CudaDevice::copyToHost(void* destination, const void* source, size_t bytes, Stream* stream) {
    STROBE_RETURN_IF_ERROR(makeCurrent());
    const cudaStream_t native = stream ? static_cast<CudaStream*>(stream)->get() : nullptr;
    STROBE_RETURN_IF_ERROR(
        cudaStatus(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyDeviceToHost, native), "copying to the host"));
    return stream ? Status::ok() : cudaStatus(cudaStreamSynchronize(nullptr), "copying to the host");
}

Result<std::unique_ptr<Stream>> CudaDevice::createStream() {
    STROBE_RETURN_IF_ERROR(makeCurrent());
    cudaStream_t stream = nullptr;
    STROBE_RETURN_IF_ERROR(cudaStatus(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream"));
    return std::unique_ptr<Stream>(std::make_unique<CudaStream>(m_info.index, stream));
}

Result<std::unique_ptr<Event>> CudaDevice::createEvent() {
    STROBE_RETURN_IF_ERROR(makeCurrent());
    cudaEvent_t event = nullptr;
    STROBE_RETURN_IF_ERROR(cudaStatus(cudaEventCreate(&event), "creating an event"));
    return std::unique_ptr<Event>(std::make_unique<CudaEvent>(event));
}

Result<std::unique_ptr<DeviceTraceRecorder>> CudaDevice::createTraceRecorder() {
    return makeCuptiRecorder();
}

Result<std::shared_ptr<const void>> CudaDevice::constant(const std::string& key, const void* host, size_t bytes) {
    std::lock_guard lock(m_mutex);
    if (!key.empty())
        if (const auto known = m_constants.find(key); known != m_constants.end())
            if (auto held = known->second.lock()) return held;
    STROBE_ASSIGN(const std::shared_ptr<void> memory, allocate(bytes));
    STROBE_RETURN_IF_ERROR(copyToDevice(memory.get(), host, bytes, nullptr));
    if (!key.empty()) m_constants[key] = memory;
    return std::shared_ptr<const void>(memory);
}

Result<std::shared_ptr<const GeneratedKernel>> CudaDevice::generated(const std::string& source) {
    std::lock_guard lock(m_mutex);
    auto& known = m_generated[source];
    if (!known) {
        STROBE_ASSIGN(known, compile(source));
    }
    return known;
}

Result<std::shared_ptr<const GeneratedKernel>> CudaDevice::compile(const std::string& source) const {
    STROBE_ASSIGN(const std::string cubin, compileCubin(source, m_architecture));
    STROBE_RETURN_IF_ERROR(makeCurrent());
    cudaLibrary_t library = nullptr;
    STROBE_RETURN_IF_ERROR(
        cudaStatus(cudaLibraryLoadData(&library, cubin.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
                   "loading a generated kernel"));
    cudaKernel_t kernel = nullptr;
    if (const Status status =
            cudaStatus(cudaLibraryGetKernel(&kernel, library, kGeneratedKernel), "finding a generated kernel");
        !status.isOk()) {
        cudaLibraryUnload(library);
        return status;
    }
    return std::shared_ptr<const GeneratedKernel>(std::make_shared<const GeneratedKernel>(library, kernel));
}

Result<cublasLtContext*> CudaDevice::cublasLt() {
    std::lock_guard lock(m_mutex);
    STROBE_RETURN_IF_ERROR(makeCurrent());
    if (!m_cublasLt)
        if (const cublasStatus_t status = cublasLtCreate(&m_cublasLt); status != CUBLAS_STATUS_SUCCESS)
            return internalError(std::string("cuBLASLt: ") + cublasLtGetStatusString(status));
    return m_cublasLt;
}

CudaDevice& cudaDevice(const PrepareContext& context) {
    return static_cast<CudaDevice&>(*context.device);
}

}  // namespace strobe
