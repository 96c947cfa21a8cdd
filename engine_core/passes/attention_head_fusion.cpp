#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

const std::vector<int64_t> kHeadsFirst = {0, 2, 1, 3};

/// N×S×(heads·width) behind Reshape (to N×S×heads×width) and Transpose (to N×heads×S×width).
struct Split {
    TensorId source = kNone;
    int64_t heads = 0;
    std::vector<LayerId> layers;
    int64_t begin = 0, width = -1;  // the part of the source's last extent that is meant; width −1: all of it
};

std::optional<Split> splitBefore(const Network& network, TensorId tensor) {
    const Layer* transpose = producerOf(network, tensor, "Transpose");
    const Layer* reshape = transpose ? producerOf(network, transpose->inputs[0], "Reshape") : nullptr;
    if (!reshape || transpose->attributes.getInts("perm") != kHeadsFirst) return std::nullopt;
    const Tensor &in = network.tensor(reshape->inputs[0]), &out = network.tensor(reshape->outputs[0]);
    if (!in.rankKnown || in.shape.size() != 3 || out.shape.size() != 4 || !out.shape[2].isConstant() ||
        !out.shape[3].isConstant())
        return std::nullopt;
    if (in.shape[0] != out.shape[0] || in.shape[1] != out.shape[1]) return std::nullopt;
    return Split{in.id, out.shape[2].constant(), {transpose->id, reshape->id}};
}

/// One of Q, K, V that a single product made: N×S×(3·heads·width) behind Reshape (to N×S×3×heads×width), Transpose (to
/// 3×N×heads×S×width), Slice of one and Squeeze.
std::optional<Split> splitOfPacked(const Network& network, TensorId tensor) {
    const Layer* squeeze = producerOf(network, tensor, "Squeeze");
    const Layer* slice = squeeze ? producerOf(network, squeeze->inputs[0], "Slice") : nullptr;
    const Layer* transpose = slice ? producerOf(network, slice->inputs[0], "Transpose") : nullptr;
    const Layer* reshape = transpose ? producerOf(network, transpose->inputs[0], "Reshape") : nullptr;
    if (!reshape || transpose->attributes.getInts("perm") != std::vector<int64_t>{2, 0, 3, 1, 4}) return std::nullopt;
    const auto begin = integerConstant(network, slice->inputs[1]), axes = integerConstant(network, inputAt(*slice, 3));
    const Tensor &in = network.tensor(reshape->inputs[0]), &out = network.tensor(reshape->outputs[0]);
    const Shape& one = network.tensor(slice->outputs[0]).shape;
    if (!begin || begin->size() != 1 || begin->front() < 0 || begin->front() > 2 || !axes ||
        *axes != std::vector<int64_t>{0} || one.empty() || !one[0].isConstant(1) ||
        integerConstant(network, inputAt(*squeeze, 1)) != std::vector<int64_t>{0})
        return std::nullopt;
    if (!in.rankKnown || in.shape.size() != 3 || out.shape.size() != 5 || !out.shape[2].isConstant(3) ||
        in.shape[0] != out.shape[0] || in.shape[1] != out.shape[1] || !out.shape[3].isConstant() ||
        !out.shape[4].isConstant())
        return std::nullopt;
    const int64_t heads = out.shape[3].constant(), width = heads * out.shape[4].constant();
    return Split{in.id, heads, {squeeze->id, slice->id, transpose->id, reshape->id}, begin->front() * width, width};
}

/// The split's part of its source as a tensor of its own.
Result<TensorId> sourceOf(Network& network, const Split& split) {
    if (split.width < 0) return split.source;
    const Tensor& source = network.tensor(split.source);
    const std::string name = source.name + ".part";
    const TensorId part = network.addTensor(name, source.type);
    const auto vector = [&](const char* what, int64_t value) {
        return network.addConstant(name + what, makeInt64Weights({1}, std::vector<int64_t>{value}));
    };
    const TensorId begin = vector(".begin", split.begin), end = vector(".end", split.begin + split.width),
                   axis = vector(".axis", 2);
    const LayerId id =
        network.addLayer(name, OpRegistry::instance().get("Slice"), {}, {split.source, begin, end, axis}, {part});
    network.layer(id).provenance = mergedProvenance(network, split.layers);
    STROBE_RETURN_IF_ERROR(inferLayer(network, id));
    return part;
}

