#include "kernels/shared/known_inputs.h"

#include <algorithm>

namespace strobe {

bool isGiven(const Problem& problem, size_t input) {
    return input < problem.inputs.size() && problem.inputs[input].present;
}

std::optional<std::vector<int64_t>> knownIntegers(const Problem& problem, size_t input) {
    if (!isGiven(problem, input)) return std::vector<int64_t>();
    const TensorDesc& desc = problem.inputs[input];
    if (elementCount(desc.dims) == 0) return std::vector<int64_t>();
    if (!desc.constantData) return std::nullopt;
    return toInt64s(borrowedWeights(desc.format.type, desc.dims, desc.constantData));
}

size_t normalAxis(int64_t axis, size_t rank) {
    return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

std::optional<std::vector<bool>> reducedAxes(const Problem& problem) {
    const auto given = knownIntegers(problem, 1);
    if (!given) return std::nullopt;
    const size_t rank = problem.inputs[0].dims.size();
    const bool all = given->empty() && !problem.attributes->getBool("noop_with_empty_axes", false);
    std::vector<bool> axes(rank, all);
    for (int64_t axis : *given) axes[normalAxis(axis, rank)] = true;
    return axes;
}

bool coversRow(const Dims& parameter, const Dims& dims, size_t axis) {
    const size_t row = dims.size() - axis;
    if (parameter.size() < row) return false;
    const auto own = parameter.end() - static_cast<std::ptrdiff_t>(row);
    return std::equal(own, parameter.end(), dims.begin() + static_cast<std::ptrdiff_t>(axis)) &&
           std::all_of(parameter.begin(), own, [](int64_t d) { return d == 1; });
}

}  // namespace strobe
