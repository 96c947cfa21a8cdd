#include "engine_core/passes/normalization_match.h"

#include <algorithm>
#include <cmath>

namespace strobe {
namespace {

using Match = NormalizationMatch;

bool isNormalized(const Match& match, size_t axis) {
    return std::binary_search(match.axes.begin(), match.axes.end(), static_cast<int64_t>(axis));
}

/// The ReduceSum that `tensor` is a multiple of, and by what.
const Layer* scaledSum(const Network& network, TensorId tensor, double& factor, std::vector<LayerId>& layers) {
    const Layer* scaling = producerOf(network, tensor);
    const bool divides = scaling && isPlain(*scaling, "Div");
    if (!scaling || (!divides && !isPlain(*scaling, "Mul"))) return nullptr;
    const auto operation = scalarOperation(network, *scaling);
    if (!operation || (divides && operation->operandIndex != 0)) return nullptr;
    factor = divides ? 1.0 / operation->scalar : operation->scalar;
    layers.push_back(scaling->id);
    return producerOf(network, behindReshapes(network, operation->operand, layers), "ReduceSum");
}

/// Tight, so that 1/(n − 1) is not 1/n.
bool isShareOf(const Network& network, const Layer& sum, const std::vector<int64_t>& axes, double factor) {
    double count = 1;
    for (int64_t axis : axes) {
        const Dim& extent = network.tensor(sum.inputs[0]).shape[static_cast<size_t>(axis)];
        if (!extent.isConstant()) return false;
        count *= static_cast<double>(extent.constant());
    }
    return std::fabs(factor * count - 1) < 2e-7;
}

struct Mean {
    TensorId of = kNone;
    std::vector<int64_t> axes;
};

std::optional<Mean> matchMean(const Network& network, TensorId tensor, std::vector<LayerId>& layers) {
    const TensorId reduced = behindReshapes(network, tensor, layers);
    double factor = 0;
    const Layer* reduction = producerOf(network, reduced, "ReduceMean");
    const bool averages = reduction != nullptr;
    if (!averages) reduction = scaledSum(network, reduced, factor, layers);
    if (!reduction) return std::nullopt;
    std::vector<int64_t> axes = reducedAxes(network, *reduction);
    if (axes.empty() || (!averages && !isShareOf(network, *reduction, axes, factor))) return std::nullopt;
    layers.push_back(reduction->id);
    return Mean{reduction->inputs[0], std::move(axes)};
}

/// The S of √S or S^0.5 (exponent 0.5), or of 1/√S or S^−0.5 (exponent −0.5).
TensorId powerOperand(const Network& network, TensorId tensor, double exponent, Match& match) {
    tensor = behindReshapes(network, tensor, match.layers);
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

/// The v of v² or v·v.
TensorId squareOperand(const Network& network, TensorId tensor, std::vector<LayerId>& layers) {
    const Layer* layer = producerOf(network, tensor);
    if (!layer) return kNone;
    TensorId operand = kNone;
    if (isPlain(*layer, "Mul") && layer->inputs[0] == layer->inputs[1]) operand = layer->inputs[0];
    const auto power = isPlain(*layer, "Pow") ? scalarOperation(network, *layer) : std::nullopt;
    if (power && power->operandIndex == 0 && power->scalar == 2.0) operand = power->operand;
    if (operand != kNone) layers.push_back(layer->id);
    return operand;
}

/// mean(v²); gives v.
TensorId meanSquareOperand(const Network& network, TensorId tensor, Match& match) {
    const auto mean = matchMean(network, tensor, match.layers);
    if (!mean) return kNone;
    match.axes = mean->axes;
    return squareOperand(network, mean->of, match.layers);
}

bool keepsAxes(const Network& network, TensorId tensor, const Match& match) {
    return isReductionOf(network, tensor, match.x, match.axes);
}

/// value = x − mean(x) over the match's axes; otherwise x is the value itself.
void matchCentring(const Network& network, TensorId value, Match& match) {
    match.x = value;
    const Layer* sub = producerOf(network, value, "Sub");
    std::vector<LayerId> layers;
    const auto mean = sub ? matchMean(network, sub->inputs[1], layers) : std::nullopt;
    if (!mean || mean->of != sub->inputs[0] || mean->axes != match.axes) return;
    Match centred = match;
    centred.x = sub->inputs[0];
    if (!keepsAxes(network, sub->inputs[1], centred)) return;
    match.x = centred.x;
    match.centred = true;
    match.layers.push_back(sub->id);
    match.layers.insert(match.layers.end(), layers.begin(), layers.end());
}

/// max(0, v): rounding can make mean x² − mean² negative.
TensorId behindClamp(const Network& network, TensorId tensor, Match& match) {
    const Layer* clamp = producerOf(network, tensor, "Max");
    const auto operation = clamp ? scalarOperation(network, *clamp) : std::nullopt;
    if (!operation || operation->scalar != 0.0) return tensor;
    match.layers.push_back(clamp->id);
    return behindReshapes(network, operation->operand, match.layers);
}

/// variance = mean(x²) − mean(x)², and value = x − mean(x).
bool matchFastVariance(const Network& network, TensorId variance, TensorId value, Match& match) {
    const Layer* sub = producerOf(network, behindClamp(network, variance, match), "Sub");
    if (!sub) return false;
    const Tensor &minuend = network.tensor(sub->inputs[0]), &subtrahend = network.tensor(sub->inputs[1]);
    if (!minuend.rankKnown || !subtrahend.rankKnown || minuend.shape != subtrahend.shape) return false;
    const TensorId x = meanSquareOperand(network, sub->inputs[0], match);
    const TensorId squared = behindReshapes(network, sub->inputs[1], match.layers);
    const TensorId mean = x == kNone ? kNone : squareOperand(network, squared, match.layers);
    const auto averaged = mean == kNone ? std::nullopt : matchMean(network, mean, match.layers);
    if (!averaged || averaged->of != x || averaged->axes != match.axes) return false;
    match.layers.push_back(sub->id);
    matchCentring(network, value, match);
    return match.centred && match.x == x;
}

/// variance = mean(value²), where value may be x − mean(x).
bool matchVariance(const Network& network, TensorId variance, TensorId value, Match& match) {
    if (meanSquareOperand(network, variance, match) != value) return false;
    matchCentring(network, value, match);
    return true;
}

/// deviation = (variance + ε) ^ exponent, for `value` to be divided or multiplied by.
bool matchDeviation(const Network& network, TensorId deviation, double exponent, TensorId value, Match& match) {
    const TensorId sum = powerOperand(network, deviation, exponent, match);
    const Layer* add = sum == kNone ? nullptr : producerOf(network, sum, "Add");
    const auto operation = add ? scalarOperation(network, *add) : std::nullopt;
    if (!operation) return false;
    match.layers.push_back(add->id);
    match.epsilon = operation->scalar;
    const TensorId variance = behindReshapes(network, operation->operand, match.layers);
    Match fast = match;
    if (matchFastVariance(network, variance, value, fast))
        match = std::move(fast);
    else if (!matchVariance(network, variance, value, match))
        return false;
    return keepsAxes(network, deviation, match);
}

/// Varies along the axes and along nothing else: as it is if its shape says just that, or a constant among extents
/// of 1.
bool isPerElement(const Network& network, TensorId tensor, const Match& match) {
    if (tensor == kNone) return false;
    const Tensor &t = network.tensor(tensor), &x = network.tensor(match.x);
    if (!t.rankKnown || t.type != x.type || t.shape.size() > x.shape.size()) return false;
    const size_t missing = x.shape.size() - t.shape.size();
    for (size_t axis = 0; axis < x.shape.size(); ++axis) {
        const Dim extent = axis < missing ? Dim(1) : t.shape[axis - missing];
        if (extent != (isNormalized(match, axis) ? x.shape[axis] : Dim(1))) return false;
    }
    return t.constant || t.shape == normalizedShape(network, match);
}

/// deviation · γ is multiplied before x meets it.
bool matchScaledDeviation(const Network& network, TensorId factor, TensorId value, Match& match) {
    const Layer* mul = producerOf(network, factor, "Mul");
    if (!mul) return false;
    for (const size_t side : {0, 1}) {
        Match tried = match;
        if (!matchDeviation(network, mul->inputs[side], -0.5, value, tried)) continue;
        if (!isPerElement(network, mul->inputs[1 - side], tried)) continue;
        tried.scale = mul->inputs[1 - side];
        tried.layers.push_back(mul->id);
        match = std::move(tried);
        return true;
    }
    return false;
}

/// γ and β, when they follow.
void matchScaleAndShift(const Network& network, Match& match) {
    if (match.scale == kNone) {
        const Layer* mul = onlyReader(network, match.last);
        if (!mul || !isPlain(*mul, "Mul") || !isPerElement(network, otherOperand(*mul, match.last), match)) return;
        match.scale = otherOperand(*mul, match.last);
        match.last = mul->outputs[0];
        match.layers.push_back(mul->id);
    }
    const Layer* add = onlyReader(network, match.last);
    if (!match.centred || !add || !isPlain(*add, "Add")) return;
    if (!isPerElement(network, otherOperand(*add, match.last), match)) return;
    match.shift = otherOperand(*add, match.last);
    match.last = add->outputs[0];
    match.layers.push_back(add->id);
}

std::optional<Match> matchSide(const Network& network, const Layer& root, size_t side) {
    const TensorId factor = root.inputs[side], value = root.inputs[1 - side];
    const bool divides = isPlain(root, "Div");
    Match match;
    match.layers = {root.id};
    Match scaled = match;
    if (!divides && matchScaledDeviation(network, factor, value, scaled))
        match = std::move(scaled);
    else if (!matchDeviation(network, factor, divides ? 0.5 : -0.5, value, match))
        return std::nullopt;
    match.last = root.outputs[0];
    const Tensor &x = network.tensor(match.x), &result = network.tensor(match.last);
    if (!isRealType(x.type) || x.shape != result.shape) return std::nullopt;
    matchScaleAndShift(network, match);
    return match;
}

}  // namespace

Shape normalizedShape(const Network& network, const NormalizationMatch& match) {
    Shape shape;
    for (int64_t axis : match.axes) shape.push_back(network.tensor(match.x).shape[static_cast<size_t>(axis)]);
    return shape;
}

std::optional<NormalizationMatch> matchNormalization(const Network& network, const Layer& root) {
    const bool divides = isPlain(root, "Div");
    if (!divides && !isPlain(root, "Mul")) return std::nullopt;
    auto match = matchSide(network, root, 1);
    return match || divides ? match : matchSide(network, root, 0);
}

}  // namespace strobe
