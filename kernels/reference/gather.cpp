#include "kernels/reference/element_access.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

Status outside(int64_t index, int64_t extent) {
    return outOfRange("index " + std::to_string(index) + " is outside an axis of extent " + std::to_string(extent));
}
int64_t product(const Dims& dims, size_t begin, size_t end) {
    return elementCount(
        Dims(dims.begin() + static_cast<std::ptrdiff_t>(begin), dims.begin() + static_cast<std::ptrdiff_t>(end)));
}

Status runGather(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    const size_t axis = static_cast<size_t>(wrapAxis(problem.attributes->getInt("axis", 0), x));
    const auto indices = readIntegers(problem, arguments, 1);
    const int64_t outer = product(x, 0, axis), inner = product(x, axis + 1, x.size()), extent = x[axis];
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    int64_t position = 0;
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t index : indices) {
            pollCancel(inner);
            if (index < -extent || index >= extent) return outside(index, extent);
            const int64_t from = (o * extent + (index < 0 ? index + extent : index)) * inner;
            for (int64_t i = 0; i < inner; ++i)
                copy(arguments.outputs[0].data, position++, arguments.inputs[0].data, from + i);
        }
    return Status::ok();
}

Status runGatherElements(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &y = *arguments.outputs[0].dims;
    if (elementCount(y) == 0) return Status::ok();
    const size_t axis = static_cast<size_t>(wrapAxis(problem.attributes->getInt("axis", 0), x));
    const auto indices = readIntegers(problem, arguments, 1);
    const auto strides = rowMajorStrides(x);
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    Dims index(y.size(), 0);
    int64_t position = 0;
    do {
        int64_t from = 0;
        for (size_t d = 0; d < y.size(); ++d) {
            int64_t at = d == axis ? indices[static_cast<size_t>(position)] : index[d];
            if (at < -x[d] || at >= x[d]) return outside(at, x[d]);
            from += (at < 0 ? at + x[d] : at) * strides[d];
        }
        copy(arguments.outputs[0].data, position++, arguments.inputs[0].data, from);
    } while (advance(index, y));
    return Status::ok();
}

Status runGatherND(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &tuples = *arguments.inputs[1].dims;
    const auto batch = static_cast<size_t>(problem.attributes->getInt("batch_dims", 0));
    const auto depth = static_cast<size_t>(tuples.back());
    const auto indices = readIntegers(problem, arguments, 1);
    const auto strides = rowMajorStrides(x);
    const int64_t batches = product(x, 0, batch), perBatch = product(tuples, batch, tuples.size() - 1);
    const int64_t inner = product(x, batch + depth, x.size()), batchStride = product(x, batch, x.size());
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    int64_t position = 0;
    size_t next = 0;
    for (int64_t b = 0; b < batches; ++b)
        for (int64_t t = 0; t < perBatch; ++t) {
            int64_t from = b * batchStride;
            for (size_t d = batch; d < batch + depth; ++d) {
                const int64_t at = indices[next++];
                if (at < -x[d] || at >= x[d]) return outside(at, x[d]);
                from += (at < 0 ? at + x[d] : at) * strides[d];
            }
            for (int64_t i = 0; i < inner; ++i)
                copy(arguments.outputs[0].data, position++, arguments.inputs[0].data, from + i);
        }
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(gather) {
    addReference(registry, {"Gather", runGather, nullptr, true});
    addReference(registry, {"GatherElements", runGatherElements, nullptr, true});
    addReference(registry, {"GatherND", runGatherND, nullptr, true});
}

}  // namespace strobe
