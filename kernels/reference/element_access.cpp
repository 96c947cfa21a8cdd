#include "kernels/reference/element_access.h"

#include <cstring>
#include <string>

#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

void copyString(void* destination, int64_t to, const void* source, int64_t from) {
    static_cast<std::string*>(destination)[to] = static_cast<const std::string*>(source)[from];
}

/// Byte by byte: an attribute's tensor lies in the model file wherever it happens to.
template <class T>
void copyOne(void* destination, int64_t to, const void* source, int64_t from) {
    constexpr auto size = static_cast<int64_t>(sizeof(T));
    std::memcpy(static_cast<char*>(destination) + to * size, static_cast<const char*>(source) + from * size, sizeof(T));
}

void copyNibble(void* destination, int64_t to, const void* source, int64_t from) {
    const int value = (static_cast<const uint8_t*>(source)[from / 2] >> (from % 2 * 4)) & 15;
    uint8_t& byte = static_cast<uint8_t*>(destination)[to / 2];
    byte = static_cast<uint8_t>(to % 2 ? (byte & 0x0f) | (value << 4) : (byte & 0xf0) | value);
}

}  // namespace

CopyElement elementCopier(DataType type) {
    if (type == DataType::String) return copyString;
    switch (dataTypeBits(type)) {
        case 4:
            return copyNibble;
        case 8:
            return copyOne<uint8_t>;
        case 16:
            return copyOne<uint16_t>;
        case 32:
            return copyOne<uint32_t>;
        default:
            return copyOne<uint64_t>;
    }
}

void copyStrided(DataType type, const Dims& dims, void* destination, const Strided& to, const void* source,
                 const Strided& from) {
    if (elementCount(dims) == 0) return;
    const CopyElement copy = elementCopier(type);
    Dims index(dims.size(), 0);
    do {
        int64_t read = from.offset, write = to.offset;
        for (size_t d = 0; d < dims.size(); ++d) {
            read += index[d] * from.strides[d];
            write += index[d] * to.strides[d];
        }
        copy(destination, write, source, read);
    } while (advance(index, dims));
}

void copyElements(DataType type, int64_t count, void* destination, const void* source) {
    copyStrided(type, {count}, destination, {0, {1}}, source, {0, {1}});
}

}  // namespace strobe
