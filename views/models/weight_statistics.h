// Figures of a constant: range, mean, spread, sparsity, histogram. Any thread; reads the weights in blocks, so that large ones are not copied.
#pragma once

#include <vector>

#include "engine_core/ir/weights.h"

namespace strobe {

struct WeightStatistics {
    int64_t count = 0;
    int64_t zeros = 0, notFinite = 0;            // not finite: NaN or infinite; left out of the rest
    double min = 0, max = 0, mean = 0, deviation = 0;
    std::vector<double> histogram;               // counts of equal bins from min to max; empty when all values are equal
    std::vector<double> firstValues;             // up to eight
    double sparsity() const { return count > 0 ? static_cast<double>(zeros) / static_cast<double>(count) : 0; }
};

/// Strings have no figures: count alone is set.
WeightStatistics weightStatistics(const Weights& weights, int bins = 32);

}  // namespace strobe
