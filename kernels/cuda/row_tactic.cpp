#include "kernels/cuda/launch_kernel.h"
#include "kernels/cuda/row_source.h"

namespace strobe {
namespace {

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
        const int64_t threads = plan.rows * 256;
        return makeLaunchKernel(problem, context,
                                {std::move(plan.source), plan.inputs, std::move(plan.words), threads});
    }
};

}  // namespace

void registerCudaRows(KernelRegistry& registry) {
    for (const char* op : {"Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "ReduceMean", "ReduceSum",
                           "ReduceMax", "ReduceMin"})
        registry.add(DeviceKind::Cuda, op, std::make_unique<RowTactic>());
}

}  // namespace strobe
