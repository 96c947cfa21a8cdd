#include "tests/kernels/cuda/device_case.h"

#include <algorithm>
#include <cstring>

#include "kernels/cuda_loader.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

std::string& chosenId() {
    static std::string id = "cuda:0";
    return id;
}

void openDevice(DeviceUnderTest& tested) {
    registerReferenceKernels(tested.kernels);
    registerCudaModule(tested.kernels);
    tested.missing = "device '" + chosenId() + "' does not exist here";
    for (const auto& provider : tested.kernels.devices())
        for (const DeviceInfo& info : provider->list()) {
            if (info.id != chosenId() && info.unavailableReason.empty()) continue;
            tested.info = info;
            auto device = provider->open(info.index);
            auto stream = device ? (*device)->createStream() : Result<std::unique_ptr<Stream>>(device.status());
            tested.missing = "no GPU to test on: " + stream.status().message();
            if (!stream) continue;
            tested.device = *device;
            tested.stream = std::move(*stream);
            return;
        }
}

/// Memory on the device or the host between guards, filled with a pattern that is a NaN in every float format.
class PlacedBuffer {
public:
    PlacedBuffer(size_t bytes, MemoryKind memory) : m_memory(memory), m_host(bytes + 2 * kGuard, kPattern) {
        if (memory == MemoryKind::Host) return;
        auto device = deviceUnderTest().device->allocate(m_host.size());
        EXPECT_TRUE(device.hasValue()) << device.status().message();
        if (device) m_device = *device;
        push();
    }
    void* data() {
        return (m_memory == MemoryKind::Host ? m_host.data() : static_cast<uint8_t*>(m_device.get())) + kGuard;
    }
    void fill(const std::vector<std::byte>& bytes) {
        if (!bytes.empty()) std::memcpy(m_host.data() + kGuard, bytes.data(), bytes.size());
        push();
    }
    /// The bytes as they are now; checks the guards.
    const void* fetch(const std::string& what) {
        if (m_memory == MemoryKind::Device) {
            const Status status =
                deviceUnderTest().device->copyToHost(m_host.data(), m_device.get(), m_host.size(), nullptr);
            EXPECT_TRUE(status.isOk()) << status.message();
        }
        const auto isPattern = [](uint8_t byte) { return byte == kPattern; };
        EXPECT_TRUE(std::all_of(m_host.begin(), m_host.begin() + kGuard, isPattern)) << what << ": wrote in front";
        EXPECT_TRUE(std::all_of(m_host.end() - kGuard, m_host.end(), isPattern)) << what << ": wrote behind";
        return m_host.data() + kGuard;
    }

private:
    static constexpr std::ptrdiff_t kGuard = 256;
    static constexpr uint8_t kPattern = 0xff;
    void push() {
        if (m_memory == MemoryKind::Host || !m_device) return;
        const Status status =
            deviceUnderTest().device->copyToDevice(m_device.get(), m_host.data(), m_host.size(), nullptr);
        EXPECT_TRUE(status.isOk()) << status.message();
    }
    MemoryKind m_memory;
    std::vector<uint8_t> m_host;
    std::shared_ptr<void> m_device;
};

void runAndCompare(const KernelCase& kernelCase, const CaseData& data, const Problem& problem, const Kernel& kernel,
                   int inPlace) {
    std::vector<PlacedBuffer> inputs, outputs;
    std::vector<TensorView> inputViews, outputViews;
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& desc = problem.inputs[i];
        const auto bytes = desc.present ? toFormat(data.inputs[i], desc.dims, desc.format) : std::vector<std::byte>();
        inputs.emplace_back(bytes.size(), desc.format.memory);
        inputs.back().fill(bytes);
        inputViews.push_back({desc.present ? inputs.back().data() : nullptr, &desc.dims});
    }
    for (const TensorDesc& desc : problem.outputs) {
        outputs.emplace_back(storedBytes(desc.dims, desc.format), desc.format.memory);
        outputViews.push_back({outputs.back().data(), &desc.dims});
    }
    if (inPlace >= 0) outputViews[0].data = inputViews[static_cast<size_t>(inPlace)].data;
    PlacedBuffer workspace(kernel.workspaceBytes(), MemoryKind::Device);
    RunArguments arguments;
    arguments.inputs = inputViews;
    arguments.outputs = outputViews;
    arguments.workspace = workspace.data();
    arguments.stream = deviceUnderTest().stream.get();
    const Status status = kernel.run(arguments);
    ASSERT_TRUE(status.isOk()) << status.message();
    const Status waited = arguments.stream->synchronize();
    ASSERT_TRUE(waited.isOk()) << waited.message();
    workspace.fetch("the workspace");
    for (PlacedBuffer& input : inputs) input.fetch("an input");
    for (size_t o = 0; o < problem.outputs.size(); ++o) {
        const TensorDesc& desc = problem.outputs[o];
        PlacedBuffer& written = o == 0 && inPlace >= 0 ? inputs[static_cast<size_t>(inPlace)] : outputs[o];
        const void* bytes = written.fetch("output " + std::to_string(o));
        expectClose(data.expected[o], fromFormat(bytes, desc.dims, desc.format), desc.format.type,
                    toleranceFor(kernelCase, problem), "output " + std::to_string(o));
    }
}

void runEverywhere(const KernelCase& kernelCase, const CaseData& data, const Problem& problem, const Tactic& tactic,
                   const Kernel& kernel) {
    runAndCompare(kernelCase, data, problem, kernel, -1);
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& in = problem.inputs[i];
        if (!in.present || in.constantData ||
            storedBytes(in.dims, in.format) != storedBytes(problem.outputs[0].dims, problem.outputs[0].format))
            continue;
        if (tactic.canRunInPlace(problem, static_cast<int>(i), 0))
            runAndCompare(kernelCase, data, problem, kernel, static_cast<int>(i));
    }
}

}  // namespace

void chooseDevice(std::string id) {
    chosenId() = std::move(id);
}

DeviceUnderTest& deviceUnderTest() {
    static DeviceUnderTest* tested = [] {
        auto* made = new DeviceUnderTest;  // outlives CUDA's own clean-up at exit
        openDevice(*made);
        return made;
    }();
    return *tested;
}

int expectMatchesOnDevice(const KernelCase& kernelCase, const std::string& tacticName) {
    DeviceUnderTest& tested = deviceUnderTest();
    int ran = 0;
    return runInSupportedFormats(tested.kernels, kernelCase, tacticName,
                                 [&](const Tactic& tactic, const CaseData& data, const Problem& problem) {
                                     const auto kernel = tactic.prepare(problem, {nullptr, tested.device.get()});
                                     EXPECT_TRUE(kernel.hasValue()) << kernel.status().message();
                                     if (!kernel) return false;
                                     SCOPED_TRACE((*kernel)->description());
                                     if (!(*kernel)->description().empty())
                                         testing::Test::RecordProperty("kernel" + std::to_string(ran),
                                                                       (*kernel)->description());
                                     runEverywhere(kernelCase, data, problem, tactic, **kernel);
                                     ++ran;
                                     return true;
                                 });
}

KernelCase inBf16(KernelCase kernelCase) {
    kernelCase.floatType = DataType::BFloat16;
    return kernelCase;
}

KernelCase inFp16(KernelCase kernelCase) {
    kernelCase.floatType = DataType::Float16;
    return kernelCase;
}

void expectInSixteenBits(const KernelCase& kernelCase, const std::string& tactic) {
    expectMatchesOnDevice(inBf16(kernelCase), tactic);
    expectMatchesOnDevice(inFp16(kernelCase), tactic);
}

}  // namespace strobe
