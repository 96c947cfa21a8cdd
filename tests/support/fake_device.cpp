#include "tests/support/fake_device.h"

#include <cstring>
#include <new>

#include "kernels/reference/reference_kernel.h"

namespace strobe::test {
namespace {

class FakeStream final : public Stream {
public:
    explicit FakeStream(const FakeDeviceScript& script) : m_script(script) {}
    Status synchronize() override { return m_script.waitFailure.value_or(Status::ok()); }
    void* nativeHandle() const override { return nullptr; }

private:
    const FakeDeviceScript& m_script;
};

/// The tag that work started now belongs to, and what was recorded.
struct Recording {
    bool running = false;
    uint64_t tag = 0, clock = 1000;
    std::vector<DeviceActivity> activities;
};
Recording& recording() {
    static Recording all;
    return all;
}

/// A moment of the device's own clock.
class FakeEvent final : public Event {
public:
    Status record(Stream&) override {
        m_at = recording().clock;
        return Status::ok();
    }
    Status synchronize() override { return Status::ok(); }
    Result<double> millisecondsSince(const Event& earlier) const override { return 1e-6 * static_cast<double>(m_at - static_cast<const FakeEvent&>(earlier).m_at); }

private:
    uint64_t m_at = 0;
};

class FakeRecorder final : public DeviceTraceRecorder {
public:
    explicit FakeRecorder(const FakeDeviceScript& script) : m_script(script) {}
    Status start() override {
        recording() = {};
        if (m_script.startFailure) return *m_script.startFailure;
        recording().running = true;
        return Status::ok();
    }
    Status enter(uint64_t tag) override {
        recording().tag = tag;
        return Status::ok();
    }
    Status leave() override {
        recording().tag = 0;
        return Status::ok();
    }
    Result<std::vector<DeviceActivity>> stop() override {
        recording().running = false;
        return m_script.recordsNothing ? std::vector<DeviceActivity>() : std::move(recording().activities);
    }

private:
    const FakeDeviceScript& m_script;
};

class FakeDevice final : public Device {
public:
    FakeDevice(DeviceInfo info, const FakeDeviceScript& script) : m_info(std::move(info)), m_script(script) {}
    const DeviceInfo& info() const override { return m_info; }
    Result<std::shared_ptr<void>> allocate(size_t bytes) override {
        void* memory = ::operator new(bytes + 64, std::align_val_t(64));
        return std::shared_ptr<void>(memory, [](void* p) { ::operator delete(p, std::align_val_t(64)); });
    }
    Result<std::shared_ptr<void>> allocatePinnedHost(size_t bytes) override { return allocate(bytes); }
    Status copyToDevice(void* destination, const void* source, size_t bytes, Stream*) override {
        std::memcpy(destination, source, bytes);
        return Status::ok();
    }
    Status copyToHost(void* destination, const void* source, size_t bytes, Stream*) override {
        std::memcpy(destination, source, bytes);
        return Status::ok();
    }
    Result<std::unique_ptr<Stream>> createStream() override {
        return std::unique_ptr<Stream>(std::make_unique<FakeStream>(m_script));
    }
    Result<std::unique_ptr<Event>> createEvent() override {
        if (m_script.hasNoEvents) return unsupported("the fake device has no events");
        return std::unique_ptr<Event>(std::make_unique<FakeEvent>());
    }
    Result<std::unique_ptr<DeviceTraceRecorder>> createTraceRecorder() override {
        return std::unique_ptr<DeviceTraceRecorder>(std::make_unique<FakeRecorder>(m_script));
    }

private:
    DeviceInfo m_info;
    const FakeDeviceScript& m_script;
};

class FakeProvider final : public DeviceProvider {
public:
    explicit FakeProvider(const FakeDeviceScript& script) : m_script(script) {}
    DeviceKind kind() const override { return DeviceKind::Cuda; }
    std::vector<DeviceInfo> list() const override {
        DeviceInfo info;
        info.kind = DeviceKind::Cuda;
        info.id = "cuda:0";
        info.name = info.fingerprint = "a fake device";
        info.hasBf16 = m_script.hasBf16;
        info.hasFp16 = m_script.hasFp16;
        return {info};
    }
    Result<std::shared_ptr<Device>> open(int) const override {
        return std::shared_ptr<Device>(std::make_shared<FakeDevice>(list()[0], m_script));
    }

private:
    const FakeDeviceScript& m_script;
};

class FakeKernel final : public Kernel {
public:
    FakeKernel(std::unique_ptr<Kernel> kernel, std::string name, FakeDeviceScript& script)
        : m_kernel(std::move(kernel)), m_name(std::move(name)), m_script(script) {}
    size_t workspaceBytes() const override { return m_kernel->workspaceBytes(); }
    Status run(const RunArguments& arguments) const override {
        ++m_script.kernelsRun;
        Recording& r = recording();
        if (r.running) r.activities.push_back({m_name, r.clock, r.clock + m_script.nanoseconds, 1, 0, r.tag});
        r.clock += m_script.nanoseconds;
        if (m_script.runFailure) return *m_script.runFailure;
        return m_kernel->run(arguments);
    }

private:
    std::unique_ptr<Kernel> m_kernel;
    std::string m_name;
    FakeDeviceScript& m_script;
};

/// The reference kernel of an op, on memory that only claims to be the device's.
class FakeTactic final : public Tactic {
public:
    FakeTactic(std::string name, std::function<Support(const Problem&)> serves, FakeDeviceScript& script)
        : m_name(std::move(name)), m_serves(std::move(serves)), m_script(script) {
        registerReferenceKernels(m_reference);
    }
    std::string_view name() const override { return m_name; }
    Support supports(const Problem& problem) const override { return m_serves(problem); }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        Formats formats = Tactic::candidateFormats(problem).front();
        formats.inputs[0].memory = formats.outputs[0].memory = MemoryKind::Device;
        return {formats};
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        Problem onHost = problem;
        for (auto* list : {&onHost.inputs, &onHost.outputs})
            for (TensorDesc& desc : *list) desc.format.memory = MemoryKind::Host;
        STROBE_ASSIGN(std::unique_ptr<Kernel> kernel,
                      m_reference.findByName("reference." + problem.op->name)->prepare(onHost, {}));
        return std::unique_ptr<Kernel>(std::make_unique<FakeKernel>(std::move(kernel), m_name, m_script));
    }

private:
    std::string m_name;
    std::function<Support(const Problem&)> m_serves;
    FakeDeviceScript& m_script;
    KernelRegistry m_reference;
};

Support crossesTheBorder(const Problem& problem) {
    const bool onDevice =
        problem.inputs[0].format.memory == MemoryKind::Device || problem.outputs[0].format.memory == MemoryKind::Device;
    return onDevice ? Support::yes() : Support::no("both tensors lie on the host");
}

}  // namespace

void registerFakeDevice(KernelRegistry& kernels, const std::string& op, std::function<Support(const Problem&)> serves,
                        FakeDeviceScript& script) {
    kernels.add(DeviceKind::Cuda, "Reformat", std::make_unique<FakeTactic>("fake.copy", crossesTheBorder, script));
    kernels.add(DeviceKind::Cuda, op, std::make_unique<FakeTactic>("fake.op", std::move(serves), script));
    kernels.addDevice(std::make_unique<FakeProvider>(script));
}

Result<std::shared_ptr<const Engine>> buildWithFakeDevice(const KernelRegistry& kernels, Network network,
                                                          std::vector<OptimizationProfile> profiles,
                                                          const std::string& device) {
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(std::move(network));
    request.config.device = device;
    request.config.optimizationLevel = 0;
    request.config.threads = 1;
    request.config.profiles = std::move(profiles);
    if (device != "cpu") request.config.pinnedTactics["soft"] = "fake.op";
    STROBE_ASSIGN(BuildResult built, Builder(kernels).build(request));
    return built.engine;
}

}  // namespace strobe::test
