#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace strobe {

/// Element types. Sub-byte types are stored two elements a byte, low nibble first (as ONNX does).
enum class DataType : uint8_t {
    Undefined,
    Float32,
    Float64,
    Float16,
    BFloat16,
    Float8E4M3FN,
    Float8E5M2,
    Int4,
    UInt4,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Bool,
    String,  // std::string elements; only the importer and the reference kernels meet it
};

int dataTypeBits(DataType type);
/// Bytes that `count` elements take in memory; at most 2^56, which no machine has and which sums of a few hundred do not overflow.
size_t dataTypeBytes(DataType type, int64_t count);
/// Short name as the views and the text form show it: "fp32", "bf16", "int64" …
std::string_view dataTypeName(DataType type);
std::optional<DataType> dataTypeFromName(std::string_view name);
/// The number that ONNX gives a type (TensorProto.DataType); 0 for Undefined. nullopt: a number for which Strobe has no type.
int64_t onnxTypeNumber(DataType type);
std::optional<DataType> dataTypeFromOnnx(int64_t number);
bool isFloatingPoint(DataType type);
bool isInteger(DataType type);
bool isSigned(DataType type);

}  // namespace strobe
