#include "kernels/shared/resize_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine_core/ops/resize.h"

namespace strobe {
namespace {

std::optional<std::vector<double>> knownNumbers(const Problem& problem, size_t input) {
    if (input >= problem.inputs.size() || !problem.inputs[input].present ||
        elementCount(problem.inputs[input].dims) == 0)
        return std::vector<double>();
    if (!problem.inputs[input].constantData) return std::nullopt;
    const Weights view = borrowedWeights(problem.inputs[input].format.type, problem.inputs[input].dims,
                                         problem.inputs[input].constantData);
    return toDoubles(view);
}

/// A line for each axis of the tensor.
Result<std::vector<ResizedAxis>> resizeLines(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const std::vector<int64_t> axes, resizeAxes(*problem.attributes, static_cast<int64_t>(x.size())));
    const auto scales = knownNumbers(problem, 2), sizes = knownNumbers(problem, 3);
    if (!scales || !sizes) return unsupported("scales or sizes are not known");
    std::vector<ResizedAxis> lines(x.size());
    for (size_t d = 0; d < x.size(); ++d) lines[d] = {x[d], y[d], 1.0, static_cast<float>(y[d])};
    const std::vector<ResizedAxis> asked = resizedAxes(*problem.attributes, axes, x, y, {}, *scales, *sizes);
    for (size_t i = 0; i < axes.size(); ++i) lines[static_cast<size_t>(axes[i])] = asked[i];
    return lines;
}

std::vector<ResizeTap> tapsOf(const Attributes& attributes, const ResizedAxis& line) {
    const std::string mode = attributes.getString("coordinate_transformation_mode", "half_pixel"),
                      nearest = attributes.getString("nearest_mode", "round_prefer_floor");
    const bool isNearest = attributes.getString("mode", "nearest") == "nearest",
               isIdentity = line.scale == 1.0 && line.in == line.out;
    std::vector<ResizeTap> taps(static_cast<size_t>(line.out));
    for (size_t i = 0; i < taps.size(); ++i) {
        const double x = isIdentity ? static_cast<double>(i)
                                    : static_cast<double>(resizePosition(mode, line, static_cast<int64_t>(i)));
        const double first = isNearest ? nearestPixel(nearest, line, x) : std::floor(x);
        const auto clamped = [&](double at) {
            return static_cast<int64_t>(std::clamp(at, 0.0, static_cast<double>(line.in - 1)));
        };
        taps[i] = {clamped(first), isNearest ? clamped(first) : clamped(first + 1.0),
                   isNearest ? 0.0f : static_cast<float>(x - first)};
    }
    return taps;
}

Status checkResize(const Problem& problem) {
    if (problem.program) return unsupported("applies no epilogue");
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.format != y.format) return unsupported("input and output differ in format");
    if (x.dims.size() < 3 || x.dims.size() > 4 || elementCount(x.dims) == 0)
        return unsupported("takes images of rank 3 or 4");
    if (x.dims[0] != y.dims[0] || x.dims[1] != y.dims[1]) return unsupported("batch or channels change");
    const std::string mode = problem.attributes->getString("mode", "nearest");
    if (mode != "nearest" && mode != "linear") return unsupported("mode " + mode);
    if (problem.attributes->getString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")
        return unsupported("crops are not served");
    if (mode == "linear" &&
        (problem.attributes->getBool("antialias", false) || problem.attributes->getBool("exclude_outside", false)))
        return unsupported("antialias and exclude_outside are not served");
    return Status::ok();
}

}  // namespace

Result<ResizePlan> planResize(const Problem& problem) {
    STROBE_RETURN_IF_ERROR(checkResize(problem));
    STROBE_ASSIGN(const std::vector<ResizedAxis> lines, resizeLines(problem));
    const Dims& x = problem.inputs[0].dims;
    // A scale that leaves the extent as it is may still read other channels.
    for (size_t d = 0; d < 2; ++d)
        if (lines[d].scale != 1.0 && x[d] != 1) return unsupported("batch or channels are scaled");
    const bool hasRows = x.size() == 4;
    ResizePlan plan;
    plan.linear = problem.attributes->getString("mode", "nearest") == "linear";
    plan.inHeight = hasRows ? x[2] : 1;
    plan.inWidth = x.back();
    plan.rows = tapsOf(*problem.attributes, hasRows ? lines[2] : ResizedAxis());
    plan.columns = tapsOf(*problem.attributes, lines.back());
    return plan;
}

}  // namespace strobe
