#include <algorithm>
#include <map>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// Constants up to this size are compared by content: scalars and small vectors that exporters write once per use.
constexpr size_t kMaxComparedBytes = size_t{64} << 10;

void mergeEqualConstants(Network& network) {
    std::map<std::string, TensorId> known;
    for (TensorId id = 0; id < network.tensorCount(); ++id) {
        const Tensor& t = network.tensor(id);
        if (!t.constant || t.isOutput || t.uses.empty() || t.type == DataType::String ||
            t.constant->bytes > kMaxComparedBytes)
            continue;
        std::string key = std::string(dataTypeName(t.type)) + toString(t.constant->dims) + ":";
        key.append(static_cast<const char*>(t.constant->data.get()), t.constant->bytes);
        const auto [place, isNew] = known.emplace(std::move(key), id);
        if (!isNew) network.replaceAllUses(id, place->second);
    }
}

std::string keyOf(const Layer& layer) {
    std::string key = layer.op->name + layer.attributes.toString();
    for (const auto& [name, value] : layer.attributes.values())
        if (const auto* weights = std::get_if<WeightsPtr>(&value))
            key += "&" + std::to_string(reinterpret_cast<uintptr_t>(weights->get()));
    if (layer.program) key += "[" + layer.program->toString() + "]";
    for (TensorId input : layer.inputs) key += "," + std::to_string(input);
    key += ">";
    for (TensorId output : layer.outputs) key += output == kNone ? "_" : "o";
    return key;
}

/// An output's name cannot move to a tensor that is an output itself.
std::string whyNotMerged(const Network& network, const Layer& duplicate, const Layer& original) {
    for (size_t i = 0; i < duplicate.outputs.size(); ++i) {
        if (duplicate.outputs[i] == kNone) continue;
        const Tensor &d = network.tensor(duplicate.outputs[i]), &o = network.tensor(original.outputs[i]);
        if (d.isOutput && o.isOutput) return "it equals '" + original.name + "', but both results are network outputs";
    }
    return {};
}

Status run(Network& network, PassContext& context) {
    mergeEqualConstants(network);
    std::map<std::string, LayerId> known;
    return forEachLayer(network, context, [&](LayerId id) {
        const Layer& layer = network.layer(id);
        if (layer.op->nondeterministic || !layer.subgraphs.empty()) return Status::ok();
        const auto [place, isNew] = known.emplace(keyOf(layer), id);
        if (isNew) return Status::ok();
        Layer& original = network.layer(place->second);
        if (std::string reason = whyNotMerged(network, layer, original); !reason.empty()) {
            context.miss(network, id, std::move(reason));
            return Status::ok();
        }
        const LayerId both[] = {original.id, id};
        RewriteRecord record;
        record.result = original.name;
        record.replaced = {layer.name};
        record.provenance = mergedProvenance(network, both);
        record.description = layer.op->name + ": computes the same as '" + original.name + "'";
        original.provenance = record.provenance;
        for (size_t i = 0; i < layer.outputs.size(); ++i)
            if (layer.outputs[i] != kNone) network.replaceAllUses(layer.outputs[i], original.outputs[i]);
        network.removeLayer(id);
        context.record(std::move(record));
        return Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeDuplicateElimination() {
    return makePass("DuplicateElimination", "Computes equal layers on equal inputs once.", run);
}

}  // namespace strobe
