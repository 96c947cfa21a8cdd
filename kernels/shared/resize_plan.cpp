#include "kernels/shared/resize_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine_core/ops/resize.h"

namespace strobe {
namespace {

/// One axis: extents and the asked scale, which need not be out / in.
struct Line {
    int64_t in = 1, out = 1;
    double scale = 1.0;
};

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
Result<std::vector<Line>> resizeLines(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const std::vector<int64_t> axes, resizeAxes(*problem.attributes, static_cast<int64_t>(x.size())));
    const auto scales = knownNumbers(problem, 2), sizes = knownNumbers(problem, 3);
    if (!scales || !sizes) return unsupported("scales or sizes are not known");
    std::vector<Line> lines(x.size());
    for (size_t d = 0; d < x.size(); ++d) lines[d] = {x[d], y[d], 1.0};
    std::vector<double> asked;
    for (size_t i = 0; i < axes.size(); ++i) {
        Line& line = lines[static_cast<size_t>(axes[i])];
        line.scale = scales->empty() ? (*sizes)[i] / static_cast<double>(line.in) : (*scales)[i];
        asked.push_back(line.scale);
    }
    const std::string policy = problem.attributes->getString("keep_aspect_ratio_policy", "stretch");
    if (scales->empty() && policy != "stretch")
        for (int64_t axis : axes) lines[static_cast<size_t>(axis)].scale = keepAspectScale(policy, asked);
    return lines;
}

/// Where output position `i` lies on the input.
double sourcePosition(const std::string& mode, const Line& line, double i) {
    const auto in = static_cast<double>(line.in);
    const double resized = line.scale * in;
    if (mode == "asymmetric") return i / line.scale;
    if (mode == "align_corners") return resized == 1.0 ? 0.0 : i * (in - 1.0) / (resized - 1.0);
    if (mode == "pytorch_half_pixel" && resized == 1.0) return -0.5;
    const double halfPixel = (i + 0.5) / line.scale - 0.5;
    if (mode == "half_pixel_symmetric") return in / 2.0 * (1.0 - static_cast<double>(line.out) / resized) + halfPixel;
    return halfPixel;
}

double nearestPosition(const std::string& mode, double x) {
    if (mode == "floor") return std::floor(x);
    if (mode == "ceil") return std::ceil(x);
    return mode == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

std::vector<ResizeTap> tapsOf(const Attributes& attributes, const Line& line) {
    const std::string mode = attributes.getString("coordinate_transformation_mode", "half_pixel"),
                      nearest = attributes.getString("nearest_mode", "round_prefer_floor");
    const bool isNearest = attributes.getString("mode", "nearest") == "nearest",
               isIdentity = line.scale == 1.0 && line.in == line.out;
    std::vector<ResizeTap> taps(static_cast<size_t>(line.out));
    for (size_t i = 0; i < taps.size(); ++i) {
        const double x = isIdentity ? static_cast<double>(i) : sourcePosition(mode, line, static_cast<double>(i));
        const double first = isNearest ? nearestPosition(nearest, x) : std::floor(x);
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
    STROBE_ASSIGN(const std::vector<Line> lines, resizeLines(problem));
    const Dims& x = problem.inputs[0].dims;
    // A scale that leaves the extent as it is may still read other channels.
    for (size_t d = 0; d < 2; ++d)
        if (lines[d].scale != 1.0 && x[d] != 1) return unsupported("batch or channels are scaled");
    const bool hasRows = x.size() == 4;
    ResizePlan plan;
    plan.linear = problem.attributes->getString("mode", "nearest") == "linear";
    plan.inHeight = hasRows ? x[2] : 1;
    plan.inWidth = x.back();
    plan.rows = tapsOf(*problem.attributes, hasRows ? lines[2] : Line());
    plan.columns = tapsOf(*problem.attributes, lines.back());
    return plan;
}

}  // namespace strobe
