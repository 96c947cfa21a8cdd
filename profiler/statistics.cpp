#include "profiler/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace strobe {

double percentile(std::span<const double> sorted, double fraction) {
    if (sorted.empty()) return 0;
    const double position = fraction * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<size_t>(position);
    const size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (sorted[high] - sorted[low]) * (position - static_cast<double>(low));
}

Statistics summarize(std::span<const double> sample) {
    Statistics s;
    if (sample.empty()) return s;
    std::vector<double> sorted(sample.begin(), sample.end());
    std::sort(sorted.begin(), sorted.end());
    const auto n = static_cast<double>(sorted.size());
    s.count = static_cast<int>(sorted.size());
    s.min = sorted.front();
    s.max = sorted.back();
    s.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
    s.median = percentile(sorted, 0.5);
    s.p25 = percentile(sorted, 0.25);
    s.p75 = percentile(sorted, 0.75);
    s.p90 = percentile(sorted, 0.90);
    s.p95 = percentile(sorted, 0.95);
    s.p99 = percentile(sorted, 0.99);
    double squares = 0;
    for (double value : sorted) squares += (value - s.mean) * (value - s.mean);
    s.deviation = sorted.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
    // Ranks n/2 ± 0.98·√n bracket the median with 95 % confidence (normal approximation of the binomial).
    const double half = 0.98 / std::sqrt(n);
    s.medianError = 0.5 * (percentile(sorted, std::min(1.0, 0.5 + half)) - percentile(sorted, std::max(0.0, 0.5 - half)));
    return s;
}

}  // namespace strobe
