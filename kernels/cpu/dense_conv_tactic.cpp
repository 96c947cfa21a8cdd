#include <utility>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/dense_gemm.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {
namespace {

constexpr int64_t kImageChannels = 4;  // an image of so many is read in plain layout too
constexpr int64_t kBandDepth = 1024;   // what AMX sums up in one pass
constexpr int64_t kGroupColumns = 8;   // fewer fill no vector

/// Whether groups are too narrow for tiles of their own, and together not too deep for one pass.
bool takesBands(const DenseShape& s, GemmCompute compute) {
    const PatchShape& p = s.patch;
    const int64_t depth = s.groups * p.tap;
    return compute == GemmCompute::AmxBFloat16 && s.groups > 1 && p.planes == 1 &&
           p.kernelHeight * p.kernelWidth == 1 && depth <= kBandDepth &&
           (p.tap % gemmKStep(compute) != 0 || s.groupColumns() % gemmPanelColumns(compute) != 0);
}

Result<DenseShape> denseShape(const Problem& problem, GemmCompute compute) {
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(*problem.attributes, toShape(x), Dims(w.begin() + 2, w.end())));
    DenseShape s;
    s.groups = problem.attributes->getInt("group", 1);
    s.columns = w[0];
    PatchShape& p = s.patch;
    const size_t last = x.size() - 3;  // index of the width among spatial dims
    p.inWidth = x.back();
    p.outWidth = y.back();
    p.kernelWidth = w.back();
    p.strideWidth = window.strides[last];
    p.dilationWidth = window.dilations[last];
    p.padLeft = window.padsBegin[last].constant();
    if (last > 0) {
        p.inHeight = x[2];
        p.outHeight = y[2];
        p.kernelHeight = w[2];
        p.strideHeight = window.strides[0];
        p.dilationHeight = window.dilations[0];
        p.padTop = window.padsBegin[0].constant();
    }
    s.rows = x[0] * p.outHeight * p.outWidth;
    p.imageStride = x[1] * p.inHeight * p.inWidth;
    if (problem.inputs[0].format.layout == Layout::Plain) {
        p.planes = x[1];
        p.planeStride = p.inHeight * p.inWidth;
    } else {
        p.tap = s.groupOffset = w[1];
        p.pixelStride = x[1];
    }
    if (takesBands(s, compute)) {
        s.bands = std::exchange(s.groups, 1);
        p.tap *= s.bands;
        s.groupOffset = 0;
    }
    return s;
}

/// ONNX weights [M, C / group, kh, kw] in the order of the windows.
WeightOrder weightOrder(const DenseShape& s) {
    const PatchShape& p = s.patch;
    const int64_t taps = p.kernelHeight * p.kernelWidth, channels = p.planes * p.tap / s.bands;
    WeightOrder order;
    order.columnStride = channels * taps;
    for (int64_t plane = 0; plane < p.planes; ++plane)
        for (int64_t tap = 0; tap < taps; ++tap)
            for (int64_t c = 0; c < p.tap / s.bands; ++c) order.kOffsets.push_back((plane + c) * taps + tap);
    return order;
}

class DenseConvTactic final : public Tactic {
public:
    explicit DenseConvTactic(GemmCompute compute) : m_compute(compute) {}
    std::string_view name() const override { return m_compute == GemmCompute::Float32 ? "simd.conv" : "amx.conv"; }
    bool wantsExactConstants() const override { return m_compute == GemmCompute::Float32; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1], &y = problem.outputs[0];
        if (m_compute == GemmCompute::AmxBFloat16) {
            if (x.format.type != DataType::BFloat16) return Support::no("serves BF16");
            if (w.format.type != DataType::BFloat16) return Support::no("serves BF16 weights");
            if (!amxAvailable()) return Support::no("the processor has no AMX");
        }
        if (x.dims.size() != 3 && x.dims.size() != 4)
            return Support::no("serves 1-D and 2-D, the input is " + toString(x.dims));
        if (!w.constantData) return Support::no("the weights are not constant");
        if (elementCount(x.dims) == 0 || elementCount(w.dims) == 0 || elementCount(y.dims) == 0)
            return Support::no("a tensor has no elements");
        if (isGiven(problem, 2) && !problem.inputs[2].constantData) return Support::no("the bias is not constant");
        if (const Support groups = supportsGroups(problem); !groups.supported) return groups;
        if (y.format.layout != Layout::ChannelsLast) return Support::no("makes the nhwc layout");
        if (x.format.layout != Layout::ChannelsLast &&
            (x.format.layout != Layout::Plain || x.dims[1] > kImageChannels || w.dims[1] != x.dims[1]))
            return Support::no("takes the nhwc layout, or plain images of up to " + std::to_string(kImageChannels) +
                               " channels");
        if (const Support storage = supportsFloatStorage(problem, FloatResult::AsInputOrSums); !storage.supported)
            return storage;
        if (!isFloatingPoint(w.format.type)) return Support::no("weights are not floating point");
        if (const auto shape = denseShape(problem, m_compute); !shape) return Support::no(shape.status().message());
        return supportsEpilogue(problem);
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        if (problem.inputs[0].dims.size() < 3 || problem.inputs[0].dims.size() > 4)
            return Tactic::candidateFormats(problem);
        Formats formats;
        for (const TensorDesc& desc : problem.inputs) {
            formats.inputs.push_back(desc.format);
            const bool isImage = desc.present && desc.dims.size() == problem.outputs[0].dims.size();
            if (isImage && !desc.constantData) formats.inputs.back().layout = Layout::ChannelsLast;
        }
        formats.outputs.push_back(problem.outputs[0].format);
        formats.outputs[0].layout = Layout::ChannelsLast;
        if (problem.inputs[0].dims[1] > kImageChannels) return {formats};
        Formats plain = formats;
        plain.inputs[0].layout = Layout::Plain;
        return {plain, formats};
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const DenseShape shape, denseShape(problem, m_compute));
        const bool plain = problem.inputs[0].format.layout == Layout::Plain;
        STROBE_ASSIGN(auto weights, packDenseWeights(problem, shape, weightOrder(shape), m_compute, context,
                                                     std::string(name()) + (plain ? " plain" : " nhwc")));
        const auto bias = knownFloats(problem, 2);
        if (!bias) return internalError("convolution prepared for a bias that it declined");
        return std::unique_ptr<Kernel>(
            std::make_unique<DenseGemmKernel>(problem, shape, m_compute, std::move(weights), *bias));
    }

private:
    static Support supportsGroups(const Problem& problem) {
        const Dims& w = problem.inputs[1].dims;
        const int64_t groups = problem.attributes->getInt("group", 1);
        if (groups < 1 || w[0] % groups != 0) return Support::no("group " + std::to_string(groups));
        if (groups > 1 && w[0] / groups < kGroupColumns)
            return Support::no(std::to_string(w[0] / groups) + " channels a group fill no vector");
        return Support::yes();
    }

    GemmCompute m_compute;
};

}  // namespace

void registerDenseConv(KernelRegistry& registry) {
    for (const GemmCompute compute : {GemmCompute::AmxBFloat16, GemmCompute::Float32})
        registry.add(DeviceKind::Cpu, "Conv", std::make_unique<DenseConvTactic>(compute));
}

}  // namespace strobe
