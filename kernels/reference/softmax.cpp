#include <algorithm>
#include <cmath>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

/// Hands each line along the attribute `axis` to `line`, which rewrites it.
template <class Line>
Status runLines(const Problem& problem, const RunArguments& arguments, Line line) {
    const Dims& dims = inputDims(arguments, 0);
    const AxisSplit split(dims, wrapAxis(problem.attributes->getInt("axis", -1), dims));
    std::vector<double> x = readNumbers(problem, arguments, 0), values(static_cast<size_t>(split.extent));
    if (x.empty()) return Status::ok();
    for (int64_t outer = 0; outer < split.outer; ++outer)
        for (int64_t inner = 0; inner < split.inner; ++inner) {
            const auto at = [&](size_t i) {
                return static_cast<size_t>((outer * split.extent + static_cast<int64_t>(i)) * split.inner + inner);
            };
            for (size_t i = 0; i < values.size(); ++i) values[i] = x[at(i)];
            line(values);
            for (size_t i = 0; i < values.size(); ++i) x[at(i)] = values[i];
        }
    writeNumbers(problem, arguments, 0, x);
    return Status::ok();
}

double sumOfExponentials(const std::vector<double>& values, double highest) {
    double sum = 0.0;
    for (double value : values) sum += std::exp(value - highest);
    return sum;
}

Status runSoftmax(const Problem& problem, const RunArguments& arguments) {
    return runLines(problem, arguments, [](std::vector<double>& values) {
        const double highest = *std::max_element(values.begin(), values.end()),
                     sum = sumOfExponentials(values, highest);
        for (double& value : values) value = std::exp(value - highest) / sum;
    });
}

Status runLogSoftmax(const Problem& problem, const RunArguments& arguments) {
    return runLines(problem, arguments, [](std::vector<double>& values) {
        const double highest = *std::max_element(values.begin(), values.end()),
                     logSum = std::log(sumOfExponentials(values, highest));
        for (double& value : values) value = value - highest - logSum;
    });
}

Status runHardmax(const Problem& problem, const RunArguments& arguments) {
    return runLines(problem, arguments, [](std::vector<double>& values) {
        const auto first = static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
        std::fill(values.begin(), values.end(), 0.0);
        values[first] = 1.0;
    });
}

}  // namespace

STROBE_REFERENCE(softmax) {
    addReference(registry, {"Softmax", runSoftmax, onlyFloats});
    addReference(registry, {"LogSoftmax", runLogSoftmax, onlyFloats});
    addReference(registry, {"Hardmax", runHardmax, onlyFloats});
}

}  // namespace strobe
