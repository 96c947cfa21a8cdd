#include "kernels/cpu/simd_depthwise.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/simd_targets.h"
#include "kernels/cpu/simd_tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_depthwise.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_activation_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

using Kind = DepthwiseActivation::Kind;

HWY_INLINE FloatVec activate(const DepthwiseActivation& activation, FloatVec v) {
    switch (activation.kind) {
        case Kind::None:
            return v;
        case Kind::Relu:
            return ReluOp::apply(activation.instruction, v);
        case Kind::Clip:
            return ClipOp::apply(activation.instruction, v);
        case Kind::HardSwish:
            return HardSwishOp::apply(activation.instruction, v);
        case Kind::LeakyRelu:
            return LeakyReluOp::apply(activation.instruction, v);
        case Kind::Silu:
            return SiluOp::apply(activation.instruction, v);
    }
    return v;
}

/// What one output row needs, with the kernel rows that lie inside the image.
template <class In, class Out>
struct RowWork {
    const DepthwiseShape& s;
    const DepthwiseActivation& activation;
    const In* image;
    Out* out;
    const float* weights;
    const float* bias;
    int64_t top;  // input row of kernel row 0
    int64_t firstKy, lastKy;
};

/// `J` neighbouring outputs from `x` on, a vector of channels from `c` on; every tap is inside the image. K and S:
/// kernel width and stride.
template <int K, int S, int J, class In, class Out>
HWY_INLINE void interiorBlock(const RowWork<In, Out>& w, int64_t x, int64_t c) {
    const int64_t lanes = w.s.lanes;
    constexpr int kReads = (J - 1) * S + K;
    FloatVec sums[J];
    const FloatVec bias = loadFloats(w.bias + c);
    HWY_UNROLL(16)
    for (int j = 0; j < J; ++j) sums[j] = bias;
    for (int64_t ky = w.firstKy; ky < w.lastKy; ++ky) {
        const In* from = w.image + ((w.top + ky * w.s.dilationHeight) * w.s.inWidth + x * S - w.s.padLeft) * lanes + c;
        const float* weights = w.weights + ky * K * lanes + c;
        FloatVec reads[kReads];
        HWY_UNROLL(32)
        for (int i = 0; i < kReads; ++i) reads[i] = loadFloats(from + i * lanes);
        HWY_UNROLL(8)
        for (int kx = 0; kx < K; ++kx) {
            const FloatVec weight = loadFloats(weights + kx * lanes);
            HWY_UNROLL(16)
            for (int j = 0; j < J; ++j) sums[j] = hn::MulAdd(reads[j * S + kx], weight, sums[j]);
        }
    }
    HWY_UNROLL(16)
    for (int j = 0; j < J; ++j) storeFloats(activate(w.activation, sums[j]), w.out + (x + j) * lanes + c);
}

/// The same for any kernel, stride and dilation.
template <class In, class Out>
HWY_INLINE void generalBlock(const RowWork<In, Out>& w, int64_t x, int64_t c) {
    const DepthwiseShape& s = w.s;
    constexpr int kOutputs = 4;
    const int64_t step = s.strideWidth * s.lanes;
    FloatVec sums[kOutputs];
    for (FloatVec& sum : sums) sum = loadFloats(w.bias + c);
    for (int64_t ky = w.firstKy; ky < w.lastKy; ++ky)
        for (int64_t kx = 0; kx < s.kernelWidth; ++kx) {
            const int64_t column = x * s.strideWidth + kx * s.dilationWidth - s.padLeft;
            const In* from = w.image + ((w.top + ky * s.dilationHeight) * s.inWidth + column) * s.lanes + c;
            const FloatVec weight = loadFloats(w.weights + (ky * s.kernelWidth + kx) * s.lanes + c);
            HWY_UNROLL(4)
            for (int j = 0; j < kOutputs; ++j) sums[j] = hn::MulAdd(loadFloats(from + j * step), weight, sums[j]);
        }
    HWY_UNROLL(4)
    for (int j = 0; j < kOutputs; ++j) storeFloats(activate(w.activation, sums[j]), w.out + (x + j) * s.lanes + c);
}

/// A vector, or the first `count` elements of one.
template <bool Whole, class T>
HWY_INLINE FloatVec loadPart(const T* from, size_t count) {
    if constexpr (Whole) return loadFloats(from);
    return loadSomeFloats(from, count);
}

