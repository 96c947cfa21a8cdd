#pragma once
#include <optional>
#include <vector>

#include "engine_core/ops/op_definition.h"

namespace strobe {

/// Helpers for inference on known elements (shape arithmetic) and on element types.

/// Classes of element types, to be or-ed.
enum TypeClass : unsigned {
    kFloatTypes = 1,  // all floating-point types, narrow ones included
    kSignedTypes = 2,
    kUnsignedTypes = 4,
    kIntTypes = kSignedTypes | kUnsignedTypes,  // 8 to 64 bits
    kNumberTypes = kFloatTypes | kIntTypes,
    kBoolType = 8,
    kStringType = 16,
    kSubByteTypes = 32,
    kAnyType = 63,
};
unsigned typeClass(DataType type);
/// "input 1 has type bool; floating-point, signed integer is allowed".
Status requireType(const InferenceContext& context, int input, unsigned classes);
/// Error when two inputs' element types differ.
Status requireSameType(const InferenceContext& context, int input, int other);
/// Type behind an attribute that holds an ONNX type number (`to`, `dtype`); `fallback` when absent.
Result<DataType> typeAttribute(const Attributes& attributes, const char* name, DataType fallback);

/// Known elements of an integer input as plain numbers; nullopt: unknown or symbolic.
std::optional<std::vector<int64_t>> constantValues(const InferenceContext& context, int input);
/// The single known element of a scalar-like input.
std::optional<Dim> scalarValue(const InferenceContext& context, int input);
/// All elements of an input combined by `combine`, e.g. ReduceProd of a shape; nullopt: unknown.
std::optional<Dim> foldValues(const InferenceContext& context, int input, Dim initial,
                              Dim (*combine)(const Dim&, const Dim&));
/// Sets the elements of an output whose shape is `shape`, when its rank is at most 1 (all that is tracked).
void setValues(InferenceContext& context, int output, const Shape& shape, std::vector<Dim> values);
/// Hands input 0's elements to output 0 of shape `shape`: for ops that only change the shape.
void passValues(InferenceContext& context, const Shape& shape);

/// Of any tensor; larger ones are mistakes, or files made to fill the memory.
inline constexpr int kMaxRank = 64;
/// `rank` extents that only the run can tell. Error beyond kMaxRank.
Result<Shape> freshShape(InferenceContext& context, int64_t rank);

bool provablyAtMost(const Dim& a, const Dim& b);
/// Truth of a == b where it does not depend on the symbols.
std::optional<bool> provablyEqual(const Dim& a, const Dim& b);
/// max and min that keep the plain operand where the order can be proven.
Dim maxOf(const Dim& a, const Dim& b);
Dim minOf(const Dim& a, const Dim& b);

}  // namespace strobe
