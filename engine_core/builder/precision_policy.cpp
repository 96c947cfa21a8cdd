#include "engine_core/builder/precision_policy.h"

#include <algorithm>

namespace strobe {
namespace {

/// Glob with * and ?.
bool globMatches(std::string_view pattern, std::string_view text) {
    size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p, ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool touchesFloats(const Network& network, const Layer& layer) {
    const auto isFloat = [&](TensorId id) { return id != kNone && network.tensor(id).type == DataType::Float32; };
    return std::any_of(layer.outputs.begin(), layer.outputs.end(), isFloat);
}

void apply(LayerPrecision& precision, DataType type, const DeviceInfo& device, std::string note) {
    const bool native = (type == DataType::BFloat16 && device.hasBf16) || (type == DataType::Float16 && device.hasFp16);
    precision.fp32 = !native;
    precision.lower = native ? type : DataType::Undefined;
    precision.preview = native || type == DataType::Float32 ? DataType::Undefined : type;
    precision.requested = type != DataType::Float32;
    precision.note = std::move(note);
    if (precision.preview != DataType::Undefined)
        precision.note += (precision.note.empty() ? "" : "; ") + std::string("preview: this device has no ") + std::string(dataTypeName(type)) + " arithmetic, values are rounded";
}

/// Products: what a lower precision makes faster, and whose sums average the rounding of their inputs.
bool isProduct(const Layer& layer) {
    const OpFamily family = layer.op->family;
    return family == OpFamily::Convolution || family == OpFamily::MatMul || family == OpFamily::Recurrent || layer.op->name == "Attention" || !layer.subgraphs.empty();
}

/// No value of its input gets into its result.
bool readsShapeOnly(const Layer& layer) { return layer.op->name == "Shape" || layer.op->name == "Size"; }

enum class Place : uint8_t { Inside, LastProduct, Tail };

/// By LayerId. The tail is what lies behind a product with no further one on some way to the network's outputs.
std::vector<Place> placesOf(const Network& network) {
    const std::vector<LayerId> order = network.topologicalOrder();
    std::vector<bool> behindProduct(static_cast<size_t>(network.layerIdCount())), reachesOutput(static_cast<size_t>(network.tensorCount()));
    const auto isProductBefore = [&](TensorId id) {
        const LayerId producer = id == kNone ? kNone : network.tensor(id).producer;
        return producer != kNone && (isProduct(network.layer(producer)) || behindProduct[static_cast<size_t>(producer)]);
    };
    for (LayerId id : order) {
        const Layer& layer = network.layer(id);
        behindProduct[static_cast<size_t>(id)] = std::any_of(layer.inputs.begin(), layer.inputs.end(), isProductBefore);
    }
    for (TensorId output : network.outputs()) reachesOutput[static_cast<size_t>(output)] = true;
    std::vector<Place> places(behindProduct.size(), Place::Inside);
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
        const Layer& layer = network.layer(*id);
        if (std::none_of(layer.outputs.begin(), layer.outputs.end(), [&](TensorId t) { return t != kNone && reachesOutput[static_cast<size_t>(t)]; })) continue;
        const bool product = isProduct(layer);
        if (product || behindProduct[static_cast<size_t>(*id)]) places[static_cast<size_t>(*id)] = product ? Place::LastProduct : Place::Tail;
        for (TensorId input : layer.inputs)
            if (input != kNone && !product && !readsShapeOnly(layer)) reachesOutput[static_cast<size_t>(input)] = true;
    }
    return places;
}

void keepTail(LayerPrecision& precision, Place place) {
    if (precision.lower == DataType::Undefined && precision.preview == DataType::Undefined) return;
    if (place == Place::Tail) {
        precision = {};
        precision.note = "stays fp32: behind the last product, where rounding would go straight to the outputs";
    } else if (place == Place::LastProduct) {
        precision.fp32Result = precision.fp32 = true;
    }
}

DataType typeOf(PrecisionMode mode) {
    return mode == PrecisionMode::Bf16 ? DataType::BFloat16 : mode == PrecisionMode::Fp16 ? DataType::Float16 : DataType::Float32;
}

}  // namespace

std::string_view precisionModeName(PrecisionMode mode) {
    switch (mode) {
        case PrecisionMode::Fp32: return "FP32";
        case PrecisionMode::Bf16: return "BF16";
        case PrecisionMode::Fp16: return "FP16";
        case PrecisionMode::Best: return "Best";
    }
    return "unknown";
}

bool matchesRule(const std::string& pattern, const Layer& layer, const Network& network) {
    if (pattern.rfind("op:", 0) == 0) return globMatches(std::string_view(pattern).substr(3), layer.op->name);
    const auto& nodes = network.sourceNodes();
    return globMatches(pattern, layer.name) || std::any_of(layer.provenance.begin(), layer.provenance.end(), [&](int node) {
               return node >= 0 && node < static_cast<int>(nodes.size()) && globMatches(pattern, nodes[static_cast<size_t>(node)].name);
           });
}

bool appliesTo(const PrecisionRule& rule, const Layer& layer, const Network& network) {
    return rule.reason.empty() ? matchesRule(rule.pattern, layer, network) : rule.pattern == layer.name;
}

std::vector<LayerPrecision> decidePrecision(const Network& network, const BuilderConfig& config, const DeviceInfo& device, std::vector<BuildNote>& notes) {
    std::vector<LayerPrecision> decided(static_cast<size_t>(network.layerIdCount()));
    std::vector<bool> ruleUsed(config.precisionRules.size(), false);
    const std::vector<Place> places = placesOf(network);
    for (LayerId id : network.topologicalOrder()) {
        const Layer& layer = network.layer(id);
        LayerPrecision& precision = decided[static_cast<size_t>(id)];
        const bool floats = touchesFloats(network, layer);
        const PrecisionRule* rule = nullptr;
        for (size_t r = 0; r < config.precisionRules.size(); ++r)
            if (appliesTo(config.precisionRules[r], layer, network)) {
                rule = &config.precisionRules[r];
                ruleUsed[r] = true;
            }
        if (!floats) {
            precision.note = "no floating-point result";
            continue;
        }
        if (rule) {
            apply(precision, rule->type, device, rule->reason.empty() ? "set by rule '" + rule->pattern + "'" : rule->reason);
        } else if (config.precision == PrecisionMode::Best) {
            precision.lower = device.hasBf16 ? DataType::BFloat16 : DataType::Undefined;
        } else {
            apply(precision, typeOf(config.precision), device, "");
        }
        // A rule with a reason is a search's: of the mode's choices it takes one.
        const bool isSearchs = rule && !rule->reason.empty();
        if ((!rule || isSearchs) && config.precision != PrecisionMode::Fp32) keepTail(precision, places[static_cast<size_t>(id)]);
        if (isSearchs && precision.lower != DataType::Undefined) precision.fp32 = false;
        if (precision.requested && !layer.op->keepFp32Reason.empty()) {
            precision = {};
            precision.note = "must stay fp32: " + layer.op->keepFp32Reason;
            if (rule) notes.push_back({BuildNote::Severity::Warning, layer.name, layer.provenance, "rule '" + rule->pattern + "' has no effect: " + layer.op->keepFp32Reason, "remove the rule"});
        } else if (!layer.op->keepFp32Reason.empty() && precision.lower != DataType::Undefined) {
            precision.lower = DataType::Undefined;
            precision.note = "must stay fp32: " + layer.op->keepFp32Reason;
        }
    }
    for (size_t r = 0; r < ruleUsed.size(); ++r)
        if (!ruleUsed[r] && config.precisionRules[r].reason.empty())  // a search's means one layer of one network
            notes.push_back({BuildNote::Severity::Warning, "", {}, "precision rule '" + config.precisionRules[r].pattern + "' matches no layer of the fused network",
                             "check the name in the Layers page; wildcards * and ? and op:Conv are allowed"});
    return decided;
}

}  // namespace strobe
