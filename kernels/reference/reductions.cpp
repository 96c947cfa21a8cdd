#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

/// Calls element(position in X, position in Y) for all of X; `axes` are reduced.
template <class Element>
void forEachReduced(const Dims& x, const std::vector<bool>& reduced, Element element) {
    if (elementCount(x) == 0) return;
    Dims kept = x;
    for (size_t i = 0; i < x.size(); ++i)
        if (reduced[i]) kept[i] = 1;
    const std::vector<int64_t> strides = broadcastStrides(kept, x);
    Dims index(x.size(), 0);
    int64_t position = 0;
    do element(position++, offsetOf(index, strides));
    while (advance(index, x));
}

std::vector<bool> reducedAxes(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = inputDims(arguments, 0);
    const std::vector<int64_t> axes = readIntegers(problem, arguments, 1);
    const bool all = axes.empty() && !problem.attributes->getBool("noop_with_empty_axes", false);
    std::vector<bool> reduced(x.size(), all);
    for (int64_t axis : axes) reduced[static_cast<size_t>(wrapAxis(axis, x))] = true;
    return reduced;
}

template <class T>
constexpr T kHighest = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                            : std::numeric_limits<T>::max();
template <class T>
constexpr T kLowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::lowest();

/// y = finish(fold over x, elements folded), in the widest type of x's kind.
template <class Fold, class Finish, class Start>
Status reduce(const Problem& problem, const RunArguments& arguments, Start start, Fold fold, Finish finish) {
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T* x = arguments.inputs[0].as<const T>();
        const auto count = static_cast<size_t>(elementCount(outputDims(arguments, 0)));
        std::vector<Wide<T>> sums(count, static_cast<Wide<T>>(start(zero)));
        std::vector<int64_t> folded(count, 0);
        forEachReduced(inputDims(arguments, 0), reducedAxes(problem, arguments), [&](int64_t from, int64_t to) {
            Wide<T>& sum = sums[static_cast<size_t>(to)];
            sum = fold(sum, static_cast<Wide<T>>(x[from]));
            ++folded[static_cast<size_t>(to)];
        });
        T* y = arguments.outputs[0].as<T>();
        for (size_t i = 0; i < count; ++i) y[i] = static_cast<T>(finish(sums[i], folded[i]));
        return Status::ok();
    });
}

const auto zeroStart = [](auto zero) { return zero; };
const auto asIs = [](auto sum, int64_t) { return sum; };
const auto add = [](auto sum, auto x) { return sum + x; };
const auto addSquare = [](auto sum, auto x) { return sum + x * x; };
const auto addMagnitude = [](auto sum, auto x) { return x < 0 ? sum - x : sum + x; };
/// Roots and logarithms of integers are cut off to integers again.
template <double (*Function)(double)>
auto finishWith() {
    return [](auto sum, int64_t) { return Function(static_cast<double>(sum)); };
}

Status runSum(const Problem& p, const RunArguments& a) {
    return reduce(p, a, zeroStart, add, asIs);
}
Status runSumSquare(const Problem& p, const RunArguments& a) {
    return reduce(p, a, zeroStart, addSquare, asIs);
}
Status runL1(const Problem& p, const RunArguments& a) {
    return reduce(p, a, zeroStart, addMagnitude, asIs);
}
Status runL2(const Problem& p, const RunArguments& a) {
    return reduce(p, a, zeroStart, addSquare, finishWith<std::sqrt>());
}
Status runLogSum(const Problem& p, const RunArguments& a) {
    return reduce(p, a, zeroStart, add, finishWith<std::log>());
}
Status runProd(const Problem& p, const RunArguments& a) {
    return reduce(
        p, a, [](auto zero) { return static_cast<decltype(zero)>(1); },
        [](auto product, auto x) { return product * x; }, asIs);
}
Status runMax(const Problem& p, const RunArguments& a) {
    return reduce(
        p, a, [](auto zero) { return kLowest<decltype(zero)>; },
        [](auto best, auto x) { return x > best || x != x ? x : best; }, asIs);
}
Status runMin(const Problem& p, const RunArguments& a) {
    return reduce(
        p, a, [](auto zero) { return kHighest<decltype(zero)>; },
        [](auto best, auto x) { return x < best || x != x ? x : best; }, asIs);
}
Status runMean(const Problem& p, const RunArguments& a) {
    return reduce(p, a, zeroStart, add, [](auto sum, int64_t count) {
        using Sum = decltype(sum);
        if constexpr (std::is_integral_v<Sum>)
            return count == 0 ? Sum(0) : sum / static_cast<Sum>(count);
        else
            return sum / static_cast<double>(count);
    });
}

