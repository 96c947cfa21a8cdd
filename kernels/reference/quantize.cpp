#include <algorithm>
#include <cmath>

#include "engine_core/base/float_formats.h"
#include "kernels/reference/matmul.h"

namespace strobe {
namespace {

/// Which scale serves an element.
struct ScaleIndex {
    AxisSplit split;
    int64_t block, scales;
    ScaleIndex(const Problem& problem, const Dims& x, size_t scaleCount)
        : split(x, scaleCount == 1 ? 0 : wrapAxis(problem.attributes->getInt("axis", 1), x)),
          block(problem.attributes->getInt("block_size", 0)),
          scales(static_cast<int64_t>(scaleCount)) {}
    size_t operator()(size_t element) const {
        if (scales == 1) return 0;
        const auto i = static_cast<int64_t>(element);
        const int64_t along = i / split.inner % split.extent;
        if (block == 0) return static_cast<size_t>(along);
        const int64_t blocks = (split.extent + block - 1) / block;
        return static_cast<size_t>((i / (split.inner * split.extent) * blocks + along / block) * split.inner +
                                   i % split.inner);
    }
};

/// A quotient as arithmetic in `type` gives it: where it falls on .5, that decides the rounding.
double roundedTo(DataType type, double value) {
    if (type == DataType::Float64) return value;
    const auto single = static_cast<float>(value);
    if (type == DataType::Float16) return static_cast<double>(float16ToFloat(floatToFloat16(single)));
    if (type == DataType::BFloat16) return static_cast<double>(bfloat16ToFloat(floatToBFloat16(single)));
    return static_cast<double>(single);
}

/// The type in which x / scale is computed.
DataType quotientType(const Problem& problem) {
    if (const auto type = dataTypeFromOnnx(problem.attributes->getInt("precision", 0))) return *type;
    return problem.inputs[0].format.type == DataType::Int32 ? DataType::Float32 : problem.inputs[0].format.type;
}

Status runQuantize(const Problem& problem, const RunArguments& arguments) {
    std::vector<double> x = readNumbers(problem, arguments, 0);
    const std::vector<double> scale = readNumbers(problem, arguments, 1), zero = readNumbers(problem, arguments, 2);
    const ScaleIndex index(problem, inputDims(arguments, 0), scale.size());
    const DataType type = problem.outputs[0].format.type, quotient = quotientType(problem);
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t s = index(i);
        x[i] = roundedTo(quotient, x[i] / scale[s]);
        if (isInteger(type)) x[i] = std::nearbyint(x[i]) + (zero.empty() ? 0.0 : zero[s]);
    }
    if (!isInteger(type) && !problem.attributes->getBool("saturate", true)) {
        auto* y = arguments.outputs[0].as<uint8_t>();
        for (size_t i = 0; i < x.size(); ++i)
            y[i] = type == DataType::Float8E4M3FN ? floatToFloat8E4M3FN(static_cast<float>(x[i]), false)
                                                  : floatToFloat8E5M2(static_cast<float>(x[i]), false);
        return Status::ok();
    }
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

Support supportsQuantize(const Problem& problem) {
    const DataType type = problem.outputs[0].format.type;
    if (isInteger(type) || type == DataType::Float8E4M3FN || type == DataType::Float8E5M2) return Support::yes();
    return Support::no("quantising to " + std::string(dataTypeName(type)) + "; integers and FP8 are served");
}

Status runDequantize(const Problem& problem, const RunArguments& arguments) {
    std::vector<double> x = readNumbers(problem, arguments, 0);
    const std::vector<double> scale = readNumbers(problem, arguments, 1), zero = readNumbers(problem, arguments, 2);
    const ScaleIndex index(problem, inputDims(arguments, 0), scale.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t s = index(i);
        x[i] = (x[i] - (zero.empty() ? 0.0 : zero[s])) * scale[s];
    }
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

/// uint8 over the range of x widened to hold 0, in FP32 as ONNX defines it.
Status runDynamicQuantize(const Problem& problem, const RunArguments& arguments) {
    std::vector<double> x = readNumbers(problem, arguments, 0);
    float low = 0.0f, high = 0.0f;
    for (double value : x) {
        low = std::min(low, static_cast<float>(value));
        high = std::max(high, static_cast<float>(value));
    }
    const float scale = high == low ? 1.0f : (high - low) / 255.0f;
    const float zero = std::clamp(std::nearbyint(-low / scale), 0.0f, 255.0f);
    for (double& value : x) value = static_cast<double>(std::nearbyint(static_cast<float>(value) / scale) + zero);
    writeNumbers(problem, arguments, 0, x);
    writeNumbers(problem, arguments, 1, {static_cast<double>(scale)});
    writeNumbers(problem, arguments, 2, {static_cast<double>(zero)});
    return Status::ok();
}

Status runQLinearMatMul(const Problem& problem, const RunArguments& arguments) {
    std::vector<double> a = readNumbers(problem, arguments, 0), b = readNumbers(problem, arguments, 3);
    const Dims &aDims = inputDims(arguments, 0), &bDims = inputDims(arguments, 3);
    // Real values are exact products of small integers and a scale in double: no error before the rounding.
    subtractZeroPoint(a, aDims, readNumbers(problem, arguments, 2), true);
    multiplyScale(a, aDims, readNumbers(problem, arguments, 1), true);
    subtractZeroPoint(b, bDims, readNumbers(problem, arguments, 5), false);
    multiplyScale(b, bDims, readNumbers(problem, arguments, 4), false);
    std::vector<double> y = matMulNumbers(a, aDims, b, bDims);
    const double scale = readNumber(problem, arguments, 6, 1.0), zero = readNumber(problem, arguments, 7, 0.0);
    for (double& value : y) value = std::nearbyint(value / scale) + zero;
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(quantize) {
    addReference(registry, {"QuantizeLinear", runQuantize, supportsQuantize, true});
    addReference(registry, {"DequantizeLinear", runDequantize, nullptr, true});
    addReference(registry, {"DynamicQuantizeLinear", runDynamicQuantize, onlyFloats});
    addReference(registry, {"QLinearMatMul", runQLinearMatMul});
}

}  // namespace strobe
