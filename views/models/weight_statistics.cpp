#include "views/models/weight_statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace strobe {
namespace {

constexpr int64_t kBlock = 1 << 16;  // even: sub-byte types begin on a byte
constexpr size_t kFirstValues = 8;

void forEachBlock(const Weights& weights, const std::function<void(const std::vector<double>&)>& visit) {
    const int64_t count = weights.count();
    for (int64_t at = 0; at < count; at += kBlock) {
        const size_t offset = dataTypeBytes(weights.type, at);
        Weights block;
        block.type = weights.type;
        block.dims = {std::min(kBlock, count - at)};
        block.data = std::shared_ptr<const void>(weights.data, static_cast<const char*>(weights.data.get()) + offset);
        block.bytes = dataTypeBytes(weights.type, block.dims[0]);
        visit(toDoubles(block));
    }
}

}  // namespace

WeightStatistics weightStatistics(const Weights& weights, int bins) {
    WeightStatistics result;
    result.count = weights.count();
    if (weights.type == DataType::String || result.count == 0) return result;
    // Welford's recurrence: sums of squares of large means lose all digits.
    double squares = 0;
    int64_t finite = 0;
    forEachBlock(weights, [&](const std::vector<double>& values) {
        for (const double value : values) {
            if (result.firstValues.size() < kFirstValues) result.firstValues.push_back(value);
            if (!std::isfinite(value)) {
                ++result.notFinite;
                continue;
            }
            result.zeros += value == 0 ? 1 : 0;
            result.min = finite == 0 ? value : std::min(result.min, value);
            result.max = finite == 0 ? value : std::max(result.max, value);
            ++finite;
            const double step = value - result.mean;
            result.mean += step / static_cast<double>(finite);
            squares += step * (value - result.mean);
        }
    });
    if (finite == 0) return result;
    result.deviation = std::sqrt(squares / static_cast<double>(finite));
    if (result.max <= result.min) return result;
    result.histogram.assign(static_cast<size_t>(bins), 0);
    const double scale = bins / (result.max - result.min);
    forEachBlock(weights, [&](const std::vector<double>& values) {
        for (const double value : values)
            if (std::isfinite(value)) ++result.histogram[std::min(static_cast<size_t>((value - result.min) * scale), static_cast<size_t>(bins - 1))];
    });
    return result;
}

}  // namespace strobe
