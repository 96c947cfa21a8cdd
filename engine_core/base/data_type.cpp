#include "engine_core/base/data_type.h"

#include <array>

namespace strobe {
namespace {

struct TypeRow {
    std::string_view name;
    int bits;
    int onnx;
};
constexpr std::array<TypeRow, 19> kRows = {{{"undefined", 0, 0},
                                            {"fp32", 32, 1},
                                            {"fp64", 64, 11},
                                            {"fp16", 16, 10},
                                            {"bf16", 16, 16},
                                            {"fp8e4m3", 8, 17},
                                            {"fp8e5m2", 8, 19},
                                            {"int4", 4, 22},
                                            {"uint4", 4, 21},
                                            {"int8", 8, 3},
                                            {"uint8", 8, 2},
                                            {"int16", 16, 5},
                                            {"uint16", 16, 4},
                                            {"int32", 32, 6},
                                            {"uint32", 32, 12},
                                            {"int64", 64, 7},
                                            {"uint64", 64, 13},
                                            {"bool", 8, 9},
                                            {"string", 8 * sizeof(void*) * 4, 8}}};

}  // namespace

int dataTypeBits(DataType type) { return kRows[static_cast<size_t>(type)].bits; }

size_t dataTypeBytes(DataType type, int64_t count) {
    constexpr size_t kMost = size_t{1} << 56;
    const auto bits = static_cast<size_t>(dataTypeBits(type));
    // A negative count is an extent that nobody knows, and as absurd.
    if (bits > 0 && static_cast<size_t>(count) > kMost / bits * 8) return kMost;
    return (static_cast<size_t>(count) * bits + 7) / 8;
}

std::string_view dataTypeName(DataType type) { return kRows[static_cast<size_t>(type)].name; }

std::optional<DataType> dataTypeFromName(std::string_view name) {
    for (size_t i = 0; i < kRows.size(); ++i)
        if (kRows[i].name == name) return static_cast<DataType>(i);
    return std::nullopt;
}

int64_t onnxTypeNumber(DataType type) { return kRows[static_cast<size_t>(type)].onnx; }

std::optional<DataType> dataTypeFromOnnx(int64_t number) {
    for (size_t i = 1; i < kRows.size(); ++i)
        if (kRows[i].onnx == number) return static_cast<DataType>(i);
    return std::nullopt;
}

bool isFloatingPoint(DataType type) { return type >= DataType::Float32 && type <= DataType::Float8E5M2; }
bool isInteger(DataType type) { return type >= DataType::Int4 && type <= DataType::UInt64; }
bool isSigned(DataType type) {
    return isFloatingPoint(type) || type == DataType::Int4 || type == DataType::Int8 || type == DataType::Int16 ||
           type == DataType::Int32 || type == DataType::Int64;
}

}  // namespace strobe
