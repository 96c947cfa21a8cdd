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
template <int kCount, bool kWhole, class X, class R>
HWY_INLINE void step(const ChainForm& form, const ChainTile& tile, const X* x, const R* r, const Reader (&terms)[4], size_t i, size_t count) {
    const size_t lanes = hn::Lanes(FloatTag());
    const auto read = [&](const Reader& reader, int j) HWY_ATTR { return kWhole ? reader.at(i + static_cast<size_t>(j) * lanes) : reader.someAt(i, count); };
    FloatVec v[kCount];
    HWY_UNROLL(4)
    for (int j = 0; j < kCount; ++j) v[j] = kWhole ? loadFloats(x + i + static_cast<size_t>(j) * lanes) : loadSomeFloats(x + i, count);
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
        for (int j = 0; j < kCount; ++j) v[j] = hn::Add(v[j], kWhole ? loadFloats(r + i + static_cast<size_t>(j) * lanes) : loadSomeFloats(r + i, count));
    }
    activate(form.second, v);
    HWY_UNROLL(4)
    for (int j = 0; j < kCount; ++j) {
        if constexpr (kWhole)
            storeFloats(v[j], tile.out + i + static_cast<size_t>(j) * lanes);
        else
            storeSomeFloats(v[j], tile.out + i, count);
    }
}

template <class X, class R>
void chainOf(const ChainForm& form, const ChainTile& tile) {
    const X* x = static_cast<const X*>(tile.x);
    const R* r = static_cast<const R*>(tile.r);
    const Reader terms[4] = {{tile.scale1, set(form.scale1.number)},
                             {tile.shift1, set(form.shift1.number)},
                             {tile.scale2, set(form.scale2.number)},
                             {tile.shift2, set(form.shift2.number)}};
    const size_t lanes = hn::Lanes(FloatTag());
    size_t i = 0;
    for (; i + kUnroll * lanes <= tile.n; i += kUnroll * lanes) step<kUnroll, true>(form, tile, x, r, terms, i, 0);
    for (; i + lanes <= tile.n; i += lanes) step<1, true>(form, tile, x, r, terms, i, 0);
    if (i < tile.n) step<1, false>(form, tile, x, r, terms, i, tile.n - i);
}

void chainDispatch(const ChainForm& form, const ChainTile& tile) {
    const bool floatX = tile.xType == DataType::Float32, floatR = tile.rType == DataType::Float32;
    if (floatX)
        floatR ? chainOf<float, float>(form, tile) : chainOf<float, BFloat16>(form, tile);
    else
        floatR ? chainOf<BFloat16, float>(form, tile) : chainOf<BFloat16, BFloat16>(form, tile);
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
    return !f.scale1.present && !f.shift1.present && !f.first && !f.scale2.present && !f.shift2.present && f.r < 0 && !f.second;
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
    if (pointwiseOperandCount(in.op) == 1) return {std::nullopt, operand(in.a).form ? activated(*operand(in.a).form, in) : std::nullopt};
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
    for (const PointwiseInstruction& instruction : program.instructions) values.push_back(evaluated(instruction, values));
    return values[static_cast<size_t>(program.results[0])].form;
}

void runChain(const ChainForm& form, const ChainTile& tile) { HWY_DYNAMIC_DISPATCH(chainDispatch)(form, tile); }

}  // namespace strobe
#endif
