#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"
#include "engine_core/base/float_formats.h"

namespace strobe {

/// An element of DataType::Bool: any byte but 0 is true.
struct BoolByte {
    uint8_t value = 0;
    BoolByte() = default;
    explicit BoolByte(bool isTrue) : value(isTrue ? 1 : 0) {}
    explicit operator float() const { return value != 0 ? 1.0f : 0.0f; }
};

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

/// The same for the types that C++ computes in: integers, FP32, FP64.
template <class Function>
bool withNumberType(DataType type, Function&& function) {
    if (type == DataType::Float32) return function(float()), true;
    if (type == DataType::Float64) return function(double()), true;
    return withIntegerType(type, function);
}

/// The same for all types of whole bytes but FP8 and strings.
template <class Function>
bool withElementType(DataType type, Function&& function) {
    if (type == DataType::BFloat16) return function(BFloat16()), true;
    if (type == DataType::Float16) return function(Float16()), true;
    if (type == DataType::Bool) return function(BoolByte()), true;
    return withNumberType(type, function);
}

}  // namespace strobe
