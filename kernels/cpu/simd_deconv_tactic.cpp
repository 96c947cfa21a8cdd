#include <algorithm>
#include <cstring>

#include "engine_core/ops/compute_shapes.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_depthwise.h"
#include "kernels/cpu/simd_epilogue.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kLeastPixels = 32, kMostPixels = 512;  // input pixels of one product: A, B and C stay in L1/L2
constexpr int64_t kLineFloats = 1024;                    // that an epilogue works on at once, if the row has them

/// Transposed convolution whose windows touch but never overlap (kernel = stride, no padding): each input pixel makes a block of
/// kh × kw output pixels of its own, so that the whole is one matrix product [pixels, C] × [C, kh·kw·M], and every input row gives kh
/// output rows of contiguous channels-last memory.
struct BlockDeconv {
    int64_t batch = 0, height = 0, width = 0, channels = 0, outputs = 0, kernelHeight = 0, kernelWidth = 0;
    int64_t columns = 0;  // kh·kw·M rounded up to whole vectors
    int64_t run() const { return kernelWidth * outputs; }  // floats that one pixel writes to one output row
    int64_t pixels() const { return std::min(std::max<int64_t>(width, 1), std::clamp(kLineFloats / run(), kLeastPixels, kMostPixels)); }
};

BlockDeconv shapeOf(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims;
    BlockDeconv s{x[0], x[2], x[3], x[1], w[1], w[2], w[3], 0};
    const int64_t lanes = simdLanes();
    s.columns = (s.kernelHeight * s.run() + lanes - 1) / lanes * lanes;
    return s;
}

/// A column of runs, `step` floats apart, side by side plus a bias for each float of a run. Run: its length where that is known early.
template <int64_t Run>
void gatherRuns(const float* from, int64_t step, const float* bias, int64_t pixels, int64_t run, float* to) {
    const int64_t length = Run > 0 ? Run : run;
    for (int64_t p = 0; p < pixels; ++p, from += step, to += length)
        for (int64_t c = 0; c < length; ++c) to[c] = from[c] + bias[c];
}

class BlockDeconvKernel final : public Kernel {
public:
    BlockDeconvKernel(const Problem& problem, std::shared_ptr<const void> weights, std::vector<float> bias)
        : m_shape(shapeOf(problem)),
          m_pixels(m_shape.pixels()),
          m_weights(std::move(weights)),
          m_type(problem.inputs[0].format.type),
          m_outType(problem.outputs[0].format.type),
          m_threads(problem.threads) {
        // One bias a column of a pixel's output run.
        m_bias.assign(static_cast<size_t>(m_shape.run()), 0.0f);
        for (size_t i = 0; i < m_bias.size() && !bias.empty(); ++i) m_bias[i] = bias[i % static_cast<size_t>(m_shape.outputs)];
        if (problem.program) m_epilogue.emplace(problem);
    }

    size_t workspaceBytes() const override { return threadBytes() * static_cast<size_t>(std::max(1, m_threads)); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const int64_t tilesPerRow = (m_shape.width + m_pixels - 1) / m_pixels;
        const int64_t grain = std::max<int64_t>(1, 8 * kLeastPixels / m_pixels);
        parallelFor(0, m_shape.batch * m_shape.height * tilesPerRow, grain, [&](int64_t first, int64_t last) {
            auto* scratch = static_cast<float*>(arguments.workspace) + static_cast<size_t>(parallelThreadIndex()) * threadBytes() / sizeof(float);
            for (int64_t t = first; t < last; ++t) runTile(arguments, t / tilesPerRow, t % tilesPerRow * m_pixels, scratch);
        });
        return Status::ok();
    }

private:
    size_t inputFloats() const { return static_cast<size_t>((m_pixels * m_shape.channels + 15) / 16 * 16); }
    size_t productFloats() const { return static_cast<size_t>(m_pixels * m_shape.columns); }
    size_t rowFloats() const { return static_cast<size_t>((m_pixels * m_shape.run() + 15) / 16 * 16); }
    size_t threadBytes() const {
        const size_t floats = (inputFloats() + productFloats() + rowFloats()) * sizeof(float);
        return (floats + (m_epilogue ? m_epilogue->scratchBytes() : 0) + 63) / 64 * 64;
    }

    /// Pixels [x, x + m_pixels) of input row `row` (batch and height together).
    void runTile(const RunArguments& arguments, int64_t row, int64_t x, float* scratch) const {
        const BlockDeconv& s = m_shape;
        const int64_t pixels = std::min(m_pixels, s.width - x);
        float *product = scratch + inputFloats(), *line = product + productFloats();
        const int64_t start = (row * s.width + x) * s.channels;
        const float* a = scratch;
        if (m_type == DataType::Float32)
            a = arguments.inputs[0].as<const float>() + start;
        else
            loadTile(m_type, arguments.inputs[0].data, start, 1, scratch, static_cast<size_t>(pixels * s.channels));
        smallGemm({a, static_cast<const float*>(m_weights.get()), product, pixels, s.columns, s.channels, s.channels, s.columns, s.columns});
        for (int64_t i = 0; i < s.kernelHeight; ++i) {
            (s.run() == 2 ? gatherRuns<2> : gatherRuns<0>)(product + i * s.run(), s.columns, m_bias.data(), pixels, s.run(), line);
            const int64_t begin = (row * s.kernelHeight + i) * s.width * s.run() + x * s.run();
            if (m_epilogue)
                m_epilogue->apply(arguments, line, begin, begin + pixels * s.run(), line + rowFloats());
            else
                storeTile(m_outType, line, arguments.outputs[0].data, begin, static_cast<size_t>(pixels * s.run()));
        }
    }

