
#include <algorithm>
#include <cmath>

#include "engine_core/ops/resize.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct Tap {
    int64_t index;
    double weight;
};

double triangle(double x) {
    return std::max(0.0, 1.0 - std::abs(x));
}
/// Keys' cubic convolution.
double cubic(double x, double a) {
    x = std::abs(x);
    if (x <= 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
    return 0.0;
}

/// Weights of the input positions around `x`; out-of-range ones are clamped to the edge by the caller.
std::vector<Tap> taps(const Attributes& attributes, const ResizedAxis& line, double x) {
    const std::string mode = attributes.getString("mode", "nearest");
    if (mode == "nearest") {
        const std::string nearest = attributes.getString("nearest_mode", "round_prefer_floor");
        return {{static_cast<int64_t>(nearestPixel(nearest, line, x)), 1.0}};
    }
    const double a = static_cast<double>(attributes.getFloat("cubic_coeff_a", -0.75f));
    // Antialias: the filter is stretched over all inputs that an output covers.
    const double shrink = attributes.getBool("antialias", false) ? std::min(line.scale, 1.0) : 1.0;
    const double support = (mode == "linear" ? 1.0 : 2.0) / shrink;
    std::vector<Tap> result;
    double sum = 0.0;
    for (auto i = static_cast<int64_t>(std::ceil(x - support)); i <= static_cast<int64_t>(std::floor(x + support));
         ++i) {
        pollCancel(1);
        const double distance = (static_cast<double>(i) - x) * shrink;
        result.push_back({i, mode == "linear" ? triangle(distance) : cubic(distance, a)});
        const bool outside = i < 0 || i >= line.in;
        if (outside && attributes.getBool("exclude_outside", false)) result.back().weight = 0.0;
        sum += result.back().weight;
    }
    if (sum != 0.0)
        for (Tap& tap : result) tap.weight /= sum;
    return result;
}

void resizeAxis(const Attributes& attributes, const ResizedAxis& line, size_t axis, Dims& dims,
                std::vector<double>& values) {
    const std::string mode = attributes.getString("coordinate_transformation_mode", "half_pixel");
    const bool crop = mode == "tf_crop_and_resize";
    const double extrapolated = static_cast<double>(attributes.getFloat("extrapolation_value", 0.0f));
    const AxisSplit split(dims, static_cast<int64_t>(axis));
    std::vector<double> result(static_cast<size_t>(split.outer * line.out * split.inner), 0.0);
    for (int64_t i = 0; i < line.out; ++i) {
        const double x = static_cast<double>(resizePosition(mode, line, i));
        const bool outside = crop && (x < 0.0 || x > static_cast<double>(line.in - 1));
        const std::vector<Tap> weights = outside ? std::vector<Tap>() : taps(attributes, line, x);
        for (int64_t outer = 0; outer < split.outer; ++outer)
            for (int64_t inner = 0; inner < split.inner; ++inner) {
                double sum = outside ? extrapolated : 0.0;
                pollCancel(static_cast<int64_t>(weights.size()) + 1);
                for (const Tap& tap : weights)
                    sum +=
                        tap.weight *
                        values[static_cast<size_t>(
                            (outer * line.in + std::clamp<int64_t>(tap.index, 0, line.in - 1)) * split.inner + inner)];
                result[static_cast<size_t>((outer * line.out + i) * split.inner + inner)] = sum;
            }
    }
    dims[axis] = line.out;
    values = std::move(result);
}

Status runResize(const Problem& problem, const RunArguments& arguments) {
    Dims dims = inputDims(arguments, 0);
    STROBE_ASSIGN(const std::vector<int64_t> axes, resizeAxes(*problem.attributes, static_cast<int64_t>(dims.size())));
    std::vector<double> values = readNumbers(problem, arguments, 0);
    if (elementCount(outputDims(arguments, 0)) == 0) return Status::ok();
    if (values.empty())
        return invalidArgument("an input of shape " + toString(dims) + " cannot be resized to " +
                               toString(outputDims(arguments, 0)));
    const bool crop =
        problem.attributes->getString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
    const std::vector<ResizedAxis> lines = resizedAxes(
        *problem.attributes, axes, inputDims(arguments, 0), outputDims(arguments, 0),
        readNumbers(problem, arguments, 1), readNumbers(problem, arguments, 2), readNumbers(problem, arguments, 3));
    for (size_t i = 0; i < axes.size(); ++i)
        if (crop || lines[i].scale != 1.0 || lines[i].in != lines[i].out)
            resizeAxis(*problem.attributes, lines[i], static_cast<size_t>(axes[i]), dims, values);
    writeNumbers(problem, arguments, 0, values);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(resize) {
    addReference(registry, {"Resize", runResize, anyNumbers});
}

}  // namespace strobe
