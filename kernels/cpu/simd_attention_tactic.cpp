#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_depthwise.h"
#include "kernels/cpu/simd_rows.h"
#include "kernels/cpu/simd_strided_copy.h"
#include "kernels/cpu/simd_tactics.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kQueryTile = 32;
constexpr int64_t kMaxKeys = 16384;  // a tile of scores still lies in the L2 cache or near it

/// Q, K, V or Y as [batch, heads, sequence, size], with the distance between elements in each but the last.
struct HeadsView {
    int64_t batch = 0, heads = 1, sequence = 0, size = 0;
    int64_t batchStep = 0, headStep = 0, sequenceStep = 0;
};

HeadsView headsView(const Dims& dims, int64_t flatHeads) {
    HeadsView v;
    const bool flat = dims.size() == 3;
    v.batch = dims[0];
    v.heads = flat ? flatHeads : dims[1];
    v.sequence = flat ? dims[1] : dims[2];
    v.size = flat ? dims[2] / flatHeads : dims[3];
    v.batchStep = v.heads * v.sequence * v.size;
    v.headStep = flat ? v.size : v.sequence * v.size;
    v.sequenceStep = flat ? v.heads * v.size : v.size;
    return v;
}

struct AttentionShape {
    HeadsView q, k, v, y;
    int64_t maskBatchStep = 0, maskHeadStep = 0, maskQueryStep = 0;
};

AttentionShape attentionShape(const Problem& problem) {
    const int64_t queryHeads = problem.attributes->getInt("q_num_heads", 1),
                  keyHeads = problem.attributes->getInt("kv_num_heads", 1);
    AttentionShape s;
    s.q = headsView(problem.inputs[0].dims, queryHeads);
    s.k = headsView(problem.inputs[1].dims, keyHeads);
    s.v = headsView(problem.inputs[2].dims, keyHeads);
    s.y = headsView(problem.outputs[0].dims, s.q.heads);
    if (problem.inputs.size() > 3 && problem.inputs[3].present) {
        Dims mask = problem.inputs[3].dims;
        mask.insert(mask.begin(), 4 - mask.size(), 1);
        s.maskQueryStep = mask[2] == 1 ? 0 : mask[3];
        s.maskHeadStep = mask[1] == 1 ? 0 : mask[2] * mask[3];
        s.maskBatchStep = mask[0] == 1 ? 0 : mask[1] * mask[2] * mask[3];
    }
    return s;
}

/// Softmax(scale·Q·Kᵀ + mask)·V head by head, a tile of queries at a time; scores never leave the cache.
class AttentionKernel final : public Kernel {
public:
    explicit AttentionKernel(const Problem& problem)
        : m_shape(attentionShape(problem)),
          m_type(problem.inputs[0].format.type),
          m_hasMask(problem.inputs.size() > 3 && problem.inputs[3].present),
          m_causal(problem.attributes->getBool("is_causal", false)),
          m_threads(problem.threads) {
        if (m_hasMask) m_maskType = problem.inputs[3].format.type;
        m_scale = problem.attributes->has("scale") ? problem.attributes->getFloat("scale", 1.0f)
                                                   : 1.0f / std::sqrt(static_cast<float>(m_shape.q.size));
        const int64_t lanes = simdLanes();
        m_keys = (m_shape.k.sequence + lanes - 1) / lanes * lanes;
        m_width = (m_shape.v.size + lanes - 1) / lanes * lanes;
    }

    size_t workspaceBytes() const override { return static_cast<size_t>(threadFloats() * m_threads) * sizeof(float); }

    Status run(const RunArguments& arguments) const override {
        const ThreadScope scope(m_threads);
        parallelFor(0, m_shape.q.batch * m_shape.q.heads, 1, [&](int64_t first, int64_t last) {
            float* own = static_cast<float*>(arguments.workspace) + parallelThreadIndex() * threadFloats();
            int64_t packed = -1;
            for (int64_t job = first; job < last && !isCancelled(arguments.cancel); ++job)
                runHead(arguments, job / m_shape.q.heads, job % m_shape.q.heads, own, packed);
        });
        return isCancelled(arguments.cancel) ? cancelled() : Status::ok();
    }

private:
    int64_t keyFloats() const { return m_shape.k.size * m_keys; }
    int64_t valueFloats() const { return m_shape.v.sequence * m_width; }
    int64_t lineFloats() const { return std::max({m_shape.k.sequence * m_shape.k.size, m_keys, m_shape.v.size}); }
    int64_t threadFloats() const {
        const int64_t tile = kQueryTile * (m_shape.q.size + m_keys + m_width);
        return (keyFloats() + valueFloats() + tile + 2 * lineFloats() + 15) / 16 * 16;
    }

    /// Rows of one head of a tensor as FP32, `stride` floats apart.
    void readRows(const HeadsView& view, const void* data, int64_t b, int64_t h, int64_t first, int64_t count,
                  float* to, int64_t stride) const {
        for (int64_t s = 0; s < count; ++s)
            loadTile(m_type, data, b * view.batchStep + h * view.headStep + (first + s) * view.sequenceStep, 1,
                     to + s * stride, static_cast<size_t>(view.size));
    }

