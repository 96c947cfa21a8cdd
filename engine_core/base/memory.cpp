#include "engine_core/base/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <new>

namespace strobe {
namespace {

constexpr size_t kHugePage = 2u << 20, kBlock = 16u << 20;

size_t roundUp(size_t bytes, size_t step) {
    return (bytes + step - 1) / step * step;
}

}  // namespace

std::shared_ptr<void> allocateAligned(size_t bytes) {
    if (bytes > std::numeric_limits<size_t>::max() / 2) return nullptr;  // rounding up could overflow
    const bool huge = bytes >= 2 * kHugePage;
    const auto alignment = std::align_val_t(huge ? kHugePage : 64);
    const size_t size = huge ? roundUp(bytes, kHugePage) : std::max<size_t>(bytes, 64);
    void* memory = ::operator new(size, alignment, std::nothrow);
    if (!memory) return nullptr;
    // Only advice: without huge pages everything works as well, slower.
    if (huge) static_cast<void>(madvise(memory, size, MADV_HUGEPAGE));
    return {memory, [alignment](void* p) { ::operator delete(p, alignment); }};
}

std::shared_ptr<void> MemoryPool::allocate(size_t bytes) {
    if (bytes > kBlock / 2) return allocateAligned(bytes);
    const size_t size = std::max<size_t>(64, roundUp(bytes, 64));
    std::lock_guard lock(m_mutex);
    if (!m_block || m_used + size > kBlock) {
        m_block = allocateAligned(kBlock);
        m_used = 0;
        if (!m_block) return allocateAligned(bytes);
    }
    const std::shared_ptr<void> buffer(m_block, static_cast<char*>(m_block.get()) + m_used);
    m_used += size;
    return buffer;
}

}  // namespace strobe
