#include "engine_core/passes/rewrite.h"

#include <algorithm>
#include <cmath>

#include "engine_core/base/float_formats.h"
#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

class FunctionPass final : public Pass {
public:
    FunctionPass(std::string_view name, std::string_view purpose, Status (*function)(Network&, PassContext&))
        : m_name(name), m_purpose(purpose), m_run(function) {}
    std::string_view name() const override { return m_name; }
    std::string_view purpose() const override { return m_purpose; }
    Status run(Network& network, PassContext& context) const override { return m_run(network, context); }

private:
    std::string_view m_name, m_purpose;
    Status (*m_run)(Network&, PassContext&);
};

bool contains(std::span<const LayerId> layers, LayerId id) {
    return std::find(layers.begin(), layers.end(), id) != layers.end();
}

template <class Stored, class Convert>
WeightsPtr narrowed(DataType type, Dims dims, std::span<const float> values, Convert convert) {
    std::vector<Stored> stored;
    stored.reserve(values.size());
    for (float value : values) stored.push_back(convert(value));
    return makeWeights<Stored>(type, std::move(dims), stored);
}

}  // namespace

std::unique_ptr<Pass> makePass(std::string_view name, std::string_view purpose, Status (*run)(Network&, PassContext&)) {
    return std::make_unique<FunctionPass>(name, purpose, run);
}

bool isPlain(const Layer& layer, std::string_view op) {
    return !layer.removed && layer.op->name == op && !layer.program;
}

TensorId inputAt(const Layer& layer, int index) {
    return index < static_cast<int>(layer.inputs.size()) ? layer.inputs[static_cast<size_t>(index)] : kNone;
}

const Layer* producerOf(const Network& network, TensorId tensor) {
    if (tensor == kNone || network.tensor(tensor).producer == kNone) return nullptr;
    return &network.layer(network.tensor(tensor).producer);
}

const Layer* producerOf(const Network& network, TensorId tensor, std::string_view op) {
    const Layer* layer = producerOf(network, tensor);
    return layer && isPlain(*layer, op) && network.tensor(tensor).producerOutput == 0 ? layer : nullptr;
}

const Layer* onlyReader(const Network& network, TensorId tensor) {
    const Tensor& t = network.tensor(tensor);
    if (t.isOutput || t.uses.empty()) return nullptr;
    for (const TensorUse& use : t.uses)
        if (use.layer != t.uses.front().layer) return nullptr;
    return &network.layer(t.uses.front().layer);
}

std::string whyVisible(const Network& network, TensorId tensor, std::span<const LayerId> inside) {
    const Tensor& t = network.tensor(tensor);
    if (t.isOutput) return "its output '" + t.name + "' is a network output";
    for (const TensorUse& use : t.uses)
        if (!contains(inside, use.layer))
            return "its output '" + t.name + "' is also read by '" + network.layer(use.layer).name + "'";
    return {};
}

std::string whyVisible(const Network& network, std::span<const LayerId> layers, std::span<const TensorId> kept) {
    for (LayerId id : layers)
        for (TensorId output : network.layer(id).outputs) {
            if (output == kNone || std::find(kept.begin(), kept.end(), output) != kept.end()) continue;
            if (std::string reason = whyVisible(network, output, layers); !reason.empty()) return reason;
        }
    return {};
}

std::string whyNoRank(const Network& network, TensorId tensor) {
    const Tensor& t = network.tensor(tensor);
    return t.rankKnown ? std::string() : "the rank of '" + t.name + "' is known only when the model runs";
}

std::optional<double> scalarConstant(const Network& network, TensorId tensor) {
    if (tensor == kNone || !network.tensor(tensor).constant) return std::nullopt;
    const Weights& weights = *network.tensor(tensor).constant;
    if (weights.count() != 1 || weights.type == DataType::String) return std::nullopt;
    const std::vector<double> values = toDoubles(weights);
    if (values.empty()) return std::nullopt;
    return values[0];
}

std::optional<std::vector<int64_t>> integerConstant(const Network& network, TensorId tensor) {
    if (tensor == kNone || !network.tensor(tensor).constant) return std::nullopt;
    return toInt64s(*network.tensor(tensor).constant);
}

/// Exporters write √2 or 1/6 with the digits of FP16 to FP64.
bool isNear(double found, double expected) {
    return std::fabs(found - expected) <= 1e-3 * std::max(std::fabs(expected), 1e-3);
}

std::optional<ScalarOperation> scalarOperation(const Network& network, const Layer& layer) {
    if (layer.inputs.size() != 2 || layer.program) return std::nullopt;
    for (int i : {1, 0}) {
        const TensorId constant = layer.inputs[static_cast<size_t>(i)],
                       operand = layer.inputs[static_cast<size_t>(1 - i)];
        const auto scalar = scalarConstant(network, constant);
        if (!scalar || network.tensor(operand).isConstant()) continue;
        if (!network.tensor(operand).rankKnown ||
            network.tensor(constant).shape.size() > network.tensor(operand).shape.size())
            continue;
        return ScalarOperation{operand, *scalar, 1 - i};
    }
    return std::nullopt;
}

TensorId otherOperand(const Layer& layer, TensorId tensor) {
    if (layer.inputs.size() != 2 || layer.inputs[0] == layer.inputs[1]) return kNone;
    return layer.inputs[0] == tensor ? layer.inputs[1] : layer.inputs[1] == tensor ? layer.inputs[0] : kNone;
}

std::vector<int64_t> reducedAxes(const Network& network, const Layer& reduction) {
    const Tensor& in = network.tensor(reduction.inputs[0]);
    const auto given = integerConstant(network, inputAt(reduction, 1));
    if (!in.rankKnown || !given) return {};
    auto axes = normalizeAxes(*given, static_cast<int64_t>(in.shape.size()));
    return axes ? *axes : std::vector<int64_t>();
}