/// log Σ exp(x) with the highest x taken out, so that it neither overflows nor vanishes.
Status runLogSumExp(const Problem& problem, const RunArguments& arguments) {
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    const auto count = static_cast<size_t>(elementCount(outputDims(arguments, 0)));
    const std::vector<bool> reduced = reducedAxes(problem, arguments);
    std::vector<double> highest(count, -std::numeric_limits<double>::infinity()), sums(count, 0.0);
    forEachReduced(inputDims(arguments, 0), reduced, [&](int64_t from, int64_t to) {
        highest[static_cast<size_t>(to)] = std::max(highest[static_cast<size_t>(to)], x[static_cast<size_t>(from)]);
    });
    for (double& value : highest)
        if (!std::isfinite(value)) value = 0.0;
    forEachReduced(inputDims(arguments, 0), reduced, [&](int64_t from, int64_t to) {
        sums[static_cast<size_t>(to)] += std::exp(x[static_cast<size_t>(from)] - highest[static_cast<size_t>(to)]);
    });
    for (size_t i = 0; i < count; ++i) sums[i] = highest[i] + std::log(sums[i]);
    writeNumbers(problem, arguments, 0, sums);
    return Status::ok();
}

template <bool IsMax>
Status runArg(const Problem& problem, const RunArguments& arguments) {
    const Dims& dims = inputDims(arguments, 0);
    const AxisSplit split(dims, wrapAxis(problem.attributes->getInt("axis", 0), dims));
    const bool last = problem.attributes->getBool("select_last_index", false);
    int64_t* y = arguments.outputs[0].as<int64_t>();
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T* x = arguments.inputs[0].as<const T>();
        for (int64_t outer = 0; outer < split.outer; ++outer)
            for (int64_t inner = 0; inner < split.inner; ++inner) {
                const auto at = [&](int64_t i) { return x[(outer * split.extent + i) * split.inner + inner]; };
                int64_t best = 0;
                for (int64_t i = 1; i < split.extent; ++i) {
                    pollCancel(1);
                    if ((IsMax ? at(i) > at(best) : at(i) < at(best)) || (last && at(i) == at(best))) best = i;
                }
                *y++ = best;
            }
        return Status::ok();
    });
}

}  // namespace

STROBE_REFERENCE(reductions) {
    addReference(registry, {"ReduceSum", runSum, anyNumbers});
    addReference(registry, {"ReduceMean", runMean, anyNumbers});
    addReference(registry, {"ReduceMax", runMax, anyNumbers});
    addReference(registry, {"ReduceMin", runMin, anyNumbers});
    addReference(registry, {"ReduceProd", runProd, anyNumbers});
    addReference(registry, {"ReduceL1", runL1, anyNumbers});
    addReference(registry, {"ReduceL2", runL2, anyNumbers});
    addReference(registry, {"ReduceLogSum", runLogSum, anyNumbers});
    addReference(registry, {"ReduceLogSumExp", runLogSumExp, anyNumbers});
    addReference(registry, {"ReduceSumSquare", runSumSquare, anyNumbers});
    addReference(registry, {"ArgMax", runArg<true>, anyNumbers});
    addReference(registry, {"ArgMin", runArg<false>, anyNumbers});
}

}  // namespace strobe
