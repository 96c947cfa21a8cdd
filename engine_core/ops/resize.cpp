#include "engine_core/ops/resize.h"

#include <algorithm>
#include <cmath>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {

Result<std::vector<int64_t>> resizeAxes(const Attributes& attributes, int64_t rank) {
    std::vector<int64_t> axes = attributes.getInts("axes");
    if (!attributes.has("axes"))
        for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
    for (int64_t& axis : axes) {
        STROBE_ASSIGN(axis, normalizeAxis(axis, rank));
    }
    STROBE_RETURN_IF_ERROR(normalizeAxes(axes, rank).status());
    return axes;
}

double keepAspectScale(const std::string& policy, const std::vector<double>& scales) {
    if (scales.empty()) return 1.0;
    return policy == "not_larger" ? *std::min_element(scales.begin(), scales.end())
                                  : *std::max_element(scales.begin(), scales.end());
}

std::vector<ResizedAxis> resizedAxes(const Attributes& attributes, const std::vector<int64_t>& axes, const Dims& x,
                                     const Dims& y, const std::vector<double>& roi, const std::vector<double>& scales,
                                     const std::vector<double>& sizes) {
    std::vector<ResizedAxis> lines(axes.size());
    std::vector<double> asked;
    for (size_t i = 0; i < axes.size(); ++i) {
        ResizedAxis& line = lines[i];
        line.in = x[static_cast<size_t>(axes[i])];
        line.out = y[static_cast<size_t>(axes[i])];
        line.scale = scales.empty() ? sizes[i] / static_cast<double>(line.in) : scales[i];
        asked.push_back(line.scale);
        line.resized = scales.empty() ? static_cast<float>(line.out)
                                      : static_cast<float>(line.in) * static_cast<float>(line.scale);
        if (roi.size() == 2 * axes.size()) {
            line.roiStart = static_cast<float>(roi[i]);
            line.roiEnd = static_cast<float>(roi[i + axes.size()]);
        }
    }
    const std::string policy = attributes.getString("keep_aspect_ratio_policy", "stretch");
    if (scales.empty() && policy != "stretch")
        for (ResizedAxis& line : lines) line.scale = keepAspectScale(policy, asked);
    return lines;
}

float resizePosition(const std::string& mode, const ResizedAxis& axis, int64_t i) {
    const auto at = static_cast<float>(i), in = static_cast<float>(axis.in), out = static_cast<float>(axis.out),
               scale = static_cast<float>(axis.scale);
    if (mode == "asymmetric") return at / scale;
    if (mode == "tf_half_pixel_for_nn") return (at + 0.5f) / scale;
    if (mode == "align_corners") return axis.resized == 1.0f ? 0.0f : at * (in - 1.0f) / (axis.resized - 1.0f);
    if (mode == "tf_crop_and_resize") {
        if (axis.out <= 1) return 0.5f * (axis.roiStart + axis.roiEnd) * (in - 1.0f);
        return axis.roiStart * (in - 1.0f) + at * (axis.roiEnd - axis.roiStart) * (in - 1.0f) / (out - 1.0f);
    }
    if (mode == "pytorch_half_pixel" && axis.out <= 1) return 0.0f;
    if (mode == "half_pixel_symmetric") {
        const float offset = in / 2.0f * (1.0f - out / (scale * in));
        return static_cast<float>(static_cast<double>(offset) +
                                  (static_cast<double>(i) + 0.5) / static_cast<double>(scale) - 0.5);
    }
    return (at + 0.5f) / scale - 0.5f;
}

