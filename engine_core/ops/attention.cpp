#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

/// One of Q, K, V as [batch, heads, sequence, head size]; 3-D inputs hold heads × head size in their last dim.
Result<Shape> asHeads(const InferenceContext& context, int input, const char* headsAttribute) {
    const Shape& shape = context.inputShape(input);
    if (shape.size() == 4) return shape;
    if (shape.size() != 3)
        return invalidModel("input " + std::to_string(input) + " has shape " + toString(shape) +
                            ", rank 3 or 4 is needed");
    STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), headsAttribute, 0, 1));
    const int64_t heads = context.attributes().getInt(headsAttribute, 1);
    if (shape[2].isConstant() && shape[2].constant() % heads != 0)
        return invalidModel("input " + std::to_string(input) + " has shape " + toString(shape) + ", attribute '" +
                            headsAttribute + "' " + std::to_string(heads) + " does not divide its last extent");
    return Shape{shape[0], Dim(heads), shape[1], Dim::floorDiv(shape[2], Dim(heads))};
}

Status checkHeads(const Shape& q, const Shape& k, const Shape& v) {
    if (q[1].isConstant() && k[1].isConstant() && (k[1].constant() < 1 || q[1].constant() % k[1].constant() != 0))
        return invalidModel(q[1].toString() + " query heads cannot share " + k[1].toString() +
                            " key heads: a multiple is needed");
    if (q[3].isConstant() && k[3].isConstant() && q[3] != k[3])
        return invalidModel("head size of Q is " + q[3].toString() + ", of K " + k[3].toString() +
                            "; they must be equal");
    if (k[2].isConstant() && v[2].isConstant() && k[2] != v[2])
        return invalidModel("K has " + k[2].toString() + " positions, V " + v[2].toString() + "; they must be equal");
    if (k[1].isConstant() && v[1].isConstant() && k[1] != v[1])
        return invalidModel("K has " + k[1].toString() + " heads, V " + v[1].toString() + "; they must be equal");
    for (const Shape* side : {&k, &v})
        if (q[0].isConstant() && (*side)[0].isConstant() && q[0] != (*side)[0])
            return invalidModel("Q has a batch of " + q[0].toString() + ", " + (side == &k ? "K " : "V ") +
                                (*side)[0].toString() + "; they must be equal");
    return Status::ok();
}

/// Past keys or values [batch, heads, positions, size] that stand before `now`, which grows by them.
Status addPast(const InferenceContext& context, int input, Shape& now) {
    STROBE_RETURN_IF_ERROR(requireRank(context, input, 4));
    STROBE_RETURN_IF_ERROR(requireDim(context, input, 0, now[0], "the batch"));
    STROBE_RETURN_IF_ERROR(requireDim(context, input, 1, now[1], "the heads"));
    STROBE_RETURN_IF_ERROR(requireDim(context, input, 3, now[3], "the head size"));
    now[2] = now[2] + context.inputShape(input)[2];
    return Status::ok();
}

/// The mask broadcasts to [batch, heads, queries], its last dim covers the first keys; one length a batch entry.
Status checkBias(const InferenceContext& context, const Shape& q) {
    if (context.hasInput(6)) {
        STROBE_RETURN_IF_ERROR(requireRank(context, 6, 1));
        STROBE_RETURN_IF_ERROR(requireDim(context, 6, 0, q[0], "one length a batch entry"));
    }
    if (!context.hasInput(3)) return Status::ok();
    const Shape& mask = context.inputShape(3);
    if (mask.empty() || mask.size() > 4)
        return invalidModel("input 3 (the mask) has shape " + toString(mask) + ", rank 1 to 4 is needed");
    for (size_t d = 0; d + 1 < mask.size(); ++d)
        if (!mask[d].isConstant(1))
            STROBE_RETURN_IF_ERROR(requireDim(context, 3, d, q[d + 4 - mask.size()], "what Q has there, or 1"));
    return Status::ok();
}

/// Q, K, V, mask?, past key?, past value?, valid lengths? → Y, present key, present value, scores.
Status inferAttention(InferenceContext& context) {
    const Attributes& attributes = context.attributes();
    STROBE_ASSIGN(const Shape q, asHeads(context, 0, "q_num_heads"));
    STROBE_ASSIGN(Shape k, asHeads(context, 1, "kv_num_heads"));
    STROBE_ASSIGN(Shape v, asHeads(context, 2, "kv_num_heads"));
    STROBE_RETURN_IF_ERROR(checkHeads(q, k, v));
    STROBE_RETURN_IF_ERROR(requireAtLeast(attributes, "left_window_size", -1, -1));
    STROBE_RETURN_IF_ERROR(requireAtLeast(attributes, "right_window_size", -1, -1));
    const int64_t mode = attributes.getInt("qk_matmul_output_mode", 0);
    if (mode < 0 || mode > 3)
        return invalidModel("attribute 'qk_matmul_output_mode' is " + std::to_string(mode) + ", 0 to 3 is allowed");
    if (context.hasInput(4) != context.hasInput(5))
        return invalidModel("past_key (input 4) and past_value (input 5) must be given together");
    if (context.hasInput(4)) {
        STROBE_RETURN_IF_ERROR(addPast(context, 4, k));
        STROBE_RETURN_IF_ERROR(addPast(context, 5, v));
    }
    STROBE_RETURN_IF_ERROR(checkBias(context, q));
    const DataType type = context.inputType(0);
    context.setOutput(
        0, type, context.inputShape(0).size() == 3 ? Shape{q[0], q[2], q[1] * v[3]} : Shape{q[0], q[1], q[2], v[3]});
    context.setOutput(1, context.inputType(1), k);
    context.setOutput(2, context.inputType(2), v);
    context.setOutput(3, type, {q[0], q[1], q[2], k[2]});
    return Status::ok();
}

