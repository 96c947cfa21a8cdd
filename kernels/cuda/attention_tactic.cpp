#include "kernels/cuda/attention_source.h"
#include "kernels/cuda/launch_kernel.h"

namespace strobe {
namespace {

class AttentionTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.attention"; }
    Support supports(const Problem& problem) const override {
        const auto plan = planAttention(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override { return {deviceFormats(problem)}; }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(AttentionPlan plan, planAttention(problem));
        const auto mask = plan.hasMask ? std::optional<size_t>(3) : std::nullopt;
        return makeLaunchKernel(problem, context,
                                {std::move(plan.source),
                                 {0, 1, 2, mask},
                                 std::move(plan.geometry),
                                 plan.rows * kAttentionThreads,
                                 kAttentionThreads});
    }
};

}  // namespace

void registerCudaAttention(KernelRegistry& registry) {
    registry.add(DeviceKind::Cuda, "Attention", std::make_unique<AttentionTactic>());
}

}  // namespace strobe
