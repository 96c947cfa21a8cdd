#include "kernels/cpu/simd_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_rows.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_activation_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE size_t lanesOf() {
    return hn::Lanes(FloatTag());
}

struct AddFold {
    static HWY_INLINE FloatVec start() { return zeroVector(); }
    static HWY_INLINE FloatVec fold(FloatVec sum, FloatVec x) { return hn::Add(sum, x); }
    static HWY_INLINE FloatVec join(FloatVec a, FloatVec b) { return hn::Add(a, b); }
    static HWY_INLINE float lanes(FloatVec v) { return hn::GetLane(hn::SumOfLanes(FloatTag(), v)); }
};
struct SquareFold : AddFold {
    static HWY_INLINE FloatVec fold(FloatVec sum, FloatVec x) { return hn::MulAdd(x, x, sum); }
};
struct MagnitudeFold : AddFold {
    static HWY_INLINE FloatVec fold(FloatVec sum, FloatVec x) { return hn::Add(sum, hn::Abs(x)); }
};
struct MaxFold {
    static HWY_INLINE FloatVec start() { return set(-std::numeric_limits<float>::infinity()); }
    static HWY_INLINE FloatVec fold(FloatVec best, FloatVec x) { return MaxOp::apply(best, x); }
    static HWY_INLINE FloatVec join(FloatVec a, FloatVec b) { return MaxOp::apply(a, b); }
    static HWY_INLINE float lanes(FloatVec v) {
        if (!hn::AllFalse(FloatTag(), hn::IsNaN(v))) return std::numeric_limits<float>::quiet_NaN();
        return hn::GetLane(hn::MaxOfLanes(FloatTag(), v));
    }
};
struct MinFold {
    static HWY_INLINE FloatVec start() { return set(std::numeric_limits<float>::infinity()); }
    static HWY_INLINE FloatVec fold(FloatVec best, FloatVec x) { return MinOp::apply(best, x); }
    static HWY_INLINE FloatVec join(FloatVec a, FloatVec b) { return MinOp::apply(a, b); }
    static HWY_INLINE float lanes(FloatVec v) {
        if (!hn::AllFalse(FloatTag(), hn::IsNaN(v))) return std::numeric_limits<float>::quiet_NaN();
        return hn::GetLane(hn::MinOfLanes(FloatTag(), v));
    }
};

/// A row folded to one value; four chains hide the latency.
template <class Fold, class T>
HWY_INLINE float foldRow(const T* x, size_t n) {
    const size_t lanes = lanesOf();
    FloatVec a = Fold::start(), b = a, c = a, d = a;
    size_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
        a = Fold::fold(a, loadFloats(x + i));
        b = Fold::fold(b, loadFloats(x + i + lanes));
        c = Fold::fold(c, loadFloats(x + i + 2 * lanes));
        d = Fold::fold(d, loadFloats(x + i + 3 * lanes));
    }
    for (; i + lanes <= n; i += lanes) a = Fold::fold(a, loadFloats(x + i));
    if (i < n) {
        const auto inside = hn::FirstN(FloatTag(), n - i);
        b = hn::IfThenElse(inside, Fold::fold(b, loadSomeFloats(x + i, n - i)), b);
    }
    return Fold::lanes(Fold::join(Fold::join(a, b), Fold::join(c, d)));
}

/// Lines side by side: one vector of them, folded over the extent.
template <class Fold, class Load>
HWY_INLINE FloatVec foldColumns(int64_t extent, Load load) {
    FloatVec a = Fold::start(), b = a;
    int64_t i = 0;
    for (; i + 2 <= extent; i += 2) {
        a = Fold::fold(a, load(i));
        b = Fold::fold(b, load(i + 1));
    }
    if (i < extent) a = Fold::fold(a, load(i));
    return Fold::join(a, b);
}

/// Calls fn(first line, lines) for vectors of lines; fewer than a vector in the last.
template <class Fn>
HWY_INLINE void forEachLineVector(const AxisLines& lines, Fn fn) {
    const auto step = static_cast<int64_t>(lanesOf());
    for (int64_t j = lines.first; j < lines.last; j += step) fn(j, static_cast<size_t>(std::min(step, lines.last - j)));
}
template <class T>
HWY_INLINE FloatVec loadUpTo(const T* from, size_t count) {
    return count == lanesOf() ? loadFloats(from) : loadSomeFloats(from, count);
}
template <class T>
HWY_INLINE void storeUpTo(FloatVec v, T* to, size_t count) {
    count == lanesOf() ? storeFloats(v, to) : storeSomeFloats(v, to, count);
}

