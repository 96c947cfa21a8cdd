#include "engine_core/base/data_type.h"

#include <array>

namespace strobe {
namespace {

struct TypeRow {
    std::string_view name;
    int bits;
};
constexpr std::array<TypeRow, 19> kRows = {{{"undefined", 0}, {"fp32", 32},  {"fp64", 64},  {"fp16", 16},  {"bf16", 16},
                                            {"fp8e4m3", 8},   {"fp8e5m2", 8}, {"int4", 4},   {"uint4", 4},  {"int8", 8},
                                            {"uint8", 8},     {"int16", 16},  {"uint16", 16}, {"int32", 32}, {"uint32", 32},
                                            {"int64", 64},    {"uint64", 64}, {"bool", 8},   {"string", 8 * sizeof(void*) * 4}}};

}  // namespace

int dataTypeBits(DataType type) { return kRows[static_cast<size_t>(type)].bits; }

size_t dataTypeBytes(DataType type, int64_t count) {
    return (static_cast<size_t>(count) * static_cast<size_t>(dataTypeBits(type)) + 7) / 8;
}

std::string_view dataTypeName(DataType type) { return kRows[static_cast<size_t>(type)].name; }

std::optional<DataType> dataTypeFromName(std::string_view name) {
    for (size_t i = 0; i < kRows.size(); ++i)
        if (kRows[i].name == name) return static_cast<DataType>(i);
    return std::nullopt;
}

bool isFloatingPoint(DataType type) { return type >= DataType::Float32 && type <= DataType::Float8E5M2; }
bool isInteger(DataType type) { return type >= DataType::Int4 && type <= DataType::UInt64; }
bool isSigned(DataType type) {
    return isFloatingPoint(type) || type == DataType::Int4 || type == DataType::Int8 || type == DataType::Int16 ||
           type == DataType::Int32 || type == DataType::Int64;
}

}  // namespace strobe
