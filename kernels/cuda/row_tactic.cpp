#include <bit>

#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/row_source.h"

namespace strobe {
namespace {

class RowKernel final : public Kernel {
public:
    RowKernel(RowPlan plan, std::shared_ptr<const GeneratedKernel> kernel,
              std::vector<std::shared_ptr<const void>> constants, std::shared_ptr<const CudaDevice> device)
        : m_plan(std::move(plan)),
          m_kernel(std::move(kernel)),
          m_constants(std::move(constants)),
          m_device(std::move(device)) {}
    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        std::vector<uint64_t> words = {static_cast<uint64_t>(m_plan.rows), static_cast<uint64_t>(m_plan.columns),
                                       std::bit_cast<uint32_t>(m_plan.epsilon),
                                       reinterpret_cast<uint64_t>(arguments.outputs[0].data)};
        for (size_t input : m_plan.inputs)
            words.push_back(reinterpret_cast<uint64_t>(inputAddress(m_constants, arguments, input)));
        words.resize(7);
        return m_kernel->launch(m_plan.rows * 256, 256, words, cudaStream(arguments).get());
    }

private:
    RowPlan m_plan;
    std::shared_ptr<const GeneratedKernel> m_kernel;
    std::vector<std::shared_ptr<const void>> m_constants;
    std::shared_ptr<const CudaDevice> m_device;
};

class RowTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.rows"; }
    Support supports(const Problem& problem) const override {
        const auto plan = planRows(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        Formats formats = deviceFormats(problem);
        for (size_t i = 1; i < formats.inputs.size(); ++i)
            if (problem.op->valueInputs >> i & 1u) formats.inputs[i].memory = MemoryKind::Host;  // axes
        return {formats};
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(RowPlan plan, planRows(problem));
        CudaDevice& device = cudaDevice(context);
        STROBE_ASSIGN(auto kernel, device.generated(plan.source));
        STROBE_ASSIGN(auto constants, uploadConstants(problem, device));
        return std::unique_ptr<Kernel>(std::make_unique<RowKernel>(std::move(plan), std::move(kernel),
                                                                   std::move(constants), device.shared_from_this()));
    }
};

}  // namespace

void registerCudaRows(KernelRegistry& registry) {
    for (const char* op : {"Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "ReduceMean", "ReduceSum",
                           "ReduceMax", "ReduceMin"})
        registry.add(DeviceKind::Cuda, op, std::make_unique<RowTactic>());
}

}  // namespace strobe