template <class Fold, class T>
void reduceWith(const AxisLines& lines, float* y) {
    const T* x = static_cast<const T*>(lines.x);
    if (lines.inner == 1) {
        y[0] = foldRow<Fold>(x, static_cast<size_t>(lines.extent));
        return;
    }
    const auto lanes = static_cast<int64_t>(lanesOf());
    AxisLines rest = lines;
    // Four vectors side by side read whole cache lines in order; each line is folded as foldColumns does, so that equal
    // lines get the same result wherever they stand.
    for (; rest.first + 4 * lanes <= rest.last; rest.first += 4 * lanes) {
        FloatVec folds[2][4];
        for (int v = 0; v < 4; ++v) folds[0][v] = folds[1][v] = Fold::start();
        const T* from = x + rest.first;
        int64_t i = 0;
        for (; i + 2 <= lines.extent; i += 2, from += 2 * lines.inner) {
            HWY_UNROLL(4)
            for (int v = 0; v < 4; ++v) {
                folds[0][v] = Fold::fold(folds[0][v], loadFloats(from + v * lanes));
                folds[1][v] = Fold::fold(folds[1][v], loadFloats(from + lines.inner + v * lanes));
            }
        }
        HWY_UNROLL(4)
        for (int v = 0; v < 4; ++v) {
            if (i < lines.extent) folds[0][v] = Fold::fold(folds[0][v], loadFloats(from + v * lanes));
            storeFloats(Fold::join(folds[0][v], folds[1][v]), y + rest.first + v * lanes);
        }
    }
    forEachLineVector(rest, [&](int64_t j, size_t count) HWY_ATTR {
        const auto load = [&](int64_t i) HWY_ATTR { return loadUpTo(x + i * lines.inner + j, count); };
        storeUpTo(foldColumns<Fold>(lines.extent, load), y + j, count);
    });
}

template <class T>
void reduceTyped(const AxisLines& lines, ReduceKind kind, float* y) {
    switch (kind) {
        case ReduceKind::Max:
            reduceWith<MaxFold, T>(lines, y);
            break;
        case ReduceKind::Min:
            reduceWith<MinFold, T>(lines, y);
            break;
        case ReduceKind::SumSquare:
        case ReduceKind::L2:
            reduceWith<SquareFold, T>(lines, y);
            break;
        case ReduceKind::L1:
            reduceWith<MagnitudeFold, T>(lines, y);
            break;
        default:
            reduceWith<AddFold, T>(lines, y);
    }
    for (int64_t j = lines.first; j < lines.last; ++j) {
        if (kind == ReduceKind::Mean) y[j] /= static_cast<float>(lines.extent);
        if (kind == ReduceKind::L2) y[j] = std::sqrt(y[j]);
    }
}

void reduceDispatch(const AxisLines& lines, ReduceKind kind, float* y) {
    lines.type == DataType::Float32 ? reduceTyped<float>(lines, kind, y) : reduceTyped<BFloat16>(lines, kind, y);
}

/// One contiguous row. exp(x − max) is kept in FP32 until the sum is known.
template <class T, class Out>
void softmaxRow(const T* x, int64_t extent, bool logarithm, Out* y, float* scratch) {
    const auto n = static_cast<size_t>(extent);
    const size_t lanes = lanesOf();
    const FloatVec highest = set(foldRow<MaxFold>(x, n));
    FloatVec sum = zeroVector();
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const FloatVec e = expVector(hn::Sub(loadFloats(x + i), highest));
        storeFloats(e, scratch + i);
        sum = hn::Add(sum, e);
    }
    if (i < n) {
        const FloatVec e = hn::IfThenElseZero(hn::FirstN(FloatTag(), n - i),
                                              expVector(hn::Sub(loadSomeFloats(x + i, n - i), highest)));
        storeSomeFloats(e, scratch + i, n - i);
        sum = hn::Add(sum, e);
    }
    const float total = hn::GetLane(hn::SumOfLanes(FloatTag(), sum));
    const FloatVec inverse = set(1.0f / total), shift = hn::Add(highest, set(std::log(total)));
    for (i = 0; i < n; i += lanes) {
        const size_t count = std::min(lanes, n - i);
        const FloatVec result =
            logarithm ? hn::Sub(loadUpTo(x + i, count), shift) : hn::Mul(loadUpTo(scratch + i, count), inverse);
        storeUpTo(result, y + i, count);
    }
}

template <class T, class Out>
void softmaxColumns(const AxisLines& lines, bool logarithm, Out* y) {
    const T* x = static_cast<const T*>(lines.x);
    forEachLineVector(lines, [&](int64_t j, size_t count) HWY_ATTR {
        const auto load = [&](int64_t i) HWY_ATTR { return loadUpTo(x + i * lines.inner + j, count); };
        const FloatVec highest = foldColumns<MaxFold>(lines.extent, load);
        const FloatVec sum = foldColumns<AddFold>(
            lines.extent, [&](int64_t i) HWY_ATTR { return expVector(hn::Sub(load(i), highest)); });
        const FloatVec inverse = hn::Div(set(1.0f), sum), shift = hn::Add(highest, logVector(sum));
        for (int64_t i = 0; i < lines.extent; ++i) {
            const FloatVec v = load(i);
            const FloatVec result = logarithm ? hn::Sub(v, shift) : hn::Mul(expVector(hn::Sub(v, highest)), inverse);
            storeUpTo(result, y + i * lines.inner + j, count);
        }
    });
}

