#include "kernels/cpu/simd_epilogue.h"

#include <array>

namespace strobe {
namespace {
constexpr size_t kMaxExtras = 31;
}  // namespace

EpiloguePlan epiloguePlan(const Problem& problem) {
    EpiloguePlan plan;
    plan.output = {problem.outputs[0].format, problem.outputs[0].dims};
    plan.inputs.push_back(plan.output);
    plan.inputs[0].format.type = DataType::Float32;
    for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
        plan.inputs.push_back({problem.inputs[i].format, problem.inputs[i].dims});
    return plan;
}

Support supportsEpilogue(const Problem& problem) {
    if (!problem.program) return Support::yes();
    const EpiloguePlan plan = epiloguePlan(problem);
    if (plan.inputs.size() != static_cast<size_t>(problem.program->inputCount))
        return Support::no("the epilogue's inputs are not the layer's");
    if (plan.inputs.size() > kMaxExtras + 1)
        return Support::no("an epilogue of more than " + std::to_string(kMaxExtras) + " further inputs");
    return SimdPointwise::supports(*problem.program, plan.inputs, std::span(&plan.output, 1));
}

TileEpilogue::TileEpilogue(const Problem& problem) {
    const EpiloguePlan plan = epiloguePlan(problem);
    m_chain = std::make_unique<SimdPointwise>(*problem.program, plan.inputs, std::span(&plan.output, 1), true);
    m_firstExtra = static_cast<size_t>(problem.op->maxInputs);
    m_extras = plan.inputs.size() - 1;
}

void TileEpilogue::apply(const RunArguments& arguments, const float* tile, int64_t begin, int64_t end,
                         void* scratch) const {
    std::array<const void*, kMaxExtras + 1> inputs{tile};
    for (size_t i = 0; i < m_extras; ++i) inputs[i + 1] = arguments.inputs[m_firstExtra + i].data;
    void* output = arguments.outputs[0].data;
    m_chain->runRange(std::span(inputs).first(m_extras + 1), std::span<void* const>(&output, 1), begin, end, scratch);
}

}  // namespace strobe
