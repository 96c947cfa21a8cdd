#include "kernels/reference/integer_elementwise.h"

#include <algorithm>
#include <type_traits>

#include "kernels/reference/element_access.h"

namespace strobe {
namespace {

template <class T>
T wrap(uint64_t value) {
    return static_cast<T>(value);
}
template <class T>
T add(T a, T b) {
    return wrap<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
template <class T>
T subtract(T a, T b) {
    return wrap<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
template <class T>
T multiply(T a, T b) {
    return wrap<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
template <class T>
bool isMinusOne(T value) {
    return std::is_signed_v<T> && value == static_cast<T>(-1);
}
template <class T>
T divide(T a, T b) {
    if (b == 0) return 0;
    return isMinusOne(b) ? subtract<T>(0, a) : static_cast<T>(a / b);
}
template <class T>
T remainder(T a, T b) {
    return b == 0 || isMinusOne(b) ? T(0) : static_cast<T>(a % b);
}
/// Sign of the divisor.
template <class T>
T modulo(T a, T b) {
    const T rest = remainder(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
}
template <class T>
T power(T a, T b) {
    if (b < 0) return a == 1 ? T(1) : isMinusOne(a) ? (b % 2 ? a : T(1)) : T(0);
    T result = 1;
    for (uint64_t left = static_cast<uint64_t>(b); left > 0; left >>= 1) {
        if (left & 1) result = multiply(result, a);
        a = multiply(a, a);
    }
    return result;
}
template <class T>
T shiftLeft(T a, T b) {
    return static_cast<uint64_t>(b) >= 8 * sizeof(T) ? T(0) : wrap<T>(static_cast<uint64_t>(a) << b);
}
template <class T>
T shiftRight(T a, T b) {
    return static_cast<uint64_t>(b) >= 8 * sizeof(T) ? static_cast<T>(a < 0 ? -1 : 0) : static_cast<T>(a >> b);
}

template <class T>
using Binary = T (*)(T, T);
template <class T>
struct Row {
    std::string_view name;
    Binary<T> function;
};

/// "Mod" and "BitShift" appear once for each value of their attribute.
template <class T>
Binary<T> findBinary(std::string_view name) {
    static constexpr Row<T> kRows[] = {
        {"Add", add<T>},
        {"Sub", subtract<T>},
        {"Mul", multiply<T>},
        {"Div", divide<T>},
        {"Pow", power<T>},
        {"Sum", add<T>},
        {"Mod", modulo<T>},
        {"Mod.fmod", remainder<T>},
        {"BitShift.LEFT", shiftLeft<T>},
        {"BitShift.RIGHT", shiftRight<T>},
        {"BitwiseAnd", [](T a, T b) { return static_cast<T>(a & b); }},
        {"BitwiseOr", [](T a, T b) { return static_cast<T>(a | b); }},
        {"BitwiseXor", [](T a, T b) { return static_cast<T>(a ^ b); }},
        {"Min", [](T a, T b) { return std::min(a, b); }},
        {"Max", [](T a, T b) { return std::max(a, b); }},
        {"PRelu", [](T a, T b) { return a < 0 ? multiply(a, b) : a; }},
    };
    const auto* found =
        std::find_if(std::begin(kRows), std::end(kRows), [&](const Row<T>& row) { return row.name == name; });
    return found == std::end(kRows) ? nullptr : found->function;
}

template <class T>
using Test = bool (*)(T, T);
template <class T>
Test<T> findTest(std::string_view name) {
    static constexpr struct {
        std::string_view name;
        Test<T> function;
    } kRows[] = {{"Equal", [](T a, T b) { return a == b; }},
                 {"Less", [](T a, T b) { return a < b; }},
                 {"LessOrEqual", [](T a, T b) { return a <= b; }},
                 {"Greater", [](T a, T b) { return a > b; }},
                 {"GreaterOrEqual", [](T a, T b) { return a >= b; }}};
    for (const auto& row : kRows)
        if (row.name == name) return row.function;
    return nullptr;
}

template <class T>
using Unary = T (*)(T, const Attributes&);
template <class T>
Unary<T> findUnary(std::string_view name) {
    static constexpr struct {
        std::string_view name;
        Unary<T> function;
    } kRows[] = {{"Abs", [](T a, const Attributes&) { return a < 0 ? subtract<T>(0, a) : a; }},
                 {"Neg", [](T a, const Attributes&) { return subtract<T>(0, a); }},
                 {"Sign", [](T a, const Attributes&) { return static_cast<T>((a > 0) - (a < 0)); }},
                 {"Relu", [](T a, const Attributes&) { return a < 0 ? T(0) : a; }},
                 {"BitwiseNot", [](T a, const Attributes&) { return static_cast<T>(~a); }},
                 {"Erf", [](T a, const Attributes&) { return saturateCast<T>(std::erf(static_cast<double>(a))); }},
                 {"Shrink", [](T a, const Attributes& attributes) {
                      const double x = static_cast<double>(a),
                                   lambda = static_cast<double>(attributes.getFloat("lambd", 0.5f));
                      const double bias = static_cast<double>(attributes.getFloat("bias", 0.0f));
                      return x < -lambda ? saturateCast<T>(x + bias) : x > lambda ? saturateCast<T>(x - bias) : T(0);
                  }}};
    for (const auto& row : kRows)
        if (row.name == name) return row.function;
    return nullptr;
}

std::string rowName(const Problem& problem) {
    if (problem.op->name == "Mod" && problem.attributes->getBool("fmod", false)) return "Mod.fmod";
    if (problem.op->name == "BitShift") return "BitShift." + problem.attributes->getString("direction", "");
    return problem.op->name;
}

/// Applies `store(position, a, b)` to every element of the broadcast.
template <class Store>
void forEachPair(const Dims& dims, const Dims& aDims, const Dims& bDims, Store store) {
    if (elementCount(dims) == 0) return;
    const auto aStrides = broadcastStrides(aDims, dims), bStrides = broadcastStrides(bDims, dims);
    Dims index(dims.size(), 0);
    int64_t position = 0;
    do {
        int64_t a = 0, b = 0;
        for (size_t d = 0; d < dims.size(); ++d) {
            a += index[d] * aStrides[d];
            b += index[d] * bStrides[d];
        }
        store(position++, a, b);
    } while (advance(index, dims));
}

/// Pow may have an exponent of another type than the base.
template <class T>
void mixedPower(const Problem& problem, const RunArguments& arguments) {
    const T* base = arguments.inputs[0].as<const T>();
    T* out = arguments.outputs[0].as<T>();
    withNumberType(problem.inputs[1].format.type, [&](auto zero) {
        using Exponent = decltype(zero);
        const Exponent* exponent = arguments.inputs[1].as<const Exponent>();
        forEachPair(*arguments.outputs[0].dims, *arguments.inputs[0].dims, *arguments.inputs[1].dims,
                    [&](int64_t at, int64_t a, int64_t b) {
                        out[at] =
                            saturateCast<T>(std::pow(static_cast<double>(base[a]), static_cast<double>(exponent[b])));
                    });
    });
}

/// The first input, then each further one combined into the result.
template <class T>
void combine(const RunArguments& arguments, Binary<T> function) {
    const Dims& dims = *arguments.outputs[0].dims;
    const TensorView* first = &arguments.inputs[0];
    T* out = arguments.outputs[0].as<T>();
    std::vector<T> result;
    Dims resultDims = *first->dims;
    result.assign(first->as<const T>(), first->as<const T>() + elementCount(resultDims));
    if (arguments.inputs.size() == 1) {
        std::copy(result.begin(), result.end(), out);
        return;
    }
    for (size_t i = 1; i < arguments.inputs.size(); ++i) {
        const T* next = arguments.inputs[i].as<const T>();
        if (!next) continue;
        std::vector<T> combined(static_cast<size_t>(elementCount(dims)));
        forEachPair(dims, resultDims, *arguments.inputs[i].dims, [&](int64_t at, int64_t a, int64_t b) {
            combined[static_cast<size_t>(at)] = function(result[static_cast<size_t>(a)], next[b]);
        });
        result = std::move(combined);
        resultDims = dims;
    }
    std::copy(result.begin(), result.end(), out);
}

template <class T>
void clip(const RunArguments& arguments) {
    const T* x = arguments.inputs[0].as<const T>();
    T* out = arguments.outputs[0].as<T>();
    const auto limit = [&](size_t i, T fallback) {
        return arguments.inputs.size() > i && arguments.inputs[i].data ? *arguments.inputs[i].as<const T>() : fallback;
    };
    const T low = limit(1, std::numeric_limits<T>::min()), high = limit(2, std::numeric_limits<T>::max());
    for (int64_t i = 0; i < elementCount(*arguments.outputs[0].dims); ++i) out[i] = std::min(std::max(x[i], low), high);
}

template <class T>
Status runAs(const Problem& problem, const RunArguments& arguments) {
    const std::string name = rowName(problem);
    const int64_t count = elementCount(*arguments.outputs[0].dims);
    if (name == "Clip") {
        clip<T>(arguments);
    } else if (name == "Pow" && problem.inputs[0].format.type != problem.inputs[1].format.type) {
        mixedPower<T>(problem, arguments);
    } else if (const Unary<T> unary = findUnary<T>(name)) {
        for (int64_t i = 0; i < count; ++i)
            arguments.outputs[0].as<T>()[i] = unary(arguments.inputs[0].as<const T>()[i], *problem.attributes);
    } else if (const Test<T> test = findTest<T>(name)) {
        const T *a = arguments.inputs[0].as<const T>(), *b = arguments.inputs[1].as<const T>();
        auto* out = arguments.outputs[0].as<uint8_t>();
        forEachPair(*arguments.outputs[0].dims, *arguments.inputs[0].dims, *arguments.inputs[1].dims,
                    [&](int64_t at, int64_t i, int64_t j) { out[at] = test(a[i], b[j]); });
    } else if (const Binary<T> binary = findBinary<T>(name)) {
        combine<T>(arguments, binary);
    } else {
        return invalidModel("op " + problem.op->name + problem.attributes->toString() + " has no integer form");
    }
    return Status::ok();
}

}  // namespace

bool hasIntegerForm(std::string_view op) {
    return op == "Clip" || op == "BitShift" || findUnary<int64_t>(op) || findTest<int64_t>(op) ||
           findBinary<int64_t>(op);
}

Status runIntegerElementwise(const Problem& problem, const RunArguments& arguments) {
    Status status;
    withIntegerType(problem.inputs[0].format.type,
                    [&](auto zero) { status = runAs<decltype(zero)>(problem, arguments); });
    return status;
}

}  // namespace strobe
