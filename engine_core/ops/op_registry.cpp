#include <algorithm>
#include <cctype>

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

namespace {

size_t editDistance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t substituted = diagonal + (std::tolower(a[i - 1]) == std::tolower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string OpRegistry::nearest(std::string_view name) const {
    std::string best;
    size_t bestDistance = std::max<size_t>(3, name.size() / 2);
    for (const auto& op : m_ops)
        if (const size_t distance = editDistance(name, op->name); distance < bestDistance) {
            bestDistance = distance;
            best = op->name;
        }
    return best;
}

void OpRegistry::add(OpDefinition definition) {
    auto place = std::lower_bound(m_ops.begin(), m_ops.end(), definition.name, [](const auto& op, const std::string& n) { return op->name < n; });
    m_ops.insert(place, std::make_unique<OpDefinition>(std::move(definition)));
}

}  // namespace strobe
