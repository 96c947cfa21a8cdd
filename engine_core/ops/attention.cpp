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
        STROBE_RETURN_IF_ERROR(requireRank(context, 4, 4));
        STROBE_RETURN_IF_ERROR(requireRank(context, 5, 4));
        STROBE_RETURN_IF_ERROR(requireDim(context, 4, 3, k[3], "the head size of K"));
        STROBE_RETURN_IF_ERROR(requireDim(context, 5, 3, v[3], "the head size of V"));
        k[2] = k[2] + context.inputShape(4)[2];
        v[2] = v[2] + context.inputShape(5)[2];
    }
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
        STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), "num_heads", 0, 1));
        head = Dim::floorDiv(head, Dim(context.attributes().getInt("num_heads", 1)));
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
