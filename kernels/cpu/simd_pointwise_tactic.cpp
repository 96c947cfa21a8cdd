#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_pointwise.h"
#include "kernels/cpu/simd_tactics.h"

namespace strobe {
namespace {

std::vector<PointwiseTensor> tensorsOf(const std::vector<TensorDesc>& descs) {
    std::vector<PointwiseTensor> tensors;
    for (const TensorDesc& desc : descs) tensors.push_back({desc.format, desc.dims});
    return tensors;
}

class PointwiseKernel final : public Kernel {
public:
    explicit PointwiseKernel(const Problem& problem)
        : m_chain(*problem.program, tensorsOf(problem.inputs), tensorsOf(problem.outputs)),
          m_threads(problem.threads) {}
    size_t workspaceBytes() const override { return m_chain.scratchBytes() * static_cast<size_t>(m_threads); }
    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        std::vector<const void*> inputs;
        std::vector<void*> outputs;
        for (const TensorView& view : arguments.inputs) inputs.push_back(view.data);
        for (const TensorView& view : arguments.outputs) outputs.push_back(view.data);
        m_chain.run(inputs, outputs, arguments.workspace);
        return Status::ok();
    }

private:
    SimdPointwise m_chain;
    int m_threads;
};

class PointwiseTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.pointwise"; }
    bool wantsExactConstants() const override { return true; }

    Support supports(const Problem& problem) const override {
        if (!problem.program) return Support::no("no program");
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list) {
                if (!desc.present) return Support::no("a tensor is absent");
                if (desc.format.memory != MemoryKind::Host) return Support::no("runs on host memory");
            }
        return SimdPointwise::supports(*problem.program, tensorsOf(problem.inputs), tensorsOf(problem.outputs));
    }

    /// Every layout that the full-size tensors can share; smaller operands keep theirs, or follow when they have the
    /// same rank and channels.
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates = Tactic::candidateFormats(problem);
        const Dims& dims = problem.outputs[0].dims;
        if (dims.size() < 3) return candidates;
        for (Layout layout : {Layout::ChannelsLast, Layout::Blocked16, Layout::Blocked8}) {
            Formats formats = candidates.front();
            bool possible = true;
            for (size_t i = 0; i < problem.inputs.size(); ++i) {
                const Dims& own = problem.inputs[i].dims;
                const bool follows = own.size() == dims.size() && own[1] == dims[1] && own[1] != 1;
                if (own == dims || (follows && !problem.inputs[i].constantData)) formats.inputs[i].layout = layout;
                if (own == dims && problem.inputs[i].constantData) possible = false;
            }
            for (Format& format : formats.outputs) format.layout = layout;
            if (possible) candidates.push_back(std::move(formats));
        }
        return candidates;
    }

    bool canRunInPlace(const Problem& problem, int input, int output) const override {
        if (problem.outputs.size() != 1 || output != 0 || input >= static_cast<int>(problem.inputs.size()))
            return false;
        const TensorDesc& from = problem.inputs[static_cast<size_t>(input)];
        const TensorDesc& to = problem.outputs[0];
        return from.dims == to.dims && from.format == to.format;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<PointwiseKernel>(problem));
    }
};

}  // namespace

void registerSimdPointwise(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Pointwise", std::make_unique<PointwiseTactic>());
}

}  // namespace strobe
