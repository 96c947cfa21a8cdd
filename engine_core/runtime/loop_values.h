#pragma once
#include <cstdint>
#include <vector>

#include "engine_core/base/data_type.h"
#include "engine_core/base/status.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// A host tensor that a loop carries from one iteration to the next.
struct CarriedValue {
    std::vector<uint8_t> bytes;
    Dims dims;
    void assign(const void* data, const Dims& newDims, DataType type);
};

/// Slices of a tensor, one an iteration, the first outermost.
struct GatheredSlices {
    std::vector<uint8_t> bytes;
    Dims sliceDims;
    int64_t count = 0;

    /// Slices must not change their dims.
    Status append(const void* data, const Dims& dims, DataType type);
    /// Cuts a tensor along `axis`, which must exist.
    static GatheredSlices cut(const void* data, const Dims& dims, int64_t axis, size_t elementBytes);
    /// The tensor with the slices along `axis`, in reverse order when asked.
    std::vector<uint8_t> joined(int64_t axis, bool reverse, size_t elementBytes) const;
    /// Its dims.
    Dims joinedDims(int64_t axis) const;
    /// Slice `index`; there must be that many.
    const void* slice(int64_t index) const {
        return bytes.data() + static_cast<size_t>(index) * (bytes.size() / static_cast<size_t>(count));
    }
};

}  // namespace strobe
