#include "kernels/reference/numbers.h"

#include <algorithm>
#include <cmath>

#include "engine_core/base/float_formats.h"
#include "kernels/reference/integer_elementwise.h"

namespace strobe {

bool hasInput(const Problem& problem, int input) {
    return static_cast<size_t>(input) < problem.inputs.size() && problem.inputs[static_cast<size_t>(input)].present;
}
bool hasOutput(const RunArguments& arguments, int output) {
    return static_cast<size_t>(output) < arguments.outputs.size() &&
           arguments.outputs[static_cast<size_t>(output)].data;
}
const Dims& inputDims(const RunArguments& arguments, int input) {
    return *arguments.inputs[static_cast<size_t>(input)].dims;
}
const Dims& outputDims(const RunArguments& arguments, int output) {
    return *arguments.outputs[static_cast<size_t>(output)].dims;
}

std::vector<double> readNumbers(const Problem& problem, const RunArguments& arguments, int input) {
    if (!hasInput(problem, input)) return {};
    const auto i = static_cast<size_t>(input);
    const bool atRun = i < arguments.inputs.size() && arguments.inputs[i].data;
    const Weights view =
        borrowedWeights(problem.inputs[i].format.type, atRun ? *arguments.inputs[i].dims : problem.inputs[i].dims,
                        atRun ? arguments.inputs[i].data : problem.inputs[i].constantData);
    return view.data ? readDoubles(view) : std::vector<double>();
}

double readNumber(const Problem& problem, const RunArguments& arguments, int input, double fallback) {
    const std::vector<double> values = readNumbers(problem, arguments, input);
    return values.empty() ? fallback : values.front();
}

void writeNumbers(const Problem& problem, const RunArguments& arguments, int output,
                  const std::vector<double>& values) {
    if (hasOutput(arguments, output))
        storeNumbers(problem.outputs[static_cast<size_t>(output)].format.type, values,
                     arguments.outputs[static_cast<size_t>(output)].data);
}

namespace {

template <class T, class Convert>
void storeAs(const std::vector<double>& values, void* destination, Convert convert) {
    for (size_t i = 0; i < values.size(); ++i) {
        pollCancel(1);
        static_cast<T*>(destination)[i] = convert(values[i]);
    }
}

void storeNibbles(const std::vector<double>& values, void* destination, double low, double high) {
    auto* bytes = static_cast<uint8_t*>(destination);
    for (size_t i = 0; i < values.size(); ++i) {
        const int nibble = static_cast<int>(std::clamp(std::isnan(values[i]) ? 0.0 : values[i], low, high)) & 15;
        bytes[i / 2] = static_cast<uint8_t>(i % 2 ? (bytes[i / 2] & 15) | (nibble << 4) : nibble);
    }
}

}  // namespace

void storeNumbers(DataType type, const std::vector<double>& values, void* destination) {
    const auto narrow = [](auto convert) { return [convert](double v) { return convert(static_cast<float>(v)); }; };
    switch (type) {
        case DataType::Float32:
            return storeAs<float>(values, destination, [](double v) { return static_cast<float>(v); });
        case DataType::Float64:
            return storeAs<double>(values, destination, [](double v) { return v; });
        case DataType::Float16:
            return storeAs<uint16_t>(values, destination, narrow(floatToFloat16));
        case DataType::BFloat16:
            return storeAs<uint16_t>(values, destination, narrow(floatToBFloat16));
        case DataType::Float8E4M3FN:
            return storeAs<uint8_t>(values, destination, narrow([](float v) { return floatToFloat8E4M3FN(v); }));
        case DataType::Float8E5M2:
            return storeAs<uint8_t>(values, destination, narrow([](float v) { return floatToFloat8E5M2(v); }));
        case DataType::Int4:
            return storeNibbles(values, destination, -8, 7);
        case DataType::UInt4:
            return storeNibbles(values, destination, 0, 15);
        case DataType::Bool:
            return storeAs<uint8_t>(values, destination, [](double v) { return static_cast<uint8_t>(v != 0.0); });
        case DataType::Int8:
            return storeAs<int8_t>(values, destination, saturateCast<int8_t>);
        case DataType::UInt8:
            return storeAs<uint8_t>(values, destination, saturateCast<uint8_t>);
        case DataType::Int16:
            return storeAs<int16_t>(values, destination, saturateCast<int16_t>);
        case DataType::UInt16:
            return storeAs<uint16_t>(values, destination, saturateCast<uint16_t>);
        case DataType::Int32:
            return storeAs<int32_t>(values, destination, saturateCast<int32_t>);
        case DataType::UInt32:
            return storeAs<uint32_t>(values, destination, saturateCast<uint32_t>);
        case DataType::Int64:
            return storeAs<int64_t>(values, destination, saturateCast<int64_t>);
        case DataType::UInt64:
            return storeAs<uint64_t>(values, destination, saturateCast<uint64_t>);
        case DataType::Undefined:
        case DataType::String:
            break;
    }
}

AxisSplit::AxisSplit(const Dims& dims, int64_t axis) {
    for (int64_t i = 0; i < static_cast<int64_t>(dims.size()); ++i)
        (i < axis ? outer : i == axis ? extent : inner) *= dims[static_cast<size_t>(i)];
}

int64_t wrapAxis(int64_t axis, const Dims& dims) {
    return axis < 0 ? axis + static_cast<int64_t>(dims.size()) : axis;
}

int64_t offsetOf(const Dims& index, const std::vector<int64_t>& strides) {
    int64_t offset = 0;
    for (size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
    return offset;
}

Support onlyFloats(const Problem& problem) {
    const DataType type = problem.inputs[0].format.type;
    if (type == DataType::Float32 || type == DataType::Float64) return Support::yes();
    return Support::no("only floating-point elements, " + std::string(dataTypeName(type)) + " was asked");
}

Support anyNumbers(const Problem& problem) {
    const DataType type = problem.inputs[0].format.type;
    if (type == DataType::Float32 || type == DataType::Float64 || type == DataType::Bool ||
        (isInteger(type) && dataTypeBits(type) >= 8))
        return Support::yes();
    return Support::no("element type " + std::string(dataTypeName(type)) + " has no reference kernel");
}

}  // namespace strobe
