#include "engine_core/runtime/problem_factory.h"

#include <cstdio>

namespace strobe {
namespace {

TensorDesc describe(const Network& network, TensorId id, const ProblemInputs& inputs, const Format* format) {
    TensorDesc desc;
    if (id == kNone) return desc;
    desc.present = true;
    desc.format.type = network.tensor(id).type;
    if (format) desc.format = *format;
    desc.dims = inputs.dims(id);
    return desc;
}

/// Work that one core does in some ten microseconds: waking other threads for it costs as much, and far more while other programs hold
/// their cores.
bool isSmall(const Problem& problem) {
    constexpr double kFlops = 1e6, kBytes = 768 << 10;
    std::vector<Dims> inputs, outputs;
    double bytes = 0, elements = 0;
    const auto add = [&](const TensorDesc& desc, std::vector<Dims>& list) {
        for (int64_t extent : desc.dims)
            if (extent < 0) return false;
        list.push_back(desc.dims);
        if (desc.present) bytes += static_cast<double>(storedBytes(desc.dims, desc.format));
        return true;
    };
    for (const TensorDesc& desc : problem.inputs)
        if (!add(desc, inputs)) return false;
    for (const TensorDesc& desc : problem.outputs) {
        if (!add(desc, outputs)) return false;
        if (desc.present) elements += static_cast<double>(elementCount(desc.dims));
    }
    if (bytes > kBytes) return false;
    const double operations = problem.program ? static_cast<double>(problem.program->instructions.size()) * elements : 0;
    return operations + (problem.op->flops ? problem.op->flops({*problem.attributes, inputs, outputs}) : elements) <= kFlops;
}

}  // namespace

std::string constantKeyOf(const Weights& weights) {
    char text[32];
    std::snprintf(text, sizeof text, "%p:%zu", weights.data.get(), weights.bytes);
    return text;
}

Problem makeProblem(const Network& network, const Layer& layer, const ProblemInputs& inputs, const std::vector<Format>* inputFormats,
                    const std::vector<Format>* outputFormats) {
    Problem problem;
    problem.op = layer.op;
    problem.attributes = &layer.attributes;
    problem.program = layer.program ? &*layer.program : nullptr;
    problem.threads = inputs.threads;
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
        TensorDesc desc = describe(network, layer.inputs[i], inputs, inputFormats ? &(*inputFormats)[i] : nullptr);
        if (desc.present) {
            const KnownData known = inputs.known(layer.inputs[i]);
            desc.constantData = known.data;
            desc.constantKey = known.key;
        }
        problem.inputs.push_back(std::move(desc));
    }
    for (size_t i = 0; i < layer.outputs.size(); ++i)
        problem.outputs.push_back(describe(network, layer.outputs[i], inputs, outputFormats ? &(*outputFormats)[i] : nullptr));
    if (isSmall(problem)) problem.threads = 1;
    return problem;
}

}  // namespace strobe
