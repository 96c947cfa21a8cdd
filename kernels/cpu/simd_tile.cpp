#include "kernels/cpu/simd_tile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine_core/base/element_types.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_tile.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_activation_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

using Instruction = PointwiseInstruction;

template <class Op>
void runUnary(const Instruction& in, const float* a, const float*, const float*, float* out, size_t n) {
    const size_t lanes = hn::Lanes(FloatTag());
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) storeFloats(Op::apply(in, loadFloats(a + i)), out + i);
    if (i < n) storeSomeFloats(Op::apply(in, loadSomeFloats(a + i, n - i)), out + i, n - i);
}

template <class Op>
void runBinary(const Instruction&, const float* a, const float* b, const float*, float* out, size_t n) {
    const size_t lanes = hn::Lanes(FloatTag());
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) storeFloats(Op::apply(loadFloats(a + i), loadFloats(b + i)), out + i);
    if (i < n) storeSomeFloats(Op::apply(loadSomeFloats(a + i, n - i), loadSomeFloats(b + i, n - i)), out + i, n - i);
}

void runWhere(const Instruction&, const float* a, const float* b, const float* c, float* out, size_t n) {
    const size_t lanes = hn::Lanes(FloatTag());
    const auto zero = hn::Zero(FloatTag());
    size_t i = 0;
    for (; i + lanes <= n; i += lanes)
        storeFloats(hn::IfThenElse(hn::Ne(loadFloats(a + i), zero), loadFloats(b + i), loadFloats(c + i)), out + i);
    for (; i < n; ++i) out[i] = a[i] != 0.0f ? b[i] : c[i];
}

void runConstant(const Instruction& in, const float*, const float*, const float*, float* out, size_t n) {
    std::fill_n(out, n, in.alpha);
}

void runScalar(const Instruction& in, const float* a, const float* b, const float* c, float* out, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = evaluatePointwise(in, a[i], b ? b[i] : 0.0f, c ? c[i] : 0.0f);
}

/// Powers that networks use have one small exponent for all elements.
void runPow(const Instruction& in, const float* a, const float* b, const float* c, float* out, size_t n) {
    if (n == 0) return;
    const float exponent = b[0];
    const bool uniform = std::all_of(b, b + n, [exponent](float value) { return value == exponent; });
    if (uniform && exponent == 2.0f) return runBinary<MulOp>(in, a, a, c, out, n);
    if (uniform && exponent == 1.0f) {
        if (out != a) std::copy_n(a, n, out);
        return;
    }
    if (uniform && exponent == 0.5f) return runUnary<SqrtOp>(in, a, b, c, out, n);
    if (uniform && exponent == -1.0f) return runUnary<ReciprocalOp>(in, a, b, c, out, n);
    runScalar(in, a, b, c, out, n);
}

TileFunction unaryFunction(PointwiseOp op) {
    switch (op) {
#define STROBE_CASE(Name)   \
    case PointwiseOp::Name: \
        return runUnary<Name##Op>;
        STROBE_UNARY_OPS(STROBE_CASE)
#undef STROBE_CASE
        default:
            return runScalar;
    }
}

TileFunction functionOf(PointwiseOp op) {
    switch (op) {
        case PointwiseOp::Constant:
            return runConstant;
        case PointwiseOp::Where:
            return runWhere;
        case PointwiseOp::Pow:
            return runPow;
#define STROBE_CASE(Name)   \
    case PointwiseOp::Name: \
        return runBinary<Name##Op>;
            STROBE_BINARY_OPS(STROBE_CASE)
#undef STROBE_CASE
        default:
            return unaryFunction(op);
    }
}

void loadContiguous(DataType type, const void* from, int64_t offset, float* to, size_t n) {
    if (type == DataType::Float32)
        convertFloats(static_cast<const float*>(from) + offset, to, n);
    else
        convertFloats(static_cast<const BFloat16*>(from) + offset, to, n);
}

void storeContiguous(DataType type, const float* from, void* to, int64_t offset, size_t n) {
    if (type == DataType::Float32)
        convertFloats(from, static_cast<float*>(to) + offset, n);
    else
        convertFloats(from, static_cast<BFloat16*>(to) + offset, n);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {

HWY_EXPORT(functionOf);
HWY_EXPORT(loadContiguous);
HWY_EXPORT(storeContiguous);

/// Calls fn with a value of the type that a tile is read from: FP32 would cut doubles short.
template <class Fn>
bool withStorage(DataType type, Fn fn) {
    return type != DataType::Float64 && withElementType(type, fn);
}

template <class T>
void storeElements(const float* from, T* to, size_t n) {
    if constexpr (std::numeric_limits<T>::is_integer) {
        const auto lowest = static_cast<float>(std::numeric_limits<T>::min());
        const auto highest = static_cast<float>(std::numeric_limits<T>::max());
        for (size_t i = 0; i < n; ++i) {
            if (from[i] >= highest)
                to[i] = std::numeric_limits<T>::max();
            else
                to[i] = std::isnan(from[i]) ? T(0) : static_cast<T>(std::max(from[i], lowest));
        }
    } else {
        for (size_t i = 0; i < n; ++i) to[i] = T(from[i]);
    }
}

}  // namespace

TileFunction tileFunction(PointwiseOp op) {
    return HWY_DYNAMIC_DISPATCH(functionOf)(op);
}

bool isTileType(DataType type) {
    return withStorage(type, [](auto) {});
}

void loadTile(DataType type, const void* from, int64_t offset, int64_t stride, float* to, size_t n) {
    if (stride == 1 && (type == DataType::Float32 || type == DataType::BFloat16))
        return HWY_DYNAMIC_DISPATCH(loadContiguous)(type, from, offset, to, n);
    withStorage(type, [&](auto element) {
        using T = decltype(element);
        const T* elements = static_cast<const T*>(from) + offset;
        if (stride == 0) {
            std::fill_n(to, n, static_cast<float>(elements[0]));
        } else {
            for (size_t i = 0; i < n; ++i) to[i] = static_cast<float>(elements[static_cast<int64_t>(i) * stride]);
        }
    });
}

void storeTile(DataType type, const float* from, void* to, int64_t offset, size_t n) {
    if (type == DataType::Float32 || type == DataType::BFloat16)
        return HWY_DYNAMIC_DISPATCH(storeContiguous)(type, from, to, offset, n);
    withStorage(type, [&](auto element) { storeElements(from, static_cast<decltype(element)*>(to) + offset, n); });
}

}  // namespace strobe
#endif
