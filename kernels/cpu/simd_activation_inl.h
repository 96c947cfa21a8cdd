// The functions of a pointwise program on vectors: struct <PointwiseOp>Op with apply(). Included once per Highway
// target.
#if defined(STROBE_SIMD_ACTIVATION_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef STROBE_SIMD_ACTIVATION_INL
#undef STROBE_SIMD_ACTIVATION_INL
#else
#define STROBE_SIMD_ACTIVATION_INL
#endif

#include "engine_core/ir/pointwise_program.h"
#include "kernels/cpu/simd_math_inl.h"

/// Functions that have a vector form; the others run element by element.
#define STROBE_UNARY_OPS(X)                                                                                     \
    X(Abs)                                                                                                      \
    X(Neg) X(Sqrt) X(Rsqrt) X(Reciprocal) X(Exp) X(Log) X(Erf) X(Tanh) X(Floor) X(Ceil) X(Round) X(Sign) X(Not) \
        X(IsNaN) X(Relu) X(LeakyRelu) X(ThresholdedRelu) X(Clip) X(Sigmoid) X(HardSigmoid) X(HardSwish) X(Silu) \
            X(Gelu) X(GeluTanh) X(Softplus) X(Softsign) X(Elu) X(Selu) X(Celu) X(Mish)
#define STROBE_BINARY_OPS(X)                                                                                        \
    X(Add)                                                                                                          \
    X(Sub) X(Mul) X(Div) X(Min) X(Max) X(PRelu) X(Equal) X(Less) X(LessOrEqual) X(Greater) X(GreaterOrEqual) X(And) \
        X(Or) X(Xor)

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {

HWY_INLINE FloatVec zeroVector() {
    return hn::Zero(FloatTag());
}
template <class Mask>
HWY_INLINE FloatVec oneWhere(Mask mask) {
    return hn::IfThenElseZero(mask, set(1.0f));
}
/// Bounds that let NaN through.
HWY_INLINE FloatVec atLeast(FloatVec a, FloatVec low) {
    return hn::IfThenElse(hn::Lt(a, low), low, a);
}
HWY_INLINE FloatVec atMost(FloatVec a, FloatVec high) {
    return hn::IfThenElse(hn::Gt(a, high), high, a);
}
HWY_INLINE auto isNonZero(FloatVec a) {
    return hn::Ne(a, zeroVector());
}

#define STROBE_UNARY(Name, expression)                                                                  \
    struct Name##Op {                                                                                   \
        static HWY_INLINE FloatVec apply([[maybe_unused]] const PointwiseInstruction& in, FloatVec a) { \
            return expression;                                                                          \
        }                                                                                               \
    };
#define STROBE_BINARY(Name, expression)                                                 \
    struct Name##Op {                                                                   \
        static HWY_INLINE FloatVec apply(FloatVec a, FloatVec b) { return expression; } \
    };

STROBE_UNARY(Abs, hn::Abs(a))
STROBE_UNARY(Neg, hn::Neg(a))
STROBE_UNARY(Sqrt, hn::Sqrt(a))
STROBE_UNARY(Rsqrt, hn::Div(set(1.0f), hn::Sqrt(a)))
STROBE_UNARY(Reciprocal, hn::Div(set(1.0f), a))
STROBE_UNARY(Exp, expVector(a))
STROBE_UNARY(Log, logVector(a))
STROBE_UNARY(Erf, erfVector(a))
STROBE_UNARY(Tanh, tanhVector(a))
STROBE_UNARY(Floor, hn::Floor(a))
STROBE_UNARY(Ceil, hn::Ceil(a))
STROBE_UNARY(Round, hn::Round(a))
STROBE_UNARY(Sign, hn::IfThenElse(isNonZero(a), hn::IfThenElse(hn::IsNaN(a), a, hn::CopySign(set(1.0f), a)), a))
STROBE_UNARY(Not, oneWhere(hn::Eq(a, zeroVector())))
STROBE_UNARY(IsNaN, oneWhere(hn::IsNaN(a)))
STROBE_UNARY(Relu, atLeast(a, zeroVector()))
STROBE_UNARY(LeakyRelu, hn::IfThenElse(hn::Lt(a, zeroVector()), hn::Mul(a, set(in.alpha)), a))
STROBE_UNARY(ThresholdedRelu, hn::IfThenElseZero(hn::Gt(a, set(in.alpha)), a))
STROBE_UNARY(Clip, atMost(atLeast(a, set(in.alpha)), set(in.beta)))
STROBE_UNARY(Sigmoid, sigmoidVector(a))
STROBE_UNARY(HardSigmoid, atMost(atLeast(hn::MulAdd(a, set(in.alpha), set(in.beta)), zeroVector()), set(1.0f)))
STROBE_UNARY(HardSwish,
             hn::Mul(a, atMost(atLeast(hn::MulAdd(a, set(1.0f / 6.0f), set(0.5f)), zeroVector()), set(1.0f))))
