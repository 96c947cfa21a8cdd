#include "engine_core/ops/compute_shapes.h"

namespace strobe {

Result<TransposedWindow> transposedWindow(const Attributes& attributes, const Shape& input,
                                          const std::vector<int64_t>& kernel) {
    TransposedWindow t;
    STROBE_ASSIGN(t.window, windowAttributes(attributes, input, kernel));
    const size_t spatial = kernel.size();
    const std::vector<int64_t> extra = attributes.getInts("output_padding", std::vector<int64_t>(spatial, 0));
    const std::vector<int64_t> asked = attributes.getInts("output_shape");
    if (extra.size() < spatial)
        return invalidModel("attribute 'output_padding' has " + std::to_string(extra.size()) + " values, " +
                            std::to_string(spatial) + " are needed");
    if (!asked.empty() && asked.size() != spatial)
        return invalidModel("attribute 'output_shape' has " + std::to_string(asked.size()) + " values, " +
                            std::to_string(spatial) + " are needed (one a spatial dim)");
    const std::string autoPad = attributes.getString("auto_pad", "NOTSET");
    const bool same = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
    for (size_t i = 0; i < spatial; ++i) {
        const Dim stride(t.window.strides[i]);
        const Dim full =
            stride * (input[i + 2] - Dim(1)) + Dim(t.window.dilations[i] * (kernel[i] - 1) + 1) + Dim(extra[i]);
        if (asked.empty() && !same) {
            t.output.push_back(full - t.window.padsBegin[i] - t.window.padsEnd[i]);
        } else {
            t.output.push_back(asked.empty() ? input[i + 2] * stride : Dim(asked[i]));
            const bool padsGiven = !same && attributes.has("pads");
            const Dim total = Dim::max(Dim(0), full - t.output.back());
            const Dim half = Dim::floorDiv(total, Dim(2));
            if (!padsGiven) {
                t.window.padsBegin[i] = autoPad == "SAME_UPPER" ? half : total - half;
                t.window.padsEnd[i] = total - t.window.padsBegin[i];
            }
        }
        if (t.output.back().isConstant() && t.output.back().constant() < 0)
            return invalidModel("pads take away more than there is: extent " + t.output.back().toString() +
                                " for spatial dim " + std::to_string(i));
    }
    return t;
}

namespace {

/// X[N,C,spatial…], W[C,M/group,kernel…], B[M]? → Y[N,M,spatial…].
Status inferConvTranspose(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 3));
    STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), "group", 1, 1));
    const Shape &x = context.inputShape(0), &w = context.inputShape(1);
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(x.size())));
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 0, x[1], "the channels of input 0"));
    const int64_t group = context.attributes().getInt("group", 1);
    if (x[1].isConstant() && x[1].constant() % group != 0)
        return invalidModel("attribute 'group' is " + std::to_string(group) + ", which does not divide the " +
                            x[1].toString() + " input channels");
    std::vector<int64_t> kernel;
    for (size_t i = 2; i < w.size(); ++i) {
        if (!w[i].isConstant()) return unsupported("weights with symbolic kernel extents " + toString(w));
        kernel.push_back(w[i].constant());
    }
    if (context.attributes().has("kernel_shape") && context.attributes().getInts("kernel_shape") != kernel)
        return invalidModel("attribute 'kernel_shape' differs from the weights' shape " + toString(w));
    STROBE_ASSIGN(const TransposedWindow t, transposedWindow(context.attributes(), x, kernel));
    Shape y = {x[0], w[1] * Dim(group)};
    y.insert(y.end(), t.output.begin(), t.output.end());
    if (context.hasInput(2)) STROBE_RETURN_IF_ERROR(requireDim(context, 2, 0, y[1], "the output channels"));
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

double convTransposeFlops(const CostContext& cost) {
    double perInput = 2.0;
    for (size_t i = 1; i < cost.inputs[1].size(); ++i) perInput *= static_cast<double>(cost.inputs[1][i]);
    return perInput * static_cast<double>(elementCount(cost.inputs[0]));
}

}  // namespace

STROBE_OPS(conv_transpose) {
    OpDefinition op;
    op.name = "ConvTranspose";
    op.family = OpFamily::Convolution;
    op.minInputs = 2;
    op.maxInputs = 3;
    op.attributes = {{"auto_pad", AttributeKind::String},     {"dilations", AttributeKind::Ints},
                     {"group", AttributeKind::Int},           {"kernel_shape", AttributeKind::Ints},
                     {"output_padding", AttributeKind::Ints}, {"output_shape", AttributeKind::Ints},
                     {"pads", AttributeKind::Ints},           {"strides", AttributeKind::Ints}};
    op.infer = inferConvTranspose;
    op.flops = convTransposeFlops;
    registry.add(std::move(op));
}

}  // namespace strobe
