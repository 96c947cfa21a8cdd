#include "engine_core/onnx/lifting.h"

namespace strobe {
namespace {

Status axesToInput(NodeLift& node) {
    node.attributeToInput("axes", 1);
    return Status::ok();
}

Status splitToInput(NodeLift& node) {
    node.attributeToInput("split", 1);
    return Status::ok();
}

/// Without sizes, the parts were as many as the node has outputs.
Status splitNumOutputs(NodeLift& node) {
    if (!node.hasInput(1)) node.attributes.set("num_outputs", int64_t{node.outputCount});
    return Status::ok();
}

Status sliceToInputs(NodeLift& node) {
    node.attributeToInput("starts", 1);
    node.attributeToInput("ends", 2);
    node.attributeToInput("axes", 3);
    return Status::ok();
}

Status padOldName(NodeLift& node) {
    if (node.attributes.has("paddings")) node.attributes.set("pads", node.attributes.getInts("paddings"));
    node.attributes.erase("paddings");
    return Status::ok();
}

Status padToInputs(NodeLift& node) {
    node.attributeToInput("pads", 1);
    const float value = node.attributes.getFloat("value", 0.0f);
    node.attributes.erase("value");
    if (value != 0.0f)
        node.setInput(2, node.scalar("value", node.input(0) ? node.input(0)->type : DataType::Float32, value));
    return Status::ok();
}

Status reshapeToInput(NodeLift& node) {
    node.attributeToInput("shape", 1);
    return Status::ok();
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
    if (node.attributes.has("k")) node.setInput(1, node.ints("k", {node.attributes.getInt("k", 1)}));
    node.attributes.erase("k");
    return Status::ok();
}

Status upsampleHeightWidth(NodeLift& node) {
    const float height = node.attributes.getFloat("height_scale", 1.0f),
                width = node.attributes.getFloat("width_scale", 1.0f);
    node.attributes.erase("height_scale");
    node.attributes.erase("width_scale");
    node.attributes.set("scales", std::vector<float>{1.0f, 1.0f, height, width});
    if (node.attributes.getString("mode", "") == "bilinear") node.attributes.set("mode", std::string("linear"));
    return Status::ok();
}

Status upsampleScalesToInput(NodeLift& node) {
    const std::vector<float> scales = node.attributes.getFloats("scales");
    node.attributes.erase("scales");
    node.setInput(1, node.constant("scales", makeFloatWeights({static_cast<int64_t>(scales.size())}, scales)));
    return Status::ok();
}

/// Resize-10 and Upsample took no coordinate mode: output index / scale, rounded down.
void addOldResizeMode(NodeLift& node) {
    node.attributes.set("coordinate_transformation_mode", std::string("asymmetric"));
    node.attributes.set("nearest_mode", std::string("floor"));
}

Status resizeScalesSlot(NodeLift& node) {
    if (node.inputs.size() != 2)
        return invalidModel("Resize of opset 10 has " + std::to_string(node.inputs.size()) + " inputs, 2 are needed");
    node.inputs = {node.inputs[0], kNone, node.inputs[1]};
    addOldResizeMode(node);
    return Status::ok();
}

Status upsampleToResize(NodeLift& node) {
    if (node.inputs.size() != 2)
        return invalidModel("Upsample has " + std::to_string(node.inputs.size()) + " inputs, 2 are needed");
    Attributes attributes;
    attributes.set("mode", node.attributes.getString("mode", "nearest"));
    node.become("Resize", std::move(attributes), {node.inputs[0], kNone, node.inputs[1]});
    addOldResizeMode(node);
    return Status::ok();
}

/// Exporters fill roi, scales or sizes with empty tensors where they mean "absent".
Status resizeDropEmpty(NodeLift& node) {
    for (size_t i = 1; i < node.inputs.size(); ++i)
        if (const Tensor* tensor = node.input(i); tensor && tensor->constant && tensor->constant->count() == 0)
            node.inputs[i] = kNone;
    return Status::ok();
}

Status gridSampleModeNames(NodeLift& node) {
    const std::string mode = node.attributes.getString("mode", "bilinear");
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
