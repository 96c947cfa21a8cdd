#include "kernels/cpu/simd_epilogue.h"

namespace strobe {

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
    std::vector<const void*> inputs = {tile};
    for (size_t i = 0; i < m_extras; ++i) inputs.push_back(arguments.inputs[m_firstExtra + i].data);
    void* output = arguments.outputs[0].data;
    m_chain->runRange(inputs, std::span<void* const>(&output, 1), begin, end, scratch);
}

}  // namespace strobe
