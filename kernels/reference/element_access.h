#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine_core/base/data_type.h"
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

/// Calls `function` with a value of the C++ type behind an integer type of 8 to 64 bits; false for other types.
template <class Function>
bool withIntegerType(DataType type, Function&& function) {
    switch (type) {
        case DataType::Int8:
            return function(int8_t()), true;
        case DataType::UInt8:
            return function(uint8_t()), true;
        case DataType::Int16:
            return function(int16_t()), true;
        case DataType::UInt16:
            return function(uint16_t()), true;
        case DataType::Int32:
            return function(int32_t()), true;
        case DataType::UInt32:
            return function(uint32_t()), true;
        case DataType::Int64:
            return function(int64_t()), true;
        case DataType::UInt64:
            return function(uint64_t()), true;
        default:
            return false;
    }
}
/// The same for the arithmetic types that reference kernels meet: integers, FP32, FP64.
template <class Function>
bool withNumberType(DataType type, Function&& function) {
    if (type == DataType::Float32) return function(float()), true;
    if (type == DataType::Float64) return function(double()), true;
    return withIntegerType(type, function);
}

}  // namespace strobe