    void packHead(const RunArguments& arguments, int64_t b, int64_t keyHead, float* keys, float* values,
                  float* lines) const {
        readRows(m_shape.k, arguments.inputs[1].data, b, keyHead, 0, m_shape.k.sequence, lines, m_shape.k.size);
        std::fill_n(keys, keyFloats(), 0.0f);
        transposeTiles({sizeof(float), lines, m_shape.k.size, keys, m_keys, m_shape.k.size, m_shape.k.sequence});
        std::fill_n(values, valueFloats(), 0.0f);
        readRows(m_shape.v, arguments.inputs[2].data, b, keyHead, 0, m_shape.v.sequence, values, m_width);
    }

    void runHead(const RunArguments& arguments, int64_t b, int64_t h, float* scratch, int64_t& packed) const {
        float *keys = scratch, *values = keys + keyFloats(), *queries = values + valueFloats(),
              *scores = queries + kQueryTile * m_shape.q.size;
        float *sums = scores + kQueryTile * m_keys, *lines = sums + kQueryTile * m_width;
        const int64_t keyHead = h / (m_shape.q.heads / m_shape.k.heads), source = b * m_shape.k.heads + keyHead;
        if (packed != source) packHead(arguments, b, keyHead, keys, values, lines);
        packed = source;
        for (int64_t first = 0; first < m_shape.q.sequence && !isCancelled(arguments.cancel); first += kQueryTile) {
            const int64_t count = std::min(kQueryTile, m_shape.q.sequence - first);
            readRows(m_shape.q, arguments.inputs[0].data, b, h, first, count, queries, m_shape.q.size);
            for (int64_t i = 0; i < count * m_shape.q.size; ++i) queries[i] *= m_scale;
            smallGemm({queries, keys, scores, count, m_keys, m_shape.q.size, m_shape.q.size, m_keys, m_keys});
            for (int64_t i = 0; i < count; ++i) finishScores(arguments, b, h, first + i, scores + i * m_keys, lines);
            smallGemm({scores, values, sums, count, m_width, m_shape.k.sequence, m_keys, m_width, m_width});
            for (int64_t i = 0; i < count; ++i)
                storeTile(m_type, sums + i * m_width, arguments.outputs[0].data,
                          b * m_shape.y.batchStep + h * m_shape.y.headStep + (first + i) * m_shape.y.sequenceStep,
                          static_cast<size_t>(m_shape.v.size));
        }
    }

    /// Mask, causality and softmax of one row; a row that may attend to nothing is zero.
    void finishScores(const RunArguments& arguments, int64_t b, int64_t h, int64_t query, float* row,
                      float* lines) const {
        constexpr float kMasked = -std::numeric_limits<float>::infinity();
        const int64_t keys = m_shape.k.sequence;
        if (m_hasMask) {
            loadTile(m_maskType, arguments.inputs[3].data,
                     b * m_shape.maskBatchStep + h * m_shape.maskHeadStep + query * m_shape.maskQueryStep, 1, lines,
                     static_cast<size_t>(keys));
            const bool isBool = m_maskType == DataType::Bool;
            for (int64_t i = 0; i < keys; ++i)
                row[i] = isBool ? (lines[i] != 0.0f ? row[i] : kMasked) : row[i] + lines[i];
        }
        if (m_causal && query + 1 < keys) std::fill(row + query + 1, row + keys, kMasked);
        if ((m_hasMask || m_causal) && std::all_of(row, row + keys, [](float score) { return score == kMasked; })) {
            std::fill_n(row, keys, 0.0f);
            return;
        }
        AxisLines line;
        line.x = row;
        line.extent = keys;
        softmaxLines(line, false, DataType::Float32, row, lines);
    }

    AttentionShape m_shape;
    DataType m_type, m_maskType = DataType::Undefined;
    bool m_hasMask, m_causal;
    int m_threads;
    float m_scale = 1.0f;
    int64_t m_keys = 0, m_width = 0;  // in whole vectors
};

class AttentionTactic final : public Tactic {
public:
    std::string_view name() const override { return "simd.attention"; }

    Support supports(const Problem& problem) const override {
        const auto has = [&](size_t i) {
            return i < problem.inputs.size() && i < static_cast<size_t>(problem.op->maxInputs) &&
                   problem.inputs[i].present;
        };
        if (problem.program) return Support::no("applies no epilogue");
        for (size_t o = 1; o < problem.outputs.size(); ++o)
            if (problem.outputs[o].present) return Support::no("gives no keys, values or scores");
        if (has(4) || has(5) || has(6)) return Support::no("takes no past keys and no lengths");
        if (problem.attributes->getFloat("softcap", 0.0f) != 0.0f ||
            problem.attributes->getInt("left_window_size", -1) >= 0 ||
            problem.attributes->getInt("right_window_size", -1) >= 0)
            return Support::no("no softcap and no window");
        for (size_t i = 0; i < 3; ++i)
            if (problem.inputs[i].format != problem.outputs[0].format ||
                problem.inputs[i].format.layout != Layout::Plain)
                return Support::no("Q, K, V and Y share one type in plain layout");
        const AttentionShape shape = attentionShape(problem);
        if (shape.k.sequence > kMaxKeys || shape.k.sequence == 0)
            return Support::no(std::to_string(shape.k.sequence) + " keys; 1 to " + std::to_string(kMaxKeys) +
                               " are served");
        if (has(3) && (problem.inputs[3].dims.empty() || problem.inputs[3].dims.back() != shape.k.sequence ||
                       !isTileType(problem.inputs[3].format.type)))
            return Support::no("the mask has no entry for each key");
        return supportsFloatStorage(problem);
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<AttentionKernel>(problem));
    }
};

}  // namespace

void registerSimdAttention(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Attention", std::make_unique<AttentionTactic>());
}

}  // namespace strobe
