#include <algorithm>
#include <cstring>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_depthwise.h"
#include "kernels/cpu/simd_gemv.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kWorkPerThread =
    200000;  // multiply-adds of a direction; below, another thread costs more than it saves

struct LstmShape {
    int64_t sequence = 0, batch = 0, input = 0, hidden = 0, directions = 1;
    int64_t gates = 0;  // 4·hidden in whole panels, gemv's for R and gemm's for W

    int64_t floats() const { return (1 + input) * gates; }  // of a direction: bias and W
    int64_t recurrent() const { return hidden * gates; }    // elements of a direction's R
};

LstmShape lstmShape(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims, &r = problem.inputs[2].dims;
    LstmShape s{x[0], x[1], x[2], r[2], w[0], 0};
    const int64_t panel = std::max(gemvPanelWidth(), gemmPanelColumns(GemmCompute::Float32));  // one is twice the other
    s.gates = (4 * s.hidden + panel - 1) / panel * panel;
    return s;
}

/// LSTM with the standard activations. All inputs pass through W in one product; a step streams R, packed in panels of
/// the tensors' type since its bytes are what a step waits for, then the gates. Gates lie in ONNX's order: input, output, forget, cell.
class LstmKernel final : public Kernel {
public:
    LstmKernel(const Problem& problem, std::shared_ptr<const void> weights)
        : m_shape(lstmShape(problem)),
          m_weights(std::move(weights)),
          m_type(problem.inputs[0].format.type),
          m_hasH(isGiven(problem, 5)),
          m_hasC(isGiven(problem, 6)),
          m_reverse(problem.attributes->getString("direction", "forward") == "reverse"),
          m_threads(problem.threads),
          m_sigmoid(tileFunction(PointwiseOp::Sigmoid)),
          m_tanh(tileFunction(PointwiseOp::Tanh)) {}

    size_t workspaceBytes() const override {
        return static_cast<size_t>(directionFloats() * m_shape.directions) * sizeof(float);
    }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        const int64_t work = m_shape.sequence * m_shape.batch * (m_shape.input + m_shape.hidden) * m_shape.gates;
        parallelFor(0, m_shape.directions, work < kWorkPerThread ? m_shape.directions : 1,
                    [&](int64_t first, int64_t last) {
                        for (int64_t d = first; d < last; ++d) runDirection(arguments, d);
                    });
        return isCancelled(arguments.cancel) ? cancelled() : Status::ok();
    }

