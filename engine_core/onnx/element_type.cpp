#include "engine_core/onnx/element_type.h"

#include <iterator>

#include "engine_core/onnx/display_text.h"

namespace strobe {
namespace {

/// ONNX's own names by number, served here or not (dataTypeFromOnnx tells).
constexpr const char* kNames[] = {
    "UNDEFINED", "FLOAT",      "UINT8",      "INT8",         "UINT16",         "INT16",      "INT32",
    "INT64",     "STRING",     "BOOL",       "FLOAT16",      "DOUBLE",         "UINT32",     "UINT64",
    "COMPLEX64", "COMPLEX128", "BFLOAT16",   "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ",
    "UINT4",     "INT4",       "FLOAT4E2M1", "FLOAT8E8M0",   "UINT2",          "INT2",
};
constexpr int64_t kCodes = static_cast<int64_t>(std::size(kNames));

}  // namespace

Result<DataType> elementTypeFromOnnx(int64_t code) {
    if (code < 1 || code >= kCodes)
        return invalidModel("element type " + std::to_string(code) + " is unknown; ONNX defines 1 to " +
                            std::to_string(kCodes - 1));
    if (const auto type = dataTypeFromOnnx(code)) return *type;
    return unsupported(
        std::string("element type ") + kNames[code] + " (" + std::to_string(code) +
        ") is not served; export with float, float16, bfloat16, float8e4m3fn, float8e5m2, int4 … int64 or bool");
}

Result<DataType> elementTypeFromOnnxName(const std::string& name) {
    for (int64_t code = 1; code < kCodes; ++code)
        if (name == kNames[code]) return elementTypeFromOnnx(code);
    return invalidModel("element type '" + displayText(name) + "' is unknown; FLOAT, INT64, … are allowed");
}

}  // namespace strobe
