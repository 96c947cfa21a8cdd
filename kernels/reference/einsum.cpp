#include "engine_core/ops/einsum.h"

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

Status runEinsum(const Problem& problem, const RunArguments& arguments) {
    const size_t inputs = arguments.inputs.size();
    std::vector<size_t> ranks;
    for (size_t i = 0; i < inputs; ++i) ranks.push_back(inputDims(arguments, static_cast<int>(i)).size());
    STROBE_ASSIGN(const EinsumPlan plan, parseEinsum(problem.attributes->getString("equation", ""), ranks));
    Dims extents(static_cast<size_t>(plan.labelCount), 1);
    // An extent of 1 repeats along its label; a label standing twice in a term walks the diagonal.
    std::vector<std::vector<int64_t>> strides(inputs, std::vector<int64_t>(extents.size(), 0));
    for (size_t i = 0; i < inputs; ++i) {
        const Dims& dims = inputDims(arguments, static_cast<int>(i));
        const std::vector<int64_t> own = rowMajorStrides(dims);
        for (size_t d = 0; d < dims.size(); ++d) {
            if (dims[d] == 1) continue;
            const auto label = static_cast<size_t>(plan.labels[i][d]);
            extents[label] = dims[d];
            strides[i][label] += own[d];
        }
    }
    if (elementCount(outputDims(arguments, 0)) == 0) return Status::ok();
    const Dims outer(extents.begin(), extents.begin() + plan.outputLabels),
        inner(extents.begin() + plan.outputLabels, extents.end());
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        T* y = arguments.outputs[0].as<T>();
        Dims index(extents.size(), 0), at(outer.size(), 0);
        do {
            Wide<T> sum = 0;
            Dims summed(inner.size(), 0);
            std::copy(at.begin(), at.end(), index.begin());
            if (elementCount(inner) > 0) do {
                    std::copy(summed.begin(), summed.end(), index.begin() + plan.outputLabels);
                    Wide<T> product = 1;
                    for (size_t i = 0; i < inputs; ++i)
                        product *= static_cast<Wide<T>>(arguments.inputs[i].as<const T>()[offsetOf(index, strides[i])]);
                    sum += product;
                } while (advance(summed, inner));
            *y++ = static_cast<T>(sum);
        } while (advance(at, outer));
        return Status::ok();
    });
}

}  // namespace

STROBE_REFERENCE(einsum) {
    addReference(registry, {"Einsum", runEinsum, anyNumbers});
}

}  // namespace strobe
