#include <algorithm>
#include <cstring>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// Joined outputs up to this many channels: beyond it one product fills the machine by itself, and splitting costs a
/// copy of the result.
constexpr int64_t kMaxJointChannels = 4096;
/// A product with more rows than this is bound by arithmetic: nothing is saved by reading the input once.
constexpr int64_t kMaxRows = 64;

int64_t channelsOf(const Network& network, const Layer& layer) {
    const Dims& dims = network.tensor(layer.inputs[1]).constant->dims;
    if (layer.op->name == "Conv") return dims[0];
    return layer.attributes.getBool("transB", false) ? dims[0] : dims[1];
}

bool isPointwiseConv(const Layer& layer, const Dims& weights) {
    const auto isAll = [&](const char* name, int64_t value) {
        const auto values = layer.attributes.getInts(name);
        return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == value; });
    };
    return weights.size() > 2 && layer.attributes.getInt("group", 1) == 1 && isAll("strides", 1) && isAll("pads", 0) &&
           std::all_of(weights.begin() + 2, weights.end(), [](int64_t extent) { return extent == 1; });
}

/// Constant weights and bias: the part of the condition that one layer can tell.
bool isCandidate(const Network& network, const Layer& layer) {
    if (layer.op->name != "MatMul" && layer.op->name != "Conv") return false;
    if (layer.program && layer.program->inputCount > 1) return false;  // a residual is another one for each
    const Tensor& w = network.tensor(layer.inputs[1]);
    const TensorId bias = inputAt(layer, 2);
    if (!w.constant || !isRealType(w.type) || (bias != kNone && !network.tensor(bias).constant)) return false;
    if (layer.op->name == "Conv") return isPointwiseConv(layer, w.constant->dims);
    const Tensor& x = network.tensor(layer.inputs[0]);
    return w.constant->dims.size() == 2 && (!x.rankKnown || x.shape.size() >= 2);
}

bool areAlike(const Network& network, const Layer& a, const Layer& b) {
    const Dims &wa = network.tensor(a.inputs[1]).constant->dims, &wb = network.tensor(b.inputs[1]).constant->dims;
    return a.op == b.op && a.inputs[0] == b.inputs[0] && a.attributes.toString() == b.attributes.toString() &&
           a.program == b.program && wa.size() == wb.size() &&
           network.tensor(a.inputs[1]).type == network.tensor(b.inputs[1]).type;
}

/// Requires a known rank. Rows (or pixels) of the result when constant, else −1.
int64_t rowsOf(const Network& network, const Layer& layer) {
    const Shape& y = network.tensor(layer.outputs[0]).shape;
    if (!isConstant(y)) return -1;
    return elementCount(toDims(y)) / std::max<int64_t>(1, channelsOf(network, layer));
}

/// Weights side by side along the output channels. Unfinished once cancelled.
WeightsPtr joinedWeights(const Network& network, const std::vector<LayerId>& layers, bool alongRows,
                         const CancelToken& cancel) {
    const Weights& first = *network.tensor(network.layer(layers[0]).inputs[1]).constant;
    const size_t axis = alongRows ? 0 : 1;
    Dims dims = first.dims;
    dims[axis] = 0;
    for (LayerId id : layers) dims[axis] += network.tensor(network.layer(id).inputs[1]).constant->dims[axis];
    auto [weights, data] = allocateWeights(first.type, dims);
    const int64_t outer = alongRows ? 1 : dims[0];
    auto* to = static_cast<uint8_t*>(data);
    for (int64_t o = 0; o < outer; ++o)
        for (LayerId id : layers) {
            const Weights& part = *network.tensor(network.layer(id).inputs[1]).constant;
            const size_t bytes = part.bytes / static_cast<size_t>(outer);
            const uint8_t* from = static_cast<const uint8_t*>(part.data.get()) + static_cast<size_t>(o) * bytes;
            inSteps(&cancel, bytes, kBytesPerPoll,
                    [&](size_t start, size_t end) { std::memcpy(to + start, from + start, end - start); });
            to += bytes;
        }
    return weights;
}

WeightsPtr joinedBias(const Network& network, const std::vector<LayerId>& layers, DataType type) {
    std::vector<float> values;
    bool any = false;
    for (LayerId id : layers) {
        const TensorId bias = inputAt(network.layer(id), 2);
        any = any || bias != kNone;
        std::vector<float> part(static_cast<size_t>(channelsOf(network, network.layer(id))), 0.0f);
        if (bias != kNone) part = toFloats(*network.tensor(bias).constant);
        values.insert(values.end(), part.begin(), part.end());
    }
    return any ? weightsFromFloats(type, {static_cast<int64_t>(values.size())}, values) : nullptr;
}

