#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace strobe {

/// The JSON as text, for every file and report that we write. Never throws for strings that are not UTF-8 (file names
/// are bytes): what is not becomes U+FFFD. indent −1: one line.
std::string jsonText(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace strobe
