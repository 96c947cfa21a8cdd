#include "engine_core/ops/inference_helpers.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

Status inferTranspose(InferenceContext& context) {
    const Shape& x = context.inputShape(0);
    std::vector<int64_t> perm = context.attributes().getInts("perm");
    if (!context.attributes().has("perm"))
        for (size_t i = x.size(); i-- > 0;) perm.push_back(static_cast<int64_t>(i));
    if (perm.size() != x.size())
        return invalidModel("attribute 'perm' has " + std::to_string(perm.size()) + " values, input 0 has rank " +
                            std::to_string(x.size()));
    std::vector<bool> seen(x.size(), false);
    Shape y;
    for (int64_t axis : perm) {
        // Unlike other axes, these do not count from the back.
        if (axis < 0 || axis >= static_cast<int64_t>(x.size()) || seen[static_cast<size_t>(axis)])
            return invalidModel("attribute 'perm' is " + toString(Dims(perm)) + ", each of 0 to " +
                                std::to_string(static_cast<int64_t>(x.size()) - 1) + " is needed once");
        seen[static_cast<size_t>(axis)] = true;
        y.push_back(x[static_cast<size_t>(axis)]);
    }
    context.setOutput(0, context.inputType(0), y);
    passValues(context, y);
    return Status::ok();
}

Result<int64_t> blockSize(const InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRank(context, 0, 4));
    const std::string mode = context.attributes().getString("mode", "DCR");
    if (mode != "DCR" && mode != "CRD")
        return invalidModel("attribute 'mode' is '" + mode + "'; DCR or CRD is allowed");
    const int64_t block = context.attributes().getInt("blocksize", 0);
    if (block < 1 || block > 65536)
        return invalidModel("attribute 'blocksize' is " + std::to_string(block) + ", 1 or more is needed");
    return block;
}

Status requireDivisible(const Dim& extent, int64_t divisor, const char* what) {
    if (extent.isConstant() && extent.constant() % divisor != 0)
        return invalidModel(std::string(what) + " " + extent.toString() + " of input 0 is not divisible by " +
                            std::to_string(divisor));
    return Status::ok();
}

Status inferDepthToSpace(InferenceContext& context) {
    STROBE_ASSIGN(const int64_t block, blockSize(context));
    const Shape& x = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireDivisible(x[1], block * block, "channel count"));
    context.setOutput(0, context.inputType(0),
                      {x[0], Dim::floorDiv(x[1], Dim(block * block)), x[2] * Dim(block), x[3] * Dim(block)});
    return Status::ok();
}

Status inferSpaceToDepth(InferenceContext& context) {
    STROBE_ASSIGN(const int64_t block, blockSize(context));
    const Shape& x = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireDivisible(x[2], block, "height"));
    STROBE_RETURN_IF_ERROR(requireDivisible(x[3], block, "width"));
    context.setOutput(
        0, context.inputType(0),
        {x[0], x[1] * Dim(block * block), Dim::floorDiv(x[2], Dim(block)), Dim::floorDiv(x[3], Dim(block))});
    return Status::ok();
}

/// Channel i·group + j of the result is channel j·(C ÷ group) + i of the input.
Status inferChannelShuffle(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    const int64_t group = context.attributes().getInt("group", 0);
    if (group < 1) return invalidModel("attribute 'group' is " + std::to_string(group) + ", 1 or more is needed");
    STROBE_RETURN_IF_ERROR(requireDivisible(context.inputShape(0)[1], group, "channel count"));
    return inferLikeInput0(context);
}

Status inferReverseSequence(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    STROBE_RETURN_IF_ERROR(requireRank(context, 1, 1));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    const int64_t batch = context.attributes().getInt("batch_axis", 1),
                  time = context.attributes().getInt("time_axis", 0);
    if ((batch != 0 || time != 1) && (batch != 1 || time != 0))
        return invalidModel("attributes batch_axis " + std::to_string(batch) + " and time_axis " +
                            std::to_string(time) + ": one must be 0, the other 1");
    const Dim &have = context.inputShape(1)[0], &want = context.inputShape(0)[static_cast<size_t>(batch)];
    if (have.isConstant() && want.isConstant() && have != want)
        return invalidModel("input 1 has " + have.toString() + " lengths, the batch is " + want.toString());
    return inferLikeInput0(context);
}

Status inferTrilu(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    STROBE_RETURN_IF_ERROR(requireType(context, 1, kIntTypes));
    if (const Dim count = elementCount(context.inputShape(1)); count.isConstant() && count.constant() != 1)
        return invalidModel("input 1 (k) has " + count.toString() + " elements, one is needed");
    return inferLikeInput0(context);
}

}  // namespace

STROBE_OPS(transpose) {
    registry.add(copyOp("Transpose", 1, inferTranspose, {{"perm", AttributeKind::Ints}}));
    const std::vector<AttributeSpec> blocks = {{"blocksize", AttributeKind::Int, true},
                                               {"mode", AttributeKind::String}};
    registry.add(copyOp("DepthToSpace", 1, inferDepthToSpace, blocks));
    registry.add(copyOp("SpaceToDepth", 1, inferSpaceToDepth, blocks));
    OpDefinition shuffle = copyOp("ChannelShuffle", 1, inferChannelShuffle, {{"group", AttributeKind::Int, true}});
    shuffle.isInternal = true;
    registry.add(std::move(shuffle));
    OpDefinition reverse = copyOp("ReverseSequence", 1, inferReverseSequence,
                                  {{"batch_axis", AttributeKind::Int}, {"time_axis", AttributeKind::Int}});
    reverse.minInputs = reverse.maxInputs = 2;
    OpDefinition trilu = copyOp("Trilu", 1, inferTrilu, {{"upper", AttributeKind::Int}});
    trilu.maxInputs = 2;
    registry.add(std::move(reverse));
    registry.add(std::move(trilu));
}

}  // namespace strobe
