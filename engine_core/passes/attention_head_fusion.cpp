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
    for (size_t i = 0; i < 3; ++i) {
        auto split = splitBefore(network, attention.inputs[i]);
        if (!split) {
            context.miss(
                network, id,
                "input '" + network.tensor(attention.inputs[i]).name + "' is not a Transpose of a Reshape into heads");
            return Status::ok();
        }
        heads[i] = split->heads;
        fusion.inputs[i] = split->source;
        fusion.layers.insert(fusion.layers.end(), split->layers.begin(), split->layers.end());
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