private:
    struct State {
        float *x, *fromInput, *gates, *h, *c, *tanh;
    };
    int64_t rows() const { return m_shape.sequence * m_shape.batch; }
    int64_t directionFloats() const {
        const int64_t floats = rows() * (m_shape.input + m_shape.gates) +
                               m_shape.batch * (m_shape.gates + 2 * m_shape.hidden) + m_shape.hidden;
        return (floats + 15) / 16 * 16;
    }

    void runDirection(const RunArguments& arguments, int64_t d) const {
        const LstmShape& s = m_shape;
        const float* bias = static_cast<const float*>(m_weights.get()) + d * s.floats();
        const float* w = bias + s.gates;
        const char* r = static_cast<const char*>(m_weights.get()) +
                        dataTypeBytes(DataType::Float32, s.directions * s.floats()) +
                        dataTypeBytes(m_type, d * s.recurrent());
        State state;
        state.x = static_cast<float*>(arguments.workspace) + d * directionFloats();
        state.fromInput = state.x + rows() * s.input;
        state.gates = state.fromInput + rows() * s.gates;
        state.h = state.gates + s.batch * s.gates;
        state.c = state.h + s.batch * s.hidden;
        state.tanh = state.c + s.batch * s.hidden;
        loadTile(m_type, arguments.inputs[0].data, 0, 1, state.x, static_cast<size_t>(rows() * s.input));
        multiplyInput(state, bias, w, arguments.cancel);
        startState(m_hasH ? arguments.inputs[5].data : nullptr, d, state.h);
        startState(m_hasC ? arguments.inputs[6].data : nullptr, d, state.c);
        for (int64_t i = 0; i < s.sequence && !isCancelled(arguments.cancel); ++i) {
            const int64_t t = d == 1 || m_reverse ? s.sequence - 1 - i : i;
            multiplyRecurrent(state, r, i % 2 == 1);
            for (int64_t b = 0; b < s.batch; ++b) step(state, t, b);
            if (!arguments.outputs.empty() && arguments.outputs[0].data)
                storeTile(m_type, state.h, arguments.outputs[0].data, (t * s.directions + d) * s.batch * s.hidden,
                          static_cast<size_t>(s.batch * s.hidden));
        }
        for (size_t o : {size_t{1}, size_t{2}})
            if (o < arguments.outputs.size() && arguments.outputs[o].data)
                storeTile(m_type, o == 1 ? state.h : state.c, arguments.outputs[o].data, d * s.batch * s.hidden,
                          static_cast<size_t>(s.batch * s.hidden));
    }

    /// W·x + bias of all steps.
    void multiplyInput(const State& state, const float* bias, const float* w, const CancelToken* cancel) const {
        GemmBlock block;
        block.a = state.x;
        block.aStride = block.k = m_shape.input;
        block.cStride = m_shape.gates;
        block.rows = rows();
        block.columns = gemmPanelColumns(GemmCompute::Float32);
        for (int64_t first = 0; first < m_shape.gates && !isCancelled(cancel); first += block.columns) {
            block.b = w + first * m_shape.input;
            block.bias = bias + first;
            block.c = state.fromInput + first;
            gemmBlockFloat32(block);
        }
    }

    /// Every other step goes backwards: it begins with the panels that the step before has left in the cache.
    void multiplyRecurrent(const State& state, const char* r, bool backwards) const {
        const int64_t hidden = m_shape.hidden, width = gemvPanelWidth(), panels = m_shape.gates / width;
        for (int64_t i = 0; i < panels; ++i) {
            const int64_t p = backwards ? panels - 1 - i : i;
            const char* panel = r + static_cast<size_t>(p) * dataTypeBytes(m_type, hidden * width);
            for (int64_t b = 0; b < m_shape.batch; b += kGemvRows)
                gemvPanel({state.h + b * hidden, std::min(kGemvRows, m_shape.batch - b), hidden, hidden, panel, m_type,
                           state.gates + b * m_shape.gates + p * width, m_shape.gates});
        }
    }

    void startState(const void* from, int64_t d, float* to) const {
        const int64_t count = m_shape.batch * m_shape.hidden;
        if (from)
            loadTile(m_type, from, d * count, 1, to, static_cast<size_t>(count));
        else
            std::fill_n(to, count, 0.0f);
    }

    void step(const State& state, int64_t t, int64_t b) const {
        const int64_t hidden = m_shape.hidden;
        const auto n = static_cast<size_t>(hidden);
        float* g = state.gates + b * m_shape.gates;
        const float* x = state.fromInput + (t * m_shape.batch + b) * m_shape.gates;
        for (int64_t i = 0; i < 4 * hidden; ++i) g[i] += x[i];
        m_sigmoid({}, g, nullptr, nullptr, g, 3 * n);
        m_tanh({}, g + 3 * hidden, nullptr, nullptr, g + 3 * hidden, n);
        const float *in = g, *out = g + hidden, *forget = g + 2 * hidden, *cell = g + 3 * hidden;
        float *c = state.c + b * hidden, *h = state.h + b * hidden;
        for (int64_t i = 0; i < hidden; ++i) c[i] = forget[i] * c[i] + in[i] * cell[i];
        m_tanh({}, c, nullptr, nullptr, state.tanh, n);
        for (int64_t i = 0; i < hidden; ++i) h[i] = out[i] * state.tanh[i];
    }

    LstmShape m_shape;
    // FP32, a direction: bias, W in panels of gemm; then a direction's R: panels of rows in the tensors' type.
    std::shared_ptr<const void> m_weights;
    DataType m_type;
    bool m_hasH, m_hasC, m_reverse;
    int m_threads;
    TileFunction m_sigmoid, m_tanh;
};

class LstmTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.lstm"; }

    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("applies no epilogue");
        if (isGiven(problem, 4) || isGiven(problem, 7))
            return Support::no("takes no sequence lengths and no peepholes");
        const Attributes& a = *problem.attributes;
        if (a.getInt("layout", 0) != 0 || a.getInt("input_forget", 0) != 0 || a.getFloat("clip", 0.0f) != 0.0f)
            return Support::no("serves layout 0 without clip and input_forget");
        if (!hasStandardActivations(a)) return Support::no("serves Sigmoid, Tanh, Tanh");
        for (size_t i : {size_t{1}, size_t{2}, size_t{3}})
            if (isGiven(problem, i) && !problem.inputs[i].constantData)
                return Support::no("weights or biases are not constant");
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list)
                if (desc.present &&
                    (desc.format.layout != Layout::Plain || desc.format.type != problem.inputs[0].format.type))
                    return Support::no("all tensors share one type in plain layout");
        const DataType type = problem.inputs[0].format.type;
        if (type != DataType::Float32 && type != DataType::BFloat16)
            return Support::no("takes FP32 and BF16, " + std::string(dataTypeName(type)) + " was asked");
        return Support::yes();
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        const LstmShape s = lstmShape(problem);
        const DataType type = problem.inputs[0].format.type;
        const size_t bytes = dataTypeBytes(DataType::Float32, s.directions * s.floats()) +
                             dataTypeBytes(type, s.directions * s.recurrent());
        const auto fill = [&](void* to) { return pack(problem, s, static_cast<float*>(to), context.cancel); };
        std::string key = "simd.lstm " + std::string(dataTypeName(type)) + " " + std::to_string(gemvPanelWidth());
        bool shared = context.packedWeights != nullptr;
        for (size_t i : {size_t{1}, size_t{2}, size_t{3}}) {
            if (!isGiven(problem, i)) continue;
            shared = shared && !problem.inputs[i].constantKey.empty();
            key += " " + problem.inputs[i].constantKey;
        }
        PackedWeightsCache own;
        STROBE_ASSIGN(auto weights, (shared ? context.packedWeights : &own)->get(key, bytes, fill));
        return std::unique_ptr<Kernel>(std::make_unique<LstmKernel>(problem, std::move(weights)));
    }

private:
    static bool hasStandardActivations(const Attributes& attributes) {
        const AttributeValue* value = attributes.find("activations");
        const auto* names = value ? std::get_if<std::vector<std::string>>(value) : nullptr;
        if (!names) return true;
        static const std::string kStandard[] = {"Sigmoid", "Tanh", "Tanh"};
        for (size_t i = 0; i < names->size(); ++i)
            if ((*names)[i] != kStandard[i % 3]) return false;
        return true;
    }

    /// Elements of an input as FP32; zeros when it is absent.
    static void read(const Problem& problem, size_t input, int64_t offset, std::vector<float>& values) {
        if (isGiven(problem, input))
            loadTile(problem.inputs[input].format.type, problem.inputs[input].constantData, offset, 1, values.data(),
                     values.size());
        else
            std::fill(values.begin(), values.end(), 0.0f);
    }

    static Status pack(const Problem& problem, const LstmShape& s, float* to, const CancelToken* cancel) {
        std::fill_n(to, s.directions * s.floats(), 0.0f);
        const int64_t rows = 4 * s.hidden, panel = gemmPanelColumns(GemmCompute::Float32);
        void* recurrent = to + s.directions * s.floats();
        std::vector<float> bias(static_cast<size_t>(2 * rows)), line(static_cast<size_t>(s.input));
        for (int64_t d = 0; d < s.directions; ++d, to += s.floats()) {
            read(problem, 3, d * 2 * rows, bias);
            for (int64_t row = 0; row < rows; ++row) {
                if (isCancelled(cancel)) return cancelled();
                to[row] = bias[static_cast<size_t>(row)] + bias[static_cast<size_t>(rows + row)];
                read(problem, 1, (d * rows + row) * s.input, line);
                float* column = to + s.gates + row / panel * s.input * panel + row % panel;
                for (size_t i = 0; i < line.size(); ++i) column[static_cast<int64_t>(i) * panel] = line[i];
            }
            STROBE_RETURN_IF_ERROR(packRecurrent(problem, s, d, recurrent, cancel));
        }
        return Status::ok();
    }

    static Status packRecurrent(const Problem& problem, const LstmShape& s, int64_t d, void* to,
                                const CancelToken* cancel) {
        const int64_t rows = 4 * s.hidden, width = gemvPanelWidth();
        std::vector<float> line(static_cast<size_t>(s.hidden)), panel(static_cast<size_t>(s.hidden * width));
        for (int64_t first = 0; first < s.gates; first += width) {
            if (isCancelled(cancel)) return cancelled();
            std::fill(panel.begin(), panel.end(), 0.0f);
            for (int64_t row = first; row < std::min(first + width, rows); ++row) {
                read(problem, 2, (d * rows + row) * s.hidden, line);
                for (size_t i = 0; i < line.size(); ++i)
                    panel[i * static_cast<size_t>(width) + static_cast<size_t>(row - first)] = line[i];
            }
            storeTile(problem.inputs[0].format.type, panel.data(), to, d * s.recurrent() + first * s.hidden,
                      panel.size());
        }
        return Status::ok();
    }
};

}  // namespace

void registerSimdLstm(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "LSTM", std::make_unique<LstmTactic>());
}

}  // namespace strobe
