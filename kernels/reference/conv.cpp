#include <algorithm>
#include <cmath>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct ConvShape {
    Dims x, w, y;
    std::vector<int64_t> strides, dilations;
    Dims pads;
    int64_t group = 1;
};

/// Sum over the window of output `index` (n, m, spatial…).
template <class T>
double convolveAt(const ConvShape& s, const T* x, const T* w, const Dims& index) {
    const auto xStrides = rowMajorStrides(s.x), wStrides = rowMajorStrides(s.w);
    const Dims window(s.w.begin() + 1, s.w.end());
    const int64_t firstChannel = index[1] / (s.w[0] / s.group) * s.w[1];
    double sum = 0.0;
    Dims k(window.size(), 0);
    do {
        int64_t xOffset = index[0] * xStrides[0] + (firstChannel + k[0]) * xStrides[1];
        int64_t wOffset = index[1] * wStrides[0] + k[0] * wStrides[1];
        bool inside = true;
        for (size_t d = 1; d < window.size(); ++d) {
            const int64_t at = index[d + 1] * s.strides[d - 1] + k[d] * s.dilations[d - 1] - s.pads[d - 1];
            inside = inside && at >= 0 && at < s.x[d + 1];
            xOffset += at * xStrides[d + 1];
            wOffset += k[d] * wStrides[d + 1];
        }
        if (inside) sum += static_cast<double>(x[xOffset]) * static_cast<double>(w[wOffset]);
    } while (advance(k, window));
    return sum;
}

Result<ConvShape> convShape(const Problem& problem, const Dims& x, const Dims& w, const Dims& y) {
    ConvShape s{x, w, y, {}, {}, {}, problem.attributes->getInt("group", 1)};
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(*problem.attributes, toShape(x), Dims(w.begin() + 2, w.end())));
    s.strides = window.strides;
    s.dilations = window.dilations;
    s.pads = toDims(window.padsBegin);
    return s;
}

/// Calls element(position in Y, output channel, sum) for all of Y.
template <class T, class Element>
void convolve(const ConvShape& s, const T* x, const T* w, Element element) {
    if (elementCount(s.y) == 0) return;
    const bool emptyWindow = elementCount(s.w) == 0;
    Dims index(s.y.size(), 0);
    size_t position = 0;
    do element(position++, static_cast<size_t>(index[1]), emptyWindow ? 0.0 : convolveAt(s, x, w, index));
    while (advance(index, s.y));
}

template <class T>
Status runConvAs(const ConvShape& s, const RunArguments& arguments) {
    const T* bias = arguments.inputs.size() > 2 ? arguments.inputs[2].as<const T>() : nullptr;
    T* y = arguments.outputs[0].as<T>();
    convolve(s, arguments.inputs[0].as<const T>(), arguments.inputs[1].as<const T>(),
             [&](size_t at, size_t channel, double sum) {
                 y[at] = static_cast<T>(sum + (bias ? static_cast<double>(bias[channel]) : 0.0));
             });
    return Status::ok();
}

Status runConv(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(const ConvShape s,
                  convShape(problem, inputDims(arguments, 0), inputDims(arguments, 1), outputDims(arguments, 0)));
    return problem.inputs[0].format.type == DataType::Float64 ? runConvAs<double>(s, arguments)
                                                              : runConvAs<float>(s, arguments);
}

/// values − zero point; one in all, or one for each of `channels` along the first dim.
void subtractPerChannel(std::vector<double>& values, const std::vector<double>& zeroPoint, int64_t channels) {
    if (zeroPoint.empty()) return;
    const size_t size = channels == 0 ? 1 : values.size() / static_cast<size_t>(channels);
    for (size_t i = 0; i < values.size(); ++i) values[i] -= zeroPoint[zeroPoint.size() == 1 ? 0 : i / size];
}

Status runConvInteger(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(const ConvShape s,
                  convShape(problem, inputDims(arguments, 0), inputDims(arguments, 1), outputDims(arguments, 0)));
    std::vector<double> x = readNumbers(problem, arguments, 0), w = readNumbers(problem, arguments, 1);
    const double xZero = readNumber(problem, arguments, 2, 0.0);
    for (double& value : x) value -= xZero;
    subtractPerChannel(w, readNumbers(problem, arguments, 3), s.w[0]);
    int32_t* y = arguments.outputs[0].as<int32_t>();
    convolve(s, x.data(), w.data(), [&](size_t at, size_t, double sum) { y[at] = static_cast<int32_t>(sum); });
    return Status::ok();
}

/// x, its scale and zero point, w, its scale and zero point, y's scale and zero point, int32 bias?.
Status runQLinearConv(const Problem& problem, const RunArguments& arguments) {
    STROBE_ASSIGN(const ConvShape s,
                  convShape(problem, inputDims(arguments, 0), inputDims(arguments, 3), outputDims(arguments, 0)));
    std::vector<double> x = readNumbers(problem, arguments, 0), w = readNumbers(problem, arguments, 3);
    const double xScale = readNumber(problem, arguments, 1, 1.0), xZero = readNumber(problem, arguments, 2, 0.0);
    const double yScale = readNumber(problem, arguments, 6, 1.0), yZero = readNumber(problem, arguments, 7, 0.0);
    const std::vector<double> wScale = readNumbers(problem, arguments, 4), bias = readNumbers(problem, arguments, 8);
    for (double& value : x) value -= xZero;
    subtractPerChannel(w, readNumbers(problem, arguments, 5), s.w[0]);
    std::vector<double> y(static_cast<size_t>(elementCount(s.y)));
    convolve(s, x.data(), w.data(), [&](size_t at, size_t channel, double sum) {
        const double scale = xScale * wScale[wScale.size() == 1 ? 0 : channel] / yScale;
        y[at] = std::nearbyint((sum + (bias.empty() ? 0.0 : bias[channel])) * scale) + yZero;
    });
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(conv) {
    addReference(registry, {"Conv", runConv, onlyFloats});
    addReference(registry, {"ConvInteger", runConvInteger});
    addReference(registry, {"QLinearConv", runQLinearConv});
}

}  // namespace strobe
