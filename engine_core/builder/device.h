#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine_core/base/status.h"

namespace strobe {

enum class DeviceKind : uint8_t { Cpu, Cuda };

/// What `strobe-cli devices` and the target menu list.
struct DeviceInfo {
    DeviceKind kind = DeviceKind::Cpu;
    int index = 0;
    std::string id;           // "cpu", "cuda:0"
    std::string name;         // "NVIDIA H200", "AMD EPYC …"
    std::string fingerprint;  // key of timing caches and engine files: name, ISA or compute capability, library versions
    size_t memoryBytes = 0;
    int cores = 0;            // hardware threads or multiprocessors
    std::vector<std::string> features;  // "avx512_bf16", "amx_bf16", "sm_90"
    bool hasBf16 = false, hasFp16 = false, hasInt8 = false;  // arithmetic, not storage
    std::string unavailableReason;  // not empty: listed but cannot be used, with what to do
};

/// An ordered queue of work on a device. One thread at a time.
class Stream {
public:
    virtual ~Stream() = default;
    virtual Status synchronize() = 0;
    virtual void* nativeHandle() const = 0;
};

/// A point in a stream, for timing.
class Event {
public:
    virtual ~Event() = default;
    virtual Status record(Stream& stream) = 0;
    virtual Status synchronize() = 0;
    /// Milliseconds from `earlier` to this; both must have completed.
    virtual Result<double> millisecondsSince(const Event& earlier) const = 0;
};

/// A kernel, copy or fill as the device itself timed it.
struct DeviceActivity {
    std::string name;              // "sm90_xmma_fprop…", "copy to device"
    uint64_t start = 0, end = 0;   // nanoseconds of the device's clock
    uint32_t stream = 0;
    uint32_t correlation = 0;      // equal for the call that started it
    uint64_t tag = 0;              // of the scope that it was started in; 0: none
};

/// Records what a device does, without waiting for it between layers. One at a time in a process.
class DeviceTraceRecorder {
public:
    virtual ~DeviceTraceRecorder() = default;
    virtual Status start() = 0;
    /// Work that this thread starts until leave() belongs to `tag` (1…). Scopes nest; the innermost counts.
    virtual Status enter(uint64_t tag) = 0;
    virtual Status leave() = 0;
    /// Everything since start(), in order of start time. Streams must have been synchronised.
    virtual Result<std::vector<DeviceActivity>> stop() = 0;
};

/// A device that is not the host: memory, copies, streams, events. Thread-safe except where a Stream is passed.
class Device {
public:
    virtual ~Device() = default;
    virtual const DeviceInfo& info() const = 0;
    /// OutOfMemory names the bytes asked and free. The memory is freed with the last copy of the pointer.
    virtual Result<std::shared_ptr<void>> allocate(size_t bytes) = 0;
    virtual Result<std::shared_ptr<void>> allocatePinnedHost(size_t bytes) = 0;
    virtual Status copyToDevice(void* destination, const void* source, size_t bytes, Stream* stream) = 0;
    virtual Status copyToHost(void* destination, const void* source, size_t bytes, Stream* stream) = 0;
    virtual Result<std::unique_ptr<Stream>> createStream() = 0;
    virtual Result<std::unique_ptr<Event>> createEvent() = 0;
    /// Unsupported where the device has no such tool.
    virtual Result<std::unique_ptr<DeviceTraceRecorder>> createTraceRecorder() {
        return unsupported("device '" + info().id + "' has no recorder of its own");
    }
};

/// Lists and opens devices of one kind. list() never fails: a missing driver is an entry with unavailableReason.
class DeviceProvider {
public:
    virtual ~DeviceProvider() = default;
    virtual DeviceKind kind() const = 0;
    virtual std::vector<DeviceInfo> list() const = 0;
    virtual Result<std::shared_ptr<Device>> open(int index) const = 0;
};

/// The host itself.
DeviceInfo cpuDeviceInfo();

}  // namespace strobe
