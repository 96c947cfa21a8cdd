#pragma once
#include <cstddef>
#include <memory>
#include <mutex>

namespace strobe {

/// Memory aligned to 64 bytes, in huge pages where it is large: networks stream through hundreds of MB, and each small
/// page costs a walk through the page table. Its contents are not defined. Null when there is none.
std::shared_ptr<void> allocateAligned(size_t bytes);
/// The same, filled with zeros; large memory is so without being touched.
std::shared_ptr<void> allocateZeroed(size_t bytes);

/// Buffers that live about equally long, side by side in huge pages. Thread-safe.
class MemoryPool {
public:
    /// At least `bytes` (0 too gives an address), aligned to 64; contents not defined; null when there is none. A buffer may outlive the
    /// pool. Memory is given back by blocks of 16 MiB, each with the last of its buffers; a buffer of more than 8 MiB is a block of its own.
    std::shared_ptr<void> allocate(size_t bytes);

private:
    std::mutex m_mutex;
    std::shared_ptr<void> m_block;
    size_t m_used = 0;
};

}  // namespace strobe
