#include <algorithm>
#include <numeric>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

Status runTopK(const Problem& problem, const RunArguments& arguments) {
    const Dims &dims = inputDims(arguments, 0), &outputs = outputDims(arguments, 0);
    const int64_t axis = wrapAxis(problem.attributes->getInt("axis", -1), dims);
    const AxisSplit split(dims, axis);
    const int64_t k = outputs[static_cast<size_t>(axis)];
    const bool largest = problem.attributes->getBool("largest", true);
    if (k > split.extent)
        return invalidArgument("K is " + std::to_string(k) + ", the axis has " + std::to_string(split.extent) +
                               " elements");
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T* x = arguments.inputs[0].as<const T>();
        std::vector<int64_t> order(static_cast<size_t>(split.extent));
        for (int64_t outer = 0; outer < split.outer; ++outer)
            for (int64_t inner = 0; inner < split.inner; ++inner) {
                const auto at = [&](int64_t i) { return x[(outer * split.extent + i) * split.inner + inner]; };
                std::iota(order.begin(), order.end(), 0);
                pollCancel(split.extent);
                std::stable_sort(order.begin(), order.end(),
                                 [&](int64_t a, int64_t b) { return precedes(at(a), at(b), largest); });
                for (int64_t i = 0; i < k; ++i) {
                    const int64_t to = (outer * k + i) * split.inner + inner;
                    if (hasOutput(arguments, 0)) arguments.outputs[0].as<T>()[to] = at(order[static_cast<size_t>(i)]);
                    if (hasOutput(arguments, 1)) arguments.outputs[1].as<int64_t>()[to] = order[static_cast<size_t>(i)];
                }
            }
        return Status::ok();
    });
}

Status runCumSum(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = inputDims(arguments, 0);
    const std::vector<int64_t> axisValue = readIntegers(problem, arguments, 1);
    if (axisValue.size() != 1)
        return invalidArgument("input 1 (axis) has " + std::to_string(axisValue.size()) + " elements, 1 is needed");
    STROBE_ASSIGN(const int64_t axis, normalizeAxis(axisValue[0], static_cast<int64_t>(dims.size())));
    const AxisSplit split(dims, axis);
    const bool exclusive = problem.attributes->getBool("exclusive", false),
               reverse = problem.attributes->getBool("reverse", false);
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T* x = arguments.inputs[0].as<const T>();
        T* y = arguments.outputs[0].as<T>();
        for (int64_t outer = 0; outer < split.outer; ++outer)
            for (int64_t inner = 0; inner < split.inner; ++inner) {
                Wide<T> sum = 0;
                for (int64_t step = 0; step < split.extent; ++step) {
                    pollCancel(1);
                    const int64_t at =
                        (outer * split.extent + (reverse ? split.extent - 1 - step : step)) * split.inner + inner;
                    const Wide<T> before = sum;
                    sum += static_cast<Wide<T>>(x[at]);
                    y[at] = static_cast<T>(exclusive ? before : sum);
                }
            }
        return Status::ok();
    });
}

}  // namespace

STROBE_REFERENCE(ordering) {
    addReference(registry, {"TopK", runTopK, anyNumbers});
    addReference(registry, {"CumSum", runCumSum, anyNumbers});
}

}  // namespace strobe
