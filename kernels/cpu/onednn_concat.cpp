#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

struct ConcatPlan {
    std::vector<size_t> inputs;  // those with elements
    std::vector<dnnl::memory::desc> sources;
    dnnl::memory::desc destination;
    dnnl::concat::primitive_desc pd;
};

Result<ConcatPlan> planConcat(const Problem& problem) {
    const TensorDesc& y = problem.outputs[0];
    if (problem.program) return unsupported("oneDNN's concat takes no epilogue");
    if (y.dims.empty() || elementCount(y.dims) == 0) return unsupported("the output has no elements");
    STROBE_ASSIGN(const int64_t axis, normalizeAxis(problem.attributes->getInt("axis", 0), static_cast<int64_t>(y.dims.size())));
    ConcatPlan plan;
    STROBE_ASSIGN(plan.destination, onednnDesc(y.dims, y.format));
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& x = problem.inputs[i];
        if (!x.present || elementCount(x.dims) == 0) continue;
        if (x.format.type != y.format.type) return unsupported("the inputs' types differ");
        // A part that ends inside a channel group would leave its padding in the middle of the output.
        if (axis == 1 && x.dims[1] % layoutBlock(y.format.layout) != 0 && layoutBlock(y.format.layout) > 1)
            return unsupported("an input has " + std::to_string(x.dims[1]) + " channels, which do not fill groups of " +
                               std::to_string(layoutBlock(y.format.layout)));
        STROBE_ASSIGN(auto source, onednnDesc(x.dims, x.format));
        plan.inputs.push_back(i);
        plan.sources.push_back(std::move(source));
    }
    STROBE_ASSIGN(plan.pd, guardOnednn(summary(problem), [&] {
                      return dnnl::concat::primitive_desc(plan.destination, static_cast<int>(axis), plan.sources, onednnEngine(), onednnAttributes());
                  }));
    if (isNaiveImplementation(plan.pd.impl_info_str())) return unsupported("oneDNN has only its naive concat for " + summary(problem));
    return plan;
}

class OnednnConcatTactic final : public Tactic {
public:
    std::string_view name() const override { return "onednn.concat"; }

    Support supports(const Problem& problem) const override {
        const ThreadScope threads(problem.threads);
        const auto plan = planConcat(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates = Tactic::candidateFormats(problem);
        if (problem.outputs[0].dims.size() < 3) return candidates;
        for (Layout layout : {Layout::ChannelsLast, onednnBlockedLayout()}) {
            Formats formats = candidates[0];
            for (size_t i = 0; i < formats.inputs.size(); ++i)
                if (!problem.inputs[i].constantData) formats.inputs[i].layout = layout;
            formats.outputs[0].layout = layout;
            candidates.push_back(std::move(formats));
        }
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        const ThreadScope threads(problem.threads);
        STROBE_ASSIGN(const ConcatPlan plan, planConcat(problem));
        auto kernel = std::make_unique<OnednnKernel>(problem);
        std::vector<OnednnArgument> arguments;
        for (size_t i = 0; i < plan.inputs.size(); ++i)
            arguments.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), plan.sources[i], OnednnBuffer::input(plan.inputs[i])});
        arguments.push_back({DNNL_ARG_DST, plan.destination, OnednnBuffer::output(0)});
        STROBE_ASSIGN(auto primitive, guardOnednn(summary(problem), [&] { return dnnl::concat(plan.pd); }));
        kernel->addStep(std::move(primitive), std::move(arguments), plan.pd.scratchpad_desc(), plan.pd.impl_info_str());
        return std::unique_ptr<Kernel>(std::move(kernel));
    }
};

}  // namespace

void registerOnednnConcat(KernelRegistry& registry) { registry.add(DeviceKind::Cpu, "Concat", std::make_unique<OnednnConcatTactic>()); }

}  // namespace strobe
