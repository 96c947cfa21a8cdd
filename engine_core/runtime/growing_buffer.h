#pragma once
#include <cstddef>
#include <memory>

#include "engine_core/base/status.h"

namespace strobe {

class Device;

/// Memory that grows and never shrinks, 64-byte aligned.
class GrowingBuffer {
public:
    /// Contents are lost when it grows. OutOfMemory names the bytes. With `device`, growth takes host memory that the
    /// device copies to and from without a detour.
    Result<void*> reserve(size_t bytes, Device* device = nullptr);
    void* data() const { return m_data.get(); }
    size_t capacity() const { return m_capacity; }

private:
    std::shared_ptr<void> m_data;
    size_t m_capacity = 0;
};

}  // namespace strobe
