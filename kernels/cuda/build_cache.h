#pragma once
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine_core/base/status.h"

namespace strobe {

/// Things that take long to build, by key. One is found as long as anyone holds it; the cache itself holds the `kept`
/// that were asked for last, since the builder prepares a kernel to time it and later again for the engine. So memory
/// is bounded by what is in use, however many shapes have been seen. Thread-safe; a thing is built once even when asked
/// for twice at once.
class BuildCache {
public:
    using Built = std::shared_ptr<const void>;
    explicit BuildCache(size_t kept) : m_kept(kept) {}
    Result<Built> get(const std::string& key, const std::function<Result<Built>()>& make);
    /// Keys that something is held for, here or elsewhere.
    size_t size() const;

private:
    struct Entry {
        std::weak_ptr<const void> built;
        std::list<std::string>::iterator recent;  // in m_recent, while `held`
        Built held;
    };
    void hold(const std::string& key, Entry& entry, Built built, Built& released);

    const size_t m_kept;
    mutable std::mutex m_mutex;
    std::map<std::string, Entry> m_entries;
    std::list<std::string> m_recent;  // the key asked for last comes first
};

}  // namespace strobe
