#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

Status requireChannelVectors(const InferenceContext& context, int first, int last) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    for (int i = first; i <= last; ++i) {
        STROBE_RETURN_IF_ERROR(requireRank(context, i, 1));
        STROBE_RETURN_IF_ERROR(requireDim(context, i, 0, context.inputShape(0)[1], "the channels of input 0"));
    }
    return Status::ok();
}

/// X[N,C,…], scale[C], B[C], mean[C], var[C] → Y; in training mode also the running mean and variance.
Status inferBatchNormalization(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireChannelVectors(context, 1, 4));
    context.setOutput(1, context.inputType(3), context.inputShape(3));
    context.setOutput(2, context.inputType(4), context.inputShape(4));
    return inferLikeInput0(context);
}

Status inferInstanceNormalization(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 3));
    STROBE_RETURN_IF_ERROR(requireChannelVectors(context, 1, 2));
    return inferLikeInput0(context);
}

Status inferGroupNormalization(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireChannelVectors(context, 1, 2));
    STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), "num_groups", 0, 1));
    const int64_t groups = context.attributes().getInt("num_groups", 1);
    const Dim& channels = context.inputShape(0)[1];
    if (channels.isConstant() && channels.constant() % groups != 0)
        return invalidModel("attribute 'num_groups' is " + std::to_string(groups) + ", which does not divide the " +
                            channels.toString() + " channels");
    return inferLikeInput0(context);
}

/// Scale and bias broadcast to X's dims; mean and inverse deviation keep the dims before `axis`, 1 from there on, in
/// FP32.
Status inferLayerNormalization(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 1));
    Shape stats = context.inputShape(0);
    STROBE_ASSIGN(const int64_t axis,
                  normalizeAxis(context.attributes().getInt("axis", -1), static_cast<int64_t>(stats.size())));
    for (int i = 1; i < context.inputCount(); ++i) {
        if (!context.hasInput(i)) continue;
        STROBE_ASSIGN(const Shape joined, broadcastShapes(stats, context.inputShape(i)));
        if (joined.size() != stats.size() || (isConstant(joined) && isConstant(stats) && joined != stats))
            return invalidModel("input " + std::to_string(i) + " has shape " + toString(context.inputShape(i)) +
                                ", which does not broadcast to " + toString(stats));
    }
    for (size_t i = static_cast<size_t>(axis); i < stats.size(); ++i) stats[i] = Dim(1);
    context.setOutput(1, DataType::Float32, stats);
    context.setOutput(2, DataType::Float32, stats);
    return inferLikeInput0(context);
}

Status inferLrn(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), "size", 0, 1));
    return inferLikeInput0(context);
}

Status inferLpNormalization(InferenceContext& context) {
    const int64_t p = context.attributes().getInt("p", 2);
    if (p != 1 && p != 2) return invalidModel("attribute 'p' is " + std::to_string(p) + ", 1 or 2 is allowed");
    STROBE_RETURN_IF_ERROR(
        normalizeAxis(context.attributes().getInt("axis", -1), static_cast<int64_t>(context.inputShape(0).size()))
            .status());
    return inferLikeInput0(context);
}

Status inferMeanVariance(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(normalizeAxes(context.attributes().getInts("axes", {0, 2, 3}),
                                         static_cast<int64_t>(context.inputShape(0).size()))
                               .status());
    return inferLikeInput0(context);
}

OpDefinition normalization(const char* name, int minInputs, int maxInputs, std::vector<AttributeSpec> attributes,
                           Status (*infer)(InferenceContext&)) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::Normalization;
    op.minInputs = minInputs;
    op.maxInputs = maxInputs;
    op.attributes = std::move(attributes);
    op.infer = infer;
    op.flops = flopsPerInput<8>;
    return op;
}

}  // namespace

STROBE_OPS(normalization) {
    const AttributeSpec epsilon = {"epsilon", AttributeKind::Float}, stash = {"stash_type", AttributeKind::Int},
                        axis = {"axis", AttributeKind::Int};
    OpDefinition batch = normalization(
        "BatchNormalization", 5, 5,
        {epsilon, {"momentum", AttributeKind::Float}, {"training_mode", AttributeKind::Int}}, inferBatchNormalization);
    batch.maxOutputs = 3;
    batch.flops = flopsPerInput<2>;
    registry.add(std::move(batch));
    OpDefinition layer = normalization("LayerNormalization", 2, 3, {axis, epsilon, stash}, inferLayerNormalization);
    layer.maxOutputs = 3;
    registry.add(std::move(layer));
    registry.add(normalization("RMSNormalization", 2, 2, {axis, epsilon, stash}, inferLayerNormalization));
    registry.add(normalization("InstanceNormalization", 3, 3, {epsilon}, inferInstanceNormalization));
    registry.add(normalization("GroupNormalization", 3, 3, {epsilon, {"num_groups", AttributeKind::Int, true}, stash},
                               inferGroupNormalization));
    registry.add(normalization("LRN", 1, 1,
                               {{"alpha", AttributeKind::Float},
                                {"beta", AttributeKind::Float},
                                {"bias", AttributeKind::Float},
                                {"size", AttributeKind::Int, true}},
                               inferLrn));
    registry.add(normalization("LpNormalization", 1, 1, {axis, {"p", AttributeKind::Int}}, inferLpNormalization));
    registry.add(normalization("MeanVarianceNormalization", 1, 1, {{"axes", AttributeKind::Ints}}, inferMeanVariance));
}

}  // namespace strobe
