#include "engine_core/onnx/lifting.h"
#include "engine_core/ops/resize.h"

namespace strobe {
namespace {

Status axesToInput(NodeLift& node) {
    return node.attributeToInput("axes", 1);
}

Status splitToInput(NodeLift& node) {
    return node.attributeToInput("split", 1);
}

/// Without sizes, the parts were as many as the node has outputs.
Status splitNumOutputs(NodeLift& node) {
    if (!node.hasInput(1)) node.attributes.set("num_outputs", int64_t{node.outputCount});
    return Status::ok();
}

Status sliceToInputs(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(node.attributeToInput("starts", 1));
    STROBE_RETURN_IF_ERROR(node.attributeToInput("ends", 2));
    return node.attributeToInput("axes", 3);
}

Status padOldName(NodeLift& node) {
    if (!node.attributes.has("paddings")) return Status::ok();
    STROBE_ASSIGN(std::vector<int64_t> pads, node.takeAttribute<std::vector<int64_t>>("paddings", {}));
    node.attributes.set("pads", std::move(pads));
    return Status::ok();
}

Status padToInputs(NodeLift& node) {
    STROBE_RETURN_IF_ERROR(node.attributeToInput("pads", 1));
    STROBE_ASSIGN(const float value, node.takeAttribute<float>("value", 0.0f));
    if (value != 0.0f)
        node.setInput(2, node.scalar("value", node.input(0) ? node.input(0)->type : DataType::Float32, value));
    return Status::ok();
}

Status reshapeToInput(NodeLift& node) {
    return node.attributeToInput("shape", 1);
}

/// Tile-1: inputs tiles and axis, both scalars.
Status tileOld(NodeLift& node) {
    const auto rank = node.rank(0);
    const auto constantInt = [&](size_t index) -> std::optional<int64_t> {
        const Tensor* tensor = node.input(index);
        const auto values = tensor && tensor->constant ? toInt64s(*tensor->constant) : std::nullopt;
        return values && values->size() == 1 ? std::optional<int64_t>(values->front()) : std::nullopt;
    };
    const auto tiles = constantInt(1), axis = constantInt(2);
    if (!rank || !tiles || !axis)
        return unsupported(
            "Tile of opset 1 needs constant tiles and axis and a known rank; export with opset 6 or newer");
    if (*axis < 0 || *axis >= *rank)
        return invalidModel("axis " + std::to_string(*axis) + " is outside rank " + std::to_string(*rank));
    std::vector<int64_t> repeats(static_cast<size_t>(*rank), 1);
    repeats[static_cast<size_t>(*axis)] = *tiles;
    node.inputs = {node.inputs[0], node.ints("repeats", repeats)};
    return Status::ok();
}

Status topKToInput(NodeLift& node) {
    if (!node.attributes.has("k")) return Status::ok();
    STROBE_ASSIGN(const int64_t k, node.takeAttribute<int64_t>("k", 1));
    node.setInput(1, node.ints("k", {k}));
    return Status::ok();
}

Status upsampleHeightWidth(NodeLift& node) {
    STROBE_ASSIGN(const float height, node.takeAttribute<float>("height_scale", 1.0f));
    STROBE_ASSIGN(const float width, node.takeAttribute<float>("width_scale", 1.0f));
    node.attributes.set("scales", std::vector<float>{1.0f, 1.0f, height, width});
    STROBE_ASSIGN(const std::string mode, node.attribute<std::string>("mode", ""));
    if (mode == "bilinear") node.attributes.set("mode", std::string("linear"));
    return Status::ok();
}

Status upsampleScalesToInput(NodeLift& node) {
    STROBE_ASSIGN(const std::vector<float> scales, node.takeAttribute<std::vector<float>>("scales", {}));
    node.setInput(1, node.constant("scales", makeFloatWeights({static_cast<int64_t>(scales.size())}, scales)));
    return Status::ok();
}

/// Resize-10 and Upsample took no coordinate mode: output index / scale.
void addOldResizeMode(NodeLift& node, const char* nearest) {
    node.attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
    node.attributes.set("nearest_mode", std::string(nearest));
}

Status resizeScalesSlot(NodeLift& node) {
    if (node.inputs.size() != 2)
        return invalidModel("Resize of opset 10 has " + std::to_string(node.inputs.size()) + " inputs, 2 are needed");
    node.inputs = {node.inputs[0], kNone, node.inputs[1]};
    addOldResizeMode(node, kNearestByScale);
    return Status::ok();
}

Status upsampleToResize(NodeLift& node) {
    if (node.inputs.size() != 2)
        return invalidModel("Upsample has " + std::to_string(node.inputs.size()) + " inputs, 2 are needed");
    Attributes attributes;
    STROBE_ASSIGN(const std::string mode, node.attribute<std::string>("mode", "nearest"));
    attributes.set("mode", mode);
    node.become("Resize", std::move(attributes), {node.inputs[0], kNone, node.inputs[1]});
    addOldResizeMode(node, "floor");
    return Status::ok();
}

/// Newer files have no name for what Resize-10 did.
Status resizeNearestMode(NodeLift& node) {
    return node.version >= 11 ? requireNearestModeOfOnnx(node.attributes) : Status::ok();
}

/// Exporters fill roi, scales or sizes with empty tensors where they mean "absent".
Status resizeDropEmpty(NodeLift& node) {
    for (size_t i = 1; i < node.inputs.size(); ++i)
        if (const Tensor* tensor = node.input(i); tensor && tensor->constant && tensor->constant->count() == 0)
            node.inputs[i] = kNone;
    return Status::ok();
}

Status gridSampleModeNames(NodeLift& node) {
    STROBE_ASSIGN(const std::string mode, node.attribute<std::string>("mode", "bilinear"));
    node.attributes.set("mode", std::string(mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode));
    return Status::ok();
}

Status scatterToElements(NodeLift& node) {
    node.op = "ScatterElements";
    node.version = kAnyVersion;
    return Status::ok();
}

Status roiAlignOldMode(NodeLift& node) {
    if (!node.attributes.has("coordinate_transformation_mode"))
        node.attributes.set("coordinate_transformation_mode", std::string("output_half_pixel"));
    return Status::ok();
}

Status concatDefaultAxis(NodeLift& node) {
    if (!node.attributes.has("axis")) node.attributes.set("axis", int64_t{1});
    return Status::ok();
}

Status refuseOldScan(NodeLift&) {
    return unsupported(
        "Scan of opset 8 has a batch dimension of its own, which newer ones do not; export with opset 9 or newer");
}

}  // namespace

void appendLiftingShape(std::vector<LiftRule>& rules) {
    for (const char* op : {"Squeeze", "Unsqueeze", "ReduceSum"}) rules.push_back({"", op, 13, axesToInput});
    for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                           "ReduceMin", "ReduceProd", "ReduceSumSquare"})
        rules.push_back({"", op, 18, axesToInput});
    const LiftRule own[] = {
        {"", "Split", 13, splitToInput},
        {"", "Split", 18, splitNumOutputs},
        {"", "Slice", 10, sliceToInputs},
        {"", "Pad", 2, padOldName},
        {"", "Pad", 11, padToInputs},
        {"", "Reshape", 5, reshapeToInput},
        {"", "Tile", 6, tileOld},
        {"", "TopK", 10, topKToInput},
        {"", "Upsample", 7, upsampleHeightWidth},
        {"", "Upsample", 9, upsampleScalesToInput},
        {"", "Upsample", kAnyVersion, upsampleToResize},
        {"", "Resize", 11, resizeScalesSlot},
        {"", "Resize", kEveryVersion, resizeNearestMode},
        {"", "Resize", kEveryVersion, resizeDropEmpty},
        {"", "GridSample", 20, gridSampleModeNames},
        {"", "Scatter", kAnyVersion, scatterToElements},
        {"", "RoiAlign", 16, roiAlignOldMode},
        {"", "Concat", 4, concatDefaultAxis},
        {"", "Scan", 9, refuseOldScan},
    };
    rules.insert(rules.end(), std::begin(own), std::end(own));
}

}  // namespace strobe