Status requireNearestModeOfOnnx(const Attributes& attributes) {
    return requireOneOf(attributes, "nearest_mode", "round_prefer_floor",
                        {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
}

double nearestPixel(const std::string& mode, const ResizedAxis& axis, double position) {
    if (mode == "floor" || (mode == kNearestByScale && axis.scale >= 1.0)) return std::floor(position);
    if (mode == "ceil" || mode == kNearestByScale) return std::ceil(position);
    const double below = std::floor(position), pastHalf = position - below - 0.5;
    const bool isTie = std::fabs(pastHalf) <= 1e-6;
    return (isTie ? mode == "round_prefer_ceil" : pastHalf > 0.0) ? below + 1.0 : below;
}

namespace {

/// The whole number below; one that no memory holds stays absurd without overflowing.
Dim floored(double extent) {
    return Dim(static_cast<int64_t>(std::min(std::floor(extent), 0x1p62)));
}

/// extent · scale, rounded to FP32 before it is cut as onnxruntime's is; exact on symbols when the scale is a binary
/// fraction, else known only when the extent is.
Dim scaledExtent(InferenceContext& context, const Dim& extent, double scale) {
    if (extent.isConstant())
        return floored(static_cast<double>(static_cast<float>(extent.constant()) * static_cast<float>(scale)));
    for (int64_t denominator = 1; denominator <= 1024; denominator *= 2) {
        const double numerator = scale * static_cast<double>(denominator);
        if (numerator == std::floor(numerator))
            return Dim::floorDiv(extent * Dim(static_cast<int64_t>(numerator)), Dim(denominator));
    }
    return context.freshSymbol();
}

Status resizeByScales(InferenceContext& context, const std::vector<int64_t>& axes, Shape& y) {
    const WeightsPtr constant = context.inputConstant(2);
    if (!constant) {
        for (int64_t axis : axes) y[static_cast<size_t>(axis)] = context.freshSymbol();
        return Status::ok();
    }
    const std::vector<double> scales = toDoubles(*constant);
    if (scales.size() != axes.size())
        return invalidModel("input 2 (scales) has " + std::to_string(scales.size()) + " elements, " +
                            std::to_string(axes.size()) + " are needed (one an axis)");
    for (size_t i = 0; i < axes.size(); ++i) {
        if (!(scales[i] > 0.0) || scales[i] > 1e9)
            return invalidModel("input 2 (scales) holds " + std::to_string(scales[i]) +
                                ", a positive number is needed");
        Dim& extent = y[static_cast<size_t>(axes[i])];
        extent = scaledExtent(context, extent, scales[i]);
    }
    return Status::ok();
}

/// The policies other than stretch keep the ratio of the axes: one scale for all, from the asked sizes.
Status keepRatio(InferenceContext& context, const std::vector<int64_t>& axes, const std::vector<Dim>& sizes,
                 const std::string& policy, Shape& y) {
    std::vector<double> scales;
    for (size_t i = 0; i < axes.size(); ++i) {
        const Dim& extent = y[static_cast<size_t>(axes[i])];
        if (extent.isConstant() && extent.constant() > 0 && sizes[i].isConstant())
            scales.push_back(static_cast<double>(sizes[i].constant()) / static_cast<double>(extent.constant()));
    }
    const double scale = keepAspectScale(policy, scales);
    for (int64_t axis : axes) {
        Dim& extent = y[static_cast<size_t>(axis)];
        extent = scales.size() == axes.size() ? floored(scale * static_cast<double>(extent.constant()) + 0.5)
                                              : context.freshSymbol();
    }
    return Status::ok();
}

Status resizeBySizes(InferenceContext& context, const std::vector<int64_t>& axes, Shape& y) {
    const auto sizes = context.inputValues(3);
    if (!sizes) {
        for (int64_t axis : axes) y[static_cast<size_t>(axis)] = context.freshSymbol();
        return Status::ok();
    }
    if (sizes->size() != axes.size())
        return invalidModel("input 3 (sizes) has " + std::to_string(sizes->size()) + " elements, " +
                            std::to_string(axes.size()) + " are needed (one an axis)");
    for (const Dim& size : *sizes)
        if (size.isConstant() && size.constant() < 0)
            return invalidModel("input 3 (sizes) holds " + size.toString() + ", 0 or more is needed");
    const std::string policy = context.attributes().getString("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") return keepRatio(context, axes, *sizes, policy, y);
    for (size_t i = 0; i < axes.size(); ++i) y[static_cast<size_t>(axes[i])] = (*sizes)[i];
    return Status::ok();
}

Status checkAttributes(const Attributes& attributes) {
    STROBE_RETURN_IF_ERROR(requireOneOf(attributes, "mode", "nearest", {"nearest", "linear", "cubic"}));
    if (attributes.getString("nearest_mode", "") != kNearestByScale)
        STROBE_RETURN_IF_ERROR(requireNearestModeOfOnnx(attributes));
    STROBE_RETURN_IF_ERROR(
        requireOneOf(attributes, "keep_aspect_ratio_policy", "stretch", {"stretch", "not_larger", "not_smaller"}));
    if (attributes.getBool("antialias", false) && attributes.getString("mode", "nearest") == "nearest")
        return invalidModel("attribute 'antialias' is set with mode 'nearest'; linear or cubic is needed");
    return requireOneOf(attributes, "coordinate_transformation_mode", "half_pixel",
                        {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                         "tf_crop_and_resize", "tf_half_pixel_for_nn"});  // the last one: opsets 11 and 12 only
}

/// X, roi?, scales?, sizes? → X with the axes resized; an empty tensor counts as absent.
Status inferResize(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(checkAttributes(context.attributes()));
    Shape y = context.inputShape(0);
    STROBE_ASSIGN(const std::vector<int64_t> axes, resizeAxes(context.attributes(), static_cast<int64_t>(y.size())));
    const auto given = [&](int input) {
        return context.hasInput(input) && !elementCount(context.inputShape(input)).isConstant(0);
    };
    if (given(2) == given(3)) return invalidModel("exactly one of scales (input 2) and sizes (input 3) is needed");
    STROBE_RETURN_IF_ERROR(given(2) ? resizeByScales(context, axes, y) : resizeBySizes(context, axes, y));
    if (context.attributes().getString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize") {
        if (!given(1)) return invalidModel("roi (input 1) is needed with tf_crop_and_resize");
        STROBE_RETURN_IF_ERROR(
            requireDim(context, 1, 0, Dim(2 * static_cast<int64_t>(axes.size())), "start and end of each axis"));
    }
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

double resizeFlops(const CostContext& cost) {
    const std::string mode = cost.attributes.getString("mode", "nearest");
    return (mode == "nearest"  ? 1.0
            : mode == "linear" ? 8.0
                               : 32.0) *
           static_cast<double>(elementCount(cost.outputs[0]));
}

}  // namespace

STROBE_OPS(resize) {
    OpDefinition op;
    op.name = "Resize";
    op.family = OpFamily::PoolingReduction;
    op.minInputs = 1;
    op.maxInputs = 4;
    op.attributes = {{"antialias", AttributeKind::Int},
                     {"axes", AttributeKind::Ints},
                     {"coordinate_transformation_mode", AttributeKind::String},
                     {"cubic_coeff_a", AttributeKind::Float},
                     {"exclude_outside", AttributeKind::Int},
                     {"extrapolation_value", AttributeKind::Float},
                     {"keep_aspect_ratio_policy", AttributeKind::String},
                     {"mode", AttributeKind::String},
                     {"nearest_mode", AttributeKind::String}};
    op.valueInputs = 1u << 2 | 1u << 3;
    op.infer = inferResize;
    op.flops = resizeFlops;
    registry.add(std::move(op));
}

}  // namespace strobe
