#include "engine_core/ops/elementwise.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/reference/element_access.h"
#include "kernels/reference/integer_elementwise.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

/// Elements as T (float or double), whatever their type.
template <class T>
std::vector<T> readAs(DataType type, const TensorView& view) {
    const Weights weights = borrowedWeights(type, *view.dims, view.data);
    if constexpr (std::is_same_v<T, float>)
        return readFloats(weights);
    else
        return readDoubles(weights);
}

/// Stores results by the output's type; integers saturate.
template <class T>
void store(DataType type, const std::vector<T>& values, void* destination) {
    if (type == DataType::Bool) {
        std::transform(values.begin(), values.end(), static_cast<uint8_t*>(destination),
                       [](T v) { return static_cast<uint8_t>(v != 0); });
        return;
    }
    withNumberType(type, [&](auto zero) {
        using To = decltype(zero);
        auto* out = static_cast<To*>(destination);
        for (size_t i = 0; i < values.size(); ++i) {
            pollCancel(1);
            if constexpr (std::is_integral_v<To>)
                out[i] = saturateCast<To>(static_cast<double>(values[i]));
            else
                out[i] = static_cast<To>(values[i]);
        }
    });
}

float evaluateAs(const PointwiseInstruction& in, float a, float b, float c) {
    return evaluatePointwise(in, a, b, c);
}
double evaluateAs(const PointwiseInstruction& in, double a, double b, double c) {
    return evaluatePointwiseDouble(in, a, b, c);
}

/// Runs a program at every element of the outputs (which share their dims).
template <class T>
void runProgram(const PointwiseProgram& program, const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = *arguments.outputs[0].dims;
    if (elementCount(dims) == 0) return;
    std::vector<std::vector<T>> inputs, outputs(program.results.size());
    std::vector<std::vector<int64_t>> strides;
    for (size_t i = 0; i < arguments.inputs.size(); ++i) {
        if (!arguments.inputs[i].data) continue;
        inputs.push_back(readAs<T>(problem.inputs[i].format.type, arguments.inputs[i]));
        strides.push_back(broadcastStrides(*arguments.inputs[i].dims, dims));
    }
    std::vector<T> values(static_cast<size_t>(program.valueCount()));
    const auto value = [&](int number) { return number < 0 ? T(0) : values[static_cast<size_t>(number)]; };
    Dims index(dims.size(), 0);
    do {
        for (size_t i = 0; i < inputs.size(); ++i) {
            int64_t offset = 0;
            for (size_t d = 0; d < dims.size(); ++d) offset += index[d] * strides[i][d];
            values[i] = inputs[i][static_cast<size_t>(offset)];
        }
        size_t next = inputs.size();
        for (const PointwiseInstruction& in : program.instructions)
            values[next++] = evaluateAs(in, value(in.a), value(in.b), value(in.c));
        for (size_t o = 0; o < outputs.size(); ++o) outputs[o].push_back(value(program.results[o]));
    } while (advance(index, dims));
    for (size_t o = 0; o < outputs.size(); ++o)
        if (arguments.outputs[o].data) store(problem.outputs[o].format.type, outputs[o], arguments.outputs[o].data);
}

Status runChain(const Problem& problem, const RunArguments& arguments) {
    runProgram<float>(*problem.program, problem, arguments);
    return Status::ok();
}

Status equalStrings(const RunArguments& arguments) {
    const Dims& dims = *arguments.outputs[0].dims;
    if (elementCount(dims) == 0) return Status::ok();
    const auto a = broadcastStrides(*arguments.inputs[0].dims, dims),
               b = broadcastStrides(*arguments.inputs[1].dims, dims);
    auto* out = arguments.outputs[0].as<uint8_t>();
    Dims index(dims.size(), 0);
    do {
        int64_t offsetA = 0, offsetB = 0;
        for (size_t d = 0; d < dims.size(); ++d) {
            offsetA += index[d] * a[d];
            offsetB += index[d] * b[d];
        }
        *out++ = arguments.inputs[0].as<const std::string>()[offsetA] ==
                 arguments.inputs[1].as<const std::string>()[offsetB];
    } while (advance(index, dims));
    return Status::ok();
}

Status runElementwise(const Problem& problem, const RunArguments& arguments) {
    const DataType type = problem.inputs[0].format.type;
    if (type == DataType::String) return equalStrings(arguments);
    if (isInteger(type)) return runIntegerElementwise(problem, arguments);
    PointwiseProgram program;
    std::vector<int> numbers;
    for (const TensorView& input : arguments.inputs) numbers.push_back(input.data ? program.inputCount++ : -1);
    const auto result = lowerElementwise(problem.op->name, *problem.attributes, numbers, program);
    if (!result) return internalError("op " + problem.op->name + " has no element-wise form");
    program.results = {*result};
    if (type == DataType::Float64)
        runProgram<double>(program, problem, arguments);
    else
        runProgram<float>(program, problem, arguments);
    return Status::ok();
}

Support supportsElementwise(const Problem& problem) {
    const DataType type = problem.inputs[0].format.type;
    if (type == DataType::Int4 || type == DataType::UInt4) return Support::no("no arithmetic on 4-bit integers");
    if (isInteger(type) && !hasIntegerForm(problem.op->name))
        return Support::no(problem.op->name + " has no integer form");
    return Support::yes();
}

Status runWhere(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = *arguments.outputs[0].dims;
    if (elementCount(dims) == 0) return Status::ok();
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    std::vector<int64_t> strides[3];
    for (size_t i = 0; i < 3; ++i) strides[i] = broadcastStrides(*arguments.inputs[i].dims, dims);
    Dims index(dims.size(), 0);
    int64_t position = 0;
    do {
        int64_t offsets[3] = {0, 0, 0};
        for (size_t i = 0; i < 3; ++i)
            for (size_t d = 0; d < dims.size(); ++d) offsets[i] += index[d] * strides[i][d];
        const size_t chosen = arguments.inputs[0].as<const uint8_t>()[offsets[0]] ? 1 : 2;
        copy(arguments.outputs[0].data, position++, arguments.inputs[chosen].data, offsets[chosen]);
    } while (advance(index, dims));
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(elementwise) {
    addReference(registry, {"Pointwise", runChain});
    addReference(registry, {"Where", runWhere});
    for (const char* op : {"Abs",         "Acos",       "Acosh",
                           "Asin",        "Asinh",      "Atan",
                           "Atanh",       "BitwiseNot", "Ceil",
                           "Cos",         "Cosh",       "Erf",
                           "Exp",         "Floor",      "Log",
                           "Neg",         "Not",        "Reciprocal",
                           "Round",       "Sign",       "Sin",
                           "Sinh",        "Sqrt",       "Tan",
                           "Tanh",        "IsNaN",      "IsInf",
                           "Relu",        "LeakyRelu",  "ThresholdedRelu",
                           "Clip",        "Sigmoid",    "HardSigmoid",
                           "HardSwish",   "Gelu",       "Softplus",
                           "Softsign",    "Elu",        "Selu",
                           "Celu",        "Mish",       "Swish",
                           "Shrink",      "Add",        "Sub",
                           "Mul",         "Div",        "Pow",
                           "Mod",         "PRelu",      "BitShift",
                           "BitwiseAnd",  "BitwiseOr",  "BitwiseXor",
                           "Min",         "Max",        "Sum",
                           "Mean",        "Equal",      "Less",
                           "LessOrEqual", "Greater",    "GreaterOrEqual",
                           "And",         "Or",         "Xor"})
        addReference(registry, {op, runElementwise, supportsElementwise});
}

}  // namespace strobe
