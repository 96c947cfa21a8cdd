#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

enum class Addend { None, Bias, ConstantBias, Matrix, Unknown };

/// Requires a result of known rank. What Gemm's C is: absent, a vector along the columns (perhaps to be scaled or
/// spread), or anything else.
Addend addendOf(const Network& network, const Layer& layer) {
    const TensorId c = inputAt(layer, 2);
    const float beta = layer.attributes.getFloat("beta", 1.0f);
    if (c == kNone || beta == 0.0f) return Addend::None;
    const Tensor& t = network.tensor(c);
    const Dim& columns = network.tensor(layer.outputs[0]).shape[1];
    if (t.constant && isRealType(t.type) && columns.isConstant()) {
        const int64_t count = t.constant->count();
        const bool alongColumns = t.shape.empty() || t.shape.back() == columns || count == 1;
        if (alongColumns && (count == 1 || count == columns.constant())) return Addend::ConstantBias;
    }
    if (beta != 1.0f) return Addend::Unknown;
    return t.shape.size() == 1 && t.shape[0] == columns ? Addend::Bias : Addend::Matrix;
}

TensorId constantBias(Network& network, const Layer& layer) {
    const Tensor& c = network.tensor(layer.inputs[2]);
    const int64_t columns = network.tensor(layer.outputs[0]).shape[1].constant();
    std::vector<float> values = toFloats(*c.constant);
    if (values.size() == 1) values.assign(static_cast<size_t>(columns), values[0]);
    for (float& value : values) value *= layer.attributes.getFloat("beta", 1.0f);
    const std::string name = c.name + ".bias";
    return network.addConstant(name, weightsFromFloats(c.type, {columns}, values));
}

/// A product, and an addition of the matrix C after it.
Status lowerWithMatrix(Network& network, const PassContext& context, Fusion fusion) {
    const Layer layer = network.layer(fusion.namesake);
    const Tensor& y = network.tensor(layer.outputs[0]);
    const TensorId product = network.addTensor(y.name + ".product", y.type, y.shape);
    fusion.outputs = {product};
    const std::vector<int> provenance = layer.provenance;
    const TensorId output = layer.outputs[0], c = layer.inputs[2];
    network.setOutput(layer.id, 0, kNone);
    STROBE_ASSIGN(const LayerId id, fuse(network, context, std::move(fusion)));
    const LayerId add = network.addLayer(network.layer(id).name + ".add", OpRegistry::instance().get("Add"), {},
                                         {product, c}, {output});
    network.layer(add).provenance = provenance;
    return inferLayer(network, add);
}

Status lower(Network& network, const PassContext& context, LayerId id) {
    const Layer& layer = network.layer(id);
    if (const std::string why = whyNoRank(network, layer.outputs[0]); !why.empty()) {
        context.miss(network, id, why);
        return Status::ok();
    }
    const Addend addend = addendOf(network, layer);
    if (addend == Addend::Unknown || !isRealType(network.tensor(layer.outputs[0]).type)) {
        context.miss(network, id,
                     addend == Addend::Unknown ? "input C is scaled by beta and not constant"
                                               : "its type has no matrix product kernel with a bias");
        return Status::ok();
    }
    Fusion fusion;
    fusion.layers = {id};
    fusion.namesake = id;
    fusion.op = OpRegistry::instance().get("MatMul");
    for (const char* flag : {"transA", "transB"})
        if (layer.attributes.getBool(flag, false)) fusion.attributes.set(flag, int64_t{1});
    if (const float alpha = layer.attributes.getFloat("alpha", 1.0f); alpha != 1.0f)
        fusion.attributes.set("alpha", alpha);
    fusion.inputs = {layer.inputs[0], layer.inputs[1]};
    fusion.outputs = {layer.outputs[0]};
    fusion.description = "Gemm: a matrix product with bias";
    if (addend == Addend::Matrix) return lowerWithMatrix(network, context, std::move(fusion));
    if (addend == Addend::Bias) fusion.inputs.push_back(layer.inputs[2]);
    if (addend == Addend::ConstantBias) fusion.inputs.push_back(constantBias(network, layer));
    return fuse(network, context, std::move(fusion)).status();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        return isPlain(network.layer(id), "Gemm") ? lower(network, context, id) : Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeGemmLowering() {
    return makePass("GemmLowering", "Writes Gemm as a matrix product with bias, which other fusions know.", run);
}

}  // namespace strobe
