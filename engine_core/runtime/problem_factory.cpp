#include "engine_core/runtime/problem_factory.h"

#include <algorithm>
#include <cstdio>

#include "engine_core/ops/inference_helpers.h"
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

Status checkShapes(const Problem& problem) {
    std::vector<ConcreteInput> inputs;
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& d = problem.inputs[i];
        const bool isValue = i < 32 && (problem.op->valueInputs >> i & 1u);
        // The chosen precision is no matter of shapes, and the op's rules on types need not know it.
        const bool isNarrow = !isValue && (d.format.type == DataType::BFloat16 || d.format.type == DataType::Float16);
        inputs.push_back({d.present, isNarrow ? DataType::Float32 : d.format.type, d.dims, isValue ? d.constantData : nullptr});
    }
    STROBE_ASSIGN(const auto inferred, inferConcrete(*problem.op, *problem.attributes, {}, inputs, static_cast<int>(problem.outputs.size())));
    const auto agree = [](int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; };
    for (size_t o = 0; o < problem.outputs.size(); ++o) {
        const Dims &found = inferred[o].dims, &planned = problem.outputs[o].dims;
        if (!problem.outputs[o].present || !inferred[o].rankKnown || std::equal(found.begin(), found.end(), planned.begin(), planned.end(), agree)) continue;
        return invalidArgument("output " + std::to_string(o) + " comes out as " + toString(found) + " where the network has " + toString(planned));
    }
    const bool hasEpilogue = problem.program && problem.op->maxInputs != OpDefinition::kVariadic;
    for (size_t i = static_cast<size_t>(problem.op->maxInputs); hasEpilogue && i < problem.inputs.size(); ++i) {
        const Shape output = toShape(problem.outputs[0].dims);
        STROBE_ASSIGN(const Shape both, broadcastShapes(toShape(problem.inputs[i].dims), output));
        if (both != output) return invalidArgument("an addend " + toString(problem.inputs[i].dims) + " is larger than the output " + toString(problem.outputs[0].dims));
    }
    return Status::ok();
}

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
