// Vector functions of one FP32 argument, within a few units in the last place of the scalar ones. Included once per
// Highway target. The polynomials were fitted by iteratively reweighted least squares on Chebyshev nodes, on the ranges
// that stand beside them.
#if defined(STROBE_SIMD_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef STROBE_SIMD_MATH_INL
#undef STROBE_SIMD_MATH_INL
#else
#define STROBE_SIMD_MATH_INL
#endif

#include <limits>

#include "kernels/cpu/simd_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {

/// c0 + c1·x + c2·x² …
HWY_INLINE FloatVec polynomial(FloatVec, float c0) {
    return set(c0);
}
template <class... Rest>
HWY_INLINE FloatVec polynomial(FloatVec x, float c0, Rest... rest) {
    return hn::MulAdd(polynomial(x, rest...), x, set(c0));
}

/// 2^n for integers −126 ≤ n ≤ 127.
HWY_INLINE FloatVec powerOfTwo(hn::Vec<IntTag> n) {
    return hn::BitCast(FloatTag(), hn::ShiftLeft<23>(hn::Add(n, hn::Set(IntTag(), 127))));
}

HWY_INLINE FloatVec expVector(FloatVec x) {
    const FloatVec limited = hn::Min(hn::Max(x, set(-104.0f)), set(89.0f));
    const FloatVec n = hn::Round(hn::Mul(limited, set(1.44269504088896341f)));
    FloatVec r = hn::NegMulAdd(n, set(0.693145751953125f), limited);
    r = hn::NegMulAdd(n, set(1.42860682030941723e-6f), r);
    // |r| ≤ ln(2)/2
    const FloatVec tail =
        polynomial(r, 5.000000095e-01f, 1.666651884e-01f, 4.166620602e-02f, 8.368889019e-03f, 1.395047575e-03f);
    const FloatVec mantissa = hn::Add(hn::MulAdd(hn::Mul(r, r), tail, r), set(1.0f));
    // Two factors, so that subnormal results and 2^128 do not leave the exponent's range.
    const auto whole = hn::ConvertTo(IntTag(), n);
    const auto half = hn::ShiftRight<1>(whole);
    const FloatVec result = hn::Mul(hn::Mul(mantissa, powerOfTwo(half)), powerOfTwo(hn::Sub(whole, half)));
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// eˣ − 1 without cancellation near zero.
HWY_INLINE FloatVec expm1Vector(FloatVec x) {
    // |x| ≤ 0.5
    const FloatVec tail = polynomial(x, 5.000000421e-01f, 1.666666788e-01f, 4.166530979e-02f, 8.333088610e-03f,
                                     1.399761537e-03f, 1.998875564e-04f);
    const FloatVec small = hn::MulAdd(hn::Mul(x, x), tail, x);
    return hn::IfThenElse(hn::Le(hn::Abs(x), set(0.5f)), small, hn::Sub(expVector(x), set(1.0f)));
}

/// Natural logarithm of positive normal numbers.
HWY_INLINE FloatVec logPositive(FloatVec x) {
    const FloatTag d;
    const IntTag di;
    // x = m·2^e with m in [√½, √2): the exponent moves on where the mantissa passes √2's.
    const auto bits = hn::BitCast(di, x);
    const auto shifted = hn::Sub(bits, hn::Set(di, 0x3f3504f3));
    const auto exponent = hn::ShiftRight<23>(shifted);
    const FloatVec m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent)));
    const FloatVec e = hn::ConvertTo(d, exponent);
    // log(m) = 2·atanh(s), s = (m − 1)/(m + 1), |s| < 0.172; with f = m − 1 the leading term is exact: f − s·(f −
    // s²-series).
    const FloatVec f = hn::Sub(m, set(1.0f));
    const FloatVec s = hn::Div(f, hn::Add(m, set(1.0f)));
    const FloatVec z = hn::Mul(s, s);
    const FloatVec series = hn::Mul(z, polynomial(z, 2.0f / 3.0f, 2.0f / 5.0f, 2.0f / 7.0f, 2.0f / 9.0f));
    const FloatVec low = hn::MulAdd(e, set(1.42860682030941723e-6f), hn::Mul(s, hn::Sub(series, f)));
    return hn::MulAdd(e, set(0.693145751953125f), hn::Add(f, low));
}

