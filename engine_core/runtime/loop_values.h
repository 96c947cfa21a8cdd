#pragma once
#include <utility>

#include "engine_core/base/data_type.h"
#include "engine_core/ir/dim.h"
#include "engine_core/runtime/growing_buffer.h"

namespace strobe {

/// What the loops of one run may keep, nested ones and all their values together: a loop that never ends must not take
/// the machine's memory. Used by the thread that runs.
class LoopMemory {
public:
    explicit LoopMemory(size_t mostBytes = usualMostBytes()) : m_mostBytes(mostBytes) {}
    LoopMemory(const LoopMemory&) = delete;
    LoopMemory& operator=(const LoopMemory&) = delete;
    /// A quarter of the machine's memory: while values grow and are joined, three times as much may be in use.
    static size_t usualMostBytes();
    size_t mostBytes() const { return m_mostBytes; }
    size_t usedBytes() const { return m_usedBytes; }

    /// The part of one value, given back at its end.
    class Share {
    public:
        /// Null: not counted.
        explicit Share(LoopMemory* memory) : m_memory(memory) {}
        Share(Share&& other) noexcept
            : m_memory(std::exchange(other.m_memory, nullptr)), m_bytes(std::exchange(other.m_bytes, 0)) {}
        Share& operator=(Share&&) = delete;
        ~Share() {
            if (m_memory) m_memory->m_usedBytes -= m_bytes;
        }
        /// OutOfMemory past the limit; the share is then as before.
        Status resize(size_t bytes);
        size_t bytes() const { return m_bytes; }
        const LoopMemory* memory() const { return m_memory; }

    private:
        LoopMemory* m_memory;
        size_t m_bytes = 0;
    };

private:
    size_t m_mostBytes, m_usedBytes = 0;
};

/// A host tensor that a loop carries from one iteration to the next.
class CarriedValue {
public:
    explicit CarriedValue(LoopMemory& memory) : m_share(&memory) {}
    /// Takes a copy. OutOfMemory past the limit of what loops may keep.
    Status assign(const void* data, const Dims& dims, DataType type);
    const void* data() const { return m_buffer.data(); }
    const Dims& dims() const { return m_dims; }

private:
    GrowingBuffer m_buffer;
    Dims m_dims;
    LoopMemory::Share m_share;
};

/// Slices of a tensor, one an iteration, the first outermost. Elements take whole bytes (requireMovable).
class GatheredSlices {
public:
    /// Null: slices are not counted.
    explicit GatheredSlices(LoopMemory* memory = nullptr) : m_share(memory) {}

    /// Slices must not change their dims. OutOfMemory past the limit of what loops may keep.
    Status append(const void* data, const Dims& dims, DataType type);
    /// Cuts a tensor along `axis`, which must exist. Takes as much memory as the tensor has, which is not counted.
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
    size_t m_bytes = 0;
    LoopMemory::Share m_share;
    Dims m_sliceDims;
    int64_t m_count = 0;
};

}  // namespace strobe
