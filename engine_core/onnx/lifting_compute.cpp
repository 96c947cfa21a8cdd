#include "engine_core/onnx/lifting.h"
#include "engine_core/ops/inference_helpers.h"

namespace strobe {
namespace {

/// Softmax, LogSoftmax and Hardmax worked on the input flattened to two dims at `axis` before opset 13.
Status flattenedSoftmax(NodeLift& node) {
    STROBE_ASSIGN(const int64_t axis, node.attribute<int64_t>("axis", 1));
    if (node.inputs.size() != 1)
        return invalidModel("has " + std::to_string(node.inputs.size()) + " inputs, 1 is needed");
    Attributes last;
    last.set("axis", int64_t{-1});
    if (const auto rank = node.rank(0)) {
        STROBE_ASSIGN(const int64_t normalized, normalizeAxis(axis, *rank));
        if (normalized == *rank - 1) {
            node.attributes = last;
            return Status::ok();
        }
    }
    Attributes flatten;
    flatten.set("axis", axis);
    STROBE_ASSIGN(const TensorId shape, node.emit("Shape", {}, {node.inputs[0]}));
    STROBE_ASSIGN(const TensorId flat, node.emit("Flatten", flatten, {node.inputs[0]}));
    const std::string op = node.op;
    STROBE_ASSIGN(const TensorId result, node.emit(op.c_str(), last, {flat}));
    node.become("Reshape", {}, {result, shape});
    return Status::ok();
}

Status clipToInputs(NodeLift& node) {
    const DataType type = node.input(0) ? node.input(0)->type : DataType::Float32;
    for (const auto& [name, slot] : {std::pair{"min", size_t{1}}, std::pair{"max", size_t{2}}}) {
        if (!node.attributes.has(name)) continue;
        STROBE_ASSIGN(const float limit, node.takeAttribute<float>(name, 0.0f));
        node.setInput(slot, node.scalar(name, type, limit));
    }
    return Status::ok();
}

/// At inference a dropout passes its input through, whatever its ratio.
Status dropoutOld(NodeLift& node) {
    if (node.inputs.size() > 1) node.inputs.resize(1);
    node.attributes.erase("ratio");
    node.attributes.erase("is_test");
    return Status::ok();
}

Status batchNormalizationSpatial(NodeLift& node) {
    STROBE_ASSIGN(const int64_t spatial, node.takeAttribute<int64_t>("spatial", 1));
    if (spatial != 1)
        return unsupported(
            "BatchNormalization with spatial=0 (a mean for every position) is not served; export with opset 9 or "
            "newer");
    node.attributes.erase("is_test");
    return Status::ok();
}

/// Only training fills the statistics outputs.
Status batchNormalizationInference(NodeLift& node) {
    STROBE_ASSIGN(const int64_t training, node.takeAttribute<int64_t>("training_mode", 0));
    if (training != 0)
        return unsupported("BatchNormalization is in training mode; export the model for inference (model.eval())");
    node.attributes.erase("momentum");
    node.outputCount = 1;
    return Status::ok();
}

/// Per-group scale and bias become per-channel ones.
Status groupNormalizationPerChannel(NodeLift& node) {
    const Tensor* x = node.input(0);
    STROBE_ASSIGN(const int64_t groups, node.attribute<int64_t>("num_groups", 0));
    if (!x || !x->rankKnown || x->shape.size() < 2 || !x->shape[1].isConstant())
        return unsupported("GroupNormalization of opset 18 needs a known channel count; export with opset 21 or newer");
    const int64_t channels = x->shape[1].constant();
    if (groups < 1 || channels % groups != 0)
        return invalidModel("attribute 'num_groups' is " + std::to_string(groups) + ", which does not divide " +
                            std::to_string(channels) + " channels");
    for (size_t i = 1; i < node.inputs.size() && i < 3; ++i) {
        STROBE_ASSIGN(const TensorId column,
                      node.emit("Reshape", {}, {node.inputs[i], node.ints("column", {groups, 1})}));
        STROBE_ASSIGN(const TensorId wide,
                      node.emit("Expand", {}, {column, node.ints("wide", {groups, channels / groups})}));
        STROBE_ASSIGN(node.inputs[i], node.emit("Reshape", {}, {wide, node.ints("channels", {channels})}));
    }
    return Status::ok();
}

Status dftAxisToInput(NodeLift& node) {
    STROBE_ASSIGN(const int64_t axis, node.takeAttribute<int64_t>("axis", 1));
    node.setInput(2, node.intScalar("axis", axis));
    return Status::ok();
}

/// The second input gives nothing but its type; without it, casts of constants fold.
Status castLikeKnownType(NodeLift& node) {
    const Tensor* like = node.input(1);
    if (!like || like->type == DataType::Undefined) return Status::ok();
    Attributes attributes = node.attributes;
    attributes.set("to", onnxTypeNumber(like->type));
    node.become("Cast", std::move(attributes), {node.inputs[0]});
    return Status::ok();
}

}  // namespace

void appendLiftingCompute(std::vector<LiftRule>& rules) {
    for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) rules.push_back({"", op, 13, flattenedSoftmax});
    const LiftRule own[] = {
        {"", "Clip", 11, clipToInputs},
        {"", "Dropout", 12, dropoutOld},
        {"", "BatchNormalization", 9, batchNormalizationSpatial},
        {"", "BatchNormalization", kEveryVersion, batchNormalizationInference},
        {"", "GroupNormalization", 21, groupNormalizationPerChannel},
        {"", "CastLike", kEveryVersion, castLikeKnownType},
        {"", "DFT", 20, dftAxisToInput},
    };
    rules.insert(rules.end(), std::begin(own), std::end(own));
}

}  // namespace strobe
