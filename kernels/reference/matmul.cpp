#include "kernels/reference/matmul.h"

#include "engine_core/ops/compute_shapes.h"

namespace strobe {

MatMulPlan::MatMulPlan(const Dims& a, const Dims& b, bool transA, bool transB) {
    Dims left = a, right = b;
    if (a.size() == 1) left.insert(left.begin(), 1);
    if (b.size() == 1) right.push_back(1);
    const bool swapA = transA && a.size() > 1, swapB = transB && b.size() > 1;
    m = left[left.size() - (swapA ? 1 : 2)];
    k = left[left.size() - (swapA ? 2 : 1)];
    n = right[right.size() - (swapB ? 2 : 1)];
    aRow = swapA ? 1 : k;
    aInner = swapA ? m : 1;
    bInner = swapB ? 1 : n;
    bColumn = swapB ? k : 1;
    const Dims aBatch(left.begin(), left.end() - 2), bBatch(right.begin(), right.end() - 2);
    batch.assign(std::max(aBatch.size(), bBatch.size()), 1);
    for (const Dims* dims : {&aBatch, &bBatch})
        for (size_t i = 0; i < dims->size(); ++i)
            if ((*dims)[i] != 1) batch[batch.size() - dims->size() + i] = (*dims)[i];
    aBatchStrides = broadcastStrides(aBatch, batch);
    bBatchStrides = broadcastStrides(bBatch, batch);
}

namespace {

Status runMatMul(const Problem& problem, const RunArguments& arguments) {
    const Attributes& attributes = *problem.attributes;
    const MatMulPlan plan(inputDims(arguments, 0), inputDims(arguments, 1), attributes.getBool("transA", false),
                          attributes.getBool("transB", false));
    const double alpha = static_cast<double>(attributes.getFloat("alpha", 1.0f));
    const std::vector<double> bias = readNumbers(problem, arguments, 2);
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T* a = arguments.inputs[0].as<const T>();
        const T* b = arguments.inputs[1].as<const T>();
        T* y = arguments.outputs[0].as<T>();
        plan.forEach([&](int64_t at, int64_t aAt, int64_t bAt, int64_t column) {
            Wide<T> sum = 0;
            for (int64_t k = 0; k < plan.k; ++k)
                sum += static_cast<Wide<T>>(a[aAt + k * plan.aInner]) * static_cast<Wide<T>>(b[bAt + k * plan.bInner]);
            if constexpr (std::is_floating_point_v<T>)
                sum = sum * alpha + (bias.empty() ? 0.0 : bias[static_cast<size_t>(column)]);
            y[at] = static_cast<T>(sum);
        });
        return Status::ok();
    });
}

Support supportsMatMul(const Problem& problem) {
    if (isFloatingPoint(problem.inputs[0].format.type)) return Support::yes();
    if (hasInput(problem, 2) || problem.attributes->has("alpha"))
        return Support::no("bias and alpha need floating-point operands");
    return anyNumbers(problem);
}

Status runGemm(const Problem& problem, const RunArguments& arguments) {
    const Attributes& attributes = *problem.attributes;
    const MatMulPlan plan(inputDims(arguments, 0), inputDims(arguments, 1), attributes.getBool("transA", false),
                          attributes.getBool("transB", false));
    const double alpha = static_cast<double>(attributes.getFloat("alpha", 1.0f)),
                 beta = static_cast<double>(attributes.getFloat("beta", 1.0f));
    const std::vector<double> a = readNumbers(problem, arguments, 0), b = readNumbers(problem, arguments, 1),
                              c = readNumbers(problem, arguments, 2);
    std::vector<int64_t> cStrides;
    if (hasInput(problem, 2)) cStrides = broadcastStrides(inputDims(arguments, 2), {plan.m, plan.n});
    std::vector<double> y(static_cast<size_t>(plan.m * plan.n));
    plan.forEach([&](int64_t at, int64_t aAt, int64_t bAt, int64_t column) {
        double sum = 0.0;
        for (int64_t k = 0; k < plan.k; ++k)
            sum += a[static_cast<size_t>(aAt + k * plan.aInner)] * b[static_cast<size_t>(bAt + k * plan.bInner)];
        sum *= alpha;
        if (!c.empty()) sum += beta * c[static_cast<size_t>(at / plan.n * cStrides[0] + column * cStrides[1])];
        y[static_cast<size_t>(at)] = sum;
    });
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

/// Zero points: a scalar, or one a row of A and one a column of B (with A's or B's leading dims).
Status runMatMulInteger(const Problem& problem, const RunArguments& arguments) {
    std::vector<double> a = readNumbers(problem, arguments, 0), b = readNumbers(problem, arguments, 1);
    subtractZeroPoint(a, inputDims(arguments, 0), readNumbers(problem, arguments, 2), true);
    subtractZeroPoint(b, inputDims(arguments, 1), readNumbers(problem, arguments, 3), false);
    writeNumbers(problem, arguments, 0, matMulNumbers(a, inputDims(arguments, 0), b, inputDims(arguments, 1)));
    return Status::ok();
}

}  // namespace

std::vector<double> matMulNumbers(const std::vector<double>& a, const Dims& aDims, const std::vector<double>& b,
                                  const Dims& bDims) {
    const MatMulPlan plan(aDims, bDims, false, false);
    std::vector<double> y(static_cast<size_t>(elementCount(plan.batch) * plan.m * plan.n));
    plan.forEach([&](int64_t at, int64_t aAt, int64_t bAt, int64_t) {
        double sum = 0.0;
        for (int64_t k = 0; k < plan.k; ++k)
            sum += a[static_cast<size_t>(aAt + k * plan.aInner)] * b[static_cast<size_t>(bAt + k * plan.bInner)];
        y[static_cast<size_t>(at)] = sum;
    });
    return y;
}

namespace {

/// Calls apply(element, entry) with the entry of a quantisation vector that serves each element of a matrix.
template <class Apply>
void forEachEntry(const Dims& dims, size_t entries, bool perRow, Apply apply) {
    const int64_t columns = dims.back(), rows = dims.size() > 1 ? dims[dims.size() - 2] : 1;
    const int64_t count = elementCount(dims);
    for (int64_t i = 0; i < count; ++i) {
        const int64_t matrix = i / (rows * columns);
        const int64_t line = perRow ? i / columns % rows : i % columns;
        const int64_t lines = perRow ? rows : columns;
        // A vector of one matrix serves all of them.
        const int64_t entry = entries == 1 ? 0 : (matrix * lines + line) % static_cast<int64_t>(entries);
        apply(static_cast<size_t>(i), static_cast<size_t>(entry));
    }
}

}  // namespace

void subtractZeroPoint(std::vector<double>& values, const Dims& dims, const std::vector<double>& zeroPoint,
                       bool perRow) {
    if (zeroPoint.empty()) return;
    forEachEntry(dims, zeroPoint.size(), perRow, [&](size_t i, size_t entry) { values[i] -= zeroPoint[entry]; });
}

void multiplyScale(std::vector<double>& values, const Dims& dims, const std::vector<double>& scale, bool perRow) {
    forEachEntry(dims, scale.size(), perRow, [&](size_t i, size_t entry) { values[i] *= scale[entry]; });
}

STROBE_REFERENCE(matmul) {
    addReference(registry, {"MatMul", runMatMul, supportsMatMul});
    addReference(registry, {"Gemm", runGemm, anyNumbers});
    addReference(registry, {"MatMulInteger", runMatMulInteger});
}

}  // namespace strobe
