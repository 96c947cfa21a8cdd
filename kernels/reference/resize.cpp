
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

int64_t nearestIndex(const std::string& mode, double x) {
    if (mode == "floor") return static_cast<int64_t>(std::floor(x));
    if (mode == "ceil") return static_cast<int64_t>(std::ceil(x));
    if (mode == "round_prefer_ceil") return static_cast<int64_t>(std::floor(x + 0.5));
    return static_cast<int64_t>(std::ceil(x - 0.5));
}

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
    if (mode == "nearest") return {{nearestIndex(attributes.getString("nearest_mode", "round_prefer_floor"), x), 1.0}};
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

/// What to do along each of the axes.
std::vector<ResizedAxis> resizeLines(const Problem& problem, const RunArguments& arguments,
                                     const std::vector<int64_t>& axes) {
    const Dims &x = inputDims(arguments, 0), &y = outputDims(arguments, 0);
    const std::vector<double> roi = readNumbers(problem, arguments, 1), scales = readNumbers(problem, arguments, 2),
                              sizes = readNumbers(problem, arguments, 3);
    std::vector<ResizedAxis> lines(axes.size());
    std::vector<double> asked;
    for (size_t i = 0; i < axes.size(); ++i) {
        ResizedAxis& line = lines[i];
        line.in = x[static_cast<size_t>(axes[i])];
        line.out = y[static_cast<size_t>(axes[i])];
        line.scale = scales.empty() ? sizes[i] / static_cast<double>(line.in) : scales[i];
        asked.push_back(line.scale);
        if (roi.size() == 2 * axes.size()) {
            line.roiStart = static_cast<float>(roi[i]);
            line.roiEnd = static_cast<float>(roi[i + axes.size()]);
        }
    }
    const std::string policy = problem.attributes->getString("keep_aspect_ratio_policy", "stretch");
    if (scales.empty() && policy != "stretch")
        for (ResizedAxis& line : lines) line.scale = keepAspectScale(policy, asked);
    return lines;
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
    const std::vector<ResizedAxis> lines = resizeLines(problem, arguments, axes);
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
