#include <algorithm>
#include <cstring>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_epilogue.h"
#include "kernels/cpu/simd_gemv.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kBytesPerThread = 128 << 10;  // of weights

struct GemvShape {
    int64_t rows = 0, k = 0, n = 0, panels = 0;
    bool transposed = false;  // B is [n, k]
};

GemvShape gemvShape(const Problem& problem) {
    const Dims& b = problem.inputs[1].dims;
    GemvShape s;
    s.transposed = problem.attributes->getBool("transB", false);
    s.k = b[s.transposed ? 1 : 0];
    s.n = b[s.transposed ? 0 : 1];
    s.rows = s.k == 0 ? 0 : elementCount(problem.inputs[0].dims) / s.k;
    s.panels = (s.n + gemvPanelWidth() - 1) / gemvPanelWidth();
    return s;
}

class GemvKernel final : public Kernel {
public:
    GemvKernel(const Problem& problem, std::shared_ptr<const void> weights, std::vector<float> bias)
        : m_shape(gemvShape(problem)),
          m_weights(std::move(weights)),
          m_bias(std::move(bias)),
          m_type(problem.inputs[0].format.type),
          m_outType(problem.outputs[0].format.type),
          m_weightType(problem.inputs[1].format.type),
          m_alpha(problem.attributes->getFloat("alpha", 1.0f)),
          m_width(gemvPanelWidth()),
          m_threads(problem.threads) {
        const float beta = problem.attributes->getFloat("beta", 1.0f);
        for (float& value : m_bias) value *= beta;
        if (problem.program) m_epilogue.emplace(problem);
    }

    size_t workspaceBytes() const override {
        return static_cast<size_t>(inputFloats() + outputFloats()) * sizeof(float) +
               (m_epilogue ? m_epilogue->scratchBytes() : 0);
    }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        float *a = static_cast<float*>(arguments.workspace), *y = a + inputFloats();
        loadTile(m_type, arguments.inputs[0].data, 0, 1, a, static_cast<size_t>(m_shape.rows * m_shape.k));
        const int64_t stride = m_shape.panels * m_width;
        const size_t panelBytes = dataTypeBytes(m_weightType, m_shape.k * m_width);
        parallelFor(0, m_shape.panels, kBytesPerThread / static_cast<int64_t>(panelBytes + 1) + 1,
                    [&](int64_t first, int64_t last) {
                        for (int64_t p = first; p < last; ++p)
                            gemvPanel({a, m_shape.rows, m_shape.k, m_shape.k,
                                       static_cast<const char*>(m_weights.get()) + static_cast<size_t>(p) * panelBytes,
                                       m_weightType, y + p * m_width, stride});
                    });
        for (int64_t r = 0; r < m_shape.rows; ++r) finishRow(arguments, r, y);
        if (m_epilogue) m_epilogue->apply(arguments, y, 0, m_shape.rows * m_shape.n, y + outputFloats());
        return Status::ok();
    }

private:
    int64_t inputFloats() const { return (m_shape.rows * m_shape.k + 15) / 16 * 16; }
    int64_t outputFloats() const { return m_shape.rows * m_shape.panels * m_width; }

    /// Bias and alpha; the rows move together, then to storage unless an epilogue follows.
    void finishRow(const RunArguments& arguments, int64_t r, float* y) const {
        const float* from = y + r * m_shape.panels * m_width;
        float* row = y + r * m_shape.n;
        for (int64_t i = 0; i < m_shape.n; ++i)
            row[i] = from[i] * m_alpha + (m_bias.empty() ? 0.0f : m_bias[static_cast<size_t>(i)]);
        if (!m_epilogue)
            storeTile(m_outType, row, arguments.outputs[0].data, r * m_shape.n, static_cast<size_t>(m_shape.n));
    }

    GemvShape m_shape;
    std::shared_ptr<const void> m_weights;
    std::vector<float> m_bias;
    DataType m_type, m_outType, m_weightType;
    float m_alpha;
    int64_t m_width;
    int m_threads;
    std::optional<TileEpilogue> m_epilogue;
};

class GemvTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.gemv"; }

    Support supports(const Problem& problem) const override {
        const TensorDesc &a = problem.inputs[0], &b = problem.inputs[1];
        if (b.dims.size() != 2 || !b.constantData) return Support::no("the right-hand side is not a constant matrix");
        if (problem.attributes->getBool("transA", false)) return Support::no("transposes no left-hand side");
        if (a.dims.empty() || elementCount(a.dims) == 0 || elementCount(b.dims) == 0) return Support::no("empty");
        const GemvShape shape = gemvShape(problem);
        if (shape.rows > kGemvRows)
            return Support::no(std::to_string(shape.rows) + " rows; products of up to " + std::to_string(kGemvRows) +
                               " are served");
        if (isGiven(problem, 2) &&
            (!problem.inputs[2].constantData || !coversRow(problem.inputs[2].dims, {shape.n}, 0)))
            return Support::no("the bias is not a constant row");
        for (const TensorDesc* desc : {&a, &problem.outputs[0]})
            if (desc->format.layout != Layout::Plain) return Support::no("takes the plain layout");
        if (const Support storage = supportsFloatStorage(problem, FloatResult::AsInputOrSums); !storage.supported)
            return storage;
        if (!isFloatingPoint(b.format.type)) return Support::no("weights are not floating point");
        return supportsEpilogue(problem);
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        const GemvShape s = gemvShape(problem);
        const TensorDesc& b = problem.inputs[1];
        const int64_t width = gemvPanelWidth();
        const auto fill = [&](void* to) { return pack(b, s, width, static_cast<char*>(to), context.cancel); };
        PackedWeightsCache own;
        const bool shared = context.packedWeights && !b.constantKey.empty();
        const std::string key = "simd.gemv " + b.constantKey + (s.transposed ? " t " : " ") + std::to_string(width);
        STROBE_ASSIGN(auto weights, (shared ? context.packedWeights : &own)
                                        ->get(key, dataTypeBytes(b.format.type, s.panels * s.k * width), fill));
        auto bias = knownFloats(problem, 2);
        if (!bias) return internalError("product prepared for a bias that it declined");
        return std::unique_ptr<Kernel>(std::make_unique<GemvKernel>(problem, std::move(weights), std::move(*bias)));
    }

private:
    /// Panels of `width` columns, the last padded with zeros.
    static Status pack(const TensorDesc& b, const GemvShape& s, int64_t width, char* to, const CancelToken* cancel) {
        const size_t bytes = dataTypeBytes(b.format.type, 1);
        const char* from = static_cast<const char*>(b.constantData);
        for (int64_t p = 0; p < s.panels; ++p) {
            if (isCancelled(cancel)) return cancelled();
            std::memset(to, 0, static_cast<size_t>(s.k * width) * bytes);
            for (int64_t k = 0; k < s.k; ++k, to += static_cast<size_t>(width) * bytes) {
                const int64_t first = p * width, count = std::min(width, s.n - first);
                if (!s.transposed) {
                    std::memcpy(to, from + static_cast<size_t>(k * s.n + first) * bytes,
                                static_cast<size_t>(count) * bytes);
                    continue;
                }
                for (int64_t i = 0; i < count; ++i)
                    std::memcpy(to + static_cast<size_t>(i) * bytes,
                                from + static_cast<size_t>((first + i) * s.k + k) * bytes, bytes);
            }
        }
        return Status::ok();
    }
};

}  // namespace

void registerSimdGemv(KernelRegistry& registry) {
    for (const char* op : {"MatMul", "Gemm"}) registry.add(DeviceKind::Cpu, op, std::make_unique<GemvTactic>());
}

}  // namespace strobe
