#include "engine_core/onnx/display_text.h"

#include <cctype>
#include <cstdio>

#include "engine_core/base/utf8.h"

namespace strobe {
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
