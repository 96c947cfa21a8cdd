#include "kernels/cpu/epilogue_pass.h"

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/onednn_post_ops.h"
#include "kernels/cpu/simd_pointwise.h"

namespace strobe {
namespace {

/// The layer alone.
Problem withoutEpilogue(const Problem& problem) {
    Problem bare = problem;
    bare.program = nullptr;
    const auto own = static_cast<size_t>(problem.op->maxInputs);
    if (bare.inputs.size() > own) bare.inputs.resize(own);
    return bare;
}

/// What the program reads: the layer's result, then the extra inputs.
std::vector<PointwiseTensor> programInputs(const Problem& problem) {
    std::vector<PointwiseTensor> tensors = {{problem.outputs[0].format, problem.outputs[0].dims}};
    for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
        tensors.push_back({problem.inputs[i].format, problem.inputs[i].dims});
    return tensors;
}

class EpiloguePassKernel final : public Kernel {
public:
    EpiloguePassKernel(std::unique_ptr<Kernel> inner, const Problem& problem)
        : m_inner(std::move(inner)),
          m_pointwise(*problem.program, programInputs(problem),
                      std::vector<PointwiseTensor>{{problem.outputs[0].format, problem.outputs[0].dims}}),
          m_ownInputs(static_cast<size_t>(problem.op->maxInputs)),
          m_threads(problem.threads) {}

    size_t workspaceBytes() const override {
        return std::max(m_inner->workspaceBytes(), m_pointwise.scratchBytes() * static_cast<size_t>(m_threads));
    }
    std::string description() const override { return m_inner->description() + " + pointwise pass"; }

    Status run(const RunArguments& arguments) const override {
        RunArguments bare = arguments;
        bare.inputs = arguments.inputs.first(std::min(m_ownInputs, arguments.inputs.size()));
        STROBE_RETURN_IF_ERROR(m_inner->run(bare));
        if (elementCount(*arguments.outputs[0].dims) == 0) return Status::ok();
        void* result = arguments.outputs[0].data;
        std::vector<const void*> inputs = {result};
        for (size_t i = m_ownInputs; i < arguments.inputs.size(); ++i) inputs.push_back(arguments.inputs[i].data);
        const ThreadScope threads(m_threads);
        m_pointwise.run(inputs, std::span(&result, 1), arguments.workspace);
        return Status::ok();
    }

private:
    std::unique_ptr<Kernel> m_inner;
    SimdPointwise m_pointwise;
    size_t m_ownInputs;
    int m_threads;
};

class EpiloguePassTactic final : public Tactic {
public:
    explicit EpiloguePassTactic(std::unique_ptr<Tactic> inner)
        : m_inner(std::move(inner)), m_name(std::string(m_inner->name()) + "+epilogue") {}
    std::string_view name() const override { return m_name; }

    Support supports(const Problem& problem) const override {
        if (!problem.program) return Support::no("there is no epilogue");
        const PointwiseTensor output{problem.outputs[0].format, problem.outputs[0].dims};
        if (Support pass = SimdPointwise::supports(*problem.program, programInputs(problem), std::span(&output, 1));
            !pass.supported)
            return pass;
        if (Support bare = m_inner->supports(withoutEpilogue(problem)); !bare.supported) return bare;
        // With other tensors in the epilogue the library may still be slow: both are timed.
        const bool readsOthers = problem.program->inputCount > 1;
        if (!readsOthers && m_inner->supports(problem).supported)
            return Support::no(std::string(m_inner->name()) + " applies this epilogue itself");
        return Support::yes();
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates = m_inner->candidateFormats(withoutEpilogue(problem));
        for (Formats& formats : candidates) appendEpilogueFormats(problem, formats.outputs[0].layout, formats.inputs);
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(auto inner, m_inner->prepare(withoutEpilogue(problem), context));
        return std::unique_ptr<Kernel>(std::make_unique<EpiloguePassKernel>(std::move(inner), problem));
    }

private:
    std::unique_ptr<Tactic> m_inner;
    std::string m_name;
};

}  // namespace

std::unique_ptr<Tactic> makeEpiloguePassTactic(std::unique_ptr<Tactic> inner) {
    return std::make_unique<EpiloguePassTactic>(std::move(inner));
}

}  // namespace strobe