HWY_INLINE FloatVec logVector(FloatVec x) {
    const FloatTag d;
    const auto tiny = hn::And(hn::Lt(x, set(1.17549435e-38f)), hn::Gt(x, hn::Zero(d)));
    const FloatVec scaled = hn::IfThenElse(tiny, hn::Mul(x, set(8388608.0f)), x);
    FloatVec result = logPositive(scaled);
    result = hn::IfThenElse(tiny, hn::Sub(result, set(15.942385152878742f)), result);
    const FloatVec infinity = set(std::numeric_limits<float>::infinity());
    result = hn::IfThenElse(hn::Eq(x, infinity), infinity, result);
    result = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), result);
    return hn::IfThenElse(hn::Ge(x, hn::Zero(d)), result, set(std::numeric_limits<float>::quiet_NaN()));
}

/// log(1 + x) for x > −1: the rounding of 1 + x is put back.
HWY_INLINE FloatVec log1pVector(FloatVec x) {
    const FloatVec sum = hn::Add(x, set(1.0f));
    const FloatVec lost = hn::Sub(x, hn::Sub(sum, set(1.0f)));
    return hn::Add(logPositive(sum), hn::Div(lost, sum));
}

HWY_INLINE FloatVec sigmoidVector(FloatVec x) {
    return hn::Div(set(1.0f), hn::Add(set(1.0f), expVector(hn::Neg(x))));
}

HWY_INLINE FloatVec tanhVector(FloatVec x) {
    const FloatVec a = hn::Abs(x);
    const FloatVec z = hn::Mul(x, x);
    // z ≤ 0.4
    const FloatVec tail =
        polynomial(z, -3.333327830e-01f, 1.333132868e-01f, -5.372920976e-02f, 2.060194971e-02f, -5.660731143e-03f);
    const FloatVec small = hn::MulAdd(hn::Mul(x, z), tail, x);
    const FloatVec large = hn::Sub(set(1.0f), hn::Div(set(2.0f), hn::Add(expVector(hn::Add(a, a)), set(1.0f))));
    return hn::IfThenElse(hn::Lt(a, set(0.6f)), small, hn::CopySign(large, x));
}

HWY_INLINE FloatVec erfVector(FloatVec x) {
    const FloatVec a = hn::Abs(x);
    const FloatVec z = hn::Mul(x, x);
    // z ≤ 1
    const FloatVec small =
        hn::Mul(x, polynomial(z, 1.128379166e+00f, -3.761262714e-01f, 1.128360017e-01f, -2.685444427e-02f,
                              5.189534718e-03f, -8.020835740e-04f, 7.889101009e-05f));
    // −log(erfc(a)) on [0.95, 4]; beyond, erf is 1 in FP32.
    const FloatVec limited = hn::Min(a, set(4.0f));
    const FloatVec exponent =
        polynomial(limited, -1.781295527e-04f, 1.129527389e+00f, 6.333327807e-01f, 1.082785711e-01f, -2.510182929e-02f,
                   4.153809613e-03f, -4.265154631e-04f, 1.926442203e-05f, 1.696252925e-07f);
    const FloatVec large = hn::Sub(set(1.0f), expVector(hn::Neg(exponent)));
    const FloatVec result = hn::IfThenElse(hn::Lt(a, set(1.0f)), small, hn::CopySign(large, x));
    return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// log(1 + eˣ).
HWY_INLINE FloatVec softplusVector(FloatVec x) {
    return hn::IfThenElse(hn::Gt(x, set(20.0f)), x, log1pVector(expVector(x)));
}

/// x·tanh(log(1 + eˣ)) as x·n/(n + 2), n = eˣ(eˣ + 2).
HWY_INLINE FloatVec mishVector(FloatVec x) {
    const FloatVec e = expVector(x);
    const FloatVec n = hn::Mul(e, hn::Add(e, set(2.0f)));
    return hn::IfThenElse(hn::Gt(x, set(20.0f)), x, hn::Mul(x, hn::Div(n, hn::Add(n, set(2.0f)))));
}

}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#endif
