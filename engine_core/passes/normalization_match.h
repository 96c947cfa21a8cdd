#pragma once
#include <optional>
#include <vector>

#include "engine_core/passes/rewrite.h"

namespace strobe {

/// (x − mean) / √(var + ε) · γ + β, or x / √(mean x² + ε) · γ, written out in single layers.
struct NormalizationMatch {
    std::vector<LayerId> layers;  // may repeat
    TensorId x = kNone, last = kNone;
    TensorId scale = kNone, shift = kNone;  // γ and β; kNone: not there
    std::vector<int64_t> axes;              // the normalised ones, ascending
    double epsilon = 0;
    bool centred = false;  // else RMS
};

/// `root`: the Div or Mul that applies the deviation. Finds var as the mean of (x − mean)² and as mean x² − mean²,
/// means as ReduceMean and as ReduceSum by the count, with reshapes that restore the reduced axes.
std::optional<NormalizationMatch> matchNormalization(const Network& network, const Layer& root);

/// Extents of x along the axes, which γ and β have but for extents of 1 around and between them.
Shape normalizedShape(const Network& network, const NormalizationMatch& match);

}  // namespace strobe
