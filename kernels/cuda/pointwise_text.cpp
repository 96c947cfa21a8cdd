#include "kernels/cuda/pointwise_text.h"

#include <bit>
#include <cstdint>
#include <cstdio>

namespace strobe {
namespace {

/// Exact, also for infinities and NaN.
std::string literal(float value) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "__uint_as_float(0x%08xu)", std::bit_cast<uint32_t>(value));
    return buffer;
}

std::string activation(const PointwiseInstruction& in, const std::string& a) {
    const std::string alpha = literal(in.alpha), beta = literal(in.beta);
    switch (in.op) {
        case PointwiseOp::Relu:
            return "(" + a + " > 0.0f || isnan(" + a + ") ? " + a + " : 0.0f)";
        case PointwiseOp::LeakyRelu:
            return "(" + a + " < 0.0f ? " + alpha + " * " + a + " : " + a + ")";
        case PointwiseOp::ThresholdedRelu:
            return "(" + a + " > " + alpha + " ? " + a + " : 0.0f)";
        case PointwiseOp::Clip:
            return "opClip(" + a + ", " + alpha + ", " + beta + ")";
        case PointwiseOp::Sigmoid:
            return "opSigmoid(" + a + ")";
        case PointwiseOp::HardSigmoid:
            return "opClip(" + alpha + " * " + a + " + " + beta + ", 0.0f, 1.0f)";
        case PointwiseOp::HardSwish:
            return "opHardSwish(" + a + ")";
        case PointwiseOp::Silu:
            return "(" + a + " * opSigmoid(" + a + "))";
        case PointwiseOp::Gelu:
            return "opGelu(" + a + ")";
        case PointwiseOp::GeluTanh:
            return "opGeluTanh(" + a + ")";
        case PointwiseOp::Softplus:
            return "opSoftplus(" + a + ")";
        case PointwiseOp::Softsign:
            return "(" + a + " / (1.0f + fabsf(" + a + ")))";
        case PointwiseOp::Elu:
            return "opElu(" + a + ", " + alpha + ")";
        case PointwiseOp::Selu:
            return "opSelu(" + a + ", " + alpha + ", " + beta + ")";
        case PointwiseOp::Celu:
            return "opCelu(" + a + ", " + alpha + ")";
        default:
            return "(" + a + " * tanhf(opSoftplus(" + a + ")))";  // Mish, the last one
    }
}

std::string unary(const PointwiseInstruction& in, const std::string& a) {
    switch (in.op) {
        case PointwiseOp::Abs:
            return "fabsf(" + a + ")";
        case PointwiseOp::Neg:
            return "-" + a;
        case PointwiseOp::Sqrt:
            return "sqrtf(" + a + ")";
        case PointwiseOp::Rsqrt:
            return "(1.0f / sqrtf(" + a + "))";
        case PointwiseOp::Reciprocal:
            return "(1.0f / " + a + ")";
        case PointwiseOp::Exp:
            return "expf(" + a + ")";
        case PointwiseOp::Log:
            return "logf(" + a + ")";
        case PointwiseOp::Erf:
            return "erff(" + a + ")";
        case PointwiseOp::Sin:
            return "sinf(" + a + ")";
        case PointwiseOp::Cos:
            return "cosf(" + a + ")";
        case PointwiseOp::Tan:
            return "tanf(" + a + ")";
        case PointwiseOp::Asin:
            return "asinf(" + a + ")";
        case PointwiseOp::Acos:
            return "acosf(" + a + ")";
        case PointwiseOp::Atan:
            return "atanf(" + a + ")";
        case PointwiseOp::Sinh:
            return "sinhf(" + a + ")";
        case PointwiseOp::Cosh:
            return "coshf(" + a + ")";
        case PointwiseOp::Asinh:
            return "asinhf(" + a + ")";
        case PointwiseOp::Acosh:
            return "acoshf(" + a + ")";
        case PointwiseOp::Atanh:
            return "atanhf(" + a + ")";
        case PointwiseOp::Tanh:
            return "tanhf(" + a + ")";
        case PointwiseOp::Floor:
            return "floorf(" + a + ")";
        case PointwiseOp::Ceil:
            return "ceilf(" + a + ")";
        case PointwiseOp::Round:
            return "rintf(" + a + ")";
        case PointwiseOp::Sign:
            return "opSign(" + a + ")";
        case PointwiseOp::Not:
            return "truth(" + a + " == 0.0f)";
        case PointwiseOp::IsNaN:
            return "truth(isnan(" + a + "))";
        default:
            return activation(in, a);
    }
}

std::string binary(PointwiseOp op, const std::string& a, const std::string& b) {
    const auto infix = [&](const char* sign) { return "(" + a + " " + sign + " " + b + ")"; };
    const auto logic = [&](const char* sign) { return "truth((" + a + " != 0.0f) " + sign + " (" + b + " != 0.0f))"; };
    const auto function = [&](const char* name) { return std::string(name) + "(" + a + ", " + b + ")"; };
    switch (op) {
        case PointwiseOp::Add:
            return infix("+");
        case PointwiseOp::Sub:
            return infix("-");
        case PointwiseOp::Mul:
            return infix("*");
        case PointwiseOp::Div:
            return infix("/");
        case PointwiseOp::Pow:
            return function("powf");
        case PointwiseOp::Mod:
            return function("opMod");
        case PointwiseOp::Fmod:
            return function("fmodf");
        case PointwiseOp::Min:
            return function("opMin");
        case PointwiseOp::Max:
            return function("opMax");
        case PointwiseOp::PRelu:
            return "(" + a + " < 0.0f ? " + a + " * " + b + " : " + a + ")";
        case PointwiseOp::Equal:
            return "truth" + infix("==");
        case PointwiseOp::Less:
            return "truth" + infix("<");
        case PointwiseOp::LessOrEqual:
            return "truth" + infix("<=");
        case PointwiseOp::Greater:
            return "truth" + infix(">");
        case PointwiseOp::GreaterOrEqual:
            return "truth" + infix(">=");
        case PointwiseOp::And:
            return logic("&&");
        case PointwiseOp::Or:
            return logic("||");
        default:
            return logic("!=");  // Xor, the last one
    }
}

}  // namespace

std::string programText(const PointwiseProgram& program) {
    const auto value = [&](int v) { return (v < program.inputCount ? "a" : "v") + std::to_string(v); };
    std::string text = "__device__ inline void program(";
    for (int i = 0; i < program.inputCount; ++i) text += "const float a" + std::to_string(i) + ", ";
    for (size_t r = 0; r < program.results.size(); ++r) text += (r ? ", float& r" : "float& r") + std::to_string(r);
    text += ") {\n";
    for (size_t i = 0; i < program.instructions.size(); ++i) {
        const PointwiseInstruction& in = program.instructions[i];
        const int operands = pointwiseOperandCount(in.op);
        const std::string expression =
            operands == 0   ? literal(in.alpha)
            : operands == 1 ? unary(in, value(in.a))
            : operands == 2 ? binary(in.op, value(in.a), value(in.b))
                            : "(" + value(in.a) + " != 0.0f ? " + value(in.b) + " : " + value(in.c) + ")";
        text += "const float v" + std::to_string(program.inputCount + static_cast<int>(i)) + " = " + expression + ";\n";
    }
    for (size_t r = 0; r < program.results.size(); ++r)
        text += "r" + std::to_string(r) + " = " + value(program.results[r]) + ";\n";
    return text + "}\n";
}

}  // namespace strobe
