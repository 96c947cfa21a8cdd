#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// The one axis along which the layer reduces and keeps an extent of 1.
std::optional<int64_t> singleAxis(const Network& network, const Layer& reduce) {
    const auto axes = integerConstant(network, inputAt(reduce, 1));
    const Tensor& in = network.tensor(reduce.inputs[0]);
    if (!axes || axes->size() != 1 || !in.rankKnown || !reduce.attributes.getBool("keepdims", true))
        return std::nullopt;
    return axes->front() < 0 ? axes->front() + static_cast<int64_t>(in.shape.size()) : axes->front();
}

/// exp(x [− max x]) / Σ exp(x [− max x]). Softmax's own maximum makes the unshifted form safer, never different.
Status rewrite(Network& network, const PassContext& context, LayerId id) {
    const Layer& div = network.layer(id);
    const Layer* exp = producerOf(network, div.inputs[0], "Exp");
    const Layer* sum = producerOf(network, div.inputs[1], "ReduceSum");
    if (!exp || !sum || sum->inputs[0] != exp->outputs[0] || !isRealType(network.tensor(div.outputs[0]).type))
        return Status::ok();
    const auto axis = singleAxis(network, *sum);
    if (!axis) return Status::ok();
    Fusion fusion;
    fusion.layers = {id, exp->id, sum->id};
    TensorId x = exp->inputs[0];
    const Layer* shift = producerOf(network, x, "Sub");
    const Layer* maximum = shift ? producerOf(network, shift->inputs[1], "ReduceMax") : nullptr;
    if (maximum && maximum->inputs[0] == shift->inputs[0] && singleAxis(network, *maximum) == axis) {
        fusion.layers.insert(fusion.layers.end(), {shift->id, maximum->id});
        x = shift->inputs[0];
    }
    const TensorId kept[] = {div.outputs[0]};
    if (std::string why = whyVisible(network, fusion.layers, kept); !why.empty()) {
        context.miss(network, id, "Softmax: inside " + why);
        return Status::ok();
    }
    fusion.namesake = id;
    fusion.op = OpRegistry::instance().get("Softmax");
    fusion.attributes.set("axis", *axis);
    fusion.inputs = {x};
    fusion.outputs = {div.outputs[0]};
    fusion.description = std::to_string(fusion.layers.size()) + " layers together are one Softmax";
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        return isPlain(network.layer(id), "Div") ? rewrite(network, context, id) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeSoftmaxFusion() {
    return makePass("SoftmaxFusion", "Recognises softmax written out in exponentials and sums.", run);
}

}  // namespace strobe
