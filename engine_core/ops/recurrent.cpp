#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

/// X[S,B,I], W[D,G·H,I], R[D,G·H,H], B[D,2·G·H]?, lengths[B]?, h0[D,B,H]?, c0?, P[D,3·H]? → Y[S,D,B,H], Y_h[D,B,H],
/// Y_c. layout 1: batch first in X, Y and the states.
Status inferRecurrent(InferenceContext& context, int64_t gates) {
    const Attributes& attributes = context.attributes();
    for (int input : {0, 1, 2}) STROBE_RETURN_IF_ERROR(requireRank(context, input, 3));
    STROBE_RETURN_IF_ERROR(requireOneOf(attributes, "direction", "forward", {"forward", "reverse", "bidirectional"}));
    const int64_t layout = attributes.getInt("layout", 0);
    if (layout != 0 && layout != 1)
        return invalidModel("attribute 'layout' is " + std::to_string(layout) + ", 0 or 1 is allowed");
    const Dim directions(attributes.getString("direction", "forward") == "bidirectional" ? 2 : 1);
    const Shape &x = context.inputShape(0), &r = context.inputShape(2);
    const Dim &sequence = x[layout == 0 ? 0 : 1], &batch = x[layout == 0 ? 1 : 0], &hidden = r[2];
    if (attributes.has("hidden_size") && hidden.isConstant() &&
        hidden.constant() != attributes.getInt("hidden_size", 0))
        return invalidModel("attribute 'hidden_size' is " + std::to_string(attributes.getInt("hidden_size", 0)) +
                            ", the recurrence weights (input 2) say " + hidden.toString());
    for (int input : {1, 2}) {
        STROBE_RETURN_IF_ERROR(requireDim(context, input, 0, directions, "the directions"));
        STROBE_RETURN_IF_ERROR(
            requireDim(context, input, 1, Dim(gates) * hidden, std::to_string(gates) + " gates of the hidden size"));
    }
    STROBE_RETURN_IF_ERROR(requireDim(context, 1, 2, x[2], "the input size"));
    for (int input : {3, 7})
        if (context.hasInput(input))
            STROBE_RETURN_IF_ERROR(requireDim(context, input, 0, directions, "the directions"));
    if (context.hasInput(3))
        STROBE_RETURN_IF_ERROR(requireDim(context, 3, 1, Dim(2 * gates) * hidden, "two biases a gate"));
    if (context.hasInput(4)) STROBE_RETURN_IF_ERROR(requireDim(context, 4, 0, batch, "one length for each sequence"));
    for (int input : {5, 6}) {
        if (!context.hasInput(input)) continue;
        STROBE_RETURN_IF_ERROR(requireRank(context, input, 3));
        STROBE_RETURN_IF_ERROR(requireDim(context, input, layout == 0 ? 0 : 1, directions, "the directions"));
        STROBE_RETURN_IF_ERROR(requireDim(context, input, layout == 0 ? 1 : 0, batch, "the batch"));
        STROBE_RETURN_IF_ERROR(requireDim(context, input, 2, hidden, "the hidden size"));
    }
    if (context.hasInput(7)) STROBE_RETURN_IF_ERROR(requireDim(context, 7, 1, Dim(3) * hidden, "three peepholes"));
    const DataType type = context.inputType(0);
    context.setOutput(
        0, type, layout == 0 ? Shape{sequence, directions, batch, hidden} : Shape{batch, sequence, directions, hidden});
    for (int output : {1, 2})
        context.setOutput(output, type,
                          layout == 0 ? Shape{directions, batch, hidden} : Shape{batch, directions, hidden});
    return Status::ok();
}

template <int64_t Gates>
Status inferGates(InferenceContext& context) {
    return inferRecurrent(context, Gates);
}

/// Two products a gate and step.
double recurrentFlops(const CostContext& cost) {
    const Dims &x = cost.inputs[0], &w = cost.inputs[1], &r = cost.inputs[2];
    return 2.0 * static_cast<double>(x[0] * x[1]) * static_cast<double>(elementCount(w) + elementCount(r));
}

OpDefinition recurrent(const char* name, int maxInputs, int maxOutputs, std::vector<AttributeSpec> extra,
                       Status (*infer)(InferenceContext&)) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::Recurrent;
    op.minInputs = 3;
    op.maxInputs = maxInputs;
    op.minOutputs = 0;
    op.maxOutputs = maxOutputs;
    op.attributes = std::move(extra);
    op.attributes.insert(op.attributes.end(), {{"activation_alpha", AttributeKind::Floats},
                                               {"activation_beta", AttributeKind::Floats},
                                               {"activations", AttributeKind::Strings},
                                               {"clip", AttributeKind::Float},
                                               {"direction", AttributeKind::String},
                                               {"hidden_size", AttributeKind::Int},
                                               {"layout", AttributeKind::Int}});
    op.infer = infer;
    op.flops = recurrentFlops;
    return op;
}

}  // namespace

STROBE_OPS(recurrent) {
    registry.add(recurrent("LSTM", 8, 3, {{"input_forget", AttributeKind::Int}}, inferGates<4>));
    registry.add(recurrent("GRU", 6, 2, {{"linear_before_reset", AttributeKind::Int}}, inferGates<3>));
    registry.add(recurrent("RNN", 6, 2, {}, inferGates<1>));
}

}  // namespace strobe
