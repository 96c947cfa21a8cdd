#include "engine_core/runtime/growing_buffer.h"

#include <algorithm>

#include "engine_core/base/memory.h"
#include "engine_core/builder/device.h"

namespace strobe {

Result<void*> GrowingBuffer::reserve(size_t bytes, Device* device) {
    if (bytes <= m_capacity && m_data) return m_data.get();
    const size_t rounded = std::max<size_t>(64, (bytes + 63) / 64 * 64);
    if (device) {
        STROBE_ASSIGN(m_data, device->allocatePinnedHost(rounded));
        m_capacity = rounded;
        return m_data.get();
    }
    m_data = allocateAligned(rounded);
    if (!m_data) {
        m_capacity = 0;
        return Status(ErrorCode::OutOfMemory, "running needs a block of " + std::to_string(bytes) +
                                                  " bytes, which cannot be had; use smaller shapes");
    }
    m_capacity = rounded;
    return m_data.get();
}

}  // namespace strobe
