#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

namespace strobe {

/// The folder that tests/support/models.py fills with real models.
inline std::filesystem::path modelCache() {
    if (const char* own = std::getenv("STROBE_MODEL_CACHE")) return own;
    if (const char* cache = std::getenv("STROBE_CACHE")) return std::filesystem::path(cache) / "models";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home ? home : ".") / ".cache/strobe/models";
}

/// Empty where the cache has the file or folder, else what a test says that cannot do without.
inline std::string missingFromCache(const std::filesystem::path& file) {
    if (std::filesystem::exists(modelCache() / file)) return {};
    return file.string() + " is not in the model cache " + modelCache().string() +
           "; tests/run fetches it, given a network";
}

/// Whether what is missing fails the run instead of being skipped, as in tests/support/common.py.
inline bool skipIsFailure() {
    const char* ci = std::getenv("CI");
    return ci && std::string(ci) == "true";
}

}  // namespace strobe

/// Ends a GoogleTest test where the model cache lacks the file: skipped, with CI=true failed.
#define STROBE_NEEDS_CACHED(file)                                                          \
    if (const std::string missing_ = ::strobe::missingFromCache(file); missing_.empty()) { \
    } else if (::strobe::skipIsFailure()) {                                                \
        FAIL() << missing_;                                                                \
    } else                                                                                 \
        GTEST_SKIP() << missing_

/// The same for QtTest. To be asked before a WindowFixture moves the caches.
#define STROBE_QT_NEEDS_CACHED(file)                                                 \
    do {                                                                             \
        const std::string missing_ = ::strobe::missingFromCache(file);               \
        if (!missing_.empty() && ::strobe::skipIsFailure()) QFAIL(missing_.c_str()); \
        if (!missing_.empty()) QSKIP(missing_.c_str());                              \
    } while (false)
