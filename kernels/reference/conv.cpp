#include "engine_core/ops/inference_helpers.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

struct ConvShape {
    Dims x, w, y;
    std::vector<int64_t> strides, dilations;
    Dims pads;
    int64_t group = 1;
};

/// Sum over the window of output `index` (n, m, spatial…).
float convolveAt(const ConvShape& s, const float* x, const float* w, const Dims& index) {
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
    return static_cast<float>(sum);
}

Status runConv(const Problem& problem, const RunArguments& arguments) {
    ConvShape s;
    s.x = *arguments.inputs[0].dims;
    s.w = *arguments.inputs[1].dims;
    s.y = *arguments.outputs[0].dims;
    s.group = problem.attributes->getInt("group", 1);
    STROBE_ASSIGN(const WindowAttributes window, windowAttributes(*problem.attributes, toShape(s.x), Dims(s.w.begin() + 2, s.w.end())));
    s.strides = window.strides;
    s.dilations = window.dilations;
    s.pads = toDims(window.padsBegin);
    if (elementCount(s.y) == 0) return Status::ok();
    const float* bias = arguments.inputs.size() > 2 ? arguments.inputs[2].as<const float>() : nullptr;
    float* y = arguments.outputs[0].as<float>();
    const bool emptyWindow = elementCount(s.w) == 0;
    Dims index(s.y.size(), 0);
    do {
        const float sum = emptyWindow ? 0.0f : convolveAt(s, arguments.inputs[0].as<const float>(), arguments.inputs[1].as<const float>(), index);
        *y++ = sum + (bias ? bias[index[1]] : 0.0f);
    } while (advance(index, s.y));
    return Status::ok();
}

Support supportsConv(const Problem& problem) {
    return problem.inputs[0].format.type == DataType::Float32 ? Support::yes() : Support::no("only floating-point convolution");
}

}  // namespace

STROBE_REFERENCE(conv) { addReference(registry, {"Conv", runConv, supportsConv}); }

}  // namespace strobe
