#pragma once
#include <type_traits>

#include "engine_core/base/element_types.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {

/// Whole tensors as doubles, in which integers of up to 53 bits are exact: kernels that need more are templates.

bool hasInput(const Problem& problem, int input);
bool hasOutput(const RunArguments& arguments, int output);
const Dims& inputDims(const RunArguments& arguments, int input);
const Dims& outputDims(const RunArguments& arguments, int output);
/// Elements of an input (constant or given at run time); empty when it is absent.
std::vector<double> readNumbers(const Problem& problem, const RunArguments& arguments, int input);
/// The first element, or `fallback` when the input is absent or empty.
double readNumber(const Problem& problem, const RunArguments& arguments, int input, double fallback);
/// Stores elements as an output's type; fractions of integers are cut off, integers out of range saturate. Absent
/// output: nothing.
void writeNumbers(const Problem& problem, const RunArguments& arguments, int output, const std::vector<double>& values);
/// The same for `count` elements at `destination`, FP8 and 4-bit types included.
void storeNumbers(DataType type, const std::vector<double>& values, void* destination);

/// Elements before an axis, along it, and after it.
struct AxisSplit {
    int64_t outer = 1, extent = 1, inner = 1;
    AxisSplit(const Dims& dims, int64_t axis);
};
/// A negative axis counted from the end.
int64_t wrapAxis(int64_t axis, const Dims& dims);

/// Reads a tensor as if broadcast to `dims`: offset of an index.
int64_t offsetOf(const Dims& index, const std::vector<int64_t>& strides);

/// Calls `function` with a value of the C++ type behind FP32, FP64, bool and integers of 8 to 64 bits; error for other
/// types.
template <class Function>
Status withNumber(DataType type, Function&& function) {
    if (type == DataType::Bool) return function(uint8_t());
    Status outcome = Status::ok();
    if (withNumberType(type, [&](auto zero) { outcome = function(zero); })) return outcome;
    return unsupported("element type " + std::string(dataTypeName(type)));
}
/// A strict weak order of numbers in which NaN is the greatest, and all NaN are equal; `largest`: the greatest first.
/// Looks whether the run is cancelled: a sort of one long axis is leavable only here.
template <class T>
bool precedes(const T& a, const T& b, bool largest) {
    pollCancel(1);
    const bool aNan = a != a, bNan = b != b;
    if (aNan || bNan) return largest ? aNan && !bNan : bNan && !aNan;
    return largest ? b < a : a < b;
}
/// What sums of T are kept in.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double,
                                std::conditional_t<std::is_unsigned_v<T>, uint64_t, int64_t>>;

/// yes for FP32 and FP64 (after widening).
Support onlyFloats(const Problem& problem);
/// yes for all numbers and bool.
Support anyNumbers(const Problem& problem);

}  // namespace strobe
