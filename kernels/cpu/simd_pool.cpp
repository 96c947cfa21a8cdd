#include "kernels/cpu/simd_pool.h"

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_pool.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_activation_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t kScratchFloats = 6144;  // half of the first-level cache

template <bool kMaximum>
HWY_INLINE FloatVec combine(FloatVec a, FloatVec b) {
    if constexpr (kMaximum) return MaxOp::apply(a, b);
    return hn::Add(a, b);
}

/// The greatest of BF16 values is one: nothing to round.
template <bool kMaximum>
HWY_INLINE void storeResult(FloatVec value, float* to) {
    storeFloats(value, to);
}
template <bool kMaximum>
HWY_INLINE void storeResult(FloatVec value, BFloat16* to) {
    if constexpr (!kMaximum) return storeFloats(value, to);
    const hn::RebindToUnsigned<FloatTag> du;
    const hn::Rebind<uint16_t, FloatTag> d16;
    const auto high = hn::ShiftRight<16>(hn::BitCast(du, value));
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(IntTag(), high)), d16, reinterpret_cast<uint16_t*>(to));
}

/// Channels in vectors; the last of them may overlap the one before, or be the only one and not whole.
struct ChannelVectors {
    explicit ChannelVectors(int64_t channels)
        : size(static_cast<int64_t>(hn::Lanes(FloatTag()))), count((channels + size - 1) / size), last(channels - size), part(channels) {}
    int64_t size, count, last, part;
    bool isWhole() const { return last >= 0; }
    int64_t first(int64_t vector) const { return std::min(vector * size, std::max<int64_t>(last, 0)); }
};

template <bool kWhole, class T>
HWY_INLINE FloatVec load(const T* from, const ChannelVectors& channels) {
    if constexpr (kWhole) return loadFloats(from);
    return loadSomeFloats(from, static_cast<size_t>(channels.part));
}

int64_t vectorsAtOnce(const PoolShape& s, const ChannelVectors& channels) {
    return std::clamp<int64_t>(kScratchFloats / std::max<int64_t>(1, s.inWidth * channels.size), 1, channels.count);
}

/// First and past-last kernel position inside the image.
struct Taps {
    Taps(int64_t start, int64_t extent, int64_t kernel, int64_t dilation)
        : first(start >= 0 ? 0 : std::min(kernel, (-start + dilation - 1) / dilation)),
          last(std::clamp(start >= extent ? first : (extent - 1 - start) / dilation + 1, first, kernel)) {}
    int64_t first, last;
};

/// Columns of vectors [begin, end): scratch[x][vector] over the rows of the window.
template <bool kMaximum, bool kWhole, class T>
void downColumns(const PoolShape& s, const T* top, int64_t rows, const ChannelVectors& channels, int64_t begin, int64_t end, float* scratch) {
    const int64_t rowStep = s.dilationHeight * s.inWidth * s.lanes;
    for (int64_t x = 0; x < s.inWidth; ++x)
        for (int64_t v = begin; v < end; ++v, scratch += channels.size) {
            const T* from = top + x * s.lanes + channels.first(v);
            FloatVec total = load<kWhole>(from, channels);
            for (int64_t row = 1; row < rows; ++row) total = combine<kMaximum>(total, load<kWhole>(from + row * rowStep, channels));
            storeFloats(total, scratch);
        }
}

template <bool kMaximum, bool kWhole, class T>
void alongRow(const PoolShape& s, int64_t rows, const ChannelVectors& channels, int64_t begin, int64_t end, const float* scratch, T* out) {
    const int64_t step = (end - begin) * channels.size;
    for (int64_t x = 0; x < s.outWidth; ++x) {
        const int64_t start = x * s.strideWidth - s.padLeft;
        const Taps taps(start, s.inWidth, s.kernelWidth, s.dilationWidth);
        const int64_t cells = s.countsPadding ? s.kernelHeight * s.kernelWidth : rows * (taps.last - taps.first);
        [[maybe_unused]] const FloatVec share = set(1.0f / static_cast<float>(std::max<int64_t>(cells, 1)));
        const float* first = scratch + (start + taps.first * s.dilationWidth) * step;
        for (int64_t v = begin; v < end; ++v, first += channels.size) {
            FloatVec total = loadFloats(first);
            for (int64_t tap = 1; tap < taps.last - taps.first; ++tap)
                total = combine<kMaximum>(total, loadFloats(first + tap * s.dilationWidth * step));
            if constexpr (!kMaximum) total = hn::Mul(total, share);
            T* to = out + x * s.lanes + channels.first(v);
            if constexpr (kWhole)
                storeResult<kMaximum>(total, to);
            else
                storeSomeFloats(total, to, static_cast<size_t>(channels.part));
        }
    }
}

