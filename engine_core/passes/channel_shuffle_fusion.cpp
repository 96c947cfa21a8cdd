#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// N×C×… seen as N×group×C/group×…: the group, when the middle shape says so and is that of `x` otherwise.
std::optional<int64_t> groupOf(const Shape& x, const Shape& middle) {
    if (x.size() < 2 || middle.size() != x.size() + 1 || !middle[1].isConstant() || !middle[2].isConstant()) return std::nullopt;
    if (middle[0] != x[0] || x[1] != middle[1] * middle[2]) return std::nullopt;
    if (!std::equal(x.begin() + 2, x.end(), middle.begin() + 3)) return std::nullopt;
    return middle[1].constant();
}

bool swapsAxesOneAndTwo(const std::vector<int64_t>& perm) {
    for (size_t i = 0; i < perm.size(); ++i)
        if (perm[i] != (i == 1 ? 2 : i == 2 ? 1 : static_cast<int64_t>(i))) return false;
    return perm.size() >= 3;
}

/// Reshape to groups, Transpose of group and channel, Reshape back: written so, the tensor must lie in plain layout, and what follows
/// convolutions in another one is reformatted twice.
Status rewrite(Network& network, const PassContext& context, LayerId id) {
    const Layer& back = network.layer(id);
    const Layer* transpose = producerOf(network, back.inputs[0], "Transpose");
    const Layer* split = transpose ? producerOf(network, transpose->inputs[0], "Reshape") : nullptr;
    if (!split || !swapsAxesOneAndTwo(transpose->attributes.getInts("perm"))) return Status::ok();
    const Tensor &x = network.tensor(split->inputs[0]), &middle = network.tensor(split->outputs[0]), &y = network.tensor(back.outputs[0]);
    if (!x.rankKnown || x.shape != y.shape) return Status::ok();
    const auto group = groupOf(x.shape, middle.shape);
    if (!group) return Status::ok();
    Fusion fusion;
    fusion.layers = {id, transpose->id, split->id};
    const TensorId kept[] = {back.outputs[0]};
    if (std::string why = whyVisible(network, fusion.layers, kept); !why.empty()) {
        context.miss(network, id, "ChannelShuffle: inside " + why);
        return Status::ok();
    }
    fusion.namesake = transpose->id;
    fusion.op = OpRegistry::instance().get("ChannelShuffle");
    fusion.attributes.set("group", *group);
    fusion.inputs = {split->inputs[0]};
    fusion.outputs = {back.outputs[0]};
    fusion.description = "Reshape + Transpose + Reshape: one shuffle of channels, in any layout";
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    // Other devices transpose; a copy to the host and back would cost more than this saves.
    if (context.config.device != "cpu") return Status::ok();
    return forEachLayer(network, context, [&](LayerId id) { return isPlain(network.layer(id), "Reshape") ? rewrite(network, context, id) : Status::ok(); });
}

}  // namespace

std::unique_ptr<Pass> makeChannelShuffleFusion() {
    return makePass("ChannelShuffleFusion", "Recognises channel shuffles written as reshapes around a transpose.", run);
}

}  // namespace strobe
