#include <cmath>
#include <complex>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int64_t kOperationsPerTerm = 16;  // of a Fourier sum: sine and cosine

/// a − b·cos(2πn/N) + c·cos(4πn/N); N is the size, less one when not periodic.
Status runWindow(const Problem& problem, const RunArguments& arguments, double a, double b, double c) {
    const int64_t size = outputDims(arguments, 0)[0];
    const double period = static_cast<double>(problem.attributes->getBool("periodic", true) ? size : size - 1);
    std::vector<double> samples;
    for (int64_t n = 0; n < size; ++n) {
        const double angle =
            period > 0.0 ? 2.0 * kPi * static_cast<double>(n) / period : kPi;  // a lone sample is the peak
        samples.push_back(a - b * std::cos(angle) + c * std::cos(2.0 * angle));
    }
    writeNumbers(problem, arguments, 0, samples);
    return Status::ok();
}

Status runHann(const Problem& p, const RunArguments& r) {
    return runWindow(p, r, 0.5, 0.5, 0.0);
}
Status runHamming(const Problem& p, const RunArguments& r) {
    return runWindow(p, r, 25.0 / 46.0, 21.0 / 46.0, 0.0);
}
Status runBlackman(const Problem& p, const RunArguments& r) {
    return runWindow(p, r, 0.42, 0.5, 0.08);
}

/// The sum as it is written: no fast transform in the oracle. Input beyond its end is zero.
Status runDft(const Problem& problem, const RunArguments& arguments) {
    const Dims &xDims = inputDims(arguments, 0), &yDims = outputDims(arguments, 0);
    const auto axis =
        static_cast<size_t>(wrapAxis(static_cast<int64_t>(readNumber(problem, arguments, 2, -2.0)), xDims));
    const bool inverse = problem.attributes->getBool("inverse", false);
    const bool half = inverse && problem.attributes->getBool("onesided", false);  // the other half is its conjugate
    const int64_t length = static_cast<int64_t>(
        readNumber(problem, arguments, 1, static_cast<double>(half ? 2 * (xDims[axis] - 1) : xDims[axis])));
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    const std::vector<int64_t> strides = rowMajorStrides(xDims);
    std::vector<double> y;
    const Dims points(yDims.begin(), yDims.end() - 1);
    if (elementCount(points) == 0) return Status::ok();
    Dims index(points.size(), 0);
    do {
        std::complex<double> sum = 0.0;
        pollCancel(kOperationsPerTerm * length);
        for (int64_t n = 0; n < (half ? length : std::min(length, xDims[axis])); ++n) {
            const bool mirrored = half && n > length / 2;
            const int64_t from = mirrored ? length - n : n;
            if (from >= xDims[axis]) continue;
            int64_t offset = from * strides[axis];
            for (size_t d = 0; d < points.size(); ++d)
                if (d != axis) offset += index[d] * strides[d];
            const auto at = static_cast<size_t>(offset);
            const double imaginary = xDims.back() == 2 ? x[at + 1] : 0.0;
            const std::complex<double> value(x[at], mirrored ? -imaginary : imaginary);
            // The product modulo the length keeps the angle small, so exact.
            const double turn = static_cast<double>(n * index[axis] % length) / static_cast<double>(length);
            sum += value * std::polar(1.0, (inverse ? 2.0 : -2.0) * kPi * turn);
        }
        if (inverse) sum /= static_cast<double>(length);
        y.push_back(sum.real());
        if (!half) y.push_back(sum.imag());
    } while (advance(index, points));
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

/// By elimination with row exchanges.
double determinant(std::vector<double> m, size_t size) {
    double result = 1.0;
    for (size_t column = 0; column < size; ++column) {
        size_t pivot = column;
        pollCancel(static_cast<int64_t>(size * (size - column)));
        for (size_t row = column; row < size; ++row)
            if (std::abs(m[row * size + column]) > std::abs(m[pivot * size + column])) pivot = row;
        if (m[pivot * size + column] == 0.0) return 0.0;
        if (pivot != column) result = -result;
        for (size_t k = 0; k < size; ++k) std::swap(m[pivot * size + k], m[column * size + k]);
        result *= m[column * size + column];
        for (size_t row = column + 1; row < size; ++row) {
            const double factor = m[row * size + column] / m[column * size + column];
            for (size_t k = column; k < size; ++k) m[row * size + k] -= factor * m[column * size + k];
        }
    }
    return result;
}

Status runDet(const Problem& problem, const RunArguments& arguments) {
    const auto size = static_cast<size_t>(inputDims(arguments, 0).back());
    const std::vector<double> x = readNumbers(problem, arguments, 0);
    std::vector<double> y(static_cast<size_t>(elementCount(outputDims(arguments, 0))));
    for (size_t i = 0; i < y.size(); ++i) {
        const auto first = x.begin() + static_cast<std::ptrdiff_t>(i * size * size);
        y[i] = determinant({first, first + static_cast<std::ptrdiff_t>(size * size)}, size);
    }
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(signal) {
    addReference(registry, {"HannWindow", runHann});
    addReference(registry, {"HammingWindow", runHamming});
    addReference(registry, {"BlackmanWindow", runBlackman});
    addReference(registry, {"DFT", runDft, onlyFloats});
    addReference(registry, {"Det", runDet, onlyFloats});
}

}  // namespace strobe
