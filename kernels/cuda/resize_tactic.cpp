#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/resize_source.h"

namespace strobe {
namespace {

class DeviceResizeKernel final : public Kernel {
public:
    DeviceResizeKernel(DeviceResizePlan plan, std::shared_ptr<const GeneratedKernel> kernel,
                       std::shared_ptr<const void> taps, std::shared_ptr<const CudaDevice> device)
        : m_plan(std::move(plan)), m_kernel(std::move(kernel)), m_taps(std::move(taps)), m_device(std::move(device)) {}
    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        std::vector<uint64_t> words = {reinterpret_cast<uint64_t>(arguments.inputs[0].data),
                                       reinterpret_cast<uint64_t>(arguments.outputs[0].data),
                                       reinterpret_cast<uint64_t>(m_taps.get())};
        words.insert(words.end(), m_plan.geometry.begin(), m_plan.geometry.end());
        return m_kernel->launch(m_plan.count, 256, words, cudaStream(arguments).get());
    }

private:
    DeviceResizePlan m_plan;
    std::shared_ptr<const GeneratedKernel> m_kernel;
    std::shared_ptr<const void> m_taps;
    std::shared_ptr<const CudaDevice> m_device;
};

class DeviceResizeTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.resize"; }
    Support supports(const Problem& problem) const override {
        const auto plan = planDeviceResize(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates;
        for (Layout layout : {Layout::ChannelsLast, Layout::Plain}) {
            Formats formats = deviceFormats(problem, layout);
            for (size_t i = 1; i < formats.inputs.size(); ++i) formats.inputs[i] = problem.inputs[i].format;
            candidates.push_back(std::move(formats));
        }
        return candidates;
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(DeviceResizePlan plan, planDeviceResize(problem));
        CudaDevice& device = cudaDevice(context);
        STROBE_ASSIGN(auto kernel, device.generated(plan.source));
        STROBE_ASSIGN(auto taps, device.constant({}, plan.taps.data(), plan.taps.size() * sizeof(uint32_t)));
        return std::unique_ptr<Kernel>(std::make_unique<DeviceResizeKernel>(
            std::move(plan), std::move(kernel), std::move(taps), device.shared_from_this()));
    }
};

}  // namespace

void registerCudaResize(KernelRegistry& registry) {
    registry.add(DeviceKind::Cuda, "Resize", std::make_unique<DeviceResizeTactic>());
}

}  // namespace strobe
