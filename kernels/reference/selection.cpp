#include <algorithm>
#include <numeric>
#include <string>

#include "engine_core/ir/weights.h"
#include "kernels/reference/element_access.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

Weights viewOf(const Problem& problem, const RunArguments& arguments, size_t input) {
    return borrowedWeights(problem.inputs[input].format.type, *arguments.inputs[input].dims,
                           arguments.inputs[input].data);
}

Status runNonZero(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    const int64_t count = elementCount(x);
    std::vector<bool> nonZero(static_cast<size_t>(count));
    if (problem.inputs[0].format.type == DataType::String) {
        for (int64_t i = 0; i < count; ++i)
            nonZero[static_cast<size_t>(i)] = !arguments.inputs[0].as<const std::string>()[i].empty();
    } else {
        const std::vector<double> values = toDoubles(viewOf(problem, arguments, 0));
        for (size_t i = 0; i < values.size(); ++i) nonZero[i] = values[i] != 0.0;
    }
    const auto found = static_cast<int64_t>(std::count(nonZero.begin(), nonZero.end(), true));
    STROBE_ASSIGN(void* memory, arguments.allocator->allocate(0, {static_cast<int64_t>(x.size()), found}));
    auto* out = static_cast<int64_t*>(memory);
    if (found == 0) return Status::ok();
    Dims index(x.size(), 0);
    int64_t column = 0;
    size_t position = 0;
    do {
        if (!nonZero[position++]) continue;
        for (size_t d = 0; d < x.size(); ++d) out[static_cast<int64_t>(d) * found + column] = index[d];
        ++column;
    } while (advance(index, x));
    return Status::ok();
}

/// The tensor as [outer, extent, inner] around an axis; without one, flattened.
struct AxisView {
    Dims dims;
    size_t axis = 0;
    int64_t outer = 1, extent = 1, inner = 1;
};
AxisView viewAround(const Problem& problem, const Dims& x) {
    AxisView view;
    view.dims = x;
    if (!problem.attributes->has("axis")) {
        view.dims = {elementCount(x)};
    } else {
        view.axis = static_cast<size_t>(wrapAxis(problem.attributes->getInt("axis", 0), x));
    }
    const auto middle = view.dims.begin() + static_cast<std::ptrdiff_t>(view.axis);
    view.outer = elementCount(Dims(view.dims.begin(), middle));
    view.extent = *middle;
    view.inner = elementCount(Dims(middle + 1, view.dims.end()));
    return view;
}

/// Writes the chosen places along the axis to output 0.
Status writeChosen(const Problem& problem, const RunArguments& arguments, const AxisView& view,
                   const std::vector<int64_t>& chosen) {
    Dims y = view.dims;
    y[view.axis] = static_cast<int64_t>(chosen.size());
    STROBE_ASSIGN(void* out, arguments.allocator->allocate(0, y));
    const CopyElement copy = elementCopier(problem.inputs[0].format.type);
    int64_t position = 0;
    for (int64_t o = 0; o < view.outer; ++o)
        for (int64_t place : chosen)
            for (int64_t i = 0; i < view.inner; ++i)
                copy(out, position++, arguments.inputs[0].data, (o * view.extent + place) * view.inner + i);
    return Status::ok();
}

Status runCompress(const Problem& problem, const RunArguments& arguments) {
    const AxisView view = viewAround(problem, *arguments.inputs[0].dims);
    const auto* condition = arguments.inputs[1].as<const uint8_t>();
    const int64_t given = (*arguments.inputs[1].dims)[0];
    std::vector<int64_t> chosen;
    for (int64_t i = 0; i < given; ++i) {
        if (!condition[i]) continue;
        if (i >= view.extent)
            return outOfRange("condition selects place " + std::to_string(i) + " of an axis of extent " +
                              std::to_string(view.extent));
        chosen.push_back(i);
    }
    return writeChosen(problem, arguments, view, chosen);
}

/// −1, 0 or 1 for the slices at two places, compared element by element; NaN is the greatest.
template <class T>
int compareSlices(const AxisView& view, const T* data, int64_t a, int64_t b) {
    for (int64_t o = 0; o < view.outer; ++o)
        for (int64_t i = 0; i < view.inner; ++i) {
            const T &x = data[(o * view.extent + a) * view.inner + i],
                    &y = data[(o * view.extent + b) * view.inner + i];
            if (precedes(x, y, false)) return -1;
            if (precedes(y, x, false)) return 1;
        }
    return 0;
}

struct Groups {
    std::vector<int64_t> first, inverse, counts;  // first places of the groups; group of each place; group sizes
};

/// Equal slices grouped; groups in ascending order, or by first occurrence.
template <class T>
Groups groupSlices(const AxisView& view, const T* data, bool sorted) {
    std::vector<int64_t> order(static_cast<size_t>(view.extent));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return compareSlices(view, data, a, b) < 0; });
    std::vector<std::vector<int64_t>> groups;
    for (int64_t place : order) {
        if (groups.empty() || compareSlices(view, data, groups.back().front(), place) != 0) groups.emplace_back();
        groups.back().push_back(place);
    }
    if (!sorted) std::sort(groups.begin(), groups.end());
    Groups result;
    result.inverse.resize(order.size());
    for (const auto& group : groups) {
        for (int64_t place : group)
            result.inverse[static_cast<size_t>(place)] = static_cast<int64_t>(result.first.size());
        result.first.push_back(group.front());
        result.counts.push_back(static_cast<int64_t>(group.size()));
    }
    return result;
}

Status runUnique(const Problem& problem, const RunArguments& arguments) {
    const AxisView view = viewAround(problem, *arguments.inputs[0].dims);
    const bool sorted = problem.attributes->getBool("sorted", true);
    const DataType type = problem.inputs[0].format.type;
    Groups groups;
    if (type == DataType::String)
        groups = groupSlices(view, arguments.inputs[0].as<const std::string>(), sorted);
    else if (!withNumberType(type, [&](auto zero) {
                 groups = groupSlices(view, arguments.inputs[0].as<const decltype(zero)>(), sorted);
             }))
        groups = groupSlices(view, toDoubles(viewOf(problem, arguments, 0)).data(), sorted);
    STROBE_RETURN_IF_ERROR(writeChosen(problem, arguments, view, groups.first));
    const std::vector<int64_t>* lists[] = {&groups.first, &groups.inverse, &groups.counts};
    for (size_t i = 1; i < problem.outputs.size() && i <= 3; ++i) {
        if (!problem.outputs[i].present) continue;
        const std::vector<int64_t>& list = *lists[i - 1];
        STROBE_ASSIGN(void* out,
                      arguments.allocator->allocate(static_cast<int>(i), {static_cast<int64_t>(list.size())}));
        std::copy(list.begin(), list.end(), static_cast<int64_t*>(out));
    }
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(selection) {
    addReference(registry, {"NonZero", runNonZero, nullptr, true});
    addReference(registry, {"Compress", runCompress, nullptr, true});
    addReference(registry, {"Unique", runUnique, nullptr, true});
}

}  // namespace strobe
