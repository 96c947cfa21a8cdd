#include "engine_core/ir/pointwise_program.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace strobe {
namespace {

struct OpRow {
    std::string_view name;
    int operands;
};
constexpr std::array kRows = {
    OpRow{"Constant", 0}, OpRow{"Abs", 1}, OpRow{"Neg", 1}, OpRow{"Sqrt", 1}, OpRow{"Rsqrt", 1}, OpRow{"Reciprocal", 1},
    OpRow{"Exp", 1}, OpRow{"Log", 1}, OpRow{"Erf", 1}, OpRow{"Sin", 1}, OpRow{"Cos", 1}, OpRow{"Tan", 1}, OpRow{"Asin", 1},
    OpRow{"Acos", 1}, OpRow{"Atan", 1}, OpRow{"Sinh", 1}, OpRow{"Cosh", 1}, OpRow{"Asinh", 1}, OpRow{"Acosh", 1},
    OpRow{"Atanh", 1}, OpRow{"Tanh", 1}, OpRow{"Floor", 1}, OpRow{"Ceil", 1}, OpRow{"Round", 1}, OpRow{"Sign", 1},
    OpRow{"Not", 1}, OpRow{"IsNaN", 1}, OpRow{"Relu", 1}, OpRow{"LeakyRelu", 1}, OpRow{"ThresholdedRelu", 1}, OpRow{"Clip", 1},
    OpRow{"Sigmoid", 1}, OpRow{"HardSigmoid", 1}, OpRow{"HardSwish", 1}, OpRow{"Silu", 1}, OpRow{"Gelu", 1},
    OpRow{"GeluTanh", 1}, OpRow{"Softplus", 1}, OpRow{"Softsign", 1}, OpRow{"Elu", 1}, OpRow{"Selu", 1}, OpRow{"Celu", 1},
    OpRow{"Mish", 1}, OpRow{"Add", 2}, OpRow{"Sub", 2}, OpRow{"Mul", 2}, OpRow{"Div", 2}, OpRow{"Pow", 2}, OpRow{"Mod", 2},
    OpRow{"Fmod", 2}, OpRow{"Min", 2}, OpRow{"Max", 2}, OpRow{"PRelu", 2}, OpRow{"Equal", 2}, OpRow{"Less", 2},
    OpRow{"LessOrEqual", 2}, OpRow{"Greater", 2}, OpRow{"GreaterOrEqual", 2}, OpRow{"And", 2}, OpRow{"Or", 2}, OpRow{"Xor", 2},
    OpRow{"Where", 3}};
static_assert(kRows.size() == static_cast<size_t>(PointwiseOp::Where) + 1);

const OpRow& row(PointwiseOp op) { return kRows[static_cast<size_t>(op)]; }

std::string printFloat(float value) {
    char buffer[32];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

template <class T>
T evaluateActivation(const PointwiseInstruction& i, T a) {
    const T alpha = static_cast<T>(i.alpha), beta = static_cast<T>(i.beta), zero = 0, one = 1, half = static_cast<T>(0.5);
    const auto sigmoid = [](T x) { return static_cast<T>(1) / (static_cast<T>(1) + std::exp(-x)); };
    const auto softplus = [](T x) { return x > static_cast<T>(40) ? x : std::log1p(std::exp(x)); };
    switch (i.op) {
        case PointwiseOp::Relu: return a > zero || std::isnan(a) ? a : zero;
        case PointwiseOp::LeakyRelu: return a < zero ? alpha * a : a;
        case PointwiseOp::ThresholdedRelu: return a > alpha ? a : zero;
        case PointwiseOp::Clip: return std::isnan(a) ? a : std::min(std::max(a, alpha), beta);
        case PointwiseOp::Sigmoid: return sigmoid(a);
        case PointwiseOp::HardSigmoid: return std::min(std::max(alpha * a + beta, zero), one);
        case PointwiseOp::HardSwish: return a * std::min(std::max(a / static_cast<T>(6.0) + half, zero), one);
        case PointwiseOp::Silu: return a * sigmoid(a);
        case PointwiseOp::Gelu: return half * a * (one + std::erf(a * static_cast<T>(0.70710678118654752)));
        case PointwiseOp::GeluTanh: return half * a * (one + std::tanh(static_cast<T>(0.79788456080286536) * (a + static_cast<T>(0.044715) * a * a * a)));
        case PointwiseOp::Softplus: return softplus(a);
        case PointwiseOp::Softsign: return a / (one + std::fabs(a));
        case PointwiseOp::Elu: return a < zero ? alpha * std::expm1(a) : a;
        case PointwiseOp::Selu: return beta * (a > zero ? a : alpha * std::expm1(a));
        case PointwiseOp::Celu: return std::max(a, zero) + std::min(zero, alpha * std::expm1(a / alpha));
        case PointwiseOp::Mish: return a * std::tanh(softplus(a));
        default: return a;
    }
}

template <class T>
T evaluateUnary(const PointwiseInstruction& i, T a) {
    const T zero = 0, one = 1;
    const auto truth = [](bool value) { return static_cast<T>(value ? 1 : 0); };
    switch (i.op) {
        case PointwiseOp::Abs: return std::fabs(a);
        case PointwiseOp::Neg: return -a;
        case PointwiseOp::Sqrt: return std::sqrt(a);
        case PointwiseOp::Rsqrt: return one / std::sqrt(a);
        case PointwiseOp::Reciprocal: return one / a;
        case PointwiseOp::Exp: return std::exp(a);
        case PointwiseOp::Log: return std::log(a);
        case PointwiseOp::Erf: return std::erf(a);
        case PointwiseOp::Sin: return std::sin(a);
        case PointwiseOp::Cos: return std::cos(a);
        case PointwiseOp::Tan: return std::tan(a);
        case PointwiseOp::Asin: return std::asin(a);
        case PointwiseOp::Acos: return std::acos(a);
        case PointwiseOp::Atan: return std::atan(a);
        case PointwiseOp::Sinh: return std::sinh(a);
        case PointwiseOp::Cosh: return std::cosh(a);
        case PointwiseOp::Asinh: return std::asinh(a);
        case PointwiseOp::Acosh: return std::acosh(a);
        case PointwiseOp::Atanh: return std::atanh(a);
        case PointwiseOp::Tanh: return std::tanh(a);
        case PointwiseOp::Floor: return std::floor(a);
        case PointwiseOp::Ceil: return std::ceil(a);
        case PointwiseOp::Round: return std::nearbyint(a);
        case PointwiseOp::Sign: return a > zero ? one : a < zero ? -one : a;
        case PointwiseOp::Not: return truth(a == zero);
        case PointwiseOp::IsNaN: return truth(std::isnan(a));
        default: return evaluateActivation(i, a);
    }
}

template <class T>
T evaluateBinary(PointwiseOp op, T a, T b) {
    const T zero = 0;
    const auto truth = [](bool value) { return static_cast<T>(value ? 1 : 0); };
    switch (op) {
        case PointwiseOp::Add: return a + b;
        case PointwiseOp::Sub: return a - b;
        case PointwiseOp::Mul: return a * b;
        case PointwiseOp::Div: return a / b;
        case PointwiseOp::Pow: return std::pow(a, b);
        case PointwiseOp::Mod: {
            const T rest = std::fmod(a, b);
            if (rest == zero) return std::copysign(zero, b);
            return (rest < zero) != (b < zero) ? rest + b : rest;
        }
        case PointwiseOp::Fmod: return std::fmod(a, b);
        case PointwiseOp::Min: return std::isnan(a) ? a : std::isnan(b) ? b : std::min(a, b);
        case PointwiseOp::Max: return std::isnan(a) ? a : std::isnan(b) ? b : std::max(a, b);
        case PointwiseOp::PRelu: return a < zero ? a * b : a;
        case PointwiseOp::Equal: return truth(a == b);
        case PointwiseOp::Less: return truth(a < b);
        case PointwiseOp::LessOrEqual: return truth(a <= b);
        case PointwiseOp::Greater: return truth(a > b);
        case PointwiseOp::GreaterOrEqual: return truth(a >= b);
        case PointwiseOp::And: return truth(a != zero && b != zero);
        case PointwiseOp::Or: return truth(a != zero || b != zero);
        case PointwiseOp::Xor: return truth((a != zero) != (b != zero));
        default: return a;
    }
}

}  // namespace

int pointwiseOperandCount(PointwiseOp op) { return row(op).operands; }
std::string_view pointwiseOpName(PointwiseOp op) { return row(op).name; }

std::optional<PointwiseOp> pointwiseOpFromName(std::string_view name) {
    auto found = std::find_if(kRows.begin(), kRows.end(), [&](const OpRow& r) { return r.name == name; });
    if (found == kRows.end()) return std::nullopt;
    return static_cast<PointwiseOp>(found - kRows.begin());
}

bool PointwiseProgram::isValid() const {
    for (size_t i = 0; i < instructions.size(); ++i) {
        const auto& instruction = instructions[i];
        const int limit = inputCount + static_cast<int>(i), operands = pointwiseOperandCount(instruction.op);
        const auto inside = [&](int value) { return value >= 0 && value < limit; };
        if ((operands >= 1 && !inside(instruction.a)) || (operands >= 2 && !inside(instruction.b)) || (operands >= 3 && !inside(instruction.c)))
            return false;
    }
    return !results.empty() && std::all_of(results.begin(), results.end(), [&](int value) { return value >= 0 && value < valueCount(); });
}

std::string PointwiseProgram::toString() const {
    std::string text;
    const auto value = [](int number) { return "v" + std::to_string(number); };
    for (size_t i = 0; i < instructions.size(); ++i) {
        const auto& in = instructions[i];
        const int operands = pointwiseOperandCount(in.op);
        text += value(inputCount + static_cast<int>(i)) + "=" + std::string(pointwiseOpName(in.op)) + "(";
        if (operands >= 1) text += value(in.a);
        if (operands >= 2) text += "," + value(in.b);
        if (operands >= 3) text += "," + value(in.c);
        if (in.alpha != 0.0f || in.beta != 0.0f || operands == 0) text += ";" + printFloat(in.alpha) + "," + printFloat(in.beta);
        text += "); ";
    }
    text += "->";
    for (size_t i = 0; i < results.size(); ++i) text += (i ? "," : " ") + value(results[i]);
    return text;
}

namespace {

bool takeLiteral(std::string_view& text, std::string_view literal) {
    if (text.substr(0, literal.size()) != literal) return false;
    text.remove_prefix(literal.size());
    return true;
}
template <class T>
bool takeNumber(std::string_view& text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return true;
}
bool takeValue(std::string_view& text, int& value) { return takeLiteral(text, "v") && takeNumber(text, value); }

std::optional<PointwiseInstruction> takeInstruction(std::string_view& text) {
    const size_t open = text.find('(');
    if (open == std::string_view::npos) return std::nullopt;
    const auto op = pointwiseOpFromName(text.substr(0, open));
    text.remove_prefix(open + 1);
    if (!op) return std::nullopt;
    PointwiseInstruction in;
    in.op = *op;
    const int operands = pointwiseOperandCount(*op);
    if (operands >= 1 && !takeValue(text, in.a)) return std::nullopt;
    if (operands >= 2 && !(takeLiteral(text, ",") && takeValue(text, in.b))) return std::nullopt;
    if (operands >= 3 && !(takeLiteral(text, ",") && takeValue(text, in.c))) return std::nullopt;
    if (takeLiteral(text, ";") && !(takeNumber(text, in.alpha) && takeLiteral(text, ",") && takeNumber(text, in.beta))) return std::nullopt;
    if (!takeLiteral(text, "); ")) return std::nullopt;
    return in;
}

}  // namespace

std::optional<PointwiseProgram> PointwiseProgram::parse(std::string_view text, int inputCount) {
    PointwiseProgram program;
    program.inputCount = inputCount;
    while (!takeLiteral(text, "-> ")) {
        int number = 0;
        if (!takeValue(text, number) || !takeLiteral(text, "=") || number != program.valueCount()) return std::nullopt;
        const auto instruction = takeInstruction(text);
        if (!instruction) return std::nullopt;
        program.instructions.push_back(*instruction);
    }
    do {
        int value = 0;
        if (!takeValue(text, value)) return std::nullopt;
        program.results.push_back(value);
    } while (takeLiteral(text, ","));
    if (!text.empty() || !program.isValid()) return std::nullopt;
    return program;
}

namespace {

template <class T>
T evaluate(const PointwiseInstruction& instruction, T a, T b, T c) {
    switch (pointwiseOperandCount(instruction.op)) {
        case 0: return static_cast<T>(instruction.alpha);
        case 1: return evaluateUnary(instruction, a);
        case 2: return evaluateBinary(instruction.op, a, b);
        default: return a != 0 ? b : c;
    }
}

}  // namespace

float evaluatePointwise(const PointwiseInstruction& instruction, float a, float b, float c) { return evaluate(instruction, a, b, c); }
double evaluatePointwiseDouble(const PointwiseInstruction& instruction, double a, double b, double c) {
    return evaluate(instruction, a, b, c);
}

}  // namespace strobe
