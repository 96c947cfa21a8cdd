#include <algorithm>

#include "engine_core/ops/slice.h"
#include "kernels/reference/element_access.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

DataType typeOf(const Problem& problem) {
    return problem.outputs[0].format.type;
}

/// Same elements in the same order: Reshape and its kin.
Status runCopy(const Problem& problem, const RunArguments& arguments) {
    copyElements(typeOf(problem), elementCount(*arguments.outputs[0].dims), arguments.outputs[0].data,
                 arguments.inputs[0].data);
    return Status::ok();
}

double dropoutRatio(const Problem& problem, const RunArguments& arguments) {
    if (arguments.inputs.size() < 2 || !arguments.inputs[1].data) return 0.5;
    const Weights view = borrowedWeights(problem.inputs[1].format.type, {1}, arguments.inputs[1].data);
    return toDoubles(view).front();
}

Status runDropout(const Problem& problem, const RunArguments& arguments) {
    const int64_t count = elementCount(*arguments.inputs[0].dims);
    const std::vector<int64_t> training = readIntegers(problem, arguments, 2);
    if (!training.empty() && training.front() != 0 && dropoutRatio(problem, arguments) != 0.0)
        return unsupported(
            "training_mode is true; Strobe runs inference only: set it to false or export for inference");
    if (arguments.outputs[0].data)
        copyElements(typeOf(problem), count, arguments.outputs[0].data, arguments.inputs[0].data);
    if (arguments.outputs.size() > 1 && arguments.outputs[1].data)
        std::fill_n(arguments.outputs[1].as<uint8_t>(), count, uint8_t{1});
    return Status::ok();
}

Status runTranspose(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &y = *arguments.outputs[0].dims;
    std::vector<int64_t> perm = problem.attributes->getInts("perm");
    const auto rank = static_cast<int64_t>(x.size());
    for (int64_t i = rank - 1; !problem.attributes->has("perm") && i >= 0; --i) perm.push_back(i);
    const auto strides = rowMajorStrides(x);
    Strided from;
    for (int64_t axis : perm) from.strides.push_back(strides[static_cast<size_t>(wrapAxis(axis, x))]);
    copyStrided(typeOf(problem), y, arguments.outputs[0].data, {0, rowMajorStrides(y)}, arguments.inputs[0].data, from);
    return Status::ok();
}

Status runConcat(const Problem& problem, const RunArguments& arguments) {
    const Dims& y = *arguments.outputs[0].dims;
    const size_t axis = static_cast<size_t>(wrapAxis(problem.attributes->getInt("axis", 0), y));
    Strided to{0, rowMajorStrides(y)};
    for (const TensorView& input : arguments.inputs) {
        copyStrided(typeOf(problem), *input.dims, arguments.outputs[0].data, to, input.data,
                    {0, rowMajorStrides(*input.dims)});
        to.offset += (*input.dims)[axis] * to.strides[axis];
    }
    return Status::ok();
}

Status runSplit(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    const size_t axis = static_cast<size_t>(wrapAxis(problem.attributes->getInt("axis", 0), x));
    Strided from{0, rowMajorStrides(x)};
    for (const TensorView& output : arguments.outputs) {
        if (output.data)
            copyStrided(problem.inputs[0].format.type, *output.dims, output.data, {0, rowMajorStrides(*output.dims)},
                        arguments.inputs[0].data, from);
        from.offset += (*output.dims)[axis] * from.strides[axis];
    }
    return Status::ok();
}

Status runSlice(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &y = *arguments.outputs[0].dims;
    const auto starts = readIntegers(problem, arguments, 1), ends = readIntegers(problem, arguments, 2);
    const auto axes = readIntegers(problem, arguments, 3), steps = readIntegers(problem, arguments, 4);
    Strided from{0, rowMajorStrides(x)};
    const auto own = from.strides;
    for (size_t i = 0; i < starts.size(); ++i) {
        const auto a = static_cast<size_t>(wrapAxis(i < axes.size() ? axes[i] : static_cast<int64_t>(i), x));
        const SliceRange range = resolveSlice(Dim(x[a]), Dim(starts[i]), Dim(ends[i]), i < steps.size() ? steps[i] : 1);
        from.offset += range.start.constant() * own[a];
        // A single element takes no step; a huge one must not overflow the stride.
        from.strides[a] = range.count.constant() > 1 ? own[a] * range.step : 0;
    }
    copyStrided(typeOf(problem), y, arguments.outputs[0].data, {0, rowMajorStrides(y)}, arguments.inputs[0].data, from);
    return Status::ok();
}

Status runExpand(const Problem& problem, const RunArguments& arguments) {
    const Dims& y = *arguments.outputs[0].dims;
    copyStrided(typeOf(problem), y, arguments.outputs[0].data, {0, rowMajorStrides(y)}, arguments.inputs[0].data,
                {0, broadcastStrides(*arguments.inputs[0].dims, y)});
    return Status::ok();
}

Status runTile(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &y = *arguments.outputs[0].dims;
    if (elementCount(y) == 0) return Status::ok();
    const CopyElement copy = elementCopier(typeOf(problem));
    const auto strides = rowMajorStrides(x);
    Dims index(y.size(), 0);
    int64_t position = 0;
    do {
        int64_t from = 0;
        for (size_t d = 0; d < y.size(); ++d) from += index[d] % x[d] * strides[d];
        copy(arguments.outputs[0].data, position++, arguments.inputs[0].data, from);
    } while (advance(index, y));
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(copy) {
    for (const char* op : {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"})
        addReference(registry, {op, runCopy, nullptr, true});
    addReference(registry, {"Dropout", runDropout, nullptr, true});
    addReference(registry, {"Transpose", runTranspose, nullptr, true});
    addReference(registry, {"Concat", runConcat, nullptr, true});
    addReference(registry, {"Split", runSplit, nullptr, true});
    addReference(registry, {"Slice", runSlice, nullptr, true});
    addReference(registry, {"Expand", runExpand, nullptr, true});
    addReference(registry, {"Tile", runTile, nullptr, true});
}

}  // namespace strobe
