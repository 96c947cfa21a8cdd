#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

/// A tensor as [batch, heads, sequence, size], whatever its rank.
struct Heads {
    std::vector<double> values;
    int64_t batch = 0, heads = 1, sequence = 0, size = 0;
    bool flat = false;  // 3-D: heads lie side by side in the last dim
    size_t at(int64_t b, int64_t h, int64_t s, int64_t d) const {
        return static_cast<size_t>(flat ? ((b * sequence + s) * heads + h) * size + d
                                        : ((b * heads + h) * sequence + s) * size + d);
    }
};

Heads shaped(const Dims& dims, int64_t heads) {
    Heads t;
    t.flat = dims.size() == 3;
    t.batch = dims[0];
    t.heads = t.flat ? heads : dims[1];
    t.sequence = t.flat ? dims[1] : dims[2];
    t.size = t.flat ? dims[2] / heads : dims[3];
    return t;
}

Heads readHeads(const Problem& problem, const RunArguments& arguments, int input, const char* headsAttribute) {
    Heads t = shaped(inputDims(arguments, input), problem.attributes->getInt(headsAttribute, 1));
    t.values = readNumbers(problem, arguments, input);
    return t;
}

/// Past and new positions joined, 4-D.
Heads withPast(const Heads& now, const Problem& problem, const RunArguments& arguments, int pastInput) {
    Heads past;
    if (hasInput(problem, pastInput)) past = readHeads(problem, arguments, pastInput, "");
    Heads all = now;
    all.flat = false;
    all.sequence = now.sequence + past.sequence;
    all.values.resize(static_cast<size_t>(all.batch * all.heads * all.sequence * all.size));
    for (int64_t b = 0; b < all.batch; ++b)
        for (int64_t h = 0; h < all.heads; ++h)
            for (int64_t s = 0; s < all.sequence; ++s)
                for (int64_t d = 0; d < all.size; ++d)
                    all.values[all.at(b, h, s, d)] = s < past.sequence ? past.values[past.at(b, h, s, d)]
                                                                       : now.values[now.at(b, h, s - past.sequence, d)];
    return all;
}

/// What is added to the scores: the mask, causality, the sliding window and the padding.
class Bias {
public:
    Bias(const Problem& problem, const RunArguments& arguments, const Heads& q, int64_t keys)
        : m_mask(readNumbers(problem, arguments, 3)),
          m_lengths(readNumbers(problem, arguments, 6)),
          m_queries(q.sequence) {
        const Attributes& attributes = *problem.attributes;
        m_causal = attributes.getBool("is_causal", false);
        m_left = attributes.getInt("left_window_size", -1);
        m_right = attributes.getInt("right_window_size", -1);
        if (hasInput(problem, 4)) m_past = inputDims(arguments, 4)[2];
        if (!hasInput(problem, 3)) return;
        m_hasMask = true;
        m_isBool = problem.inputs[3].format.type == DataType::Bool;
        const Dims& dims = inputDims(arguments, 3);
        m_maskKeys = std::min(dims.back(), keys);
        // Columns past the mask's end are masked, so its last dim is never broadcast.
        Dims target = {q.batch, q.heads, q.sequence, dims.back()};
        m_strides = broadcastStrides(dims, target);
    }

    double at(int64_t b, int64_t h, int64_t query, int64_t key) const {
        const int64_t offset = m_past > 0 || m_lengths.empty()
                                   ? m_past
                                   : static_cast<int64_t>(m_lengths[static_cast<size_t>(b)]) - m_queries;
        const int64_t distance = query + offset - key;
        if (m_causal && distance < 0) return kMasked;
        if ((m_left >= 0 && distance > m_left) || (m_right >= 0 && -distance > m_right)) return kMasked;
        if (!m_lengths.empty() && static_cast<double>(key) >= m_lengths[static_cast<size_t>(b)]) return kMasked;
        if (!m_hasMask) return 0.0;
        if (key >= m_maskKeys) return kMasked;
        const double mask = m_mask[static_cast<size_t>(offsetOf({b, h, query, key}, m_strides))];
        return m_isBool ? (mask != 0.0 ? 0.0 : kMasked) : mask;
    }

private:
    std::vector<double> m_mask, m_lengths;
    std::vector<int64_t> m_strides;
    int64_t m_queries, m_past = 0, m_maskKeys = 0, m_left = -1, m_right = -1;
    bool m_hasMask = false, m_isBool = false, m_causal = false;
};

/// One row of scores; stage[m] is what qk_matmul_output_mode m shows: product, softcapped, with bias, probabilities.
using Stages = std::vector<double>[4];

