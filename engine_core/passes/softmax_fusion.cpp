#include <limits>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// The axis of a reduction of `x` by `op` that meets x again as `tensor`, with the reshapes between; what it was made
/// of is appended to `layers`.
std::optional<int64_t> reducedAxis(const Network& network, TensorId tensor, TensorId x, std::string_view op,
                                   std::vector<LayerId>& layers) {
    std::vector<LayerId> seen;
    TensorId reduced = behindReshapes(network, tensor, seen);
    // jax starts its maximum at −∞.
    const Layer* floor = op == "ReduceMax" ? producerOf(network, reduced, "Max") : nullptr;
    const auto operation = floor ? scalarOperation(network, *floor) : std::nullopt;
    if (operation && operation->scalar == -std::numeric_limits<double>::infinity()) {
        seen.push_back(floor->id);
        reduced = behindReshapes(network, operation->operand, seen);
    }
    const Layer* reduction = producerOf(network, reduced, op);
    if (!reduction || reduction->inputs[0] != x) return std::nullopt;
    const std::vector<int64_t> axes = reducedAxes(network, *reduction);
    if (axes.size() != 1 || !isReductionOf(network, tensor, x, axes)) return std::nullopt;
    layers.insert(layers.end(), seen.begin(), seen.end());
    layers.push_back(reduction->id);
    return axes.front();
}

/// exp(x [− max x]) / Σ exp(x [− max x]). Softmax's own maximum makes the unshifted form safer, never different.
Status rewrite(Network& network, const PassContext& context, LayerId id) {
    const Layer& div = network.layer(id);
    const Layer* exp = producerOf(network, div.inputs[0], "Exp");
    if (!exp || !isRealType(network.tensor(div.outputs[0]).type)) return Status::ok();
    Fusion fusion;
    fusion.layers = {id, exp->id};
    const auto axis = reducedAxis(network, div.inputs[1], exp->outputs[0], "ReduceSum", fusion.layers);
    if (!axis) return Status::ok();
    TensorId x = exp->inputs[0];
    const Layer* shift = producerOf(network, x, "Sub");
    std::vector<LayerId> layers;
    if (shift && reducedAxis(network, shift->inputs[1], shift->inputs[0], "ReduceMax", layers) == axis) {
        fusion.layers.push_back(shift->id);
        fusion.layers.insert(fusion.layers.end(), layers.begin(), layers.end());
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
