#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine_core/ir/weights.h"

namespace strobe {

using AttributeValue = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>, WeightsPtr>;

/// Typed attributes of a layer by name. A getter returns the fallback when the name is absent; the importer has checked
/// kinds against the op's AttributeSpecs, so a wrong kind here is our own mistake and also yields the fallback.
class Attributes {
public:
    bool has(std::string_view name) const { return m_values.find(name) != m_values.end(); }
    const AttributeValue* find(std::string_view name) const;
    void set(std::string name, AttributeValue value) { m_values[std::move(name)] = std::move(value); }
    void erase(std::string_view name);

    int64_t getInt(std::string_view name, int64_t fallback) const;
    bool getBool(std::string_view name, bool fallback) const { return getInt(name, fallback ? 1 : 0) != 0; }
    float getFloat(std::string_view name, float fallback) const;
    std::string getString(std::string_view name, std::string fallback) const;
    std::vector<int64_t> getInts(std::string_view name, std::vector<int64_t> fallback = {}) const;
    std::vector<float> getFloats(std::string_view name, std::vector<float> fallback = {}) const;
    WeightsPtr getWeights(std::string_view name) const;

    const std::map<std::string, AttributeValue, std::less<>>& values() const { return m_values; }
    /// "{a=1, b=[2,3]}", names in order; empty string when there are none. Part of the text form and of tactic keys.
    std::string toString() const;

private:
    std::map<std::string, AttributeValue, std::less<>> m_values;
};

std::string toString(const AttributeValue& value);

}  // namespace strobe
