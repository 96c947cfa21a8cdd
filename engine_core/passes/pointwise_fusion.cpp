#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/pointwise_form.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

// Beyond these a tile of every input and value no longer fits the first-level cache.
constexpr size_t kMaxInputs = 8;
constexpr size_t kMaxInstructions = 48;

/// Stands alone as a Pointwise layer: one element type throughout, and inputs that give the output's shape.
std::string whyNotAlone(const Network& network, const PointwiseForm& form, TensorId output) {
    const Tensor& out = network.tensor(output);
    if (form.inputs.empty()) return "'" + out.name + "' depends on numbers alone; it is for constant folding";
    if (!isRealType(out.type)) return "its output '" + out.name + "' is " + std::string(dataTypeName(out.type));
    for (TensorId input : form.inputs)
        if (const Tensor& in = network.tensor(input); in.type != out.type)
            return "input '" + in.name + "' is " + std::string(dataTypeName(in.type)) + ", the result " +
                   std::string(dataTypeName(out.type));
    if (!broadcastsTo(network, form.inputs, out.shape)) return "a constant decides the shape of '" + out.name + "'";
    return {};
}

std::string describe(const PointwiseProgram& program) {
    std::string text;
    for (const PointwiseInstruction& in : program.instructions)
        if (in.op != PointwiseOp::Constant) text += (text.empty() ? "" : "·") + std::string(pointwiseOpName(in.op));
    return text;
}

/// The producer's program placed inside its only reader's.
std::optional<PointwiseForm> joined(const Network& network, const Layer& producer, const Layer& reader) {
    PointwiseComposer composer;
    const auto inner = compose(composer, network, producer);
    if (!inner) return std::nullopt;
    const auto outer = compose(composer, network, reader, {{producer.outputs[0], *inner}});
    if (!outer) return std::nullopt;
    // Two unequal symbolic extents broadcast to the first: the widest input leads.
    TensorId widest = kNone;
    for (const Layer* layer : {&reader, &producer})
        for (TensorId input : layer->inputs)
            if (widest == kNone && input != kNone &&
                network.tensor(input).shape == network.tensor(reader.outputs[0]).shape)
                widest = input;
    return composer.finish({*outer}, widest);
}

/// Why a producer and its reader must stay two layers; empty: `form` is what they compute together.
std::string whyNotJoined(const Network& network, const Layer& producer, const Layer& reader,
                         std::optional<PointwiseForm>& form) {
    const Tensor &between = network.tensor(producer.outputs[0]), &out = network.tensor(reader.outputs[0]);
    if (between.shape != out.shape)
        return "its output '" + between.name + "' " + toString(between.shape) + " is broadcast by '" + reader.name +
               "' to " + toString(out.shape) + "; it would be computed again for every element";
    form = joined(network, producer, reader);
    if (!form) return "'" + reader.name + "' has no scalar form";
    if (form->inputs.size() > kMaxInputs)
        return "together with '" + reader.name + "' it would read " + std::to_string(form->inputs.size()) + " tensors";
    if (form->program.instructions.size() > kMaxInstructions)
        return "together with '" + reader.name + "' the program would be too long";
    return whyNotAlone(network, *form, reader.outputs[0]);
}

/// `layers` end in the reader of all others.
Fusion programLayer(const Network& network, std::vector<LayerId> layers, PointwiseForm form, std::string description) {
    Fusion fusion;
    fusion.namesake = layers.back();
    fusion.outputs = {network.layer(layers.back()).outputs[0]};
    fusion.layers = std::move(layers);
    fusion.op = OpRegistry::instance().get("Pointwise");
    fusion.inputs = std::move(form.inputs);
    fusion.program = std::move(form.program);
    fusion.description = std::move(description);
    return fusion;
}

/// Pulls producers into the layer until none fits.
Status absorbProducers(Network& network, const PassContext& context, LayerId id) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (TensorId input : std::vector<TensorId>(network.layer(id).inputs)) {
            const Layer* producer = input == kNone ? nullptr : producerOf(network, input);
            if (!producer || !pointwiseForm(network, *producer)) continue;
            const LayerId inside[] = {id, producer->id};
            std::optional<PointwiseForm> form;
            std::string reason = whyVisible(network, input, inside);
            if (reason.empty()) reason = whyNotJoined(network, *producer, network.layer(id), form);
            if (!reason.empty()) {
                context.miss(network, producer->id, std::move(reason));
                continue;
            }
            std::string description =
                describe(form->program) + ": one loop, '" + network.tensor(input).name + "' stays in registers";
            STROBE_ASSIGN(id,
                          fuse(network, context,
                               programLayer(network, {producer->id, id}, std::move(*form), std::move(description))));
            changed = true;
            break;
        }
    }
    return Status::ok();
}

Status runFusion(Network& network, PassContext& context) {
    std::vector<LayerId> order = network.topologicalOrder();
    // From the end, so that a chain is pulled into its last layer in one go.
    std::reverse(order.begin(), order.end());
    for (LayerId id : order) {
        if (context.cancel.isCancelled()) return cancelled();
        if (!network.layer(id).removed && pointwiseForm(network, network.layer(id)))
            STROBE_RETURN_IF_ERROR(absorbProducers(network, context, id));
    }
    return Status::ok();
}

/// What is left alone becomes a Pointwise layer as well: one kernel serves them all.
Status runLowering(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) -> Status {
        const Layer& layer = network.layer(id);
        if (layer.op->name == "Pointwise") return Status::ok();
        auto form = pointwiseForm(network, layer);
        if (form && !whyNotAlone(network, *form, layer.outputs[0]).empty()) return Status::ok();
        if (!form) form = rankFreeForm(network, layer);
        if (!form || isTrivial(form->program)) return Status::ok();
        return fuse(network, context,
                    programLayer(network, {id}, std::move(*form), layer.op->name + " as a pointwise program"))
            .status();
    });
}

}  // namespace

std::unique_ptr<Pass> makePointwiseFusion() {
    return makePass("PointwiseFusion", "Joins neighbouring element-wise layers into one loop over memory.", runFusion);
}

std::unique_ptr<Pass> makePointwiseLowering() {
    return makePass("PointwiseLowering",
                    "Writes single element-wise layers as pointwise programs, so that one kernel serves them.",
                    runLowering);
}

}  // namespace strobe