template <class T, class Out>
void softmaxTyped(const AxisLines& lines, bool logarithm, void* y, float* scratch) {
    if (lines.inner == 1)
        softmaxRow(static_cast<const T*>(lines.x), lines.extent, logarithm, static_cast<Out*>(y), scratch);
    else
        softmaxColumns<T>(lines, logarithm, static_cast<Out*>(y));
}

void softmaxDispatch(const AxisLines& lines, bool logarithm, DataType outType, void* y, float* scratch) {
    if (lines.type == DataType::Float32) return softmaxTyped<float, float>(lines, logarithm, y, scratch);
    outType == DataType::Float32 ? softmaxTyped<BFloat16, float>(lines, logarithm, y, scratch)
                                 : softmaxTyped<BFloat16, BFloat16>(lines, logarithm, y, scratch);
}

/// Mean of (x − center)².
template <class T>
HWY_INLINE float spreadOf(const T* x, size_t n, float center) {
    const size_t lanes = lanesOf();
    const FloatVec c = set(center);
    FloatVec a = zeroVector(), b = a;
    size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
        const FloatVec u = hn::Sub(loadFloats(x + i), c), v = hn::Sub(loadFloats(x + i + lanes), c);
        a = hn::MulAdd(u, u, a);
        b = hn::MulAdd(v, v, b);
    }
    for (; i < n; i += lanes) {
        const size_t count = std::min(lanes, n - i);
        const FloatVec u = hn::IfThenElseZero(hn::FirstN(FloatTag(), count), hn::Sub(loadUpTo(x + i, count), c));
        a = hn::MulAdd(u, u, a);
    }
    return hn::GetLane(hn::SumOfLanes(FloatTag(), hn::Add(a, b))) / static_cast<float>(n);
}

template <class T, class Out>
void normalizeTyped(const NormRow& row) {
    const T* x = static_cast<const T*>(row.x);
    Out* y = static_cast<Out*>(row.y);
    const auto n = static_cast<size_t>(row.size);
    const size_t lanes = lanesOf();
    const float mean = row.centered ? foldRow<AddFold>(x, n) / static_cast<float>(n) : 0.0f;
    const float inverse = 1.0f / std::sqrt(spreadOf(x, n, mean) + row.epsilon);
    if (row.run > 1) {
        for (int64_t r = 0; r * row.run < row.size; ++r) {
            const float scale = row.scale[r] * inverse;
            const FloatVec factor = set(scale), shift = set((row.bias ? row.bias[r] : 0.0f) - mean * scale);
            const auto length = static_cast<size_t>(row.run), start = static_cast<size_t>(r * row.run);
            for (size_t i = 0; i < length; i += lanes) {
                const size_t count = std::min(lanes, length - i);
                storeUpTo(hn::MulAdd(loadUpTo(x + start + i, count), factor, shift), y + start + i, count);
            }
        }
        return;
    }
    const FloatVec center = set(mean), factor = set(inverse);
    for (size_t i = 0; i < n; i += lanes) {
        const size_t count = std::min(lanes, n - i);
        const FloatVec normal = hn::Mul(hn::Sub(loadUpTo(x + i, count), center), factor);
        const FloatVec bias = row.bias ? loadUpTo(row.bias + i, count) : zeroVector();
        storeUpTo(hn::MulAdd(normal, loadUpTo(row.scale + i, count), bias), y + i, count);
    }
}

void normalizeDispatch(const NormRow& row) {
    if (row.type == DataType::Float32) return normalizeTyped<float, float>(row);
    row.outType == DataType::Float32 ? normalizeTyped<BFloat16, float>(row) : normalizeTyped<BFloat16, BFloat16>(row);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {
HWY_EXPORT(reduceDispatch);
HWY_EXPORT(softmaxDispatch);
HWY_EXPORT(normalizeDispatch);
}  // namespace

void softmaxLines(const AxisLines& lines, bool logarithm, DataType outType, void* y, float* scratch) {
    HWY_DYNAMIC_DISPATCH(softmaxDispatch)(lines, logarithm, outType, y, scratch);
}
void reduceLines(const AxisLines& lines, ReduceKind kind, float* y) {
    HWY_DYNAMIC_DISPATCH(reduceDispatch)(lines, kind, y);
}
void normalizeRow(const NormRow& row) {
    HWY_DYNAMIC_DISPATCH(normalizeDispatch)(row);
}

}  // namespace strobe
#endif