TensorId behindReshapes(const Network& network, TensorId tensor, std::vector<LayerId>& layers) {
    while (const Layer* layer = producerOf(network, tensor)) {
        if ((!isPlain(*layer, "Reshape") && !isPlain(*layer, "Unsqueeze")) || !network.tensor(tensor).rankKnown) break;
        layers.push_back(layer->id);
        tensor = layer->inputs[0];
    }
    return tensor;
}

bool isReductionOf(const Network& network, TensorId tensor, TensorId x, std::span<const int64_t> axes) {
    if (!network.tensor(tensor).rankKnown || !network.tensor(x).rankKnown) return false;
    Shape kept = network.tensor(x).shape;
    for (int64_t axis : axes) {
        if (axis >= std::ssize(kept)) return false;
        kept[static_cast<size_t>(axis)] = Dim(1);
    }
    return network.tensor(tensor).shape == kept;
}

bool isRealType(DataType type) {
    return type == DataType::Float32 || type == DataType::Float16 || type == DataType::BFloat16;
}

WeightsPtr weightsFromFloats(DataType type, Dims dims, std::span<const float> values) {
    switch (type) {
        case DataType::Float16:
            return narrowed<uint16_t>(type, std::move(dims), values, floatToFloat16);
        case DataType::BFloat16:
            return narrowed<uint16_t>(type, std::move(dims), values, floatToBFloat16);
        default:
            return makeFloatWeights(std::move(dims), values);
    }
}

std::vector<int> mergedProvenance(const Network& network, std::span<const LayerId> layers) {
    std::vector<int> nodes;
    for (LayerId id : layers) {
        const auto& own = network.layer(id).provenance;
        nodes.insert(nodes.end(), own.begin(), own.end());
    }
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    return nodes;
}

double tensorBytes(const Network& network, TensorId tensor) {
    const Tensor& t = network.tensor(tensor);
    if (!t.rankKnown || !isConstant(t.shape)) return -1;
    return static_cast<double>(elementCount(toDims(t.shape))) * dataTypeBits(t.type) / 8.0;
}

namespace {

/// Every tensor that vanishes was written once and read by each of its users.
double vanishingTraffic(const Network& network, const Fusion& fusion) {
    double bytes = 0;
    for (LayerId id : fusion.layers)
        for (TensorId output : network.layer(id).outputs) {
            if (output == kNone ||
                std::find(fusion.outputs.begin(), fusion.outputs.end(), output) != fusion.outputs.end())
                continue;
            const double size = tensorBytes(network, output);
            if (size < 0) return -1;
            bytes += size * static_cast<double>(1 + network.tensor(output).uses.size());
        }
    return bytes;
}

}  // namespace

namespace {

/// Two branches of a pattern may share a layer.
void removeRepeats(std::vector<LayerId>& layers) {
    for (size_t i = 0; i < layers.size(); ++i)
        layers.erase(std::remove(layers.begin() + static_cast<std::ptrdiff_t>(i) + 1, layers.end(), layers[i]),
                     layers.end());
}

}  // namespace

Result<LayerId> fuse(Network& network, const PassContext& context, Fusion fusion) {
    RewriteRecord record;
    removeRepeats(fusion.layers);
    record.provenance = mergedProvenance(network, fusion.layers);
    record.description = std::move(fusion.description);
    record.savedBytes = vanishingTraffic(network, fusion);
    for (LayerId id : fusion.layers) record.replaced.push_back(network.layer(id).name);
    const std::string name = network.layer(fusion.namesake).name;
    const PrecisionRequest precision = network.layer(fusion.namesake).precision;
    for (TensorId output : fusion.outputs)
        if (const Tensor& t = network.tensor(output); t.producer != kNone)
            network.setOutput(t.producer, t.producerOutput, kNone);
    for (LayerId id : fusion.layers) network.removeLayer(id);
    const LayerId id = network.addLayer(name, fusion.op, std::move(fusion.attributes), std::move(fusion.inputs),
                                        std::move(fusion.outputs));
    Layer& layer = network.layer(id);
    layer.provenance = record.provenance;
    layer.precision = precision;
    layer.program = std::move(fusion.program);
    record.result = layer.name;
    context.record(std::move(record));
    STROBE_RETURN_IF_ERROR(inferLayer(network, id));
    return id;
}

Status addTranspose(Network& network, TensorId x, TensorId y, const std::vector<int64_t>& perm,
                    std::vector<int> provenance) {
    Attributes attributes;
    attributes.set("perm", perm);
    const LayerId id = network.addLayer(network.tensor(y).name, OpRegistry::instance().get("Transpose"),
                                        std::move(attributes), {x}, {y});
    network.layer(id).provenance = std::move(provenance);
    return inferLayer(network, id);
}

bool bypass(Network& network, const PassContext& context, LayerId id, TensorId replacement, std::string description) {
    const TensorId output = network.layer(id).outputs[0];
    const Tensor &old = network.tensor(output), &now = network.tensor(replacement);
    if (old.isOutput && (now.isInput || now.isOutput)) {
        context.miss(network, id,
                     "its output '" + old.name + "' is a network output and '" + now.name + "' keeps its own name");
        return false;
    }
    RewriteRecord record;
    record.replaced = {network.layer(id).name};
    record.provenance = network.layer(id).provenance;
    record.description = std::move(description);
    const double bytes = tensorBytes(network, output);
    record.savedBytes = bytes < 0 ? -1 : 2 * bytes;
    network.replaceAllUses(output, replacement);
    network.removeLayer(id);
    context.record(std::move(record));
    return true;
}

}  // namespace strobe
