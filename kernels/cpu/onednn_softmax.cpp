#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/layout_candidates.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

using dnnl::softmax_v2_forward;

struct SoftmaxPlan {
    dnnl::memory::desc x, y;
    softmax_v2_forward::primitive_desc pd;
};

Result<SoftmaxPlan> planSoftmax(const Problem& problem) {
    if (const Support floats = checkFloatTensors(problem); !floats.supported) return unsupported(floats.reason);
    if (problem.program) return unsupported("oneDNN's softmax takes no epilogue");
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.dims.empty() || elementCount(x.dims) == 0) return unsupported("the input has no elements or no axis");
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(problem.attributes->getInt("axis", -1), static_cast<int64_t>(x.dims.size())));
    SoftmaxPlan plan;
    STROBE_ASSIGN(plan.x, onednnDesc(x.dims, x.format));
    STROBE_ASSIGN(plan.y, onednnDesc(y.dims, y.format));
    const auto kind =
        problem.op->name == "LogSoftmax" ? dnnl::algorithm::softmax_log : dnnl::algorithm::softmax_accurate;
    const softmax_v2_forward::desc desc(dnnl::prop_kind::forward_inference, kind, plan.x, plan.y,
                                        static_cast<int>(axis));
    plan.pd = softmax_v2_forward::primitive_desc(desc, onednnAttributes(), onednnEngine());
    if (isNaiveImplementation(plan.pd.impl_info_str()) && x.format.layout != Layout::Plain)
        return unsupported("oneDNN has only its naive loop for " + summary(problem));
    return plan;
}

class OnednnSoftmaxTactic final : public OnednnTactic {
public:
    std::string_view name() const override { return "onednn.softmax"; }

    Support check(const Problem& problem) const override { return supportOf(planSoftmax(problem)); }

    std::vector<Formats> formatsToTry(const Problem& problem) const override {
        return withLayouts(Tactic::candidateFormats(problem), problem, {Layout::ChannelsLast, onednnBlockedLayout()});
    }

    bool overwritesInput(const Problem& problem, int, int) const override {
        return problem.inputs[0].format == problem.outputs[0].format;
    }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext&) const override {
        STROBE_ASSIGN(const SoftmaxPlan plan, planSoftmax(problem));
        return makeUnaryKernel<softmax_v2_forward>(problem, plan);
    }
};

}  // namespace

void registerOnednnSoftmax(KernelRegistry& registry) {
    for (const char* op : {"Softmax", "LogSoftmax"})
        registry.add(DeviceKind::Cpu, op, std::make_unique<OnednnSoftmaxTactic>());
}

}  // namespace strobe
