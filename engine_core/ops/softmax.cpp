#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

Status inferSoftmax(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(
        normalizeAxis(context.attributes().getInt("axis", -1), static_cast<int64_t>(context.inputShape(0).size()))
            .status());
    return inferLikeInput0(context);
}

}  // namespace

STROBE_OPS(softmax) {
    for (const char* name : {"Softmax", "LogSoftmax", "Hardmax"}) {
        OpDefinition op;
        op.name = name;
        op.family = OpFamily::Attention;
        op.minInputs = op.maxInputs = 1;
        op.attributes = {{"axis", AttributeKind::Int}};
        op.infer = inferSoftmax;
        op.flops = flopsPerInput<5>;
        registry.add(std::move(op));
    }
}

}  // namespace strobe
