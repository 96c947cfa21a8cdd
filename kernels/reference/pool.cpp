#include <cmath>
#include <limits>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct PoolWindow {
    Dims plane, windows;  // spatial extents of X and Y
    std::vector<int64_t> kernel, strides, dilations;
    Dims padsBegin, padsEnd;
};

Result<PoolWindow> poolWindow(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = inputDims(arguments, 0), &y = outputDims(arguments, 0);
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(*problem.attributes, toShape(x), problem.attributes->getInts("kernel_shape")));
    return PoolWindow{
        Dims(x.begin() + 2, x.end()), Dims(y.begin() + 2, y.end()), window.kernel, window.strides, window.dilations,
        toDims(window.padsBegin),     toDims(window.padsEnd)};
}

/// Calls cell(offset in the plane or −1 in the padding) for every cell of a window within the padded plane.
template <class Cell>
void forEachCell(const PoolWindow& w, const Dims& window, Cell cell) {
    const std::vector<int64_t> strides = rowMajorStrides(w.plane);
    Dims k(w.kernel.size(), 0);
    do {
        int64_t offset = 0;
        bool inPlane = true, inPadded = true;
        for (size_t d = 0; d < k.size(); ++d) {
            const int64_t at = window[d] * w.strides[d] + k[d] * w.dilations[d] - w.padsBegin[d];
            inPlane = inPlane && at >= 0 && at < w.plane[d];
            inPadded = inPadded && at < w.plane[d] + w.padsEnd[d];
            offset += at * strides[d];
        }
        if (inPadded) cell(inPlane ? offset : -1);
    } while (advance(k, w.kernel));
}

/// Calls window(position in Y, first element of the plane, index of the window).
template <class Window>
void forEachWindow(const PoolWindow& w, const Dims& y, Window window) {
    if (elementCount(y) == 0) return;
    const int64_t planes = y[0] * y[1], planeSize = elementCount(w.plane);
    int64_t at = 0;
    for (int64_t plane = 0; plane < planes; ++plane) {
        Dims index(w.windows.size(), 0);
        do window(at++, plane * planeSize, index);
        while (advance(index, w.windows));
    }
}

/// The offset in a plane, counted with the first spatial dim fastest.
int64_t columnMajor(int64_t offset, const Dims& plane) {
    int64_t result = 0;
    for (size_t d = plane.size(); d-- > 0;) {
        int64_t stride = 1;
        for (size_t e = 0; e < d; ++e) stride *= plane[e];
        result += offset % plane[d] * stride;
        offset /= plane[d];
    }
    return result;
}

Status runMaxPool(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(const PoolWindow w, poolWindow(problem, arguments));
    const bool firstDimFastest = problem.attributes->getInt("storage_order", 0) == 1;
    int64_t* indices = hasOutput(arguments, 1) ? arguments.outputs[1].as<int64_t>() : nullptr;
    return withNumber(problem.inputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T* x = arguments.inputs[0].as<const T>();
        T* y = arguments.outputs[0].as<T>();
        forEachWindow(w, outputDims(arguments, 0), [&](int64_t at, int64_t plane, const Dims& window) {
            int64_t best = -1;
            forEachCell(w, window, [&](int64_t offset) {
                if (offset >= 0 && (best < 0 || x[plane + offset] > x[plane + best] ||
                                    (x[plane + offset] != x[plane + offset] && x[plane + best] == x[plane + best])))
                    best = offset;
            });
            constexpr T kLowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                                       : std::numeric_limits<T>::lowest();
            y[at] = best < 0 ? kLowest : x[plane + best];
            if (indices) indices[at] = best < 0 ? -1 : plane + (firstDimFastest ? columnMajor(best, w.plane) : best);
        });
        return Status::ok();
    });
}

Status runAveragePool(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(const PoolWindow w, poolWindow(problem, arguments));
    const bool countPadding = problem.attributes->getBool("count_include_pad", false);
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    std::vector<double> y(static_cast<size_t>(elementCount(outputDims(arguments, 0))));
    forEachWindow(w, outputDims(arguments, 0), [&](int64_t at, int64_t plane, const Dims& window) {
        double sum = 0.0;
        int64_t cells = 0;
        forEachCell(w, window, [&](int64_t offset) {
            if (offset >= 0) sum += x[static_cast<size_t>(plane + offset)];
            if (offset >= 0 || countPadding) ++cells;
        });
        y[static_cast<size_t>(at)] = cells == 0 ? 0.0 : sum / static_cast<double>(cells);
    });
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

Status runLpPool(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(const PoolWindow w, poolWindow(problem, arguments));
    const auto p = static_cast<double>(problem.attributes->getInt("p", 2));
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    std::vector<double> y(static_cast<size_t>(elementCount(outputDims(arguments, 0))));
    forEachWindow(w, outputDims(arguments, 0), [&](int64_t at, int64_t plane, const Dims& window) {
        double sum = 0.0;
        forEachCell(w, window, [&](int64_t offset) {
            if (offset >= 0) sum += std::pow(std::abs(x[static_cast<size_t>(plane + offset)]), p);
        });
        y[static_cast<size_t>(at)] = std::pow(sum, 1.0 / p);
    });
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

/// One value a plane: fold(accumulated, element), then finish(accumulated, elements).
template <class Fold, class Finish>
Status runGlobal(const Problem& problem, const RunArguments& arguments, double start, Fold fold, Finish finish) {
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    std::vector<double> y(static_cast<size_t>(elementCount(outputDims(arguments, 0))), start);
    const size_t plane = y.empty() ? 0 : x.size() / y.size();
    for (size_t i = 0; i < x.size(); ++i) y[i / plane] = fold(y[i / plane], x[i]);
    for (double& value : y) value = finish(value, static_cast<double>(plane));
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

Status runGlobalAveragePool(const Problem& problem, const RunArguments& arguments) {
    return runGlobal(
        problem, arguments, 0.0, [](double sum, double x) { return sum + x; },
        [](double sum, double count) { return sum / count; });
}
Status runGlobalMaxPool(const Problem& problem, const RunArguments& arguments) {
    return runGlobal(
        problem, arguments, -std::numeric_limits<double>::infinity(),
        [](double best, double x) { return x > best || std::isnan(x) ? x : best; },
        [](double best, double) { return best; });
}
Status runGlobalLpPool(const Problem& problem, const RunArguments& arguments) {
    const auto p = static_cast<double>(problem.attributes->getInt("p", 2));
    return runGlobal(
        problem, arguments, 0.0, [p](double sum, double x) { return sum + std::pow(std::abs(x), p); },
        [p](double sum, double) { return std::pow(sum, 1.0 / p); });
}

}  // namespace

STROBE_REFERENCE(pool) {
    addReference(registry, {"MaxPool", runMaxPool, anyNumbers});
    addReference(registry, {"AveragePool", runAveragePool, onlyFloats});
    addReference(registry, {"LpPool", runLpPool, onlyFloats});
    addReference(registry, {"GlobalAveragePool", runGlobalAveragePool, onlyFloats});
    addReference(registry, {"GlobalMaxPool", runGlobalMaxPool, onlyFloats});
    addReference(registry, {"GlobalLpPool", runGlobalLpPool, onlyFloats});
}

}  // namespace strobe
