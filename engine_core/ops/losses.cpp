#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

/// scores[N,C,d…], labels[N,d…], weights[C]? → a scalar, or a loss for each label; the cross entropy also gives log
/// probabilities.
Status inferLoss(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireOneOf(context.attributes(), "reduction", "mean", {"none", "mean", "sum"}));
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    const Shape& scores = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, static_cast<int>(scores.size()) - 1));
    Shape labels = scores;
    labels.erase(labels.begin() + 1);
    for (size_t i = 0; i < labels.size(); ++i)
        STROBE_RETURN_IF_ERROR(requireDim(context, 1, i, labels[i], "one label for each score vector"));
    if (context.hasInput(2)) STROBE_RETURN_IF_ERROR(requireDim(context, 2, 0, scores[1], "one weight a class"));
    const bool none = context.attributes().getString("reduction", "mean") == "none";
    context.setOutput(0, context.inputType(0), none ? labels : Shape());
    context.setOutput(1, context.inputType(0), scores);
    return Status::ok();
}

}  // namespace

STROBE_OPS(losses) {
    OpDefinition op;
    op.name = "NegativeLogLikelihoodLoss";
    op.family = OpFamily::PoolingReduction;
    op.minInputs = 2;
    op.maxInputs = 3;
    op.attributes = {{"ignore_index", AttributeKind::Int}, {"reduction", AttributeKind::String}};
    op.infer = inferLoss;
    op.flops = flopsPerInput<1>;
    OpDefinition crossEntropy = op;
    registry.add(std::move(op));
    crossEntropy.name = "SoftmaxCrossEntropyLoss";
    crossEntropy.maxOutputs = 2;
    crossEntropy.flops = flopsPerInput<6>;
    registry.add(std::move(crossEntropy));
}

}  // namespace strobe
