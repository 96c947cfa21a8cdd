#include <algorithm>
#include <cmath>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct Tap {
    int64_t index;
    double weight;
};

/// Mirrored at the borders until it lies within.
int64_t reflected(int64_t index, double low, double high) {
    const double range = high - low;
    if (range <= 0.0) return 0;
    const auto x = static_cast<double>(index);
    if (x >= low && x <= high) return index;
    const double beyond = x < low ? low - x : x - high;
    const double rest = std::fmod(beyond, range);
    const bool even = std::fmod(std::floor(beyond / range), 2.0) == 0.0;
    return static_cast<int64_t>((x < low) == even ? low + rest : high - rest);
}

/// Keys' cubic convolution with a = −0.75.
double cubicWeight(double x) {
    constexpr double a = -0.75;
    x = std::abs(x);
    if (x <= 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a : 0.0;
}

struct GridMode {
    std::string mode, padding;
    bool alignCorners;

    /// Positions and weights along one spatial dim for a coordinate in [−1, 1]; positions that give zero are left out.
    std::vector<Tap> taps(double coordinate, int64_t extent) const {
        const auto size = static_cast<double>(extent);
        const double x =
            alignCorners ? (coordinate + 1.0) / 2.0 * (size - 1.0) : ((coordinate + 1.0) * size - 1.0) / 2.0;
        // Far outside, or not a number: nothing to read, and no cast that could overflow.
        if (!(std::abs(x) < 1e15)) return {};
        const auto base = static_cast<int64_t>(std::floor(x));
        std::vector<Tap> result;
        if (mode == "nearest") {
            result = {{static_cast<int64_t>(std::nearbyint(x)), 1.0}};
        } else {
            const int64_t reach = mode == "linear" ? 1 : 2;
            for (int64_t i = base - reach + 1; i <= base + reach; ++i) {
                const double distance = static_cast<double>(i) - x;
                result.push_back({i, reach == 1 ? 1.0 - std::abs(distance) : cubicWeight(distance)});
            }
        }
        for (Tap& tap : result) {
            if (padding == "border") tap.index = std::clamp<int64_t>(tap.index, 0, extent - 1);
            if (padding == "reflection")
                tap.index = reflected(tap.index, alignCorners ? 0.0 : -0.5, alignCorners ? size - 1.0 : size - 0.5);
        }
        std::erase_if(result, [&](const Tap& tap) { return tap.index < 0 || tap.index >= extent; });
        return result;
    }
};

/// The weighted sum over the product of the taps of each dim.
double weightedSum(const std::vector<std::vector<Tap>>& taps, const std::vector<int64_t>& strides,
                   const double* plane) {
    Dims counts;
    for (const auto& dim : taps) counts.push_back(static_cast<int64_t>(dim.size()));
    if (elementCount(counts) == 0) return 0.0;
    Dims index(counts.size(), 0);
    double sum = 0.0;
    do {
        int64_t offset = 0;
        double weight = 1.0;
        for (size_t d = 0; d < taps.size(); ++d) {
            const Tap& tap = taps[d][static_cast<size_t>(index[d])];
            offset += tap.index * strides[d];
            weight *= tap.weight;
        }
        sum += weight * plane[offset];
    } while (advance(index, counts));
    return sum;
}

Status runGridSample(const Problem& problem, const RunArguments& arguments) {
    const Dims &xDims = inputDims(arguments, 0), &yDims = outputDims(arguments, 0);
    const GridMode mode{problem.attributes->getString("mode", "linear"),
                        problem.attributes->getString("padding_mode", "zeros"),
                        problem.attributes->getBool("align_corners", false)};
    const std::vector<double> x = readNumbers(problem, arguments, 0), grid = readNumbers(problem, arguments, 1);
    const Dims plane(xDims.begin() + 2, xDims.end());
    const std::vector<int64_t> strides = rowMajorStrides(plane);
    const int64_t points = elementCount(Dims(yDims.begin() + 2, yDims.end())), channels = xDims[1],
                  planeSize = elementCount(plane);
    std::vector<double> y(static_cast<size_t>(elementCount(yDims)), 0.0);
    if (x.empty()) return invalidArgument("input 0 of shape " + toString(xDims) + " has nothing to sample");
    std::vector<std::vector<Tap>> taps(plane.size());
    for (int64_t n = 0; n < xDims[0]; ++n)
        for (int64_t point = 0; point < points; ++point) {
            // The grid names the last spatial dim first.
            for (size_t d = 0; d < plane.size(); ++d)
                taps[d] = mode.taps(grid[static_cast<size_t>(n * points + point) * plane.size() + plane.size() - 1 - d],
                                    plane[d]);
            for (int64_t c = 0; c < channels; ++c)
                y[static_cast<size_t>((n * channels + c) * points + point)] =
                    weightedSum(taps, strides, x.data() + (n * channels + c) * planeSize);
        }
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

Status runAffineGrid(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = outputDims(arguments, 0);
    const bool alignCorners = problem.attributes->getBool("align_corners", false);
    const std::vector<double> theta = readNumbers(problem, arguments, 0);
    std::vector<double> grid;
    const Dims points(dims.begin(), dims.end() - 1);
    const auto rank = static_cast<size_t>(dims.back());
    if (elementCount(points) == 0) return Status::ok();
    Dims index(points.size(), 0);
    do {
        std::vector<double> homogeneous;
        for (size_t d = rank; d >= 1; --d) {  // x, y, z
            const auto extent = static_cast<double>(points[d]), i = static_cast<double>(index[d]);
            homogeneous.push_back(!alignCorners   ? (2.0 * i + 1.0) / extent - 1.0
                                  : extent == 1.0 ? 0.0
                                                  : 2.0 * i / (extent - 1.0) - 1.0);
        }
        homogeneous.push_back(1.0);
        for (size_t row = 0; row < rank; ++row) {
            double sum = 0.0;
            for (size_t k = 0; k <= rank; ++k)
                sum += theta[(static_cast<size_t>(index[0]) * rank + row) * (rank + 1) + k] * homogeneous[k];
            grid.push_back(sum);
        }
    } while (advance(index, points));
    writeNumbers(problem, arguments, 0, grid);
    return Status::ok();
}

Status runMaxUnpool(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = inputDims(arguments, 0), &y = outputDims(arguments, 0);
    const std::vector<double> values = readNumbers(problem, arguments, 0);
    const std::vector<int64_t> indices = readIntegers(problem, arguments, 1);
    // The indices speak of the shape without output_shape; its content stands in the first corner of Y.
    const std::vector<int64_t> kernel = problem.attributes->getInts("kernel_shape"),
                               strides = problem.attributes->getInts("strides", std::vector<int64_t>(kernel.size(), 1));
    const std::vector<int64_t> pads = problem.attributes->getInts("pads", std::vector<int64_t>(2 * kernel.size(), 0));
    Dims natural = {x[0], x[1]};
    for (size_t i = 0; i < kernel.size(); ++i)
        natural.push_back((x[i + 2] - 1) * strides[i] + kernel[i] - pads[i] - pads[i + kernel.size()]);
    const std::vector<int64_t> from = rowMajorStrides(natural), to = rowMajorStrides(y);
    std::vector<double> result(static_cast<size_t>(elementCount(y)), 0.0);
    if (indices.size() != values.size())
        return invalidArgument("input 1 (indices) has " + std::to_string(indices.size()) + " elements, input 0 has " +
                               std::to_string(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
        if (indices[i] < 0 || indices[i] >= elementCount(natural))
            return invalidArgument("index " + std::to_string(indices[i]) + " is outside the unpooled shape " +
                                   toString(natural));
        int64_t offset = 0;
        bool inside = true;
        for (size_t d = 0; d < y.size(); ++d) {
            const int64_t at = indices[i] / from[d] % natural[d];
            inside = inside && at < y[d];
            offset += at * to[d];
        }
        if (inside) result[static_cast<size_t>(offset)] = values[i];
    }
    writeNumbers(problem, arguments, 0, result);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(sampling) {
    addReference(registry, {"GridSample", runGridSample, onlyFloats});
    addReference(registry, {"AffineGrid", runAffineGrid, onlyFloats});
    addReference(registry, {"MaxUnpool", runMaxUnpool, onlyFloats});
}

}  // namespace strobe
