#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine_core/base/status.h"

namespace strobe {

/// Measured times by device fingerprint, tactic and problem, so that a rebuild neither measures nor decides anew.
/// Thread-safe. On disk: a text file of "milliseconds<TAB>key" lines, written atomically; a damaged or foreign file is
/// a warning, never an error.
class TimingCache {
public:
    std::optional<double> find(const std::string& key) const;
    void store(const std::string& key, double milliseconds);
    size_t size() const;
    void clear();

    /// Reads what is there; returns a warning when the file was damaged (entries before the damage are kept). A missing file is fine.
    std::optional<std::string> load(const std::string& path);
    /// Merges with what the file holds by now, so that two writers lose nothing.
    Status save(const std::string& path) const;

private:
    mutable std::mutex m_mutex;
    std::map<std::string, double> m_times;
};

}  // namespace strobe
