#pragma once
#include <span>

namespace strobe {

/// Order statistics of a sample, in the sample's unit. All zero for an empty sample.
struct Statistics {
    int count = 0;
    double min = 0, max = 0, mean = 0, median = 0, p25 = 0, p75 = 0, p90 = 0, p95 = 0, p99 = 0;
    double deviation = 0;  // standard deviation
    /// Half the width of the 95 % confidence interval of the median (order statistics, binomial).
    double medianError = 0;
    double variation() const { return mean > 0 ? deviation / mean : 0; }
    /// Relative spread that outliers do not move: the interquartile range, scaled to be σ/median for a normal sample.
    double spread() const { return median > 0 ? (p75 - p25) / 1.349 / median : 0; }
};
Statistics summarize(std::span<const double> sample);
/// Linear interpolation between order statistics; `fraction` in [0, 1].
double percentile(std::span<const double> sorted, double fraction);

}  // namespace strobe
