#pragma once
#include <cstddef>
#include <string_view>

namespace strobe {

/// Bytes of the UTF-8 sequence at `at`, 0 when it is none. Requires at < text.size().
size_t utf8Length(std::string_view text, size_t at);

}  // namespace strobe
