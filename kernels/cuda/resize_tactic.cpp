#include "kernels/cuda/launch_kernel.h"
#include "kernels/cuda/resize_source.h"

namespace strobe {
namespace {

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
        STROBE_ASSIGN(auto taps,
                      cudaDevice(context).constant({}, plan.taps.data(), plan.taps.size() * sizeof(uint32_t)));
        return makeLaunchKernel(
            problem, context,
            {std::move(plan.source), {0}, std::move(plan.geometry), plan.count, 256, std::move(taps)});
    }
};

}  // namespace

void registerCudaResize(KernelRegistry& registry) {
    registry.add(DeviceKind::Cuda, "Resize", std::make_unique<DeviceResizeTactic>());
}

}  // namespace strobe