STROBE_UNARY(Silu, hn::Div(a, hn::Add(set(1.0f), expVector(hn::Neg(a)))))
STROBE_UNARY(Gelu, hn::Mul(hn::Mul(a, set(0.5f)), hn::Add(set(1.0f), erfVector(hn::Mul(a, set(0.70710678118654752f))))))
STROBE_UNARY(GeluTanh,
             hn::Mul(hn::Mul(a, set(0.5f)),
                     hn::Add(set(1.0f), tanhVector(hn::Mul(set(0.79788456080286536f),
                                                           hn::MulAdd(hn::Mul(hn::Mul(a, a), a), set(0.044715f), a))))))
STROBE_UNARY(Softplus, softplusVector(a))
STROBE_UNARY(Softsign, hn::Div(a, hn::Add(set(1.0f), hn::Abs(a))))
STROBE_UNARY(Elu, hn::IfThenElse(hn::Lt(a, zeroVector()), hn::Mul(set(in.alpha), expm1Vector(a)), a))
STROBE_UNARY(Selu,
             hn::Mul(set(in.beta), hn::IfThenElse(hn::Gt(a, zeroVector()), a, hn::Mul(set(in.alpha), expm1Vector(a)))))
STROBE_UNARY(Celu, hn::Add(atLeast(a, zeroVector()),
                           atMost(hn::Mul(set(in.alpha), expm1Vector(hn::Div(a, set(in.alpha)))), zeroVector())))
STROBE_UNARY(Mish, mishVector(a))

STROBE_BINARY(Add, hn::Add(a, b))
STROBE_BINARY(Sub, hn::Sub(a, b))
STROBE_BINARY(Mul, hn::Mul(a, b))
STROBE_BINARY(Div, hn::Div(a, b))
STROBE_BINARY(Min, hn::IfThenElse(hn::Lt(b, a), b, hn::IfThenElse(hn::IsNaN(b), b, a)))
STROBE_BINARY(Max, hn::IfThenElse(hn::Gt(b, a), b, hn::IfThenElse(hn::IsNaN(b), b, a)))
STROBE_BINARY(PRelu, hn::IfThenElse(hn::Lt(a, zeroVector()), hn::Mul(a, b), a))
STROBE_BINARY(Equal, oneWhere(hn::Eq(a, b)))
STROBE_BINARY(Less, oneWhere(hn::Lt(a, b)))
STROBE_BINARY(LessOrEqual, oneWhere(hn::Le(a, b)))
STROBE_BINARY(Greater, oneWhere(hn::Gt(a, b)))
STROBE_BINARY(GreaterOrEqual, oneWhere(hn::Ge(a, b)))
STROBE_BINARY(And, oneWhere(hn::And(isNonZero(a), isNonZero(b))))
STROBE_BINARY(Or, oneWhere(hn::Or(isNonZero(a), isNonZero(b))))
STROBE_BINARY(Xor, oneWhere(hn::Xor(isNonZero(a), isNonZero(b))))

#undef STROBE_UNARY
#undef STROBE_BINARY

}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#endif
