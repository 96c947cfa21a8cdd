#include "engine_core/ops/value_inference.h"

namespace strobe {

unsigned typeClass(DataType type) {
    if (type == DataType::Int4 || type == DataType::UInt4) return kSubByteTypes;
    if (isFloatingPoint(type)) return kFloatTypes;
    if (isInteger(type)) return isSigned(type) ? kSignedTypes : kUnsignedTypes;
    return type == DataType::Bool ? kBoolType : type == DataType::String ? kStringType : 0u;
}

Status requireType(const InferenceContext& context, int input, unsigned classes) {
    const DataType type = context.inputType(input);
    if (type == DataType::Undefined || (typeClass(type) & classes)) return Status::ok();
    static constexpr struct {
        unsigned bit;
        const char* name;
    } kNames[] = {{kFloatTypes, "floating point"},
                  {kSignedTypes, "signed integer"},
                  {kUnsignedTypes, "unsigned integer"},
                  {kBoolType, "bool"},
                  {kStringType, "string"},
                  {kSubByteTypes, "4-bit integer"}};
    std::string allowed;
    for (const auto& row : kNames)
        if (classes & row.bit) allowed += (allowed.empty() ? "" : ", ") + std::string(row.name);
    return invalidModel("input " + std::to_string(input) + " has type " + std::string(dataTypeName(type)) +
                        "; allowed: " + allowed);
}

Status requireSameType(const InferenceContext& context, int input, int other) {
    const DataType a = context.inputType(input), b = context.inputType(other);
    if (a == b || a == DataType::Undefined || b == DataType::Undefined) return Status::ok();
    return invalidModel("inputs " + std::to_string(input) + " and " + std::to_string(other) + " have types " +
                        std::string(dataTypeName(a)) + " and " + std::string(dataTypeName(b)) +
                        ", which must be equal");
}

Result<DataType> typeAttribute(const Attributes& attributes, const char* name, DataType fallback) {
    if (!attributes.has(name)) {
        if (fallback == DataType::Undefined) return invalidModel(std::string("attribute '") + name + "' is missing");
        return fallback;
    }
    const int64_t number = attributes.getInt(name, 0);
    if (const auto type = dataTypeFromOnnx(number)) return *type;
    return unsupported(std::string("attribute '") + name + "' is element type " + std::to_string(number) +
                       ", for which Strobe has no type");
}

std::optional<std::vector<int64_t>> constantValues(const InferenceContext& context, int input) {
    const auto values = context.inputValues(input);
    if (!values) return std::nullopt;
    std::vector<int64_t> numbers;
    for (const Dim& value : *values) {
        if (!value.isConstant()) return std::nullopt;
        numbers.push_back(value.constant());
    }
    return numbers;
}

std::optional<Dim> scalarValue(const InferenceContext& context, int input) {
    const auto values = context.inputValues(input);
    if (!values || values->size() != 1) return std::nullopt;
    return values->front();
}

std::optional<Dim> foldValues(const InferenceContext& context, int input, Dim initial,
                              Dim (*combine)(const Dim&, const Dim&)) {
    const auto values = context.inputValues(input);
    if (!values) return std::nullopt;
    for (const Dim& value : *values) initial = combine(initial, value);
    return initial;
}

void setValues(InferenceContext& context, int output, const Shape& shape, std::vector<Dim> values) {
    if (shape.size() <= 1 && elementCount(shape).isConstant(static_cast<int64_t>(values.size())))
        context.setOutputValues(output, std::move(values));
}

void passValues(InferenceContext& context, const Shape& shape) {
    if (auto values = context.inputValues(0)) setValues(context, 0, shape, std::move(*values));
}

Result<Shape> freshShape(InferenceContext& context, int64_t rank) {
    if (rank < 0 || rank > kMaxRank)
        return invalidModel("a shape of " + std::to_string(rank) + " extents; 0 to " + std::to_string(kMaxRank) +
                            " are allowed");
    Shape shape;
    for (int64_t i = 0; i < rank; ++i) shape.push_back(context.freshSymbol());
    return shape;
}

bool provablyAtMost(const Dim& a, const Dim& b) {
    const auto gap = (b - a).lowerBound();
    return gap && *gap >= 0;
}

std::optional<bool> provablyEqual(const Dim& a, const Dim& b) {
    if (a == b) return true;
    if (provablyAtMost(a + Dim(1), b) || provablyAtMost(b + Dim(1), a)) return false;
    return std::nullopt;
}

Dim maxOf(const Dim& a, const Dim& b) {
    return provablyAtMost(a, b) ? b : provablyAtMost(b, a) ? a : Dim::max(a, b);
}
Dim minOf(const Dim& a, const Dim& b) {
    return provablyAtMost(a, b) ? a : provablyAtMost(b, a) ? b : Dim::min(a, b);
}

}  // namespace strobe
