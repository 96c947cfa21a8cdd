#include <charconv>
#include <cmath>
#include <cstdlib>

#include "engine_core/base/float_formats.h"
#include "kernels/reference/element_access.h"
#include "kernels/reference/integer_elementwise.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

/// One element on its way between types: integers stay exact, everything else is a double.
struct Scalar {
    bool isInt = false;
    int64_t integer = 0;  // the bits; of an uint64_t when isUnsigned
    bool isUnsigned = false;
    double real = 0.0;
    static Scalar ofReal(double value) { return {false, 0, false, value}; }
    static Scalar ofInt(int64_t value) { return {true, value, false, static_cast<double>(value)}; }
    static Scalar ofUnsigned(uint64_t value) {
        return {true, static_cast<int64_t>(value), true, static_cast<double>(value)};
    }
};

/// "3", "-1.5e3", "inf", "NaN" … as ONNX allows; an error for other text.
Result<Scalar> parseNumber(const std::string& text) {
    char* end = nullptr;
    const long long integer = std::strtoll(text.c_str(), &end, 10);
    if (!text.empty() && *end == '\0' && text.size() < 19) return Scalar::ofInt(integer);
    const double real = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0')
        return invalidArgument("cannot cast the string '" + text.substr(0, 60) + "' to a number");
    return Scalar::ofReal(real);
}

Result<Scalar> readElement(DataType type, const void* data, int64_t i) {
    const auto bytes = [&] { return static_cast<const uint8_t*>(data)[i]; };
    const auto halves = [&] { return static_cast<const uint16_t*>(data)[i]; };
    switch (type) {
        case DataType::Float32:
            return Scalar::ofReal(static_cast<double>(static_cast<const float*>(data)[i]));
        case DataType::Float64:
            return Scalar::ofReal(static_cast<const double*>(data)[i]);
        case DataType::Float16:
            return Scalar::ofReal(static_cast<double>(float16ToFloat(halves())));
        case DataType::BFloat16:
            return Scalar::ofReal(static_cast<double>(bfloat16ToFloat(halves())));
        case DataType::Float8E4M3FN:
            return Scalar::ofReal(static_cast<double>(float8E4M3FNToFloat(bytes())));
        case DataType::Float8E5M2:
            return Scalar::ofReal(static_cast<double>(float8E5M2ToFloat(bytes())));
        case DataType::Bool:
            return Scalar::ofInt(bytes() ? 1 : 0);
        case DataType::Int4:
        case DataType::UInt4: {
            const int nibble = (static_cast<const uint8_t*>(data)[i / 2] >> (i % 2 * 4)) & 15;
            return Scalar::ofInt(type == DataType::Int4 && nibble >= 8 ? nibble - 16 : nibble);
        }
        case DataType::String:
            return parseNumber(static_cast<const std::string*>(data)[i]);
        case DataType::UInt64:
            return Scalar::ofUnsigned(static_cast<const uint64_t*>(data)[i]);
        default:
            break;
    }
    Scalar value;
    withIntegerType(type, [&](auto zero) {
        value = Scalar::ofInt(static_cast<int64_t>(static_cast<const decltype(zero)*>(data)[i]));
    });
    return value;
}

/// As numpy prints: integers plainly, reals with the fewest digits that give the same value back.
std::string print(const Scalar& value) {
    if (value.isInt)
        return value.isUnsigned ? std::to_string(static_cast<uint64_t>(value.integer)) : std::to_string(value.integer);
    if (std::isnan(value.real)) return "NaN";
    if (std::isinf(value.real)) return value.real > 0 ? "INF" : "-INF";
    char buffer[40];
    const auto narrow = static_cast<float>(value.real);
    const bool isNarrow = static_cast<double>(narrow) == value.real;
    char* const end = buffer + sizeof buffer;
    std::string text(buffer,
                     isNarrow ? std::to_chars(buffer, end, narrow).ptr : std::to_chars(buffer, end, value.real).ptr);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

/// A real becomes an integer by truncation. Out of range it wraps through int64 as C++ compilers' and numpy's casts do
/// in practice.
int64_t truncate(const Scalar& value) {
    return value.isInt ? value.integer : saturateCast<int64_t>(value.real);
}

void writeNibble(void* data, int64_t i, int64_t value) {
    uint8_t& byte = static_cast<uint8_t*>(data)[i / 2];
    const int nibble = static_cast<int>(value) & 15;
    byte = static_cast<uint8_t>(i % 2 ? (byte & 0x0f) | (nibble << 4) : (byte & 0xf0) | nibble);
}

void writeElement(DataType type, void* data, int64_t i, const Scalar& value, bool saturate) {
    // Straight from the integer: by way of a double, large ones would be rounded twice.
    const float real =
        value.isInt && !value.isUnsigned ? static_cast<float>(value.integer) : static_cast<float>(value.real);
    const auto put = [&](auto stored) { static_cast<decltype(stored)*>(data)[i] = stored; };
    switch (type) {
        case DataType::Float32:
            return put(real);
        case DataType::Float64:
            return put(value.real);
        case DataType::Float16:
            return put(floatToFloat16(real));
        case DataType::BFloat16:
            return put(floatToBFloat16(real));
        case DataType::Float8E4M3FN:
            return put(floatToFloat8E4M3FN(real, saturate));
        case DataType::Float8E5M2:
            return put(floatToFloat8E5M2(real, saturate));
        case DataType::Bool:
            return put(static_cast<uint8_t>(value.isInt ? value.integer != 0 : value.real != 0.0));
        case DataType::Int4:
        case DataType::UInt4:
            return writeNibble(data, i, truncate(value));
        case DataType::String:
            static_cast<std::string*>(data)[i] = print(value);
            return;
        case DataType::UInt64:
            return put(value.isInt || value.real < 0.0 ? static_cast<uint64_t>(truncate(value))
                                                       : saturateCast<uint64_t>(value.real));
        default:
            break;
    }
    withIntegerType(type, [&](auto zero) { put(static_cast<decltype(zero)>(truncate(value))); });
}

Status runCast(const Problem& problem, const RunArguments& arguments) {
    const DataType from = problem.inputs[0].format.type, to = problem.outputs[0].format.type;
    const bool saturate = problem.attributes->getBool("saturate", true);
    const int64_t count = elementCount(*arguments.outputs[0].dims);
    if (from == to) {
        copyElements(to, count, arguments.outputs[0].data, arguments.inputs[0].data);
        return Status::ok();
    }
    for (int64_t i = 0; i < count; ++i) {
        pollCancel(1);
        STROBE_ASSIGN(const Scalar value, readElement(from, arguments.inputs[0].data, i));
        writeElement(to, arguments.outputs[0].data, i, value, saturate);
    }
    return Status::ok();
}

Status runBitCast(const Problem& problem, const RunArguments& arguments) {
    copyElements(problem.outputs[0].format.type, elementCount(*arguments.outputs[0].dims), arguments.outputs[0].data,
                 arguments.inputs[0].data);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(cast) {
    addReference(registry, {"Cast", runCast, nullptr, true});
    addReference(registry, {"CastLike", runCast, nullptr, true});
    addReference(registry, {"BitCast", runBitCast, nullptr, true});
}

}  // namespace strobe
