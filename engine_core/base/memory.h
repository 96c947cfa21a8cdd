#pragma once
#include <cstddef>
#include <memory>
#include <mutex>

namespace strobe {

/// Memory aligned to 64 bytes, in huge pages where it is large: networks stream through hundreds of MB, and each small
/// page costs a walk through the page table. Null when there is none.
std::shared_ptr<void> allocateAligned(size_t bytes);

/// Buffers that live about equally long, side by side in huge pages. A block is freed with its last buffer.
/// Thread-safe.
class MemoryPool {
public:
    std::shared_ptr<void> allocate(size_t bytes);

private:
    std::mutex m_mutex;
    std::shared_ptr<void> m_block;
    size_t m_used = 0;
};

}  // namespace strobe
