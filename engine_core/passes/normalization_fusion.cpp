#include "engine_core/ops/compute_shapes.h"
#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// What has been recognised of (x − mean) / √(var + ε) · γ + β.
struct Match {
    std::vector<LayerId> layers;
    TensorId x = kNone, last = kNone, scale = kNone, shift = kNone;
    int64_t axis = 0;  // first of the normalised ones
    double epsilon = 0;
    bool centred = false;
};

/// First axis of a mean over the last axes that keeps them with extent 1; nullopt: another reduction.
std::optional<int64_t> trailingAxis(const Network& network, const Layer& mean) {
    if (!mean.attributes.getBool("keepdims", true) || !network.tensor(mean.inputs[0]).rankKnown) return std::nullopt;
    const auto rank = static_cast<int64_t>(network.tensor(mean.inputs[0]).shape.size());
    const auto given = integerConstant(network, inputAt(mean, 1));
    if (!given || given->empty()) return std::nullopt;
    const auto axes = normalizeAxes(*given, rank);
    if (!axes) return std::nullopt;
    for (size_t i = 0; i < axes->size(); ++i)
        if ((*axes)[i] != rank - static_cast<int64_t>(axes->size() - i)) return std::nullopt;
    return axes->front();
}

/// The S of √S or S^0.5 (exponent 0.5), or of 1/√S or S^−0.5 (exponent −0.5).
TensorId powerOperand(const Network& network, TensorId tensor, double exponent, Match& match) {
    if (const Layer* pow = producerOf(network, tensor, "Pow")) {
        const auto operation = scalarOperation(network, *pow);
        if (!operation || operation->operandIndex != 0 || !isNear(operation->scalar, exponent)) return kNone;
        match.layers.push_back(pow->id);
        return operation->operand;
    }
    if (exponent > 0) {
        const Layer* root = producerOf(network, tensor, "Sqrt");
        if (!root) return kNone;
        match.layers.push_back(root->id);
        return root->inputs[0];
    }
    const Layer* inverse = producerOf(network, tensor, "Reciprocal");
    TensorId denominator = inverse ? inverse->inputs[0] : kNone;
    if (!inverse && (inverse = producerOf(network, tensor, "Div"))) {
        const auto operation = scalarOperation(network, *inverse);
        if (operation && operation->operandIndex == 1 && operation->scalar == 1.0) denominator = operation->operand;
    }
    if (denominator == kNone) return kNone;
    match.layers.push_back(inverse->id);
    return powerOperand(network, denominator, 0.5, match);
}

bool isSquareOf(const Network& network, const Layer& layer, TensorId value) {
    if (isPlain(layer, "Mul")) return layer.inputs[0] == value && layer.inputs[1] == value;
    const auto operation = isPlain(layer, "Pow") ? scalarOperation(network, layer) : std::nullopt;
    return operation && operation->operandIndex == 0 && operation->operand == value && operation->scalar == 2.0;
}

/// S = mean(value²) + ε.
bool matchMeanSquare(const Network& network, TensorId sum, TensorId value, Match& match) {
    const Layer* add = producerOf(network, sum, "Add");
    const auto operation = add ? scalarOperation(network, *add) : std::nullopt;
    const Layer* mean = operation ? producerOf(network, operation->operand, "ReduceMean") : nullptr;
    const Layer* square = mean ? producerOf(network, mean->inputs[0]) : nullptr;
    const auto axis = mean ? trailingAxis(network, *mean) : std::nullopt;
    if (!square || !axis || !isSquareOf(network, *square, value)) return false;
    match.epsilon = operation->scalar;
    match.axis = *axis;
    match.layers.insert(match.layers.end(), {add->id, mean->id, square->id});
    return true;
}

/// value = x − mean(x) over the same axes; otherwise x is the value itself.
void matchCentring(const Network& network, TensorId value, Match& match) {
    match.x = value;
    const Layer* sub = producerOf(network, value, "Sub");
    const Layer* mean = sub ? producerOf(network, sub->inputs[1], "ReduceMean") : nullptr;
    if (!mean || mean->inputs[0] != sub->inputs[0] || trailingAxis(network, *mean) != match.axis) return;
    match.x = sub->inputs[0];
    match.centred = true;
    match.layers.insert(match.layers.end(), {sub->id, mean->id});
}

