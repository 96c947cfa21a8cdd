#include "kernels/cpu/simd_strided_copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include "kernels/cpu/cpu_threads.h"

namespace strobe {
namespace {

constexpr int64_t kBytesPerThread = 64 << 10;  // below, another thread costs more than it saves
constexpr int64_t kPieceBytes = 32 << 10;
constexpr int64_t kTransposePiece = 64;

void permute(Dims& dims, const std::vector<size_t>& order) {
    Dims moved;
    for (size_t i : order) moved.push_back(dims[i]);
    dims = std::move(moved);
}

template <class Element>
void copyElements(const char* from, int64_t fromStride, char* to, int64_t toStride, int64_t count) {
    for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * toStride, from + i * fromStride, sizeof(Element));
}

struct Bytes16 {
    uint64_t halves[2];
};

/// Strides in bytes.
void copyRow(size_t bytes, const char* from, int64_t fromStride, char* to, int64_t toStride, int64_t count) {
    switch (bytes) {
        case 1:
            return copyElements<uint8_t>(from, fromStride, to, toStride, count);
        case 2:
            return copyElements<uint16_t>(from, fromStride, to, toStride, count);
        case 4:
            return copyElements<uint32_t>(from, fromStride, to, toStride, count);
        case 8:
            return copyElements<uint64_t>(from, fromStride, to, toStride, count);
        case 16:
            return copyElements<Bytes16>(from, fromStride, to, toStride, count);
        default:
            for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * toStride, from + i * fromStride, bytes);
    }
}

constexpr int64_t kShortRun = 1024;  // bytes; a call of memcpy costs as much as copying a few lines of the cache

/// `count` runs of `bytes`, strides in bytes.
void copyShortRuns(const char* from, int64_t fromStride, char* to, int64_t toStride, int64_t bytes, int64_t count) {
    constexpr int64_t kStep = sizeof(Bytes16);
    for (int64_t i = 0; i < count; ++i, from += fromStride, to += toStride) {
        if (bytes < kStep) {
            std::memcpy(to, from, static_cast<size_t>(bytes));
            continue;
        }
        for (int64_t at = 0; at + kStep <= bytes; at += kStep) std::memcpy(to + at, from + at, sizeof(Bytes16));
        std::memcpy(to + bytes - kStep, from + bytes - kStep, sizeof(Bytes16));
    }
}

bool isPowerUpTo16(size_t bytes) {
    return bytes <= 16 && (bytes & (bytes - 1)) == 0;
}

}  // namespace

StridedCopy::StridedCopy(const StridedBox& box, size_t elementBytes)
    : m_dims(box.dims),
      m_from(box.from),
      m_to(box.to),
      m_fromOffset(box.fromOffset),
      m_toOffset(box.toOffset),
      m_bytes(elementBytes) {
    if (elementCount(m_dims) == 0) return;
    simplify();
    widenElements();
    chooseKind();
}

void StridedCopy::simplify() {
    std::vector<size_t> order;
    for (size_t i = 0; i < m_dims.size(); ++i)
        if (m_dims[i] != 1) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return m_to[a] > m_to[b]; });
    for (Dims* list : {&m_dims, &m_from, &m_to}) permute(*list, order);
    for (size_t i = m_dims.size(); i-- > 1;) {
        if (m_from[i - 1] != m_from[i] * m_dims[i] || m_to[i - 1] != m_to[i] * m_dims[i]) continue;
        m_dims[i - 1] *= m_dims[i];
        m_from[i - 1] = m_from[i];
        m_to[i - 1] = m_to[i];
        for (Dims* list : {&m_dims, &m_from, &m_to}) list->erase(list->begin() + static_cast<std::ptrdiff_t>(i));
    }
}

void StridedCopy::widenElements() {
    if (m_dims.empty() || m_from.back() != 1 || m_to.back() != 1) return;
    const int64_t run = m_dims.back();
    const size_t bytes = m_bytes * static_cast<size_t>(run);
    if (!isPowerUpTo16(bytes) || m_fromOffset % run != 0 || m_toOffset % run != 0) return;
    for (size_t i = 0; i + 1 < m_dims.size(); ++i)
        if (m_from[i] % run != 0 || m_to[i] % run != 0) return;
    for (Dims* list : {&m_dims, &m_from, &m_to}) list->pop_back();
    for (int64_t& stride : m_from) stride /= run;
    for (int64_t& stride : m_to) stride /= run;
    m_fromOffset /= run;
    m_toOffset /= run;
    m_bytes = bytes;
}

/// Orders the dims so that those of the inner kernel come last, and says how it is cut into pieces for threads.
void StridedCopy::chooseKind() {
    if (m_dims.empty()) {
        m_dims = {1};
        m_from = m_to = {1};
    }
    const size_t last = m_dims.size() - 1;
    m_kind = m_from[last] == 1 && m_to[last] == 1 ? Kind::Runs : Kind::Elements;
    size_t inner = 1;
    if (m_kind == Kind::Elements && m_to[last] == 1 && isPowerUpTo16(m_bytes)) {
        const auto unit = std::find(m_from.begin(), m_from.end(), 1);
        if (unit != m_from.end()) {
            m_kind = Kind::Transpose;
            inner = 2;
            std::vector<size_t> order(m_dims.size());
            std::iota(order.begin(), order.end(), size_t{0});
            std::rotate(order.begin() + (unit - m_from.begin()), order.begin() + (unit - m_from.begin()) + 1,
                        order.end() - 1);
            for (Dims* list : {&m_dims, &m_from, &m_to}) permute(*list, order);
        }
    }
    const size_t split = m_dims.size() - inner;
    m_split = m_dims[split];
    m_piece =
        m_kind == Kind::Transpose ? kTransposePiece : std::max<int64_t>(1, kPieceBytes / static_cast<int64_t>(m_bytes));
    for (size_t i = 0; i < split; ++i) m_outer *= m_dims[i];
}

