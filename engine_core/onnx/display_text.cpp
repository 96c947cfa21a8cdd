#include "engine_core/onnx/display_text.h"

#include <cctype>
#include <cstdio>

namespace strobe {
namespace {

/// Bytes of the UTF-8 sequence at `at`, 0 when it is none.
size_t utf8Length(std::string_view text, size_t at) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : (lead >> 4) == 14           ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (size_t i = 1; i < length; ++i)
        if ((byte(at + i) >> 6) != 2) return 0;
    if (length == 3 && ((lead == 0xe0 && byte(at + 1) < 0xa0) || (lead == 0xed && byte(at + 1) >= 0xa0))) return 0;
    if (length == 4 && ((lead == 0xf0 && byte(at + 1) < 0x90) || (lead == 0xf4 && byte(at + 1) >= 0x90))) return 0;
    return length;
}

}  // namespace

std::string displayText(std::string_view text, size_t limit) {
    std::string shown;
    for (size_t at = 0; at < text.size();) {
        if (shown.size() >= limit) return shown + "…";
        const auto c = static_cast<unsigned char>(text[at]);
        const size_t length = utf8Length(text, at);
        if (length == 0 || c < 0x20 || c == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
            shown += escaped;
            ++at;
        } else {
            shown.append(text.substr(at, length));
            at += length;
        }
    }
    return shown;
}

std::string identifierText(std::string_view text) {
    std::string name;
    for (char c : text.substr(0, 64)) name += std::isalnum(static_cast<unsigned char>(c)) || c == '_' ? c : '_';
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name.insert(0, "_");
    return name;
}

}  // namespace strobe
