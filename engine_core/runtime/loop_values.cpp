#include "engine_core/runtime/loop_values.h"

#include <algorithm>
#include <cstring>

#include "engine_core/builder/device.h"

namespace strobe {
namespace {

/// outer × inner elements around an axis of slices.
struct AroundAxis {
    int64_t outer = 1, inner = 1;
    AroundAxis(const Dims& slice, int64_t axis) {
        for (size_t d = 0; d < slice.size(); ++d) (static_cast<int64_t>(d) < axis ? outer : inner) *= slice[d];
    }
};

}  // namespace

size_t LoopMemory::usualMostBytes() {
    static const size_t memory = cpuDeviceInfo().memoryBytes;
    return memory > 0 ? memory / 4 : size_t{4} << 30;  // 4 GiB where the system does not tell
}

Status LoopMemory::Share::resize(size_t bytes) {
    if (m_memory) {
        const size_t others = m_memory->m_usedBytes - m_bytes;
        if (bytes > m_memory->m_mostBytes - others)
            return Status(ErrorCode::OutOfMemory,
                          "needs " + std::to_string(bytes) + " bytes; what loops keep takes " + std::to_string(others) +
                              " bytes besides, and " + std::to_string(m_memory->m_mostBytes) +
                              " are allowed in a run; run fewer iterations or use smaller shapes");
        m_memory->m_usedBytes = others + bytes;
    }
    m_bytes = bytes;
    return Status::ok();
}

Status CarriedValue::assign(const void* data, const Dims& dims, DataType type) {
    const size_t size = dataTypeBytes(type, elementCount(dims));
    // Twice: the body holds what it returned as well. The buffer does not shrink, nor does the share.
    if (2 * size > m_share.bytes())
        STROBE_RETURN_IF_ERROR(m_share.resize(2 * size).withContext("a carried value of shape " + toString(dims) +
                                                                        ", with the body's copy"));
    STROBE_ASSIGN(void* memory, m_buffer.reserve(size));
    if (size > 0) std::memcpy(memory, data, size);
    m_dims = dims;
    return Status::ok();
}

/// Room for so many bytes in all; what is there stays.
Status GatheredSlices::grow(size_t bytes) {
    if (bytes <= m_buffer.capacity()) return Status::ok();
    size_t room = std::max(2 * m_buffer.capacity(), bytes);
    if (const LoopMemory* memory = m_share.memory()) room = std::max(bytes, std::min(room, memory->mostBytes()));
    GrowingBuffer larger;
    STROBE_RETURN_IF_ERROR(larger.reserve(room).status());
    if (m_bytes > 0) std::memcpy(larger.data(), m_buffer.data(), m_bytes);
    m_buffer = std::move(larger);
    return Status::ok();
}

Status GatheredSlices::append(const void* data, const Dims& dims, DataType type) {
    if (m_count > 0 && dims != m_sliceDims)
        return invalidModel("a scan output changes its shape from " + toString(m_sliceDims) + " to " + toString(dims) +
                            " between iterations");
    const size_t more = dataTypeBytes(type, elementCount(dims));
    STROBE_RETURN_IF_ERROR(m_share.resize(m_bytes + more)
                               .withContext("a scan output after " + std::to_string(m_count) + " iterations"));
    STROBE_RETURN_IF_ERROR(grow(m_bytes + more));
    m_sliceDims = dims;
    ++m_count;
    if (more > 0) std::memcpy(static_cast<uint8_t*>(m_buffer.data()) + m_bytes, data, more);
    m_bytes += more;
    return Status::ok();
}

Result<GatheredSlices> GatheredSlices::cut(const void* data, const Dims& dims, int64_t axis, size_t elementBytes) {
    GatheredSlices slices;
    slices.m_count = dims[static_cast<size_t>(axis)];
    slices.m_sliceDims = dims;
    slices.m_sliceDims.erase(slices.m_sliceDims.begin() + static_cast<std::ptrdiff_t>(axis));
    const AroundAxis around(slices.m_sliceDims, axis);
    const size_t run = static_cast<size_t>(around.inner) * elementBytes;
    slices.m_bytes = static_cast<size_t>(elementCount(dims)) * elementBytes;
    STROBE_ASSIGN(void* memory, slices.m_buffer.reserve(slices.m_bytes));
    const auto* source = static_cast<const uint8_t*>(data);
    for (int64_t o = 0; o < around.outer; ++o)
        for (int64_t k = 0; k < slices.m_count && run > 0; ++k)
            std::memcpy(static_cast<uint8_t*>(memory) + static_cast<size_t>(k * around.outer + o) * run,
                        source + static_cast<size_t>(o * slices.m_count + k) * run, run);
    return slices;
}

void GatheredSlices::join(int64_t axis, bool reverse, size_t elementBytes, void* to) const {
    const AroundAxis around(m_sliceDims, axis);
    const size_t run = static_cast<size_t>(around.inner) * elementBytes;
    for (int64_t k = 0; k < m_count; ++k)
        for (int64_t o = 0; o < around.outer && run > 0; ++o) {
            const int64_t source = reverse ? m_count - 1 - k : k;
            std::memcpy(static_cast<uint8_t*>(to) + static_cast<size_t>(o * m_count + k) * run,
                        bytes() + static_cast<size_t>(source * around.outer + o) * run, run);
        }
}

Dims GatheredSlices::joinedDims(int64_t axis) const {
    Dims dims = m_sliceDims;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), m_count);
    return dims;
}

}  // namespace strobe
