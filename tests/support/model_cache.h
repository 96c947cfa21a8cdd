#pragma once
#include <cstdlib>
#include <filesystem>

namespace strobe {

/// The folder that tests/support/models.py fills with real models.
inline std::filesystem::path modelCache() {
    if (const char* own = std::getenv("STROBE_MODEL_CACHE")) return own;
    if (const char* cache = std::getenv("STROBE_CACHE")) return std::filesystem::path(cache) / "models";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home ? home : ".") / ".cache/strobe/models";
}

}  // namespace strobe