void scoreRow(const Heads& q, const Heads& k, const Bias& bias, double scale, double softcap, const Dims& row,
              Stages& stages) {
    const int64_t keyHead = row[1] / (q.heads / k.heads);
    double highest = kMasked, sum = 0.0, highestBias = kMasked;
    for (auto& stage : stages) stage.assign(static_cast<size_t>(k.sequence), 0.0);
    for (int64_t key = 0; key < k.sequence; ++key) {
        const auto at = static_cast<size_t>(key);
        for (int64_t d = 0; d < q.size; ++d)
            stages[0][at] += q.values[q.at(row[0], row[1], row[2], d)] * k.values[k.at(row[0], keyHead, key, d)];
        stages[0][at] *= scale;
        stages[1][at] = softcap > 0.0 ? std::tanh(stages[0][at] / softcap) * softcap : stages[0][at];
        const double added = bias.at(row[0], row[1], row[2], key);
        stages[2][at] = stages[1][at] + added;
        highestBias = std::max(highestBias, added);
        highest = std::max(highest, stages[2][at]);
    }
    if (highestBias == kMasked || highest == kMasked) return;  // no key to attend to: probabilities 0
    for (size_t at = 0; at < stages[3].size(); ++at) sum += stages[3][at] = std::exp(stages[2][at] - highest);
    for (double& probability : stages[3]) probability /= sum;
}

Status runAttention(const Problem& problem, const RunArguments& arguments) {
    const Attributes& attributes = *problem.attributes;
    const Heads q = readHeads(problem, arguments, 0, "q_num_heads");
    const Heads k = withPast(readHeads(problem, arguments, 1, "kv_num_heads"), problem, arguments, 4);
    const Heads v = withPast(readHeads(problem, arguments, 2, "kv_num_heads"), problem, arguments, 5);
    const Bias bias(problem, arguments, q, k.sequence);
    const double scale = attributes.has("scale") ? static_cast<double>(attributes.getFloat("scale", 1.0f))
                                                 : 1.0 / std::sqrt(static_cast<double>(q.size));
    const double softcap = static_cast<double>(attributes.getFloat("softcap", 0.0f));
    const auto shown = static_cast<size_t>(attributes.getInt("qk_matmul_output_mode", 0));
    Heads y = shaped(outputDims(arguments, 0), q.heads);
    y.values.assign(static_cast<size_t>(elementCount(outputDims(arguments, 0))), 0.0);
    std::vector<double> scores;
    Stages stages;
    const Dims rows = {q.batch, q.heads, q.sequence};
    if (elementCount(rows) > 0) {
        Dims row(3, 0);
        do {
            scoreRow(q, k, bias, scale, softcap, row, stages);
            if (hasOutput(arguments, 3)) scores.insert(scores.end(), stages[shown].begin(), stages[shown].end());
            pollCancel(k.sequence * (q.size + v.size));
            for (int64_t key = 0; key < k.sequence; ++key)
                for (int64_t d = 0; d < v.size; ++d)
                    if (const double p = stages[3][static_cast<size_t>(key)]; p != 0.0)
                        y.values[y.at(row[0], row[1], row[2], d)] +=
                            p * v.values[v.at(row[0], row[1] / (q.heads / v.heads), key, d)];
        } while (advance(row, rows));
    }
    writeNumbers(problem, arguments, 0, y.values);
    writeNumbers(problem, arguments, 1, k.values);
    writeNumbers(problem, arguments, 2, v.values);
    writeNumbers(problem, arguments, 3, scores);
    return Status::ok();
}

Status runRotaryEmbedding(const Problem& problem, const RunArguments& arguments) {
    Heads x = readHeads(problem, arguments, 0, "num_heads");
    const std::vector<double> cosines = readNumbers(problem, arguments, 1), sines = readNumbers(problem, arguments, 2);
    const std::vector<int64_t> positions = readIntegers(problem, arguments, 3);
    const int64_t asked = problem.attributes->getInt("rotary_embedding_dim", 0),
                  half = (asked > 0 ? asked : x.size) / 2;
    const bool interleaved = problem.attributes->getBool("interleaved", false);
    const int64_t cacheRows = half == 0 ? 0 : static_cast<int64_t>(cosines.size()) / half;
    for (int64_t b = 0; b < x.batch; ++b)
        for (int64_t s = 0; s < x.sequence; ++s) {
            const int64_t row = positions.empty() ? (cacheRows == x.sequence ? s : b * x.sequence + s)
                                                  : positions[static_cast<size_t>(b * x.sequence + s)];
            if (row < 0 || row >= cacheRows)
                return invalidArgument("position " + std::to_string(row) +
                                       " is outside the cos and sin caches, which have " + std::to_string(cacheRows) +
                                       " rows");
            for (int64_t h = 0; h < x.heads; ++h)
                for (int64_t i = 0; i < half; ++i) {
                    double& first = x.values[x.at(b, h, s, interleaved ? 2 * i : i)];
                    double& second = x.values[x.at(b, h, s, interleaved ? 2 * i + 1 : i + half)];
                    const double cosine = cosines[static_cast<size_t>(row * half + i)],
                                 sine = sines[static_cast<size_t>(row * half + i)];
                    const double real = cosine * first - sine * second;
                    second = sine * first + cosine * second;
                    first = real;
                }
        }
    writeNumbers(problem, arguments, 0, x.values);
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(attention) {
    addReference(registry, {"Attention", runAttention, onlyFloats});
    addReference(registry, {"RotaryEmbedding", runRotaryEmbedding, onlyFloats});
}

}  // namespace strobe
