#include <algorithm>
#include <cstring>

#include "engine_core/passes/channel_affine.h"
#include "engine_core/passes/pass_list.h"

namespace strobe {
namespace {

bool hasChannelWeights(const Layer& layer) {
    return isPlain(layer, "Conv") || isPlain(layer, "ConvTranspose") || isPlain(layer, "MatMul");
}

/// The axis of the result that the rows of the weights make.
size_t channelAxis(const Network& network, const Layer& layer) {
    return layer.op->name == "MatMul" ? network.tensor(layer.outputs[0]).shape.size() - 1 : 1;
}

/// The output channel that element `flat` of the weights contributes to.
size_t channelOf(const Layer& layer, const Dims& dims, int64_t flat) {
    int64_t inner = 1;
    for (size_t i = 2; i < dims.size(); ++i) inner *= dims[i];
    const int64_t first = flat / inner / dims[1], second = flat / inner % dims[1];
    if (layer.op->name == "Conv") return static_cast<size_t>(first);
    if (layer.op->name == "MatMul")
        return static_cast<size_t>(layer.attributes.getBool("transB", false) ? first : second);
    const int64_t group = layer.attributes.getInt("group", 1);
    return static_cast<size_t>(first / (dims[0] / group) * dims[1] + second);
}

/// Unfinished once cancelled.
WeightsPtr scaledWeights(const Layer& layer, const Weights& weights, const std::vector<float>& scale,
                         const CancelToken& cancel) {
    auto [scaled, data] = allocateWeights(weights.type, weights.dims);
    const size_t element = dataTypeBytes(weights.type, 1);
    Weights part;
    part.type = weights.type;
    const auto scalePart = [&, to = static_cast<char*>(data)](size_t first, size_t last) {
        part.dims = {static_cast<int64_t>(last - first)};
        part.data = std::shared_ptr<const void>(weights.data, static_cast<const char*>(weights.data.get()) + first * element);
        std::vector<float> values = toFloats(part);
        for (size_t i = first; i < last; ++i)
            values[i - first] *= scale[channelOf(layer, weights.dims, static_cast<int64_t>(i))];
        std::memcpy(to + first * element, weightsFromFloats(weights.type, part.dims, values)->data.get(),
                    values.size() * element);
    };
    inSteps(&cancel, static_cast<size_t>(weights.count()), kBytesPerPoll / sizeof(float), scalePart);
    return scaled;
}

/// Why weights or bias cannot take the affine function; empty: they can.
std::string whyNotFolded(const Network& network, const Layer& layer, const ChannelAffine& affine) {
    const Tensor& w = network.tensor(layer.inputs[1]);
    const TensorId bias = inputAt(layer, 2);
    if (affine.scales() && (!w.constant || !isRealType(w.type))) return "its weights '" + w.name + "' are not constant";
    // Of a vector B no dim of the result is a column.
    if (layer.op->name == "MatMul" && (affine.scales() ? w.shape.size() != 2 : w.shape.size() < 2))
        return "its weights '" + w.name + "' are not a matrix";
    if (bias != kNone && !network.tensor(bias).constant)
        return "its bias '" + network.tensor(bias).name + "' is not constant";
    return {};
}

Result<LayerId> fold(Network& network, const PassContext& context, LayerId id, LayerId nextId,
                     const ChannelAffine& affine) {
    const Layer &layer = network.layer(id), &next = network.layer(nextId);
    const Tensor& w = network.tensor(layer.inputs[1]);
    const std::string weightsName = w.name;
    const DataType type = w.type;
    Fusion fusion;
    fusion.layers = {id, nextId};
    fusion.namesake = id;
    fusion.op = layer.op;
    fusion.attributes = layer.attributes;
    fusion.outputs = {next.outputs[0]};
    fusion.description = layer.op->name + " + " + next.op->name +
                         (affine.scales() ? ": folded into weights and bias" : ": became its bias");
    std::vector<float> bias(affine.shift.size(), 0.0f);
    if (const TensorId old = inputAt(layer, 2); old != kNone) bias = toFloats(*network.tensor(old).constant);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = bias[i] * affine.scale[i] + affine.shift[i];
    const TensorId x = layer.inputs[0];
    TensorId weights = layer.inputs[1];
    if (affine.scales())
        weights = network.addConstant(weightsName + ".scaled", scaledWeights(layer, *w.constant, affine.scale, context.cancel));
    const TensorId biasTensor =
        network.addConstant(weightsName + ".bias", weightsFromFloats(type, {static_cast<int64_t>(bias.size())}, bias));
    fusion.inputs = {x, weights, biasTensor};
    return fuse(network, context, std::move(fusion));
}

/// What the only reader of the layer's result computes, when it is affine per channel.
std::optional<ChannelAffine> nextAffine(const Network& network, const Layer& layer, const Layer& next,
                                        std::string& why) {
    const TensorId result = layer.outputs[0];
    const size_t axis = channelAxis(network, layer);
    if (isPlain(next, "BatchNormalization") && next.inputs[0] == result && axis == 1)
        return affineOfBatchNorm(network, next, why);
    return affineOfArithmetic(network, next, result, axis);
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) -> Status {
        while (hasChannelWeights(network.layer(id))) {
            const Layer& layer = network.layer(id);
            const Tensor& result = network.tensor(layer.outputs[0]);
            if (!result.rankKnown || result.shape.size() < 2 || result.uses.empty()) return Status::ok();
            const Layer& next = network.layer(result.uses.front().layer);
            std::string why;
            const auto affine = nextAffine(network, layer, next, why);
            if (!affine && why.empty()) return Status::ok();
            const LayerId inside[] = {next.id};
            if (const std::string seen = whyVisible(network, result.id, inside); why.empty() && !seen.empty()) {
                // x + 3 of a hard-swish is no scale that was missed.
                if (!isPlain(next, "BatchNormalization")) return Status::ok();
                why = seen;
            }
            if (why.empty() && network.tensor(next.outputs[0]).shape != result.shape) return Status::ok();
            if (why.empty()) why = whyNotFolded(network, layer, *affine);
            if (!why.empty()) {
                context.miss(network, id, std::move(why));
                return Status::ok();
            }
            STROBE_ASSIGN(id, fold(network, context, id, next.id, *affine));
        }
        return Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeConvBatchNormFusion() {
    return makePass("ConvBatchNormFusion", "Folds batch normalisation, scale and bias into the weights before them.",
                    run);
}

}  // namespace strobe
