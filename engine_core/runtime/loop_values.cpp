#include "engine_core/runtime/loop_values.h"

#include <algorithm>
#include <cstring>

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

void CarriedValue::assign(const void* data, const Dims& newDims, DataType type) {
    const size_t size = dataTypeBytes(type, elementCount(newDims));
    bytes.resize(std::max<size_t>(size, 1));
    if (size > 0) std::memcpy(bytes.data(), data, size);
    dims = newDims;
}

Status GatheredSlices::append(const void* data, const Dims& dims, DataType type) {
    if (count > 0 && dims != sliceDims)
        return invalidModel("a scan output changes its shape from " + toString(sliceDims) + " to " + toString(dims) +
                            " between iterations");
    sliceDims = dims;
    ++count;
    const auto* first = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), first, first + dataTypeBytes(type, elementCount(dims)));
    return Status::ok();
}

GatheredSlices GatheredSlices::cut(const void* data, const Dims& dims, int64_t axis, size_t elementBytes) {
    GatheredSlices slices;
    slices.count = dims[static_cast<size_t>(axis)];
    slices.sliceDims = dims;
    slices.sliceDims.erase(slices.sliceDims.begin() + static_cast<std::ptrdiff_t>(axis));
    const AroundAxis around(slices.sliceDims, axis);
    const size_t run = static_cast<size_t>(around.inner) * elementBytes;
    slices.bytes.resize(static_cast<size_t>(elementCount(dims)) * elementBytes);
    const auto* source = static_cast<const uint8_t*>(data);
    for (int64_t o = 0; o < around.outer; ++o)
        for (int64_t k = 0; k < slices.count && run > 0; ++k)
            std::memcpy(slices.bytes.data() + static_cast<size_t>(k * around.outer + o) * run,
                        source + static_cast<size_t>(o * slices.count + k) * run, run);
    return slices;
}

std::vector<uint8_t> GatheredSlices::joined(int64_t axis, bool reverse, size_t elementBytes) const {
    const AroundAxis around(sliceDims, axis);
    const size_t run = static_cast<size_t>(around.inner) * elementBytes;
    std::vector<uint8_t> result(bytes.size());
    for (int64_t k = 0; k < count; ++k)
        for (int64_t o = 0; o < around.outer && run > 0; ++o) {
            const int64_t source = reverse ? count - 1 - k : k;
            std::memcpy(result.data() + static_cast<size_t>(o * count + k) * run,
                        bytes.data() + static_cast<size_t>(source * around.outer + o) * run, run);
        }
    return result;
}

Dims GatheredSlices::joinedDims(int64_t axis) const {
    Dims dims = sliceDims;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), count);
    return dims;
}

}  // namespace strobe
