#pragma once
#include <string>
#include <string_view>

namespace strobe {

/// Text of unknown origin made fit for a message or a name on screen: valid UTF-8 stays, control characters and stray
/// bytes become \xNN, and what is longer than `limit` bytes is cut with "…".
std::string displayText(std::string_view text, size_t limit = 120);
/// Letters, digits and '_' stay, anything else becomes '_'; a leading digit gets one in front. The name of a dim
/// symbol.
std::string identifierText(std::string_view text);

}  // namespace strobe
