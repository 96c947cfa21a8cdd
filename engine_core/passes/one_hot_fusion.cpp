#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// 0, 1 … K−1 along the last axis, all other extents 1.
bool isCounting(const Network& network, TensorId tensor, int64_t count) {
    const auto values = integerConstant(network, tensor);
    if (!values || static_cast<int64_t>(values->size()) != count) return false;
    const Shape& shape = network.tensor(tensor).shape;
    if (shape.empty() || !shape.back().isConstant(count)) return false;
    for (size_t i = 0; i < values->size(); ++i)
        if ((*values)[i] != static_cast<int64_t>(i)) return false;
    return true;
}

/// float(index == counting) as the left operand of a product with constant weights.
struct Match {
    std::vector<LayerId> layers;
    TensorId index = kNone;
};

std::optional<Match> matchAt(const Network& network, const Layer& product) {
    const Tensor& weights = network.tensor(product.inputs[1]);
    const TensorId bias = inputAt(product, 2);
    if (!isPlain(product, "MatMul") || !product.attributes.values().empty() || !weights.constant ||
        !isRealType(weights.type) || weights.shape.size() != 2 || (bias != kNone && !network.tensor(bias).constant))
        return std::nullopt;
    const Layer* cast = producerOf(network, product.inputs[0], "Cast");
    const Layer* equal = cast ? producerOf(network, cast->inputs[0], "Equal") : nullptr;
    if (!equal) return std::nullopt;
    for (size_t i : {0, 1}) {
        const Tensor& index = network.tensor(equal->inputs[i]);
        if (!isCounting(network, equal->inputs[1 - i], weights.constant->dims[0]) ||
            (index.type != DataType::Int32 && index.type != DataType::Int64))
            continue;
        if (!index.rankKnown || index.shape.size() != network.tensor(equal->outputs[0]).shape.size() ||
            !index.shape.back().isConstant(1))
            continue;
        return Match{{product.id, cast->id, equal->id}, index.id};
    }
    return std::nullopt;
}

/// The weights with the bias in every row, and one row more for indices that match nothing.
WeightsPtr tableOf(const Network& network, const Layer& product) {
    const Weights& weights = *network.tensor(product.inputs[1]).constant;
    std::vector<float> values = toFloats(weights);
    const auto rows = static_cast<size_t>(weights.dims[0]), columns = static_cast<size_t>(weights.dims[1]);
    values.resize((rows + 1) * columns, 0.0f);
    if (const TensorId bias = inputAt(product, 2); bias != kNone) {
        const std::vector<float> add = toFloats(*network.tensor(bias).constant);
        for (size_t i = 0; i < values.size(); ++i) values[i] += add[i % columns];
    }
    return weightsFromFloats(weights.type, {weights.dims[0] + 1, weights.dims[1]}, values);
}

WeightsPtr integerScalar(DataType type, int64_t value) {
    const auto narrow = static_cast<int32_t>(value);
    return type == DataType::Int64 ? makeWeights<int64_t>(type, {}, std::span(&value, 1))
                                   : makeWeights<int32_t>(type, {}, std::span(&narrow, 1));
}

/// Adds a layer on the way to the lookup; it stands for the same nodes.
Result<TensorId> addStep(Network& network, const std::string& name, const char* op, std::vector<TensorId> inputs,
                         const std::vector<int>& provenance) {
    const TensorId output = network.addTensor(name, network.tensor(inputs[0]).type);
    const LayerId id = network.addLayer(name, OpRegistry::instance().get(op), {}, std::move(inputs), {output});
    network.layer(id).provenance = provenance;
    STROBE_RETURN_IF_ERROR(inferLayer(network, id));
    return output;
}

/// Row `index` of the table. What lies outside 0 … K−1 is clipped to −1 (the last row, as Gather counts) or K: the row
/// of nothing.
Status rewrite(Network& network, const PassContext& context, LayerId id, Match match) {
    const TensorId kept[] = {network.layer(id).outputs[0]};
    if (std::string why = whyVisible(network, match.layers, kept); !why.empty()) {
        context.miss(network, id, "it looks up rows by one-hot codes, but inside " + why);
        return Status::ok();
    }
    const std::vector<int> provenance = mergedProvenance(network, match.layers);
    const std::string name = network.layer(id).name;
    const DataType type = network.tensor(match.index).type;
    const int64_t rows = network.tensor(network.layer(id).inputs[1]).constant->dims[0];
    const TensorId table = network.addConstant(name + ".table", tableOf(network, network.layer(id)));
    const TensorId axis = network.addConstant(name + ".axis", makeInt64Weights({1}, std::vector<int64_t>{-1}));
    const TensorId low = network.addConstant(name + ".low", integerScalar(type, -1)),
                   high = network.addConstant(name + ".high", integerScalar(type, rows));
    STROBE_ASSIGN(const TensorId squeezed,
                  addStep(network, name + ".index", "Squeeze", {match.index, axis}, provenance));
    STROBE_ASSIGN(const TensorId clipped,
                  addStep(network, name + ".clipped", "Clip", {squeezed, low, high}, provenance));
    Fusion fusion;
    fusion.layers = std::move(match.layers);
    fusion.namesake = id;
    fusion.op = OpRegistry::instance().get("Gather");
    fusion.attributes.set("axis", int64_t{0});
    fusion.inputs = {table, clipped};
    fusion.outputs = {kept[0]};
    fusion.description = "MatMul of one-hot codes: a lookup of rows";
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        if (!isPlain(network.layer(id), "MatMul")) return Status::ok();
        auto match = matchAt(network, network.layer(id));
        return match ? rewrite(network, context, id, std::move(*match)) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeOneHotFusion() {
    return makePass("OneHotFusion", "Looks rows up instead of multiplying with one-hot codes.", run);
}

}  // namespace strobe