/// Has the shape of the normalised extents.
bool isPerElement(const Network& network, TensorId tensor, const Match& match) {
    if (tensor == kNone) return false;
    const Tensor &t = network.tensor(tensor), &x = network.tensor(match.x);
    const Shape inner(x.shape.begin() + match.axis, x.shape.end());
    return t.rankKnown && t.shape == inner && t.type == x.type;
}

/// γ and β, when they follow.
void matchScaleAndShift(const Network& network, Match& match) {
    const Layer* mul = onlyReader(network, match.last);
    if (!mul || !isPlain(*mul, "Mul") || !isPerElement(network, otherOperand(*mul, match.last), match)) return;
    match.scale = otherOperand(*mul, match.last);
    match.last = mul->outputs[0];
    match.layers.push_back(mul->id);
    const Layer* add = onlyReader(network, match.last);
    if (!match.centred || !add || !isPlain(*add, "Add") ||
        !isPerElement(network, otherOperand(*add, match.last), match))
        return;
    match.shift = otherOperand(*add, match.last);
    match.last = add->outputs[0];
    match.layers.push_back(add->id);
}

std::optional<Match> matchAt(const Network& network, const Layer& layer) {
    const bool divides = isPlain(layer, "Div");
    if (!divides && !isPlain(layer, "Mul")) return std::nullopt;
    for (size_t side : divides ? std::vector<size_t>{1} : std::vector<size_t>{1, 0}) {
        Match match;
        match.layers = {layer.id};
        const TensorId value = layer.inputs[1 - side];
        const TensorId sum = powerOperand(network, layer.inputs[side], divides ? 0.5 : -0.5, match);
        if (sum == kNone || !matchMeanSquare(network, sum, value, match)) continue;
        matchCentring(network, value, match);
        match.last = layer.outputs[0];
        if (!isRealType(network.tensor(match.x).type) ||
            network.tensor(match.x).shape != network.tensor(match.last).shape)
            continue;
        matchScaleAndShift(network, match);
        return match;
    }
    return std::nullopt;
}

Status rewrite(Network& network, const PassContext& context, LayerId root, Match match) {
    const TensorId kept[] = {match.last};
    std::string why = whyVisible(network, match.layers, kept);
    const Tensor& x = network.tensor(match.x);
    const Shape inner(x.shape.begin() + match.axis, x.shape.end());
    if (why.empty() && match.scale == kNone && !isConstant(inner))
        why = "the normalised extents " + toString(inner) + " are not constant";
    const char* name = match.centred ? "LayerNormalization" : "RMSNormalization";
    if (!why.empty()) {
        context.miss(network, root, std::string(name) + ": inside " + why);
        return Status::ok();
    }
    if (match.scale == kNone) {
        const Dims dims = toDims(inner);
        const std::vector<float> ones(static_cast<size_t>(elementCount(dims)), 1.0f);
        match.scale = network.addConstant(network.layer(root).name + ".ones", weightsFromFloats(x.type, dims, ones));
    }
    Fusion fusion;
    fusion.description = std::to_string(match.layers.size()) + " layers together are one " + name;
    fusion.layers = std::move(match.layers);
    fusion.namesake = root;
    fusion.op = OpRegistry::instance().get(name);
    fusion.attributes.set("axis", match.axis);
    fusion.attributes.set("epsilon", static_cast<float>(match.epsilon));
    fusion.inputs = {match.x, match.scale};
    if (match.shift != kNone) fusion.inputs.push_back(match.shift);
    fusion.outputs = {match.last};
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        auto match = matchAt(network, network.layer(id));
        return match ? rewrite(network, context, id, std::move(*match)) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeNormalizationFusion() {
    return makePass("NormalizationFusion", "Recognises layer and RMS normalisation written out in means and roots.",
                    run);
}

}  // namespace strobe