/// The taps [first, last) of a kernel row that lie inside the image for the output at `x`.
struct Taps {
    int64_t first, last;
};
HWY_INLINE Taps tapsInside(const DepthwiseShape& s, int64_t x) {
    const int64_t column = x * s.strideWidth - s.padLeft, d = s.dilationWidth;
    const int64_t first = column >= 0 ? 0 : (-column + d - 1) / d;
    const int64_t last = column >= s.inWidth ? 0 : std::min(s.kernelWidth, (s.inWidth - 1 - column) / d + 1);
    return {first, std::max(first, last)};
}

/// One output whose window may leave the image, N vectors of channels (whole, or `count` channels of one) from `c` on.
template <int N, bool Whole, class In, class Out>
HWY_INLINE void edgeOutput(const RowWork<In, Out>& w, Taps taps, int64_t x, int64_t c, size_t count) {
    const DepthwiseShape& s = w.s;
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    const int64_t step = s.dilationWidth * s.lanes;
    FloatVec sums[N];
    HWY_UNROLL(4)
    for (int i = 0; i < N; ++i) sums[i] = loadPart<Whole>(w.bias + c + i * lanes, count);
    for (int64_t ky = w.firstKy; ky < w.lastKy; ++ky) {
        const int64_t line = (w.top + ky * s.dilationHeight) * s.inWidth + x * s.strideWidth - s.padLeft;
        const In* from = w.image + line * s.lanes + taps.first * step + c;
        const float* weight = w.weights + (ky * s.kernelWidth + taps.first) * s.lanes + c;
        for (int64_t kx = taps.first; kx < taps.last; ++kx, from += step, weight += s.lanes) {
            HWY_UNROLL(4)
            for (int i = 0; i < N; ++i)
                sums[i] = hn::MulAdd(loadPart<Whole>(from + i * lanes, count),
                                     loadPart<Whole>(weight + i * lanes, count), sums[i]);
        }
    }
    Out* to = w.out + x * s.lanes + c;
    HWY_UNROLL(4)
    for (int i = 0; i < N; ++i) {
        if constexpr (Whole)
            storeFloats(activate(w.activation, sums[i]), to + i * lanes);
        else
            storeSomeFloats(activate(w.activation, sums[i]), to, count);
    }
}

/// Calls fn(first channel) for vectors that cover all channels; the last ones may overlap. Requires at least a vector
/// of channels.
template <class Fn>
HWY_INLINE void forEachChannelVector(int64_t channels, Fn fn) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    int64_t c = 0;
    for (; c + lanes <= channels; c += lanes) fn(c);
    if (c < channels) fn(channels - lanes);
}

template <class In, class Out>
void edgeOutputs(const RowWork<In, Out>& w, int64_t first, int64_t last) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    for (int64_t x = first; x < last; ++x) {
        const Taps taps = tapsInside(w.s, x);
        int64_t c = 0;
        for (; c + 4 * lanes <= w.s.lanes; c += 4 * lanes) edgeOutput<4, true>(w, taps, x, c, 0);
        for (; c + lanes <= w.s.lanes; c += lanes) edgeOutput<1, true>(w, taps, x, c, 0);
        if (c < w.s.lanes) edgeOutput<1, false>(w, taps, x, c, static_cast<size_t>(w.s.lanes - c));
    }
}

/// Outputs [first, last), all taps inside: J at a time, the last ones overlapping. False when there are fewer than J.
template <int J, class Block, class In, class Out>
HWY_INLINE bool interiorOutputs(const RowWork<In, Out>& w, int64_t first, int64_t last, Block block) {
    if (last - first < J) return false;
    for (int64_t x = first; x < last; x += J) {
        const int64_t from = std::min(x, last - J);
        forEachChannelVector(w.s.lanes, [&](int64_t c) HWY_ATTR { block(from, c); });
    }
    return true;
}

