#include "engine_core/ir/attributes.h"

#include <charconv>

namespace strobe {
namespace {

template <class T>
T getAs(const Attributes& attributes, std::string_view name, T fallback) {
    const AttributeValue* value = attributes.find(name);
    const T* typed = value ? std::get_if<T>(value) : nullptr;
    return typed ? *typed : std::move(fallback);
}

std::string printScalar(int64_t value) { return std::to_string(value); }
std::string printScalar(float value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    return {buffer, end};
}
std::string printScalar(const std::string& value) { return '"' + value + '"'; }
std::string printScalar(const WeightsPtr& value) {
    return value ? std::string(dataTypeName(value->type)) + toString(value->dims) : "none";
}
template <class T>
std::string printScalar(const std::vector<T>& values) {
    std::string text = "[";
    for (size_t i = 0; i < values.size(); ++i) text += (i ? "," : "") + printScalar(values[i]);
    return text + "]";
}

}  // namespace

const AttributeValue* Attributes::find(std::string_view name) const {
    auto found = m_values.find(name);
    return found == m_values.end() ? nullptr : &found->second;
}
void Attributes::erase(std::string_view name) {
    if (auto found = m_values.find(name); found != m_values.end()) m_values.erase(found);
}
int64_t Attributes::getInt(std::string_view name, int64_t fallback) const { return getAs(*this, name, fallback); }
float Attributes::getFloat(std::string_view name, float fallback) const { return getAs(*this, name, fallback); }
std::string Attributes::getString(std::string_view name, std::string fallback) const { return getAs(*this, name, std::move(fallback)); }
std::vector<int64_t> Attributes::getInts(std::string_view name, std::vector<int64_t> fallback) const {
    return getAs(*this, name, std::move(fallback));
}
std::vector<float> Attributes::getFloats(std::string_view name, std::vector<float> fallback) const {
    return getAs(*this, name, std::move(fallback));
}
WeightsPtr Attributes::getWeights(std::string_view name) const { return getAs(*this, name, WeightsPtr()); }

std::string toString(const AttributeValue& value) {
    return std::visit([](const auto& v) { return printScalar(v); }, value);
}

std::string Attributes::toString() const {
    if (m_values.empty()) return {};
    std::string text = "{";
    for (const auto& [name, value] : m_values) text += (text.size() > 1 ? ", " : "") + name + "=" + strobe::toString(value);
    return text + "}";
}

}  // namespace strobe
