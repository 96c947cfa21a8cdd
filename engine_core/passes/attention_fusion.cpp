#include <cmath>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// softmax(scale·Q·Kᵀ [+ mask])·V on N×heads×sequence×width tensors.
struct Match {
    std::vector<LayerId> layers;
    TensorId q = kNone, k = kNone, v = kNone, mask = kNone, output = kNone;
    double scale = 1;
    std::vector<int64_t> keyPerm;  // what the Transpose before Q·Kᵀ does to K's source; empty: none, MatMul has transB
};

bool isPlainProduct(const Network& network, const Layer& layer) {
    return isPlain(layer, "MatMul") && inputAt(layer, 2) == kNone && !layer.attributes.getBool("transA", false) &&
           network.tensor(layer.outputs[0]).rankKnown && network.tensor(layer.outputs[0]).shape.size() == 4 &&
           network.tensor(layer.inputs[0]).shape.size() == 4 && network.tensor(layer.inputs[1]).shape.size() == 4;
}

/// Steps over a Mul or Div by a number; its factor goes into the scale.
TensorId overScale(const Network& network, TensorId tensor, Match& match) {
    const Layer* layer = producerOf(network, tensor);
    if (!layer || (!isPlain(*layer, "Mul") && !isPlain(*layer, "Div"))) return tensor;
    const auto operation = scalarOperation(network, *layer);
    if (!operation || (isPlain(*layer, "Div") && operation->operandIndex != 0)) return tensor;
    match.scale *= isPlain(*layer, "Mul") ? operation->scalar : 1.0 / operation->scalar;
    match.layers.push_back(layer->id);
    return operation->operand;
}

/// The mask must only widen along its own extents of 1. Not along the keys: there Attention masks what a shorter mask
/// does not reach.
bool broadcastsInto(const Network& network, TensorId mask, TensorId scores) {
    const Tensor &m = network.tensor(mask), &s = network.tensor(scores);
    if (!m.rankKnown || m.shape.empty() || m.shape.size() > s.shape.size() || m.type != s.type) return false;
    if (m.shape.back() != s.shape.back()) return false;
    for (size_t i = 0; i + 1 < m.shape.size(); ++i)
        if (!m.shape[i].isConstant(1) && m.shape[i] != s.shape[s.shape.size() - m.shape.size() + i]) return false;
    return true;
}

/// Steps over Add(scores, mask): the operand that leads to Q·Kᵀ goes on.
TensorId overMask(const Network& network, TensorId tensor, Match& match) {
    const Layer* add = producerOf(network, tensor, "Add");
    if (!add) return tensor;
    for (size_t i : {0, 1}) {
        Match probe;
        const TensorId scores = add->inputs[i], mask = add->inputs[1 - i];
        const Layer* product = producerOf(network, overScale(network, scores, probe), "MatMul");
        if (!product || !isPlainProduct(network, *product) || !broadcastsInto(network, mask, scores)) continue;
        match.mask = mask;
        match.layers.push_back(add->id);
        return scores;
    }
    return tensor;
}

bool matchScores(const Network& network, const Layer& product, Match& match) {
    match.layers.push_back(product.id);
    match.scale *= static_cast<double>(product.attributes.getFloat("alpha", 1.0f));
    match.q = overScale(network, product.inputs[0], match);
    const TensorId key = overScale(network, product.inputs[1], match);
    if (product.attributes.getBool("transB", false)) {
        match.k = key;
        return true;
    }
    const Layer* transpose = producerOf(network, key, "Transpose");
    if (!transpose) return false;
    match.keyPerm = transpose->attributes.getInts("perm");
    match.k = overScale(network, transpose->inputs[0], match);
    match.layers.push_back(transpose->id);
    return match.keyPerm.size() == 4;
}

/// MatMul broadcasts batch and heads, Attention only lets query heads share one key head.
bool sharesHeads(const Network& network, const Layer& product, const Layer& last) {
    const Shape &q = network.tensor(product.inputs[0]).shape, &k = network.tensor(product.inputs[1]).shape,
                &v = network.tensor(last.inputs[1]).shape;
    return q[0] == k[0] && q[0] == v[0] && k[1] == v[1] && (q[1] == k[1] || k[1].isConstant(1));
}
std::optional<Match> matchAt(const Network& network, const Layer& last) {
    if (!isPlainProduct(network, last) || last.attributes.getBool("transB", false) ||
        last.attributes.getFloat("alpha", 1.0f) != 1.0f)
        return std::nullopt;
    const Layer* softmax = producerOf(network, last.inputs[0], "Softmax");
    if (!softmax) return std::nullopt;
    const int64_t axis = softmax->attributes.getInt("axis", -1);
    if (axis != -1 && axis != 3) return std::nullopt;
    Match match;
    match.layers = {last.id, softmax->id};
    match.v = last.inputs[1];
    match.output = last.outputs[0];
    TensorId scores = overMask(network, softmax->inputs[0], match);
    scores = overScale(network, scores, match);
    const Layer* product = producerOf(network, scores, "MatMul");
    if (!product || !isPlainProduct(network, *product) || !sharesHeads(network, *product, last)) return std::nullopt;
    if (!matchScores(network, *product, match)) return std::nullopt;
    return match;
}

/// K with its sequence before its width: the Transpose undone, or a cheaper one in its place.
Result<TensorId> keyTensor(Network& network, const Match& match, const std::vector<int>& provenance) {
    if (match.keyPerm.empty()) return match.k;
    std::vector<int64_t> perm = match.keyPerm;
    std::swap(perm[2], perm[3]);
    if (perm == std::vector<int64_t>{0, 1, 2, 3}) return match.k;
    const TensorId key = network.addTensor(network.tensor(match.k).name + ".key", network.tensor(match.k).type);
    STROBE_RETURN_IF_ERROR(addTranspose(network, match.k, key, perm, provenance));
    return key;
}

Status rewrite(Network& network, const PassContext& context, LayerId root, const Match& match) {
    const TensorId kept[] = {match.output};

    std::vector<LayerId> layers = match.layers;
    if (std::string why = whyVisible(network, layers, kept); !why.empty()) {
        context.miss(network, root, "Attention: inside " + why);
        return Status::ok();
    }
    if (!isRealType(network.tensor(match.output).type)) {
        context.miss(network, root,
                     "Attention: its type is " + std::string(dataTypeName(network.tensor(match.output).type)));
        return Status::ok();
    }
    STROBE_ASSIGN(const TensorId key, keyTensor(network, match, mergedProvenance(network, layers)));
    Fusion fusion;
    fusion.description = std::to_string(layers.size()) + " layers together are one Attention";
    fusion.layers = std::move(layers);
    fusion.namesake = root;
    fusion.op = OpRegistry::instance().get("Attention");
    fusion.attributes.set("scale", static_cast<float>(match.scale));
    fusion.inputs = {match.q, key, match.v};
    if (match.mask != kNone) fusion.inputs.push_back(match.mask);
    fusion.outputs = {match.output};
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        const auto match = matchAt(network, network.layer(id));
        return match ? rewrite(network, context, id, *match) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeAttentionFusion() {
    return makePass("AttentionFusion", "Recognises scaled dot-product attention, so that its scores stay in cache.",
                    run);
}

}  // namespace strobe
