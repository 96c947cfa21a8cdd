#include "kernels/cuda/attention_source.h"
#include "kernels/cuda/cuda_tactics.h"

namespace strobe {
namespace {

class AttentionKernel final : public Kernel {
public:
    AttentionKernel(AttentionPlan plan, std::shared_ptr<const GeneratedKernel> kernel,
                    std::vector<std::shared_ptr<const void>> constants, std::shared_ptr<const CudaDevice> device)
        : m_plan(std::move(plan)),
          m_kernel(std::move(kernel)),
          m_constants(std::move(constants)),
          m_device(std::move(device)) {}
    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        std::vector<uint64_t> words;
        for (size_t i = 0; i < 4; ++i)
            words.push_back(
                i < 3 || m_plan.hasMask ? reinterpret_cast<uint64_t>(inputAddress(m_constants, arguments, i)) : 0);
        words.push_back(reinterpret_cast<uint64_t>(arguments.outputs[0].data));
        words.insert(words.end(), m_plan.geometry.begin(), m_plan.geometry.end());
        return m_kernel->launch(m_plan.rows * kAttentionThreads, kAttentionThreads, words, cudaStream(arguments).get());
    }

private:
    AttentionPlan m_plan;
    std::shared_ptr<const GeneratedKernel> m_kernel;
    std::vector<std::shared_ptr<const void>> m_constants;
    std::shared_ptr<const CudaDevice> m_device;
};

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
        CudaDevice& device = cudaDevice(context);
        STROBE_ASSIGN(auto kernel, device.generated(plan.source));
        STROBE_ASSIGN(auto constants, uploadConstants(problem, device));
        return std::unique_ptr<Kernel>(std::make_unique<AttentionKernel>(
            std::move(plan), std::move(kernel), std::move(constants), device.shared_from_this()));
    }
};

}  // namespace

void registerCudaAttention(KernelRegistry& registry) {
    registry.add(DeviceKind::Cuda, "Attention", std::make_unique<AttentionTactic>());
}

}  // namespace strobe
