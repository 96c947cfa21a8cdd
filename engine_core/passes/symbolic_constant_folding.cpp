#include <algorithm>
#include <set>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// "u12", "u12_3", in a body "b7u12": what inference calls an extent that layer 12 only knows after it ran. A body's
/// inputs may carry such a name from outside, where it means another layer's.
bool isLayerSymbol(const std::string& name) {
    size_t start = name.find_first_not_of("0123456789", name[0] == 'b' ? 1 : 0);
    if (start == std::string::npos || name[start] != 'u' || start + 1 == name.size()) return false;
    return name.find_first_not_of("0123456789_", start + 1) == std::string::npos;
}

/// Symbols that are bound as soon as the inputs' shapes are.
std::set<std::string> inputSymbols(const Network& network) {
    std::set<std::string> symbols;
    for (TensorId input : network.inputs())
        for (const Dim& dim : network.tensor(input).shape)
            if (auto name = dim.symbolName(); name && !isLayerSymbol(*name)) symbols.insert(*name);
    return symbols;
}

bool isAllConstant(const std::vector<Dim>& values) {
    return std::all_of(values.begin(), values.end(), [](const Dim& d) { return d.isConstant(); });
}

bool isBoundByInputs(const std::vector<Dim>& values, const std::set<std::string>& known) {
    std::set<std::string> used;
    for (const Dim& dim : values) dim.collectSymbols(used);
    return std::includes(known.begin(), known.end(), used.begin(), used.end());
}

template <class T>
WeightsPtr integers(DataType type, const Tensor& t) {
    std::vector<T> elements;
    for (const Dim& dim : *t.values) elements.push_back(static_cast<T>(dim.constant()));
    return makeWeights<T>(type, toDims(t.shape), elements);
}

WeightsPtr constantOf(const Tensor& t) {
    switch (t.type) {
        case DataType::Int64:
            return integers<int64_t>(t.type, t);
        case DataType::Int32:
            return integers<int32_t>(t.type, t);
        case DataType::Bool:
            return integers<uint8_t>(t.type, t);
        default:
            return nullptr;
    }
}

/// Makes the tensor a (symbolic) constant of its own; false when it must stay.
bool foldTensor(Network& network, const PassContext& context, LayerId id, int output,
                const std::set<std::string>& known) {
    const TensorId tensorId = network.layer(id).outputs[static_cast<size_t>(output)];
    Tensor& t = network.tensor(tensorId);
    if (!t.values || t.shape.size() > 1 || !isConstant(t.shape)) return false;
    if (isAllConstant(*t.values)) {
        WeightsPtr weights = constantOf(t);
        if (!weights) return false;
        network.makeConstant(tensorId, std::move(weights));
        return true;
    }
    if ((t.type != DataType::Int64 && t.type != DataType::Int32) || !isBoundByInputs(*t.values, known)) return false;
    if (t.isOutput) {
        context.miss(network, id, "its output '" + t.name + "' is a network output");
        return false;
    }
    network.setOutput(id, output, kNone);
    return true;
}

Status run(Network& network, PassContext& context) {
    const std::set<std::string> known = inputSymbols(network);
    return forEachLayer(network, context, [&](LayerId id) {
        const Layer& layer = network.layer(id);
        if (layer.outputs.size() != 1 || layer.outputs[0] == kNone || !layer.subgraphs.empty() ||
            layer.op->nondeterministic)
            return Status::ok();
        const Tensor& t = network.tensor(layer.outputs[0]);
        RewriteRecord record;
        record.result = t.name;
        record.replaced = {layer.name};
        record.provenance = layer.provenance;
        if (t.values) record.description = layer.op->name + ": shape arithmetic, always " + toString(Shape(*t.values));
        if (!foldTensor(network, context, id, 0, known)) return Status::ok();
        network.removeLayer(id);
        context.record(std::move(record));
        return Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeSymbolicConstantFolding() {
    return makePass("SymbolicConstantFolding",
                    "Turns shape arithmetic into constants that are worked out when shapes are bound.", run);
}

}  // namespace strobe
