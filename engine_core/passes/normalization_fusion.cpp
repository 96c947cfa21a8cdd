#include <algorithm>
#include <set>

#include "engine_core/passes/normalization_match.h"
#include "engine_core/passes/pass_list.h"

namespace strobe {
namespace {

/// γ or β with the normalised extents and no others.
TensorId withShape(Network& network, TensorId tensor, const Shape& shape, const std::string& name) {
    if (network.tensor(tensor).shape == shape) return tensor;
    auto weights = std::make_shared<Weights>(*network.tensor(tensor).constant);
    weights->dims = toDims(shape);
    return network.addConstant(name, std::move(weights));
}

TensorId ones(Network& network, DataType type, const Shape& shape, const std::string& name) {
    const Dims dims = toDims(shape);
    const std::vector<float> values(static_cast<size_t>(elementCount(dims)), 1.0f);
    return network.addConstant(name, weightsFromFloats(type, dims, values));
}

/// Brings the normalised axes behind the others, which is where kernels want them.
std::vector<int64_t> permToLast(const NormalizationMatch& match, size_t rank) {
    std::vector<int64_t> perm;
    for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis)
        if (!std::binary_search(match.axes.begin(), match.axes.end(), axis)) perm.push_back(axis);
    perm.insert(perm.end(), match.axes.begin(), match.axes.end());
    return perm;
}

std::vector<int64_t> inverseOf(const std::vector<int64_t>& perm) {
    std::vector<int64_t> inverse(perm.size());
    for (size_t i = 0; i < perm.size(); ++i) inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
    return inverse;
}

Fusion fusionOf(Network& network, LayerId root, const NormalizationMatch& match) {
    const std::string name = network.layer(root).name;
    const Shape inner = normalizedShape(network, match);
    const DataType type = network.tensor(match.x).type;
    const size_t rank = network.tensor(match.x).shape.size();
    Fusion fusion;
    fusion.layers = match.layers;
    fusion.namesake = root;
    fusion.op = OpRegistry::instance().get(match.centred ? "LayerNormalization" : "RMSNormalization");
    fusion.attributes.set("axis", static_cast<int64_t>(rank - match.axes.size()));
    fusion.attributes.set("epsilon", static_cast<float>(match.epsilon));
    const TensorId scale = match.scale == kNone ? ones(network, type, inner, name + ".ones")
                                                : withShape(network, match.scale, inner, name + ".scale");
    fusion.inputs = {match.x, scale};
    if (match.shift != kNone) fusion.inputs.push_back(withShape(network, match.shift, inner, name + ".shift"));
    fusion.outputs = {match.last};
    fusion.description = std::to_string(std::set<LayerId>(match.layers.begin(), match.layers.end()).size()) +
                         " layers together are one " + fusion.op->name;
    return fusion;
}

/// Over other axes than the last: between two Transposes, which neighbours may take away.
Status fuseTransposed(Network& network, const PassContext& context, Fusion fusion, const std::vector<int64_t>& perm) {
    const std::string name = network.layer(fusion.namesake).name;
    const TensorId x = fusion.inputs[0], result = fusion.outputs[0];
    const std::vector<int> provenance = mergedProvenance(network, fusion.layers);
    const TensorId moved = network.addTensor(name + ".moved"), normalized = network.addTensor(name + ".normalized");
    STROBE_RETURN_IF_ERROR(addTranspose(network, x, moved, perm, provenance));
    fusion.inputs[0] = moved;
    fusion.outputs = {normalized};
    fusion.description += ", its axes moved to the end";
    network.setOutput(network.tensor(result).producer, 0, kNone);
    STROBE_RETURN_IF_ERROR(fuse(network, context, std::move(fusion)).status());
    return addTranspose(network, normalized, result, inverseOf(perm), provenance);
}

Status rewrite(Network& network, const PassContext& context, LayerId root, const NormalizationMatch& match) {
    const TensorId kept[] = {match.last};
    std::string why = whyVisible(network, match.layers, kept);
    const Shape inner = normalizedShape(network, match);
    if (why.empty() && match.scale == kNone && !isConstant(inner))
        why = "the normalised extents " + toString(inner) + " are not constant";
    if (!why.empty()) {
        context.miss(network, root,
                     std::string(match.centred ? "LayerNormalization" : "RMSNormalization") + ": inside " + why);
        return Status::ok();
    }
    const std::vector<int64_t> perm = permToLast(match, network.tensor(match.x).shape.size());
    Fusion fusion = fusionOf(network, root, match);
    if (std::is_sorted(perm.begin(), perm.end())) return fuse(network, context, std::move(fusion)).status();
    return fuseTransposed(network, context, std::move(fusion), perm);
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        const auto match = matchNormalization(network, network.layer(id));
        return match ? rewrite(network, context, id, *match) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeNormalizationFusion() {
    return makePass("NormalizationFusion", "Recognises layer and RMS normalisation written out in means and roots.",
                    run);
}

}  // namespace strobe