void StridedCopy::runPiece(const char* from, char* to, int64_t begin, int64_t count) const {
    const size_t last = m_dims.size() - 1;
    const auto bytes = static_cast<int64_t>(m_bytes);
    if (m_kind == Kind::Runs) {
        std::memcpy(to + begin * bytes, from + begin * bytes, static_cast<size_t>(count * bytes));
    } else if (m_kind == Kind::Elements) {
        copyRow(m_bytes, from + begin * m_from[last] * bytes, m_from[last] * bytes, to + begin * m_to[last] * bytes,
                m_to[last] * bytes, count);
    } else {
        transposeTiles({m_bytes, from + begin * bytes, m_from[last], to + begin * m_to[last - 1] * bytes,
                        m_to[last - 1], count, m_dims[last]});
    }
}

/// Copies or transposes shorter than a piece, one after the other along the dim before them.
void StridedCopy::runShort(const char* source, char* target) const {
    const auto bytes = static_cast<int64_t>(m_bytes);
    const bool transposes = m_kind == Kind::Transpose;
    const size_t last = m_dims.size() - 1, row = last - (transposes ? 2 : 1);  // the dim that is walked
    const int64_t pieceBytes = m_split * bytes * (transposes ? m_dims[last] : 1);
    parallelFor(0, m_outer, std::max<int64_t>(1, kBytesPerThread / pieceBytes), [&](int64_t first, int64_t end) {
        for (int64_t job = first; job < end;) {
            int64_t rest = job / m_dims[row];
            int64_t fromOffset = job % m_dims[row] * m_from[row], toOffset = job % m_dims[row] * m_to[row];
            for (size_t i = row; i-- > 0;) {
                fromOffset += rest % m_dims[i] * m_from[i];
                toOffset += rest % m_dims[i] * m_to[i];
                rest /= m_dims[i];
            }
            const int64_t count = std::min(end - job, m_dims[row] - job % m_dims[row]);
            const char* from = source + fromOffset * bytes;
            char* to = target + toOffset * bytes;
            if (transposes)
                transposeTiles({m_bytes, from, m_from[last], to, m_to[last - 1], m_split, m_dims[last], count,
                                m_from[row], m_to[row]});
            else
                copyShortRuns(from, m_from[row] * bytes, to, m_to[row] * bytes, pieceBytes, count);
            job += count;
        }
    });
}

void StridedCopy::run(const void* from, void* to) const {
    if (m_kind == Kind::Empty) return;
    const auto bytes = static_cast<int64_t>(m_bytes);
    const char* source = static_cast<const char*>(from) + m_fromOffset * bytes;
    char* target = static_cast<char*>(to) + m_toOffset * bytes;
    const size_t outerDims = m_dims.size() - (m_kind == Kind::Transpose ? 2 : 1);
    const int64_t pieces = (m_split + m_piece - 1) / m_piece;
    const int64_t pieceBytes = std::min(m_piece, m_split) * bytes * (m_kind == Kind::Transpose ? m_dims.back() : 1);
    if (m_kind != Kind::Elements && pieces == 1 && outerDims > 0 && pieceBytes <= kShortRun)
        return runShort(source, target);
    parallelFor(0, m_outer * pieces, std::max<int64_t>(1, kBytesPerThread / pieceBytes),
                [&](int64_t first, int64_t last) {
                    Dims index(outerDims, 0);
                    int64_t fromOffset = 0, toOffset = 0, rest = first / pieces, piece = first % pieces;
                    for (size_t i = outerDims; i-- > 0;) {
                        index[i] = rest % m_dims[i];
                        rest /= m_dims[i];
                        fromOffset += index[i] * m_from[i];
                        toOffset += index[i] * m_to[i];
                    }
                    for (int64_t job = first; job < last; ++job) {
                        const int64_t begin = piece * m_piece;
                        runPiece(source + fromOffset * bytes, target + toOffset * bytes, begin,
                                 std::min(m_piece, m_split - begin));
                        if (++piece < pieces) continue;
                        piece = 0;
                        for (size_t i = outerDims; i-- > 0;) {
                            fromOffset += m_from[i];
                            toOffset += m_to[i];
                            if (++index[i] < m_dims[i]) break;
                            fromOffset -= index[i] * m_from[i];
                            toOffset -= index[i] * m_to[i];
                            index[i] = 0;
                        }
                    }
                });
}

void fillWith(void* to, size_t bytes, const void* value, size_t valueBytes) {
    const char* element = static_cast<const char*>(value);
    char* out = static_cast<char*>(to);
    if (std::all_of(element, element + valueBytes, [](char byte) { return byte == 0; })) {
        std::memset(out, 0, bytes);
        return;
    }
    std::memcpy(out, element, std::min(valueBytes, bytes));
    for (size_t done = valueBytes; done < bytes; done *= 2) std::memcpy(out + done, out, std::min(done, bytes - done));
}

}  // namespace strobe