/// Blocks of equal length, as long as there are registers for them.
template <int K, int S, class In, class Out>
void interiorOf(const RowWork<In, Out>& w, int64_t first, int64_t last) {
    constexpr int kLongest = HWY_TARGET == HWY_AVX3 ? (S == 1 ? 8 : 6) : HWY_TARGET == HWY_AVX2 ? (S == 1 ? 4 : 3) : 1;
    if (first >= last) return;
    const int64_t blocks = (last - first + kLongest - 1) / kLongest;
    const auto run = [&](auto length) {
        constexpr int kLength = std::min(decltype(length)::value, kLongest);
        interiorOutputs<kLength>(w, first, last,
                                 [&](int64_t x, int64_t c) HWY_ATTR { interiorBlock<K, S, kLength>(w, x, c); });
    };
    switch ((last - first + blocks - 1) / blocks) {
        case 1:
            return run(std::integral_constant<int, 1>());
        case 2:
            return run(std::integral_constant<int, 2>());
        case 3:
            return run(std::integral_constant<int, 3>());
        case 4:
            return run(std::integral_constant<int, 4>());
        case 5:
            return run(std::integral_constant<int, 5>());
        case 6:
            return run(std::integral_constant<int, 6>());
        case 7:
            return run(std::integral_constant<int, 7>());
        default:
            return run(std::integral_constant<int, 8>());
    }
}

template <class In, class Out>
bool interiorRow(const RowWork<In, Out>& w, int64_t first, int64_t last) {
    const DepthwiseShape& s = w.s;
    if (s.lanes < static_cast<int64_t>(hn::Lanes(FloatTag()))) return false;
    const bool isCommon = s.dilationWidth == 1 && (s.kernelWidth == 3 || s.kernelWidth == 5) && s.strideWidth <= 2;
    if (isCommon) {
        if (s.kernelWidth == 3)
            s.strideWidth == 1 ? interiorOf<3, 1>(w, first, last) : interiorOf<3, 2>(w, first, last);
        else
            s.strideWidth == 1 ? interiorOf<5, 1>(w, first, last) : interiorOf<5, 2>(w, first, last);
        return true;
    }
    return interiorOutputs<4>(w, first, last, [&](int64_t x, int64_t c) HWY_ATTR { generalBlock(w, x, c); });
}

/// First and past-last output whose window lies inside `extent` inputs.
struct Interior {
    int64_t first, last;
};
Interior interiorRange(int64_t outputs, int64_t extent, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
    const int64_t first = std::clamp<int64_t>((pad + stride - 1) / stride, 0, outputs);  // a negative pad crops
    const int64_t room = extent - 1 - (kernel - 1) * dilation + pad;
    const int64_t last = room < 0 ? 0 : std::min(outputs, room / stride + 1);
    return {first, std::max(first, last)};
}

template <class In, class Out>
void rowOf(const DepthwiseShape& s, const DepthwiseRow& row) {
    RowWork<In, Out> w{s,
                       row.activation,
                       static_cast<const In*>(row.in),
                       static_cast<Out*>(row.out),
                       row.weights,
                       row.bias,
                       row.y * s.strideHeight - s.padTop,
                       0,
                       0};
    w.firstKy = w.top >= 0 ? 0 : std::min(s.kernelHeight, (-w.top + s.dilationHeight - 1) / s.dilationHeight);
    w.lastKy = w.top >= s.inHeight
                   ? w.firstKy
                   : std::clamp((s.inHeight - 1 - w.top) / s.dilationHeight + 1, w.firstKy, s.kernelHeight);
    const Interior inside =
        interiorRange(s.outWidth, s.inWidth, s.kernelWidth, s.strideWidth, s.dilationWidth, s.padLeft);
    edgeOutputs(w, 0, inside.first);
    if (!interiorRow(w, inside.first, inside.last)) edgeOutputs(w, inside.first, inside.last);
    edgeOutputs(w, inside.last, s.outWidth);
}

void rowDispatch(const DepthwiseShape& s, const DepthwiseRow& row) {
    if (row.inType == DataType::Float32) return rowOf<float, float>(s, row);
    row.outType == DataType::Float32 ? rowOf<BFloat16, float>(s, row) : rowOf<BFloat16, BFloat16>(s, row);
}

/// Floats of one phase of an unpacked input row, and room for the last vector to read past it.
int64_t phaseFloats(const DepthwiseShape& s) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    return (s.outWidth + (s.kernelWidth - 1) * s.dilationWidth / s.strideWidth + 4 * lanes) / lanes * lanes;
}