template <bool kMaximum, bool kWhole, class T>
void rowOf(const PoolShape& s, const PoolRow& row) {
    const ChannelVectors channels(s.lanes);
    const int64_t start = row.y * s.strideHeight - s.padTop;
    const Taps taps(start, s.inHeight, s.kernelHeight, s.dilationHeight);
    const T* top = static_cast<const T*>(row.in) + (start + taps.first * s.dilationHeight) * s.inWidth * s.lanes;
    const int64_t rows = taps.last - taps.first, atOnce = vectorsAtOnce(s, channels);
    for (int64_t begin = 0; begin < channels.count; begin += atOnce) {
        const int64_t end = std::min(begin + atOnce, channels.count);
        downColumns<kMaximum, kWhole>(s, top, rows, channels, begin, end, row.scratch);
        alongRow<kMaximum, kWhole>(s, rows, channels, begin, end, row.scratch, static_cast<T*>(row.out));
    }
}

template <class T>
void rowOfType(const PoolShape& s, const PoolRow& row) {
    const bool whole = ChannelVectors(s.lanes).isWhole();
    if (s.maximum)
        whole ? rowOf<true, true, T>(s, row) : rowOf<true, false, T>(s, row);
    else
        whole ? rowOf<false, true, T>(s, row) : rowOf<false, false, T>(s, row);
}

void rowDispatch(const PoolShape& s, const PoolRow& row) {
    row.type == DataType::Float32 ? rowOfType<float>(s, row) : rowOfType<BFloat16>(s, row);
}

int64_t scratchFloats(const PoolShape& s) {
    const ChannelVectors channels(s.lanes);
    return vectorsAtOnce(s, channels) * channels.size * s.inWidth;
}

/// `kVectors` neighbouring vectors of channels in registers, two positions at a time to hide the latency of sums.
template <bool kMaximum, int kVectors, class T>
HWY_INLINE void totalsOf(const PoolTotals& p, int64_t c) {
    const auto size = static_cast<int64_t>(hn::Lanes(FloatTag()));
    const T* from = static_cast<const T*>(p.in) + c;
    FloatVec totals[2][kVectors];
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) {
        totals[0][v] = loadFloats(p.totals + c + v * size);
        totals[1][v] = kMaximum ? totals[0][v] : hn::Zero(FloatTag());
    }
    int64_t i = 0;
    for (; i + 2 <= p.positions; i += 2, from += 2 * p.channels) {
        HWY_UNROLL(4)
        for (int v = 0; v < kVectors; ++v) {
            totals[0][v] = combine<kMaximum>(totals[0][v], loadFloats(from + v * size));
            totals[1][v] = combine<kMaximum>(totals[1][v], loadFloats(from + p.channels + v * size));
        }
    }
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) {
        if (i < p.positions) totals[0][v] = combine<kMaximum>(totals[0][v], loadFloats(from + v * size));
        storeFloats(combine<kMaximum>(totals[0][v], totals[1][v]), p.totals + c + v * size);
    }
}

template <bool kMaximum, class T>
void totalsOfType(const PoolTotals& p) {
    const auto size = static_cast<int64_t>(hn::Lanes(FloatTag()));
    int64_t c = 0;
    for (; c + 4 * size <= p.channels; c += 4 * size) totalsOf<kMaximum, 4, T>(p, c);
    for (; c + size <= p.channels; c += size) totalsOf<kMaximum, 1, T>(p, c);
    // In the same order as the vectors: channels of the same values get the same total, wherever they stand.
    for (; c < p.channels; ++c) {
        float totals[2] = {p.totals[c], kMaximum ? p.totals[c] : 0.0f};
        const auto add = [](float total, float value) { return kMaximum ? greaterOrNan(total, value) : total + value; };
        for (int64_t i = 0; i < p.positions; ++i)
            totals[i % 2] = add(totals[i % 2], static_cast<float>(static_cast<const T*>(p.in)[i * p.channels + c]));
        p.totals[c] = add(totals[0], totals[1]);
    }
}

void totalsDispatch(const PoolTotals& p) {
    if (p.type == DataType::Float32)
        p.maximum ? totalsOfType<true, float>(p) : totalsOfType<false, float>(p);
    else
        p.maximum ? totalsOfType<true, BFloat16>(p) : totalsOfType<false, BFloat16>(p);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(rowDispatch);
HWY_EXPORT(scratchFloats);
HWY_EXPORT(totalsDispatch);
}  // namespace

int64_t poolScratchFloats(const PoolShape& shape) { return HWY_DYNAMIC_DISPATCH(scratchFloats)(shape); }
void poolRow(const PoolShape& shape, const PoolRow& row) { HWY_DYNAMIC_DISPATCH(rowDispatch)(shape, row); }
void poolTotals(const PoolTotals& pool) { HWY_DYNAMIC_DISPATCH(totalsDispatch)(pool); }

}  // namespace strobe
#endif
