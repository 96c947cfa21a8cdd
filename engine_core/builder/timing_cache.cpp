#include "engine_core/builder/timing_cache.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/mapped_file.h"

namespace strobe {
namespace {

constexpr std::string_view kHeader = "strobe-timing-cache 1\n";

/// "ms<TAB>key" lines; returns false at the first line that is none.
bool readLines(std::string_view text, std::map<std::string, double>& times) {
    while (!text.empty()) {
        const size_t end = text.find('\n');
        if (end == std::string_view::npos) return false;
        const std::string_view line = text.substr(0, end);
        const size_t tab = line.find('\t');
        double milliseconds = 0;
        if (tab == std::string_view::npos) return false;
        const auto [parsed, error] = std::from_chars(line.data(), line.data() + tab, milliseconds);
        if (error != std::errc() || parsed != line.data() + tab || !std::isfinite(milliseconds) || milliseconds < 0) return false;
        times[std::string(line.substr(tab + 1))] = milliseconds;
        text.remove_prefix(end + 1);
    }
    return true;
}

}  // namespace

std::optional<double> TimingCache::find(const std::string& key) const {
    std::lock_guard lock(m_mutex);
    const auto found = m_times.find(key);
    return found == m_times.end() ? std::nullopt : std::optional<double>(found->second);
}

void TimingCache::store(const std::string& key, double milliseconds) {
    std::lock_guard lock(m_mutex);
    m_times[key] = milliseconds;
}

size_t TimingCache::size() const {
    std::lock_guard lock(m_mutex);
    return m_times.size();
}

void TimingCache::clear() {
    std::lock_guard lock(m_mutex);
    m_times.clear();
}

std::optional<std::string> TimingCache::load(const std::string& path) {
    auto file = MappedFile::read(path);
    if (!file) return file.status().code() == ErrorCode::NotFound ? std::nullopt : std::optional<std::string>(file.status().message() + "; the timing cache is not used");
    const auto bytes = (*file)->bytes();
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.empty()) return std::nullopt;
    if (text.substr(0, kHeader.size()) != kHeader) return path + ": is not a timing cache of this version; it is ignored and will be replaced";
    text.remove_prefix(kHeader.size());
    std::lock_guard lock(m_mutex);
    if (!readLines(text, m_times)) return path + ": the timing cache is damaged; what could be read is used";
    return std::nullopt;
}

Status TimingCache::save(const std::string& path) const {
    TimingCache merged;
    (void)merged.load(path);
    {
        std::lock_guard lock(m_mutex);
        for (const auto& [key, milliseconds] : m_times) merged.m_times[key] = milliseconds;
    }
    std::string text(kHeader);
    for (const auto& [key, milliseconds] : merged.m_times) {
        char number[32];
        text.append(number, std::to_chars(number, number + sizeof number, milliseconds).ptr);
        text += '\t' + key + '\n';
    }
    return writeFileAtomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace strobe
