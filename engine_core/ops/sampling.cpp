#include <algorithm>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// X[N,C,spatial…], grid[N,out…,spatial rank] → Y[N,C,out…].
Status inferGridSample(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireOneOf(context.attributes(), "mode", "linear", {"linear", "nearest", "cubic"}));
    STROBE_RETURN_IF_ERROR(
        requireOneOf(context.attributes(), "padding_mode", "zeros", {"zeros", "border", "reflection"}));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 3));
    const Shape &x = context.inputShape(0), &grid = context.inputShape(1);
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(x.size())));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, grid.size() - 1, Dim(static_cast<int64_t>(x.size()) - 2),
                                      "one coordinate a spatial dim"));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 0, x[0], "the batch of input 0"));
    Shape y = {x[0], x[1]};
    y.insert(y.end(), grid.begin() + 1, grid.end() - 1);
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

/// theta[N,r,r+1], size = (N, C, spatial…) → grid[N,spatial…,r], r being 2 or 3.
Status inferAffineGrid(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 3));
    const Shape& theta = context.inputShape(0);
    const auto size = context.inputValues(1);
    if (!size) {
        if (!theta[1].isConstant() || theta[1].constant() < 2 || theta[1].constant() > 3) {
            context.setOutputUnknownRank(0, context.inputType(0));
            return Status::ok();
        }
        Shape grid = {theta[0]};
        for (int64_t i = 0; i < theta[1].constant(); ++i) grid.push_back(context.freshSymbol());
        grid.push_back(theta[1]);
        context.setOutput(0, context.inputType(0), std::move(grid));
        return Status::ok();
    }
    if (size->size() != 4 && size->size() != 5)
        return invalidModel("input 1 (size) has " + std::to_string(size->size()) +
                            " elements, 4 (N, C, H, W) or 5 (N, C, D, H, W) are needed");
    const Dim spatial(static_cast<int64_t>(size->size()) - 2);
    STROBE_RETURN_IF_ERROR(requireDim(context, 0, 1, spatial, "the spatial dims of size"));
    STROBE_RETURN_IF_ERROR(requireDim(context, 0, 2, spatial + Dim(1), "the spatial dims of size and the shift"));
    STROBE_RETURN_IF_ERROR(requireDim(context, 0, 0, size->front(), "the batch of size"));
    Shape grid = {size->front()};
    grid.insert(grid.end(), size->begin() + 2, size->end());
    grid.push_back(spatial);
    context.setOutput(0, context.inputType(0), std::move(grid));
    return Status::ok();
}

/// X[N,C,H,W], rois[R,4], batch indices[R] → Y[R,C,output_height,output_width].
Status inferRoiAlign(InferenceContext& context) {
    const Attributes& attributes = context.attributes();
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 4));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 2));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 1, Dim(4), "x1, y1, x2, y2"));
    STROBE_RETURN_IF_ERROR(requireDim(context, 2, 0, context.inputShape(1)[0], "one batch index for each roi"));
    STROBE_RETURN_IF_ERROR(requireOneOf(attributes, "mode", "avg", {"avg", "max"}));
    STROBE_RETURN_IF_ERROR(
        requireOneOf(attributes, "coordinate_transformation_mode", "half_pixel", {"half_pixel", "output_half_pixel"}));
    STROBE_RETURN_IF_ERROR(requireAtLeast(attributes, "output_height", 1, 1));
    STROBE_RETURN_IF_ERROR(requireAtLeast(attributes, "output_width", 1, 1));
    STROBE_RETURN_IF_ERROR(requireWithin(attributes, "sampling_ratio", 0, 0, kMostRoiSamples));
    context.setOutput(0, context.inputType(0),
                      {context.inputShape(1)[0], context.inputShape(0)[1], Dim(attributes.getInt("output_height", 1)),
                       Dim(attributes.getInt("output_width", 1))});
    return Status::ok();
}

/// Eight for each sample of a bin; where the boxes' size decides their number, of boxes that cover the image.
double roiAlignFlops(const CostContext& cost) {
    const Dims &x = cost.inputs[0], &y = cost.outputs[0];
    const auto outputs = static_cast<double>(elementCount(y));
    if (outputs == 0) return 0;
    const int64_t ratio = cost.attributes.getInt("sampling_ratio", 0);
    const auto samples = [&](size_t d) {
        return static_cast<double>(ratio > 0 ? ratio : std::min((x[d] - 1) / y[d] + 1, kMostRoiSamples));
    };
    return 8.0 * outputs * samples(2) * samples(3);
}

/// X[N,C,H,W], rois[R,5] (batch, x1, y1, x2, y2) → Y[R,C,pooled_shape].
Status inferMaxRoiPool(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 4));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 2));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 1, Dim(5), "batch, x1, y1, x2, y2"));
    const std::vector<int64_t> pooled = context.attributes().getInts("pooled_shape");
    if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
        return invalidModel("attribute 'pooled_shape' is " + toString(Dims(pooled)) +
                            ", two positive extents are needed");
    context.setOutput(0, context.inputType(0),
                      {context.inputShape(1)[0], context.inputShape(0)[1], Dim(pooled[0]), Dim(pooled[1])});
    return Status::ok();
}

