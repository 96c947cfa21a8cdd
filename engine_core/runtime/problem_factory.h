#pragma once
#include <functional>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "engine_core/ir/network.h"

namespace strobe {

/// Host elements of a tensor that are known before the layer runs (weights, evaluated symbolic constants, small inputs of a late step).
struct KnownData {
    const void* data = nullptr;
    std::string key;  // constantKey
};

struct ProblemInputs {
    /// Concrete dims of a tensor; must be known for every tensor of the layer.
    std::function<const Dims&(TensorId)> dims;
    std::function<KnownData(TensorId)> known;
    int threads = 1;  // most; a small problem takes one
};

/// The problem of one layer. Formats default to the tensors' types in plain host layout; pass the chosen ones to set them.
Problem makeProblem(const Network& network, const Layer& layer, const ProblemInputs& inputs, const std::vector<Format>* inputFormats = nullptr,
                    const std::vector<Format>* outputFormats = nullptr);

/// The op's own rules hold for these extents (−1: any), and its outputs come out as planned. A network equates symbols whose values
/// only the caller of a run gives (x[N] + y[M]); kernels trust what was checked here.
Status checkShapes(const Problem& problem);

/// Cost key of a constant: stable while its weights live.
std::string constantKeyOf(const Weights& weights);

}  // namespace strobe
