#include "engine_core/ops/compute_shapes.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

struct Scatter {
    Dims x, w, y;
    WindowAttributes window;
    Dims pads;
    int64_t group = 1;
};

/// Adds what one element of X gives to all output channels of its group.
void scatterElement(const Scatter& s, const Dims& index, double value, const std::vector<double>& w,
                    std::vector<double>& y) {
    const auto wStrides = rowMajorStrides(s.w), yStrides = rowMajorStrides(s.y);
    const int64_t firstChannel = index[1] / (s.x[1] / s.group) * s.w[1];
    const Dims window(s.w.begin() + 1, s.w.end());
    Dims k(window.size(), 0);
    do {
        int64_t from = index[1] * wStrides[0] + k[0] * wStrides[1],
                to = index[0] * yStrides[0] + (firstChannel + k[0]) * yStrides[1];
        bool inside = true;
        for (size_t d = 1; d < window.size(); ++d) {
            const int64_t at =
                index[d + 1] * s.window.strides[d - 1] + k[d] * s.window.dilations[d - 1] - s.pads[d - 1];
            inside = inside && at >= 0 && at < s.y[d + 1];
            to += at * yStrides[d + 1];
            from += k[d] * wStrides[d + 1];
        }
        if (inside) y[static_cast<size_t>(to)] += value * w[static_cast<size_t>(from)];
    } while (advance(k, window));
}

Status runConvTranspose(const Problem& problem, const RunArguments& arguments) {
    Scatter s{inputDims(arguments, 0),
              inputDims(arguments, 1),
              outputDims(arguments, 0),
              {},
              {},
              problem.attributes->getInt("group", 1)};
    STROBE_ASSIGN(const TransposedWindow t,
                  transposedWindow(*problem.attributes, toShape(s.x), Dims(s.w.begin() + 2, s.w.end())));
    s.window = t.window;
    s.pads = toDims(t.window.padsBegin);
    const std::vector<double> x = readNumbers(problem, arguments, 0), w = readNumbers(problem, arguments, 1),
                              bias = readNumbers(problem, arguments, 2);
    std::vector<double> y(static_cast<size_t>(elementCount(s.y)), 0.0);
    if (!x.empty() && !w.empty()) {
        Dims index(s.x.size(), 0);
        for (double value : x) {
            scatterElement(s, index, value, w, y);
            advance(index, s.x);
        }
    }
    const AxisSplit split(s.y, 1);
    if (!bias.empty())
        for (size_t i = 0; i < y.size(); ++i)
            y[i] += bias[static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.extent)];
    writeNumbers(problem, arguments, 0, y);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(conv_transpose) {
    addReference(registry, {"ConvTranspose", runConvTranspose, onlyFloats});
}

}  // namespace strobe
