#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace strobe {

/// The one of `known` that differs from `unknown` in the fewest letters (case aside; letters put in, left out or changed), for messages.
/// Empty where all differ in half of its letters or more (in `most` or more, for a short name).
std::string nearestName(std::string_view unknown, const std::vector<std::string_view>& known, size_t most);

}  // namespace strobe