/// Transpose back and Reshape to N×S×(heads·width) behind the attention.
bool matchMerge(const Network& network, TensorId output, Fusion& fusion) {
    const Layer* transpose = onlyReader(network, output);
    if (!transpose || !isPlain(*transpose, "Transpose") || transpose->attributes.getInts("perm") != kHeadsFirst)
        return false;
    const Layer* reshape = onlyReader(network, transpose->outputs[0]);
    if (!reshape || !isPlain(*reshape, "Reshape") || reshape->inputs[0] != transpose->outputs[0]) return false;
    const Tensor &in = network.tensor(transpose->outputs[0]), &out = network.tensor(reshape->outputs[0]);
    if (in.shape.size() != 4 || out.shape.size() != 3 || out.shape[0] != in.shape[0] || out.shape[1] != in.shape[1])
        return false;
    fusion.layers.insert(fusion.layers.end(), {transpose->id, reshape->id});
    fusion.outputs = {out.id};
    return true;
}

/// Layers of `fusion` that others read too stay alive for those; the rest goes.
void keepShared(const Network& network, Fusion& fusion, LayerId attention) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < fusion.layers.size() && !changed; ++i) {
            const LayerId id = fusion.layers[i];
            const TensorId output = network.layer(id).outputs[0];
            if (id == attention || output == fusion.outputs[0] || whyVisible(network, output, fusion.layers).empty())
                continue;
            fusion.layers.erase(fusion.layers.begin() + static_cast<std::ptrdiff_t>(i));
            changed = true;
        }
    }
}

Status rewrite(Network& network, const PassContext& context, LayerId id) {
    const Layer& attention = network.layer(id);
    for (size_t i = 4; i < attention.inputs.size(); ++i)
        if (attention.inputs[i] != kNone) return Status::ok();  // past keys and values are 4-D
    if (attention.outputs.size() != 1 || network.tensor(attention.outputs[0]).shape.size() != 4) return Status::ok();
    Fusion fusion;
    fusion.layers = {id};
    fusion.inputs = attention.inputs;
    int64_t heads[3] = {};
    std::vector<Split> splits;
    for (size_t i = 0; i < 3; ++i) {
        auto split = splitBefore(network, attention.inputs[i]);
        if (!split) split = splitOfPacked(network, attention.inputs[i]);
        if (!split) {
            context.miss(
                network, id,
                "input '" + network.tensor(attention.inputs[i]).name + "' is not a Transpose of a Reshape into heads");
            return Status::ok();
        }
        heads[i] = split->heads;
        fusion.layers.insert(fusion.layers.end(), split->layers.begin(), split->layers.end());
        splits.push_back(std::move(*split));
    }
    if (heads[1] != heads[2] || !matchMerge(network, attention.outputs[0], fusion)) {
        context.miss(network, id,
                     "its output '" + network.tensor(attention.outputs[0]).name +
                         "' is not merged from heads by Transpose and Reshape alone");
        return Status::ok();
    }
    keepShared(network, fusion, id);
    fusion.namesake = id;
    fusion.op = attention.op;
    fusion.attributes = attention.attributes;
    for (size_t i = 0; i < splits.size(); ++i) {
        STROBE_ASSIGN(fusion.inputs[i], sourceOf(network, splits[i]));
    }
    fusion.attributes.set("q_num_heads", heads[0]);
    fusion.attributes.set("kv_num_heads", heads[1]);
    fusion.description = "Attention reads its " + std::to_string(heads[0]) + " heads where they lie: no transposes";
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        return isPlain(network.layer(id), "Attention") ? rewrite(network, context, id) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeAttentionHeadFusion() {
    return makePass("AttentionHeadFusion",
                    "Takes the split into heads and back into Attention's three-dimensional form.", run);
}

}  // namespace strobe