Status requireExtents(const Shape& y) {
    for (const Dim& extent : y)
        if (extent.isConstant() && extent.constant() < 0)
            return invalidModel("the output's shape is " + toString(y) +
                                "; pads or output_shape leave less than nothing");
    return Status::ok();
}

/// X[N,C,pooled…], I like X, output shape? → zeros with X's elements at the flat positions I.
Status inferMaxUnpool(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 3));
    const Shape& x = context.inputShape(0);
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(context.attributes(), x, context.attributes().getInts("kernel_shape")));
    Shape y = {x[0], x[1]};
    for (size_t i = 0; i < window.kernel.size(); ++i)
        y.push_back((x[i + 2] - Dim(1)) * Dim(window.strides[i]) + Dim(window.kernel[i]) - window.padsBegin[i] -
                    window.padsEnd[i]);
    STROBE_RETURN_IF_ERROR(requireExtents(y));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(x.size())));
    for (size_t d = 0; d < x.size(); ++d)
        STROBE_RETURN_IF_ERROR(requireDim(context, 1, d, x[d], "an index for each element of input 0"));
    if (context.hasInput(2)) {
        const auto asked = context.inputValues(2);
        if (asked && asked->size() != x.size())
            return invalidModel("input 2 (output_shape) has " + std::to_string(asked->size()) + " elements, " +
                                std::to_string(x.size()) + " are needed");
        for (size_t i = 0; i < y.size(); ++i) y[i] = asked ? (*asked)[i] : context.freshSymbol();
    }
    STROBE_RETURN_IF_ERROR(requireExtents(y));
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

/// boxes[N,B,4], scores[N,classes,B], limit?, IoU threshold?, score threshold? → [selected, 3] of batch, class, box.
Status inferNonMaxSuppression(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 3));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 3));
    STROBE_RETURN_IF_ERROR(requireDim(context, 0, 2, Dim(4), "the corners of a box"));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 0, context.inputShape(0)[0], "the batch of the boxes"));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 2, context.inputShape(0)[1], "one score a box"));
    context.setOutput(0, DataType::Int64, {context.freshSymbol(), Dim(3)});
    return Status::ok();
}

OpDefinition sampling(const char* name, int minInputs, int maxInputs, std::vector<AttributeSpec> attributes,
                      Status (*infer)(InferenceContext&)) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::PoolingReduction;
    op.minInputs = minInputs;
    op.maxInputs = maxInputs;
    op.attributes = std::move(attributes);
    op.infer = infer;
    return op;
}

}  // namespace

STROBE_OPS(sampling) {
    const AttributeSpec align = {"align_corners", AttributeKind::Int}, mode = {"mode", AttributeKind::String};
    OpDefinition grid =
        sampling("GridSample", 2, 2, {align, mode, {"padding_mode", AttributeKind::String}}, inferGridSample);
    grid.flops = [](const CostContext& cost) { return 8.0 * static_cast<double>(elementCount(cost.outputs[0])); };
    registry.add(std::move(grid));
    OpDefinition affine = sampling("AffineGrid", 2, 2, {align}, inferAffineGrid);
    affine.valueInputs = 1u << 1;
    registry.add(std::move(affine));
    OpDefinition regions = sampling("RoiAlign", 3, 3,
                                   {{"coordinate_transformation_mode", AttributeKind::String},
                                    mode,
                                    {"output_height", AttributeKind::Int},
                                    {"output_width", AttributeKind::Int},
                                    {"sampling_ratio", AttributeKind::Int},
                                    {"spatial_scale", AttributeKind::Float}},
                                   inferRoiAlign);
    regions.flops = roiAlignFlops;
    registry.add(std::move(regions));
    registry.add(sampling("MaxRoiPool", 2, 2,
                          {{"pooled_shape", AttributeKind::Ints, true}, {"spatial_scale", AttributeKind::Float}},
                          inferMaxRoiPool));
    OpDefinition unpool = sampling(
        "MaxUnpool", 2, 3,
        {{"kernel_shape", AttributeKind::Ints, true}, {"pads", AttributeKind::Ints}, {"strides", AttributeKind::Ints}},
        inferMaxUnpool);
    unpool.valueInputs = 1u << 2;
    registry.add(std::move(unpool));
    OpDefinition suppression =
        sampling("NonMaxSuppression", 2, 5, {{"center_point_box", AttributeKind::Int}}, inferNonMaxSuppression);
    suppression.dataDependentShape = true;
    suppression.keepFp32Reason = "rounded boxes and scores change which boxes survive";
    registry.add(std::move(suppression));
}

}  // namespace strobe