/// One layer over all channels, and a Split that gives each old result its part.
Status join(Network& network, const PassContext& context, const std::vector<LayerId>& layers) {
    const Layer first = network.layer(layers[0]);
    const bool isConv = first.op->name == "Conv";
    const DataType type = network.tensor(first.inputs[1]).type;
    std::vector<int64_t> channels;
    std::vector<TensorId> parts;
    for (LayerId id : layers) {
        channels.push_back(channelsOf(network, network.layer(id)));
        parts.push_back(network.layer(id).outputs[0]);
    }
    Shape shape = network.tensor(parts[0]).shape;
    const size_t axis = isConv ? 1 : shape.size() - 1;
    int64_t total = 0;
    for (int64_t count : channels) total += count;
    shape[axis] = Dim(total);
    const TensorId weights =
        network.addConstant(first.name + ".joint_weights",
                            joinedWeights(network, layers, isConv || first.attributes.getBool("transB", false),
                                          context.cancel));
    std::vector<TensorId> inputs = {first.inputs[0], weights, kNone};
    if (WeightsPtr bias = joinedBias(network, layers, type))
        inputs[2] = network.addConstant(first.name + ".joint_bias", std::move(bias));
    const TensorId joint = network.addTensor(first.name + ".joint", network.tensor(parts[0]).type, shape);
    for (TensorId part : parts) network.setOutput(network.tensor(part).producer, 0, kNone);
    Fusion fusion;
    fusion.layers = layers;
    fusion.namesake = layers[0];
    fusion.op = first.op;
    fusion.attributes = first.attributes;
    fusion.inputs = std::move(inputs);
    fusion.outputs = {joint};
    fusion.program = first.program;
    fusion.description =
        std::to_string(layers.size()) + " " + first.op->name + " layers read one input: computed together, then split";
    STROBE_ASSIGN(const LayerId id, fuse(network, context, std::move(fusion)));
    Attributes attributes;
    attributes.set("axis", static_cast<int64_t>(axis));
    const TensorId sizes = network.addConstant(first.name + ".joint_sizes",
                                               makeInt64Weights({static_cast<int64_t>(channels.size())}, channels));
    const LayerId split = network.addLayer(network.layer(id).name + ".split", OpRegistry::instance().get("Split"),
                                           std::move(attributes), {joint, sizes}, parts);
    network.layer(split).provenance = network.layer(id).provenance;
    return inferLayer(network, split);
}

/// Layers that read the tensor and may be computed together; empty when it does not pay.
std::vector<LayerId> groupAt(const Network& network, const PassContext& context, const Tensor& x) {
    std::vector<LayerId> group;
    int64_t channels = 0;
    for (const TensorUse& use : x.uses) {
        const Layer& layer = network.layer(use.layer);
        if (use.index != 0 || !isCandidate(network, layer) ||
            (!group.empty() && !areAlike(network, network.layer(group[0]), layer)))
            continue;
        group.push_back(use.layer);
        channels += channelsOf(network, layer);
    }
    if (group.size() < 2) return {};
    std::string why = whyNoRank(network, network.layer(group[0]).outputs[0]);
    const int64_t rows = why.empty() ? rowsOf(network, network.layer(group[0])) : 0;
    if (channels > kMaxJointChannels)
        why = "together with its neighbours it would have " + std::to_string(channels) + " output channels";
    if (rows < 0) why = "its rows are not known before it runs, so what a joint product saves is not either";
    if (rows > kMaxRows)
        why = "with " + std::to_string(rows) + " rows a joint product saves less than splitting its result costs";
    if (why.empty()) return group;
    context.miss(network, group[0], why);
    return {};
}

Status run(Network& network, PassContext& context) {
    for (TensorId id = 0, count = network.tensorCount(); id < count; ++id) {
        if (context.cancel.isCancelled()) return cancelled();
        if (!network.isAlive(id) || network.tensor(id).constant || network.tensor(id).uses.size() < 2) continue;
        const std::vector<LayerId> group = groupAt(network, context, network.tensor(id));
        if (!group.empty()) STROBE_RETURN_IF_ERROR(join(network, context, group));
    }
    return Status::ok();
}

}  // namespace

std::unique_ptr<Pass> makeHorizontalFusion() {
    return makePass("HorizontalFusion", "Computes products and 1×1 convolutions that read one small input together.",
                    run);
}

}  // namespace strobe
