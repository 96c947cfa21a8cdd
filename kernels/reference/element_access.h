#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine_core/base/element_types.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// Copies element `from` of `source` to element `to` of `destination`; both hold elements of one type.
using CopyElement = void (*)(void* destination, int64_t to, const void* source, int64_t from);
/// For every type, strings and packed 4-bit elements included.
CopyElement elementCopier(DataType type);

/// One side of a strided copy, in elements.
struct Strided {
    int64_t offset = 0;
    std::vector<int64_t> strides;
};
/// Copies a box of `dims` elements from one strided place to another.
void copyStrided(DataType type, const Dims& dims, void* destination, const Strided& to, const void* source,
                 const Strided& from);
/// Copies `count` elements in order.
void copyElements(DataType type, int64_t count, void* destination, const void* source);

}  // namespace strobe
