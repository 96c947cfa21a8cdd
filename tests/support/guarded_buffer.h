#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace strobe {

/// Bytes at a chosen distance from 64-byte alignment, filled with a pattern that is a NaN in every float format,
/// between guards that tell when something wrote outside.
class GuardedBuffer {
public:
    GuardedBuffer(size_t bytes, size_t offset)
        : m_bytes(bytes),
          m_offset(offset),
          m_memory(static_cast<uint8_t*>(::operator new(bytes + offset + 2 * kGuard, std::align_val_t(64)))) {
        std::memset(m_memory.get(), kPattern, bytes + offset + 2 * kGuard);
    }
    void* data() const { return m_memory.get() + kGuard + m_offset; }
    bool isIntact() const {
        const uint8_t* start = m_memory.get();
        for (size_t i = 0; i < kGuard + m_offset; ++i)
            if (start[i] != kPattern) return false;
        for (size_t i = 0; i < kGuard; ++i)
            if (start[kGuard + m_offset + m_bytes + i] != kPattern) return false;
        return true;
    }

private:
    static constexpr size_t kGuard = 256;
    static constexpr uint8_t kPattern = 0xff;
    struct Free {
        void operator()(uint8_t* memory) const { ::operator delete(memory, std::align_val_t(64)); }
    };
    size_t m_bytes = 0, m_offset = 0;
    std::unique_ptr<uint8_t, Free> m_memory;
};

}  // namespace strobe
