#include "engine_core/base/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace strobe {
namespace {

constexpr size_t kHugePage = 2u << 20, kBlock = 16u << 20;
constexpr size_t kOwnMapping = 32u << 20;  // from here on the system's pages, which come and go faster than through the heap

size_t roundUp(size_t bytes, size_t step) {
    return (bytes + step - 1) / step * step;
}

/// Whole huge pages of zeros that nobody has touched yet.
std::shared_ptr<void> mapPages(size_t bytes) {
    const size_t size = roundUp(bytes, kHugePage), reserved = size + kHugePage;
    void* const start = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    void* const memory = reinterpret_cast<void*>(roundUp(reinterpret_cast<size_t>(start), kHugePage));
    // Only advice: without huge pages everything works as well, slower.
    static_cast<void>(::madvise(memory, size, MADV_HUGEPAGE));
    return {memory, [start, reserved](void*) { ::munmap(start, reserved); }};
}

}  // namespace

std::shared_ptr<void> allocateAligned(size_t bytes) {
    if (bytes > std::numeric_limits<size_t>::max() / 2) return nullptr;  // rounding up could overflow
    if (bytes >= kOwnMapping) return mapPages(bytes);
    const bool huge = bytes >= 2 * kHugePage;
    const auto alignment = std::align_val_t(huge ? kHugePage : 64);
    const size_t size = huge ? roundUp(bytes, kHugePage) : std::max<size_t>(bytes, 64);
    void* memory = ::operator new(size, alignment, std::nothrow);
    if (!memory) return nullptr;
    if (huge) static_cast<void>(::madvise(memory, size, MADV_HUGEPAGE));
    return {memory, [alignment](void* p) { ::operator delete(p, alignment); }};
}

std::shared_ptr<void> allocateZeroed(size_t bytes) {
    std::shared_ptr<void> memory = allocateAligned(bytes);
    if (memory && bytes < kOwnMapping) std::memset(memory.get(), 0, bytes);
    return memory;
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
