#include <algorithm>
#include <string>
#include <type_traits>

#include "kernels/reference/element_access.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

/// Puts update `from` into output `to`, by the reduction.
using Put = void (*)(void* output, int64_t to, const void* updates, int64_t from);

template <class T, class Combine>
void combine(void* output, int64_t to, const void* updates, int64_t from, Combine function) {
    T& slot = static_cast<T*>(output)[to];
    slot = static_cast<T>(function(slot, static_cast<const T*>(updates)[from]));
}

template <class T>
Put putFor(const std::string& reduction) {
    // Unsigned arithmetic wraps around; signed would be undefined.
    if constexpr (std::is_integral_v<T>) {
        if (reduction == "add")
            return [](void* o, int64_t t, const void* u, int64_t f) {
                combine<T>(o, t, u, f, [](T a, T b) { return static_cast<uint64_t>(a) + static_cast<uint64_t>(b); });
            };
        if (reduction == "mul")
            return [](void* o, int64_t t, const void* u, int64_t f) {
                combine<T>(o, t, u, f, [](T a, T b) { return static_cast<uint64_t>(a) * static_cast<uint64_t>(b); });
            };
    } else {
        if (reduction == "add")
            return [](void* o, int64_t t, const void* u, int64_t f) {
                combine<T>(o, t, u, f, [](T a, T b) { return a + b; });
            };
        if (reduction == "mul")
            return [](void* o, int64_t t, const void* u, int64_t f) {
                combine<T>(o, t, u, f, [](T a, T b) { return a * b; });
            };
    }
    if (reduction == "max")
        return [](void* o, int64_t t, const void* u, int64_t f) {
            combine<T>(o, t, u, f, [](T a, T b) { return std::max(a, b); });
        };
    return [](void* o, int64_t t, const void* u, int64_t f) {
        combine<T>(o, t, u, f, [](T a, T b) { return std::min(a, b); });
    };
}

std::string reductionOf(const Problem& problem) {
    return problem.attributes->getString("reduction", "none");
}

Put putOf(const Problem& problem) {
    const DataType type = problem.outputs[0].format.type;
    const std::string reduction = reductionOf(problem);
    if (reduction == "none") return elementCopier(type);
    Put put = nullptr;
    withNumberType(type, [&](auto zero) { put = putFor<decltype(zero)>(reduction); });
    return put;
}

Support supportsScatter(const Problem& problem) {
    const DataType type = problem.inputs[0].format.type;
    if (reductionOf(problem) == "none" || withNumberType(type, [](auto) {})) return Support::yes();
    return Support::no("reduction '" + reductionOf(problem) + "' is not defined for " +
                       std::string(dataTypeName(type)));
}

void copyData(const Problem& problem, const RunArguments& arguments) {
    copyElements(problem.outputs[0].format.type, elementCount(*arguments.outputs[0].dims), arguments.outputs[0].data,
                 arguments.inputs[0].data);
}

/// `index` from the front; an error when outside.
Result<int64_t> inside(int64_t index, int64_t extent) {
    if (index < -extent || index >= extent)
        return outOfRange("index " + std::to_string(index) + " is outside an axis of extent " + std::to_string(extent));
    return index < 0 ? index + extent : index;
}

Status runScatterElements(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &box = *arguments.inputs[1].dims;
    copyData(problem, arguments);
    if (elementCount(box) == 0) return Status::ok();
    const int64_t axis = wrapAxis(problem.attributes->getInt("axis", 0), x);
    const auto indices = readIntegers(problem, arguments, 1);
    const auto strides = rowMajorStrides(x);
    const Put put = putOf(problem);
    Dims index(box.size(), 0);
    int64_t position = 0;
    do {
        int64_t to = 0;
        for (size_t d = 0; d < x.size(); ++d) {
            STROBE_ASSIGN(
                const int64_t at,
                inside(static_cast<int64_t>(d) == axis ? indices[static_cast<size_t>(position)] : index[d], x[d]));
            to += at * strides[d];
        }
        put(arguments.outputs[0].data, to, arguments.inputs[2].data, position++);
    } while (advance(index, box));
    return Status::ok();
}

Status runScatterND(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &tuples = *arguments.inputs[1].dims;
    copyData(problem, arguments);
    const auto depth = static_cast<size_t>(tuples.back());
    const int64_t count = elementCount(Dims(tuples.begin(), tuples.end() - 1));
    const int64_t inner = elementCount(Dims(x.begin() + tuples.back(), x.end()));
    const auto indices = readIntegers(problem, arguments, 1);
    const auto strides = rowMajorStrides(x);
    const Put put = putOf(problem);
    for (int64_t t = 0; t < count; ++t) {
        int64_t to = 0;
        for (size_t d = 0; d < depth; ++d) {
            STROBE_ASSIGN(const int64_t at, inside(indices[static_cast<size_t>(t) * depth + d], x[d]));
            to += at * strides[d];
        }
        for (int64_t i = 0; i < inner; ++i)
            put(arguments.outputs[0].data, to + i, arguments.inputs[2].data, t * inner + i);
    }
    return Status::ok();
}

Status runTensorScatter(const Problem& problem, const RunArguments& arguments) {
    const Dims &cache = *arguments.inputs[0].dims, &update = *arguments.inputs[1].dims;
    copyData(problem, arguments);
    if (elementCount(update) == 0) return Status::ok();
    int64_t signedAxis = problem.attributes->getInt("axis", -2);
    const auto axis =
        static_cast<size_t>(signedAxis < 0 ? signedAxis + static_cast<int64_t>(cache.size()) : signedAxis);
    const bool circular = problem.attributes->getString("mode", "linear") == "circular";
    const auto starts = readIntegers(problem, arguments, 2);
    const auto strides = rowMajorStrides(cache);
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    Dims index(update.size(), 0);
    int64_t position = 0;
    do {
        const int64_t start = starts.empty() ? 0 : starts[static_cast<size_t>(index[0])];
        if (cache[axis] == 0 || (!circular && (start < 0 || start > cache[axis] - 1 - index[axis])))
            return outOfRange("write index " + std::to_string(start) + " puts " + std::to_string(update[axis]) +
                              " positions outside a cache of " + std::to_string(cache[axis]));
        const int64_t first = (start % cache[axis] + cache[axis]) % cache[axis];
        const int64_t at = circular ? (first + index[axis]) % cache[axis] : first + index[axis];
        int64_t to = at * strides[axis];
        for (size_t d = 0; d < cache.size(); ++d)
            if (d != axis) to += index[d] * strides[d];
        copy(arguments.outputs[0].data, to, arguments.inputs[1].data, position++);
    } while (advance(index, update));
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(scatter) {
    addReference(registry, {"ScatterElements", runScatterElements, supportsScatter});
    addReference(registry, {"ScatterND", runScatterND, supportsScatter});
    addReference(registry, {"TensorScatter", runTensorScatter, nullptr, true});
}

}  // namespace strobe