/// Unpacks input row `y` (zero outside the image).
void unpackRow(const DepthwiseShape& s, const DepthwisePlane& p, int64_t y, float* to, int64_t phase) {
    std::fill_n(to, phase * s.strideWidth, 0.0f);
    if (y < 0 || y >= s.inHeight) return;
    for (int64_t f = 0; f < s.strideWidth; ++f) {
        // Padded column f + i·stride lies at index i of its phase.
        const int64_t first = std::max<int64_t>(0, (s.padLeft - f + s.strideWidth - 1) / s.strideWidth);
        const int64_t column = f + first * s.strideWidth - s.padLeft;
        if (column >= s.inWidth) continue;
        const int64_t count = std::min(phase - first, (s.inWidth - 1 - column) / s.strideWidth + 1);
        if (count > 0)
            loadTile(p.inType, p.in, y * s.inWidth + column, s.strideWidth, to + f * phase + first,
                     static_cast<size_t>(count));
    }
}

/// Two vectors of outputs from `x` on.
HWY_INLINE void planeOutputs(const DepthwiseShape& s, const DepthwisePlane& p, const float* const* rows, int64_t phase,
                             int64_t x, float* to) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    FloatVec a = set(p.bias), b = a;
    for (int64_t ky = 0; ky < s.kernelHeight; ++ky)
        for (int64_t kx = 0; kx < s.kernelWidth; ++kx) {
            const int64_t column = kx * s.dilationWidth;
            const float* from = rows[ky] + column % s.strideWidth * phase + column / s.strideWidth + x;
            const FloatVec weight = set(p.weights[ky * s.kernelWidth + kx]);
            a = hn::MulAdd(loadFloats(from), weight, a);
            b = hn::MulAdd(loadFloats(from + lanes), weight, b);
        }
    a = activate(p.activation, a);
    b = activate(p.activation, b);
    const int64_t left = s.outWidth - x;
    if (left >= 2 * lanes) {
        storeFloats(a, to + x);
        storeFloats(b, to + x + lanes);
    } else {
        storeSomeFloats(a, to + x, static_cast<size_t>(std::min(left, lanes)));
        if (left > lanes) storeSomeFloats(b, to + x + lanes, static_cast<size_t>(left - lanes));
    }
}

int64_t ringFloats(const DepthwiseShape& s) {
    return ((s.kernelHeight - 1) * s.dilationHeight + 1) * phaseFloats(s) * s.strideWidth;
}

void planeRows(const DepthwiseShape& s, const DepthwisePlane& p) {
    constexpr int64_t kMaxKernelHeight = 64;
    const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
    const int64_t phase = phaseFloats(s), rowFloats = phase * s.strideWidth,
                  ringRows = (s.kernelHeight - 1) * s.dilationHeight + 1;
    const float* rows[kMaxKernelHeight];
    int64_t next = p.firstRow * s.strideHeight - s.padTop;  // first input row not unpacked yet
    for (int64_t y = p.firstRow; y < p.lastRow; ++y) {
        const int64_t top = y * s.strideHeight - s.padTop;
        for (next = std::max(next, top); next < top + ringRows; ++next)
            unpackRow(s, p, next, p.ring + (next + s.padTop) % ringRows * rowFloats, phase);
        for (int64_t ky = 0; ky < s.kernelHeight; ++ky)
            rows[ky] = p.ring + (top + s.padTop + ky * s.dilationHeight) % ringRows * rowFloats;
        float* to = p.out + (y - p.firstRow) * s.outWidth;
        for (int64_t x = 0; x < s.outWidth; x += 2 * lanes) planeOutputs(s, p, rows, phase, x, to);
    }
}

int64_t lanesOfTarget() {
    return static_cast<int64_t>(hn::Lanes(FloatTag()));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(rowDispatch);
HWY_EXPORT(planeRows);
HWY_EXPORT(ringFloats);
HWY_EXPORT(lanesOfTarget);
}  // namespace

void depthwiseRow(const DepthwiseShape& shape, const DepthwiseRow& row) {
    HWY_DYNAMIC_DISPATCH(rowDispatch)(shape, row);
}
int64_t depthwiseRingFloats(const DepthwiseShape& shape) {
    return HWY_DYNAMIC_DISPATCH(ringFloats)(shape);
}
void depthwisePlane(const DepthwiseShape& shape, const DepthwisePlane& plane) {
    HWY_DYNAMIC_DISPATCH(planeRows)(shape, plane);
}
int64_t simdLanes() {
    return HWY_DYNAMIC_DISPATCH(lanesOfTarget)();
}

}  // namespace strobe
#endif
