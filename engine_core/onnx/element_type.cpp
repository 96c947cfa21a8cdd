#include "engine_core/onnx/element_type.h"

#include <iterator>

#include "engine_core/onnx/display_text.h"

namespace strobe {
namespace {

struct Entry {
    const char* name;
    DataType type;  // Undefined: defined by ONNX, not served here
};
constexpr Entry kByCode[] = {
    {"UNDEFINED", DataType::Undefined},
    {"FLOAT", DataType::Float32},
    {"UINT8", DataType::UInt8},
    {"INT8", DataType::Int8},
    {"UINT16", DataType::UInt16},
    {"INT16", DataType::Int16},
    {"INT32", DataType::Int32},
    {"INT64", DataType::Int64},
    {"STRING", DataType::String},
    {"BOOL", DataType::Bool},
    {"FLOAT16", DataType::Float16},
    {"DOUBLE", DataType::Float64},
    {"UINT32", DataType::UInt32},
    {"UINT64", DataType::UInt64},
    {"COMPLEX64", DataType::Undefined},
    {"COMPLEX128", DataType::Undefined},
    {"BFLOAT16", DataType::BFloat16},
    {"FLOAT8E4M3FN", DataType::Float8E4M3FN},
    {"FLOAT8E4M3FNUZ", DataType::Undefined},
    {"FLOAT8E5M2", DataType::Float8E5M2},
    {"FLOAT8E5M2FNUZ", DataType::Undefined},
    {"UINT4", DataType::UInt4},
    {"INT4", DataType::Int4},
    {"FLOAT4E2M1", DataType::Undefined},
    {"FLOAT8E8M0", DataType::Undefined},
    {"UINT2", DataType::Undefined},
    {"INT2", DataType::Undefined},
};
constexpr int64_t kCodes = static_cast<int64_t>(std::size(kByCode));

}  // namespace

Result<DataType> elementTypeFromOnnx(int64_t code) {
    if (code < 1 || code >= kCodes)
        return invalidModel("element type " + std::to_string(code) + " is unknown; ONNX defines 1 to " +
                            std::to_string(kCodes - 1));
    const Entry& entry = kByCode[code];
    if (entry.type == DataType::Undefined)
        return unsupported(
            std::string("element type ") + entry.name + " (" + std::to_string(code) +
            ") is not served; export with float, float16, bfloat16, float8e4m3fn, float8e5m2, int4 … int64 or bool");
    return entry.type;
}

Result<DataType> elementTypeFromOnnxName(const std::string& name) {
    for (int64_t code = 1; code < kCodes; ++code)
        if (name == kByCode[code].name) return elementTypeFromOnnx(code);
    return invalidModel("element type '" + displayText(name) + "' is unknown; FLOAT, INT64, … are allowed");
}

int elementTypeToOnnx(DataType type) {
    for (int64_t code = 1; code < kCodes; ++code)
        if (kByCode[code].type == type && type != DataType::Undefined) return static_cast<int>(code);
    return 0;
}

}  // namespace strobe
