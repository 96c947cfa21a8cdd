#include <algorithm>

#include "engine_core/base/nearest_name.h"
#include "engine_core/ops/op_definition.h"
#include "engine_core/ops/op_list.h"

namespace strobe {

std::string_view opFamilyName(OpFamily family) {
    switch (family) {
        case OpFamily::Convolution: return "convolution";
        case OpFamily::MatMul: return "matmul";
        case OpFamily::Attention: return "attention and softmax";
        case OpFamily::Normalization: return "normalisation";
        case OpFamily::Pointwise: return "pointwise";
        case OpFamily::PoolingReduction: return "pooling and reduction";
        case OpFamily::ShapeCopy: return "shape and copy";
        case OpFamily::Recurrent: return "recurrent";
        case OpFamily::Quantization: return "quantisation";
        case OpFamily::ControlFlow: return "control flow";
    }
    return "unknown";
}

std::string_view attributeKindName(AttributeKind kind) {
    switch (kind) {
        case AttributeKind::Int: return "int";
        case AttributeKind::Float: return "float";
        case AttributeKind::String: return "string";
        case AttributeKind::Ints: return "ints";
        case AttributeKind::Floats: return "floats";
        case AttributeKind::Strings: return "strings";
        case AttributeKind::Tensor: return "tensor";
        case AttributeKind::Graph: return "graph";
    }
    return "unknown";
}

AttributeKind kindOf(const AttributeValue& value) {
    static constexpr AttributeKind kByIndex[] = {AttributeKind::Int,    AttributeKind::Float,   AttributeKind::String, AttributeKind::Ints,
                                                 AttributeKind::Floats, AttributeKind::Strings, AttributeKind::Tensor};
    return kByIndex[value.index()];
}

const OpRegistry& OpRegistry::instance() {
    static const OpRegistry registry = [] {
        OpRegistry r;
        registerAllOps(r);
        return r;
    }();
    return registry;
}

const OpDefinition* OpRegistry::find(std::string_view name) const {
    auto found = std::lower_bound(m_ops.begin(), m_ops.end(), name, [](const auto& op, std::string_view n) { return op->name < n; });
    return found != m_ops.end() && (*found)->name == name ? found->get() : nullptr;
}

const OpDefinition* OpRegistry::get(std::string_view name) const { return find(name); }

std::vector<const OpDefinition*> OpRegistry::all() const {
    std::vector<const OpDefinition*> ops;
    for (const auto& op : m_ops) ops.push_back(op.get());
    return ops;
}

std::string OpRegistry::nearest(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const auto& op : m_ops)
        if (!op->isInternal) names.push_back(op->name);
    return nearestName(name, names, 3);
}

void OpRegistry::add(OpDefinition definition) {
    auto place = std::lower_bound(m_ops.begin(), m_ops.end(), definition.name, [](const auto& op, const std::string& n) { return op->name < n; });
    m_ops.insert(place, std::make_unique<OpDefinition>(std::move(definition)));
}

}  // namespace strobe