double attentionFlops(const CostContext& cost) {
    const Dims &q = cost.inputs[0], &k = cost.inputs[1], &v = cost.inputs[2];
    const bool flat = q.size() == 3;
    double keys = static_cast<double>(flat ? k[1] : k[2]);
    if (cost.inputs.size() > 4 && cost.inputs[4].size() == 4) keys += static_cast<double>(cost.inputs[4][2]);
    const double queryHeads = static_cast<double>(flat ? cost.attributes.getInt("q_num_heads", 1) : q[1]);
    const double keyHeads = static_cast<double>(flat ? cost.attributes.getInt("kv_num_heads", 1) : k[1]);
    const double valueSize = static_cast<double>(v.back()) / (flat ? keyHeads : 1.0),
                 rows = static_cast<double>(q[0] * (flat ? q[1] : q[2]));
    const double querySize = static_cast<double>(q.back()) / (flat ? queryHeads : 1.0);
    return 2.0 * rows * queryHeads * keys * (querySize + valueSize);
}

/// X[batch, heads, sequence, size] or [batch, sequence, hidden], cos and sin caches, position ids? → like X.
Status inferRotaryEmbedding(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    if (x.size() != 3 && x.size() != 4)
        return invalidModel("input 0 has shape " + toString(x) + ", rank 3 or 4 is needed");
    const int64_t rotated = context.attributes().getInt("rotary_embedding_dim", 0);
    if (rotated < 0 || rotated % 2 != 0)
        return invalidModel("attribute 'rotary_embedding_dim' is " + std::to_string(rotated) +
                            ", an even number is needed");
    Dim head = x.back();
    if (x.size() == 3) {
        STROBE_ASSIGN(const Shape heads, asHeads(context, 0, "num_heads"));
        head = heads[3];
    }
    if (head.isConstant() && rotated > head.constant())
        return invalidModel("attribute 'rotary_embedding_dim' is " + std::to_string(rotated) +
                            ", at most the head size " + head.toString() + " is allowed");
    const int cacheRank = context.hasInput(3) ? 2 : 3;
    for (int input : {1, 2}) {
        STROBE_RETURN_IF_ERROR(requireRank(context, input, cacheRank));
        STROBE_RETURN_IF_ERROR(requireDim(context, input, static_cast<size_t>(cacheRank) - 1,
                                          Dim::floorDiv(rotated > 0 ? Dim(rotated) : head, Dim(2)),
                                          "half of what is rotated"));
    }
    for (size_t d = 0; d < context.inputShape(1).size(); ++d)
        STROBE_RETURN_IF_ERROR(requireDim(context, 2, d, context.inputShape(1)[d], "the shape of the cosines"));
    if (context.hasInput(3)) {
        STROBE_RETURN_IF_ERROR(requireRank(context, 3, 2));
        STROBE_RETURN_IF_ERROR(requireDim(context, 3, 0, x[0], "the batch of input 0"));
        STROBE_RETURN_IF_ERROR(requireDim(context, 3, 1, x[x.size() - 2], "the positions of input 0"));
    }
    return inferLikeInput0(context);
}

}  // namespace

STROBE_OPS(attention) {
    OpDefinition attention;
    attention.name = "Attention";
    attention.family = OpFamily::Attention;
    attention.minInputs = 3;
    attention.maxInputs = 7;
    attention.maxOutputs = 4;
    attention.attributes = {{"is_causal", AttributeKind::Int},
                            {"kv_num_heads", AttributeKind::Int},
                            {"left_window_size", AttributeKind::Int},
                            {"q_num_heads", AttributeKind::Int},
                            {"qk_matmul_output_mode", AttributeKind::Int},
                            {"right_window_size", AttributeKind::Int},
                            {"scale", AttributeKind::Float},
                            {"softcap", AttributeKind::Float},
                            {"softmax_precision", AttributeKind::Int}};
    attention.infer = inferAttention;
    attention.flops = attentionFlops;
    registry.add(std::move(attention));

    OpDefinition rotary;
    rotary.name = "RotaryEmbedding";
    rotary.family = OpFamily::Attention;
    rotary.minInputs = 3;
    rotary.maxInputs = 4;
    rotary.attributes = {{"interleaved", AttributeKind::Int},
                         {"num_heads", AttributeKind::Int},
                         {"rotary_embedding_dim", AttributeKind::Int}};
    rotary.infer = inferRotaryEmbedding;
    rotary.flops = flopsPerInput<3>;
    registry.add(std::move(rotary));
}

}  // namespace strobe
