#pragma once
#include <cstddef>

namespace strobe {

/// A mapped file that another program cuts short kills the process at the next read of a page that is gone (SIGBUS). While a range is guarded
/// such pages read as zeros instead, so that the caller lives to say that the file has changed. Other bus errors go to the
/// handler that was there before, if any, as often as they come. Thread-safe.
class MappingGuard {
public:
    /// Requires page-aligned `begin`. Past 65,536 ranges at once the rest goes unguarded.
    MappingGuard(const void* begin, size_t bytes);
    ~MappingGuard();
    /// Whether pages of the range were gone and read as zeros.
    bool wasHit() const;
    MappingGuard(const MappingGuard&) = delete;
    MappingGuard& operator=(const MappingGuard&) = delete;

private:
    size_t m_slot;
};

}  // namespace strobe