    BlockDeconv m_shape;
    int64_t m_pixels;
    std::shared_ptr<const void> m_weights;
    std::vector<float> m_bias;
    DataType m_type, m_outType;
    int m_threads;
    std::optional<TileEpilogue> m_epilogue;
};

class BlockDeconvTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.deconv"; }
    bool wantsExactConstants() const override { return true; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1];
        if (x.dims.size() != 4) return Support::no("serves 2-D, the input is " + toString(x.dims));
        if (!w.constantData || !isFloatingPoint(w.format.type)) return Support::no("the weights are not a floating-point constant");
        if (elementCount(x.dims) <= 0 || elementCount(w.dims) <= 0) return Support::no("an input has no elements");
        if (problem.attributes->getInt("group", 1) != 1) return Support::no("group " + std::to_string(problem.attributes->getInt("group", 1)));
        for (const TensorDesc* desc : {&x, &problem.outputs[0]})
            if (desc->format.layout != Layout::ChannelsLast) return Support::no("takes the nhwc layout");
        if (const Support windows = windowsTouch(problem); !windows.supported) return windows;
        if (isGiven(problem, 2) && !problem.inputs[2].constantData) return Support::no("the bias is not constant");
        if (const Support storage = supportsFloatStorage(problem, FloatResult::AsInputOrSums); !storage.supported)
            return storage;
        return supportsEpilogue(problem);
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        Formats formats;
        for (const TensorDesc& desc : problem.inputs) {
            formats.inputs.push_back(desc.format);
            if (desc.present && desc.dims.size() == 4 && !desc.constantData) formats.inputs.back().layout = Layout::ChannelsLast;
        }
        formats.outputs.push_back(problem.outputs[0].format);
        formats.outputs[0].layout = Layout::ChannelsLast;
        return {formats};
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        const BlockDeconv s = shapeOf(problem);
        const auto fill = [&](void* to) {
            const auto weights = knownFloats(problem, 1);
            if (!weights) return internalError("transposed convolution prepared without weights");
            return pack(*weights, s, static_cast<float*>(to), context.cancel);
        };
        PackedWeightsCache own;
        const bool shared = context.packedWeights && !problem.inputs[1].constantKey.empty();
        const std::string key = "simd.deconv " + problem.inputs[1].constantKey + " " + std::to_string(s.columns);
        STROBE_ASSIGN(auto packed, (shared ? context.packedWeights : &own)->get(key, static_cast<size_t>(s.channels * s.columns) * sizeof(float), fill));
        auto bias = knownFloats(problem, 2);
        if (!bias) return internalError("transposed convolution prepared for a bias that it declined");
        return std::unique_ptr<Kernel>(std::make_unique<BlockDeconvKernel>(problem, std::move(packed), std::move(*bias)));
    }

private:
    static Support windowsTouch(const Problem& problem) {
        const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims, &y = problem.outputs[0].dims;
        const auto transposed = transposedWindow(*problem.attributes, toShape(x), Dims(w.begin() + 2, w.end()));
        if (!transposed) return Support::no(transposed.status().message());
        for (size_t d = 0; d < 2; ++d) {
            const WindowAttributes& window = transposed->window;
            const bool touch = window.strides[d] == w[d + 2] && window.dilations[d] == 1 && window.padsBegin[d].isConstant(0) && y[d + 2] == x[d + 2] * w[d + 2];
            if (!touch) return Support::no("the windows overlap, leave gaps or are padded; kernel = stride is served");
        }
        return Support::yes();
    }

    /// ONNX [C, M, kh, kw] → rows of C with columns in the order kh, kw, M.
    static Status pack(const std::vector<float>& w, const BlockDeconv& s, float* to, const CancelToken* cancel) {
        std::memset(to, 0, static_cast<size_t>(s.channels * s.columns) * sizeof(float));
        const int64_t taps = s.kernelHeight * s.kernelWidth;
        for (int64_t c = 0; c < s.channels; ++c) {
            if (isCancelled(cancel)) return cancelled();
            for (int64_t m = 0; m < s.outputs; ++m)
                for (int64_t k = 0; k < taps; ++k) to[c * s.columns + k * s.outputs + m] = w[static_cast<size_t>((c * s.outputs + m) * taps + k)];
        }
        return Status::ok();
    }
};

}  // namespace

void registerSimdDeconv(KernelRegistry& registry) { registry.add(DeviceKind::Cpu, "ConvTranspose", std::make_unique<BlockDeconvTactic>()); }

}  // namespace strobe
