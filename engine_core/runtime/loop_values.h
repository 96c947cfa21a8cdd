#pragma once
#include "engine_core/runtime/graph_executor.h"

namespace strobe {

/// A host tensor that a loop carries from one iteration to the next.
struct CarriedValue {
    GrowingBuffer buffer;
    Dims dims;
    /// Takes a copy.
    Status assign(const void* data, const Dims& newDims, DataType type);
};

/// Slices of a tensor, one an iteration, the first outermost.
class GatheredSlices {
public:
    /// At most `mostBytes` are kept: a loop that never ends must not take the machine's memory.
    explicit GatheredSlices(size_t mostBytes = usualMostBytes()) : m_mostBytes(mostBytes) {}
    /// A quarter of the machine's memory: while they grow and are joined, three times as much may be in use.
    static size_t usualMostBytes();

    /// Slices must not change their dims. OutOfMemory past the limit.
    Status append(const void* data, const Dims& dims, DataType type);
    /// Cuts a tensor along `axis`, which must exist.
    static Result<GatheredSlices> cut(const void* data, const Dims& dims, int64_t axis, size_t elementBytes);
    /// Writes the tensor with the slices along `axis`, in reverse order when asked.
    void join(int64_t axis, bool reverse, size_t elementBytes, void* to) const;
    /// Its dims.
    Dims joinedDims(int64_t axis) const;
    /// Slice `index`; there must be that many.
    const void* slice(int64_t index) const {
        return bytes() + static_cast<size_t>(index) * (m_bytes / static_cast<size_t>(m_count));
    }
    int64_t count() const { return m_count; }
    const Dims& sliceDims() const { return m_sliceDims; }
    /// What they are where there is none.
    void setSliceDims(Dims dims) { m_sliceDims = std::move(dims); }

private:
    const uint8_t* bytes() const { return static_cast<const uint8_t*>(m_buffer.data()); }
    Status grow(size_t bytes);

    GrowingBuffer m_buffer;
    size_t m_bytes = 0, m_mostBytes;
    Dims m_sliceDims;
    int64_t m_count = 0;
};

}  // namespace strobe
