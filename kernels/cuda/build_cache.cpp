#include "kernels/cuda/build_cache.h"

#include <algorithm>

namespace strobe {

Result<BuildCache::Built> BuildCache::get(const std::string& key, const std::function<Result<Built>()>& make) {
    Built released;  // destroyed after the lock is given back
    std::lock_guard lock(m_mutex);
    const auto known = m_entries.find(key);
    Built built = known == m_entries.end() ? nullptr : known->second.built.lock();
    if (!built) {
        STROBE_ASSIGN(built, make());
        std::erase_if(m_entries, [](const auto& entry) { return entry.second.built.expired(); });
    }
    hold(key, m_entries[key], built, released);
    return built;
}

void BuildCache::hold(const std::string& key, Entry& entry, Built built, Built& released) {
    if (entry.held) m_recent.erase(entry.recent);
    m_recent.push_front(key);
    entry = {built, m_recent.begin(), built};
    if (m_recent.size() <= m_kept) return;
    released = std::move(m_entries[m_recent.back()].held);
    m_recent.pop_back();
}

size_t BuildCache::size() const {
    std::lock_guard lock(m_mutex);
    return static_cast<size_t>(
        std::count_if(m_entries.begin(), m_entries.end(), [](const auto& e) { return !e.second.built.expired(); }));
}

}  // namespace strobe
