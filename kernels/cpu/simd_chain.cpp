#include "kernels/cpu/simd_chain.h"

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/simd_chain.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, once per target.
#include "kernels/cpu/simd_activation_inl.h"

/// Activations that a chain applies in registers.
#define STROBE_CHAIN_ACTIVATIONS(X) X(Relu) X(Clip) X(LeakyRelu) X(HardSwish) X(HardSigmoid) X(Sigmoid) X(Silu)

HWY_BEFORE_NAMESPACE();
namespace strobe {
namespace HWY_NAMESPACE {
namespace {

constexpr int kUnroll = 4;  // vectors in flight

template <class Op, int N>
HWY_INLINE void applyTo(const PointwiseInstruction& in, FloatVec (&v)[N]) {
    HWY_UNROLL(4)
    for (int i = 0; i < N; ++i) v[i] = Op::apply(in, v[i]);
}

template <int N>
HWY_INLINE void activate(const std::optional<PointwiseInstruction>& in, FloatVec (&v)[N]) {
    if (!in) return;
    switch (in->op) {
#define STROBE_CASE(Name)   \
    case PointwiseOp::Name: \
        return applyTo<Name##Op>(*in, v);
        STROBE_CHAIN_ACTIVATIONS(STROBE_CASE)
#undef STROBE_CASE
        default:
            return;
    }
}

/// Where elements come from: memory, or a number for all.
struct Reader {
    const float* data;
    FloatVec number;
    HWY_INLINE FloatVec at(size_t i) const { return data ? loadFloats(data + i) : number; }
    HWY_INLINE FloatVec someAt(size_t i, size_t count) const { return data ? loadSomeFloats(data + i, count) : number; }
};

/// `kCount` vectors from element `i` on, or (kWhole false) the `count` elements that are left.
template <int kCount, bool kWhole, class X, class R, class Out>
HWY_INLINE void step(const ChainForm& form, const X* x, const R* r, Out* out, const Reader (&terms)[4], size_t i,
                     size_t count) {
    const size_t lanes = hn::Lanes(FloatTag());
    const auto read = [&](const Reader& reader, int j) HWY_ATTR {
        return kWhole ? reader.at(i + static_cast<size_t>(j) * lanes) : reader.someAt(i, count);
    };
    FloatVec v[kCount];
    HWY_UNROLL(4)
    for (int j = 0; j < kCount; ++j)
        v[j] = kWhole ? loadFloats(x + i + static_cast<size_t>(j) * lanes) : loadSomeFloats(x + i, count);
    if (form.scale1.present) {
        if (form.addsX) {
            HWY_UNROLL(4)
            for (int j = 0; j < kCount; ++j) v[j] = hn::MulAdd(v[j], read(terms[0], j), v[j]);
        } else {
            HWY_UNROLL(4)
            for (int j = 0; j < kCount; ++j) v[j] = hn::Mul(v[j], read(terms[0], j));
        }
    }
    if (form.shift1.present) {
        HWY_UNROLL(4)
        for (int j = 0; j < kCount; ++j) v[j] = hn::Add(v[j], read(terms[1], j));
    }
    activate(form.first, v);
    if (form.scale2.present) {
        HWY_UNROLL(4)
        for (int j = 0; j < kCount; ++j) v[j] = hn::Mul(v[j], read(terms[2], j));
    }
    if (form.shift2.present) {
        HWY_UNROLL(4)
        for (int j = 0; j < kCount; ++j) v[j] = hn::Add(v[j], read(terms[3], j));
    }
    if (r) {
        HWY_UNROLL(4)
        for (int j = 0; j < kCount; ++j)
            v[j] = hn::Add(v[j],
                           kWhole ? loadFloats(r + i + static_cast<size_t>(j) * lanes) : loadSomeFloats(r + i, count));
    }
    activate(form.second, v);
    HWY_UNROLL(4)
    for (int j = 0; j < kCount; ++j) {
        if constexpr (kWhole)
            storeFloats(v[j], out + i + static_cast<size_t>(j) * lanes);
        else
            storeSomeFloats(v[j], out + i, count);
    }
}

template <class X, class R, class Out>
void chainOf(const ChainForm& form, const ChainTile& tile) {
    const Reader terms[4] = {{tile.scale1, set(form.scale1.number)},
                             {tile.shift1, set(form.shift1.number)},
                             {tile.scale2, set(form.scale2.number)},
                             {tile.shift2, set(form.shift2.number)}};
    const size_t lanes = hn::Lanes(FloatTag());
    const X* x = static_cast<const X*>(tile.x);
    const R* r = static_cast<const R*>(tile.r);
    Out* out = static_cast<Out*>(tile.out);
    for (int64_t row = 0; row < tile.rows; ++row) {
        size_t i = 0;
        for (; i + kUnroll * lanes <= tile.n; i += kUnroll * lanes) step<kUnroll, true>(form, x, r, out, terms, i, 0);
        if (i + 2 * lanes <= tile.n) {
            step<2, true>(form, x, r, out, terms, i, 0);
            i += 2 * lanes;
        }
        for (; i + lanes <= tile.n; i += lanes) step<1, true>(form, x, r, out, terms, i, 0);
        if (i < tile.n) step<1, false>(form, x, r, out, terms, i, tile.n - i);
        x += tile.xStride;
        if (r) r += tile.rStride;
        out += tile.outStride;
    }
}

struct NoOp {
    static HWY_INLINE FloatVec apply(const PointwiseInstruction&, FloatVec v) { return v; }
};

/// FP32 sums x, or x + r, then one activation: what follows most products, a few instructions a vector.
template <class Op, bool kAdds, class R, class Out>
void finishRows(const PointwiseInstruction& in, const ChainTile& tile) {
    const size_t lanes = hn::Lanes(FloatTag());
    const float* x = static_cast<const float*>(tile.x);
    const R* r = static_cast<const R*>(tile.r);
    Out* out = static_cast<Out*>(tile.out);
    for (int64_t row = 0; row < tile.rows; ++row, x += tile.xStride, out += tile.outStride) {
        size_t i = 0;
        for (; i + 2 * lanes <= tile.n; i += 2 * lanes) {
            FloatVec a = loadFloats(x + i), b = loadFloats(x + i + lanes);
            if constexpr (kAdds) {
                a = hn::Add(a, loadFloats(r + i));
                b = hn::Add(b, loadFloats(r + i + lanes));
            }
            storeFloats(Op::apply(in, a), out + i);
            storeFloats(Op::apply(in, b), out + i + lanes);
        }
        for (; i < tile.n; i += lanes) {
            const size_t count = std::min(lanes, tile.n - i);
            FloatVec v = count == lanes ? loadFloats(x + i) : loadSomeFloats(x + i, count);
            if constexpr (kAdds) v = hn::Add(v, count == lanes ? loadFloats(r + i) : loadSomeFloats(r + i, count));
            v = Op::apply(in, v);
            count == lanes ? storeFloats(v, out + i) : storeSomeFloats(v, out + i, count);
        }
        if constexpr (kAdds) r += tile.rStride;
    }
}

template <class Op>
void finishWith(const PointwiseInstruction& in, const ChainTile& tile) {
    const auto toType = [&](auto out) {
        using Out = decltype(out);
        if (!tile.r)
            finishRows<Op, false, float, Out>(in, tile);
        else if (tile.rType == DataType::Float32)
            finishRows<Op, true, float, Out>(in, tile);
        else
            finishRows<Op, true, BFloat16, Out>(in, tile);
    };
    tile.outType == DataType::Float32 ? toType(float()) : toType(BFloat16());
}

/// False where the form asks for more.
bool finishesRows(const ChainForm& form, const ChainTile& tile) {
    if (tile.xType != DataType::Float32 || form.scale1.present || form.shift1.present || form.scale2.present ||
        form.shift2.present || (tile.r ? form.first : form.second))
        return false;
    const std::optional<PointwiseInstruction>& in = tile.r ? form.second : form.first;
    if (!in) {
        finishWith<NoOp>({}, tile);
        return true;
    }
    switch (in->op) {
#define STROBE_CASE(Name)                \
    case PointwiseOp::Name:              \
        finishWith<Name##Op>(*in, tile); \
        return true;
        STROBE_CHAIN_ACTIVATIONS(STROBE_CASE)
#undef STROBE_CASE
        default:
            return false;
    }
}

template <class X, class R>
void chainFrom(const ChainForm& form, const ChainTile& tile) {
    tile.outType == DataType::Float32 ? chainOf<X, R, float>(form, tile) : chainOf<X, R, BFloat16>(form, tile);
}

void chainDispatch(const ChainForm& form, const ChainTile& tile) {
    if (finishesRows(form, tile)) return;
    const bool floatX = tile.xType == DataType::Float32, floatR = tile.rType == DataType::Float32;
    if (floatX)
        floatR ? chainFrom<float, float>(form, tile) : chainFrom<float, BFloat16>(form, tile);
    else
        floatR ? chainFrom<BFloat16, float>(form, tile) : chainFrom<BFloat16, BFloat16>(form, tile);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace strobe
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strobe {
namespace {

HWY_EXPORT(chainDispatch);

bool isChainActivation(PointwiseOp op) {
    switch (op) {
#define STROBE_CASE(Name) case PointwiseOp::Name:
        STROBE_CHAIN_ACTIVATIONS(STROBE_CASE)
#undef STROBE_CASE
        return true;
        default:
            return false;
    }
}

/// What a value of the program is: a term, or a form so far. A full input begins one.
struct Value {
    std::optional<ChainForm::Term> term;
    std::optional<ChainForm> form;
};

bool isInputOnly(const ChainForm& f) {
    return !f.scale1.present && !f.shift1.present && !f.first && !f.scale2.present && !f.shift2.present && f.r < 0 &&
           !f.second;
}

std::optional<ChainForm> multiplied(ChainForm f, const ChainForm::Term& term) {
    if (f.r >= 0 || f.second) return std::nullopt;
    if (f.first && !f.scale2.present && !f.shift2.present)
        f.scale2 = term;
    else if (!f.first && !f.scale1.present && !f.shift1.present)
        f.scale1 = term;
    else
        return std::nullopt;
    return f;
}

std::optional<ChainForm> shifted(ChainForm f, const ChainForm::Term& term) {
    if (f.r >= 0 || f.second) return std::nullopt;
    if (f.first && !f.shift2.present)
        f.shift2 = term;
    else if (!f.first && !f.shift1.present)
        f.shift1 = term;
    else
        return std::nullopt;
    return f;
}

std::optional<ChainForm> activated(ChainForm f, const PointwiseInstruction& instruction) {
    if (f.second || !isChainActivation(instruction.op)) return std::nullopt;
    (f.first || f.r >= 0 ? f.second : f.first) = instruction;
    // A second one may follow the first at once, but nothing between them was asked for.
    return f;
}

/// Two full-size values: x + x·s, or one of them an input as it is.
std::optional<ChainForm> sumOf(const ChainForm& a, const ChainForm& b) {
    for (const auto& [chain, other] : {std::pair(a, b), std::pair(b, a)}) {
        if (!isInputOnly(other) || chain.r >= 0 || chain.second) continue;
        ChainForm sum = chain;
        const bool onlyScaled = chain.scale1.present && !chain.addsX && !chain.shift1.present && !chain.first;
        if (onlyScaled && other.x == chain.x)
            sum.addsX = true;
        else
            sum.r = other.x;
        return sum;
    }
    return std::nullopt;
}

Value evaluated(const PointwiseInstruction& in, const std::vector<Value>& values) {
    const auto operand = [&](int number) -> const Value& { return values[static_cast<size_t>(number)]; };
    if (in.op == PointwiseOp::Constant) return {ChainForm::Term{true, -1, in.alpha}, std::nullopt};
    if (pointwiseOperandCount(in.op) == 1)
        return {std::nullopt, operand(in.a).form ? activated(*operand(in.a).form, in) : std::nullopt};
    if (pointwiseOperandCount(in.op) != 2) return {};
    const Value &a = operand(in.a), &b = operand(in.b);
    if (in.op == PointwiseOp::Add && a.form && b.form) return {std::nullopt, sumOf(*a.form, *b.form)};
    const Value &chain = a.form ? a : b, &other = a.form ? b : a;
    if (!chain.form || !other.term) return {};
    ChainForm::Term term = *other.term;
    switch (in.op) {
        case PointwiseOp::Mul:
            return {std::nullopt, multiplied(*chain.form, term)};
        case PointwiseOp::Add:
            return {std::nullopt, shifted(*chain.form, term)};
        case PointwiseOp::Sub:  // a number only: the form has no minus
            term.number = -term.number;
            return {std::nullopt, a.form && term.input < 0 ? shifted(*chain.form, term) : std::nullopt};
        default:
            return {};
    }
}

}  // namespace

std::optional<ChainForm> chainForm(const PointwiseProgram& program, const std::vector<bool>& isFull) {
    if (program.results.size() != 1 || program.instructions.empty()) return std::nullopt;
    std::vector<Value> values;
    for (int i = 0; i < program.inputCount; ++i) {
        Value value;
        if (isFull[static_cast<size_t>(i)]) {
            value.form.emplace();
            value.form->x = i;
        } else {
            value.term = ChainForm::Term{true, i, 0.0f};
        }
        values.push_back(std::move(value));
    }
    for (const PointwiseInstruction& instruction : program.instructions)
        values.push_back(evaluated(instruction, values));
    return values[static_cast<size_t>(program.results[0])].form;
}

void runChain(const ChainForm& form, const ChainTile& tile) {
    HWY_DYNAMIC_DISPATCH(chainDispatch)(form, tile);
}

}  // namespace strobe
#endif
