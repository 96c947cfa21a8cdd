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
    return problem;
}

}  // namespace strobe
