#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

/// X[N,C,spatial…], W[M,C/group,kernel…] → Y[N,M,spatial…]; `weights` is the input slot of W.
Status inferConvolution(InferenceContext& context, int weights, DataType type) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 3));
    const Shape& x = context.inputShape(0);
    const Shape& w = context.inputShape(weights);
    STROBE_RETURN_IF_ERROR(requireRank(context, weights, static_cast<int>(x.size())));
    const int64_t group = context.attributes().getInt("group", 1);
    if (group < 1) return invalidModel("attribute 'group' is " + std::to_string(group) + ", 1 or more is needed");
    if (x[1].isConstant() && w[1].isConstant() && Dim(group) * w[1] != x[1])
        return invalidModel("input 0 has " + x[1].toString() + " channels, weights " + toString(w) + " with group " +
                            std::to_string(group) + " need " + (Dim(group) * w[1]).toString());
    if (w[0].isConstant() && w[0].constant() % group != 0)
        return invalidModel("weights give " + w[0].toString() + " output channels, which group " +
                            std::to_string(group) + " does not divide");
    std::vector<int64_t> kernel = context.attributes().getInts("kernel_shape");
    for (size_t i = 2; kernel.size() < w.size() - 2 && i < w.size(); ++i) {
        if (!w[i].isConstant())
            return unsupported("weights with symbolic kernel extents " + toString(w) +
                               "; give constant weights or kernel_shape");
        kernel.push_back(w[i].constant());
    }
    STROBE_ASSIGN(const WindowAttributes window, windowAttributes(context.attributes(), x, kernel));
    Shape y = {x[0], w[0]};
    for (size_t i = 0; i < kernel.size(); ++i) {
        if (w[i + 2].isConstant() && w[i + 2].constant() != kernel[i])
            return invalidModel("attribute 'kernel_shape' says " + std::to_string(kernel[i]) + ", the weights " +
                                toString(w) + " say " + w[i + 2].toString());
        y.push_back(windowExtent(x[i + 2], kernel[i], window.strides[i], window.dilations[i], window.padsBegin[i],
                                 window.padsEnd[i], false));
        if (y.back().isConstant() && y.back().constant() < 0)
            return invalidModel("input " + toString(x) + " is smaller than the window of the kernel " + toString(w));
    }
    context.setOutput(0, type, std::move(y));
    return Status::ok();
}

/// Absent, one value in all, or one an output channel.
Status requireOneOrPerChannel(const InferenceContext& context, int input, const Dim& channels) {
    if (!context.hasInput(input) || elementCount(context.inputShape(input)).isConstant(1)) return Status::ok();
    STROBE_RETURN_IF_ERROR(requireRank(context, input, 1));
    return requireDim(context, input, 0, channels, "one value in all, or one an output channel");
}

Status requireBias(const InferenceContext& context, int input, const Dim& channels) {
    if (!context.hasInput(input)) return Status::ok();
    STROBE_RETURN_IF_ERROR(requireRank(context, input, 1));
    return requireDim(context, input, 0, channels, "one bias an output channel");
}

Status inferConv(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(inferConvolution(context, 1, context.inputType(0)));
    return requireBias(context, 2, context.inputShape(1)[0]);
}

Status inferConvInteger(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(inferConvolution(context, 1, DataType::Int32));
    return requireOneOrPerChannel(context, 3, context.inputShape(1)[0]);
}

Status inferQLinearConv(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(inferConvolution(context, 3, context.inputType(7)));
    const Dim& channels = context.inputShape(3)[0];
    for (int input : {4, 5}) STROBE_RETURN_IF_ERROR(requireOneOrPerChannel(context, input, channels));
    return requireBias(context, 8, channels);
}

template <size_t Weights>
double convFlops(const CostContext& cost) {
    double perOutput = 2.0;
    for (size_t i = 1; i < cost.inputs[Weights].size(); ++i) perOutput *= static_cast<double>(cost.inputs[Weights][i]);
    return perOutput * static_cast<double>(elementCount(cost.outputs[0]));
}

}  // namespace

STROBE_OPS(conv) {
    OpDefinition conv;
    conv.name = "Conv";
    conv.family = OpFamily::Convolution;
    conv.minInputs = 2;
    conv.maxInputs = 3;
    conv.attributes = {{"auto_pad", AttributeKind::String}, {"dilations", AttributeKind::Ints},
                       {"group", AttributeKind::Int},       {"kernel_shape", AttributeKind::Ints},
                       {"pads", AttributeKind::Ints},       {"strides", AttributeKind::Ints}};
    conv.infer = inferConv;
    conv.flops = convFlops<1>;

    OpDefinition integer = conv;
    integer.name = "ConvInteger";
    integer.maxInputs = 4;
    integer.infer = inferConvInteger;
    registry.add(std::move(integer));

    OpDefinition quantized = conv;
    quantized.name = "QLinearConv";
    quantized.minInputs = 8;
    quantized.maxInputs = 9;
    quantized.infer = inferQLinearConv;
    quantized.flops = convFlops<3>;
    registry.add(std::move(quantized));

    registry.add(std::move(conv));
}

}  // namespace strobe
