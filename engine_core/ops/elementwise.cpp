#include "engine_core/ops/elementwise.h"

#include <limits>

namespace strobe {
namespace {

using Op = PointwiseOp;

/// Appends instructions to a program. One emission an expression at most: the order of arguments differs between
/// compilers.
class Writer {
public:
    explicit Writer(PointwiseProgram& program) : m_program(program) {}
    int emit(Op op, int a, int b = -1, int c = -1) { return add({op, a, b, c, 0.0f, 0.0f}); }
    int emitWith(Op op, int a, float alpha, float beta = 0.0f) { return add({op, a, -1, -1, alpha, beta}); }
    int constant(float value) { return add({Op::Constant, -1, -1, -1, value, 0.0f}); }

private:
    int add(const PointwiseInstruction& instruction) {
        m_program.instructions.push_back(instruction);
        return m_program.valueCount() - 1;
    }
    PointwiseProgram& m_program;
};

/// Ops that are one instruction, with up to two float attributes as alpha and beta.
struct DirectRow {
    std::string_view name;
    Op op;
    const char* alpha = nullptr;
    float alphaDefault = 0.0f;
    const char* beta = nullptr;
    float betaDefault = 0.0f;
};
constexpr DirectRow kDirect[] = {
    {"Abs", Op::Abs},
    {"Acos", Op::Acos},
    {"Acosh", Op::Acosh},
    {"Asin", Op::Asin},
    {"Asinh", Op::Asinh},
    {"Atan", Op::Atan},
    {"Atanh", Op::Atanh},
    {"Ceil", Op::Ceil},
    {"Cos", Op::Cos},
    {"Cosh", Op::Cosh},
    {"Erf", Op::Erf},
    {"Exp", Op::Exp},
    {"Floor", Op::Floor},
    {"Log", Op::Log},
    {"Neg", Op::Neg},
    {"Not", Op::Not},
    {"Reciprocal", Op::Reciprocal},
    {"Round", Op::Round},
    {"Sign", Op::Sign},
    {"Sin", Op::Sin},
    {"Sinh", Op::Sinh},
    {"Sqrt", Op::Sqrt},
    {"Tan", Op::Tan},
    {"Tanh", Op::Tanh},
    {"IsNaN", Op::IsNaN},
    {"Relu", Op::Relu},
    {"Sigmoid", Op::Sigmoid},
    {"HardSwish", Op::HardSwish},
    {"Softplus", Op::Softplus},
    {"Softsign", Op::Softsign},
    {"Mish", Op::Mish},
    {"LeakyRelu", Op::LeakyRelu, "alpha", 0.01f},
    {"ThresholdedRelu", Op::ThresholdedRelu, "alpha", 1.0f},
    {"HardSigmoid", Op::HardSigmoid, "alpha", 0.2f, "beta", 0.5f},
    {"Elu", Op::Elu, "alpha", 1.0f},
    {"Celu", Op::Celu, "alpha", 1.0f},
    {"Selu", Op::Selu, "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f},
};

/// Ops of two operands that are one instruction.
struct BinaryRow {
    std::string_view name;
    Op op;
};
constexpr BinaryRow kBinary[] = {
    {"Add", Op::Add},
    {"Sub", Op::Sub},
    {"Mul", Op::Mul},
    {"Div", Op::Div},
    {"Pow", Op::Pow},
    {"PRelu", Op::PRelu},
    {"Equal", Op::Equal},
    {"Less", Op::Less},
    {"LessOrEqual", Op::LessOrEqual},
    {"Greater", Op::Greater},
    {"GreaterOrEqual", Op::GreaterOrEqual},
    {"And", Op::And},
    {"Or", Op::Or},
    {"Xor", Op::Xor},
};

using Values = std::vector<int>;

int lowerClip(Writer& w, const Attributes&, const Values& in) {
    int value = in[0];
    if (in.size() > 1 && in[1] >= 0) value = w.emit(Op::Max, value, in[1]);
    if (in.size() > 2 && in[2] >= 0) value = w.emit(Op::Min, value, in[2]);
    return value == in[0] ? w.emit(Op::Max, value, value) : value;
}

int lowerGelu(Writer& w, const Attributes& attributes, const Values& in) {
    return w.emit(attributes.getString("approximate", "none") == "tanh" ? Op::GeluTanh : Op::Gelu, in[0]);
}

int lowerSwish(Writer& w, const Attributes& attributes, const Values& in) {
    const float alpha = attributes.getFloat("alpha", 1.0f);
    if (alpha == 1.0f) return w.emit(Op::Silu, in[0]);
    return w.emit(Op::Mul, in[0], w.emit(Op::Sigmoid, w.emit(Op::Mul, w.constant(alpha), in[0])));
}

int lowerShrink(Writer& w, const Attributes& attributes, const Values& in) {
    const float lambda = attributes.getFloat("lambd", 0.5f);
    const int bias = w.constant(attributes.getFloat("bias", 0.0f)), zero = w.constant(0.0f);
    const int below = w.emit(Op::Less, in[0], w.constant(-lambda));
    const int above = w.emit(Op::Greater, in[0], w.constant(lambda));
    const int raised = w.emit(Op::Add, in[0], bias), lowered = w.emit(Op::Sub, in[0], bias);
    return w.emit(Op::Where, below, raised, w.emit(Op::Where, above, lowered, zero));
}

int lowerIsInf(Writer& w, const Attributes& attributes, const Values& in) {
    const float infinity = std::numeric_limits<float>::infinity();
    int found = w.constant(0.0f);
    if (attributes.getBool("detect_positive", true))
        found = w.emit(Op::Or, found, w.emit(Op::Equal, in[0], w.constant(infinity)));
    if (attributes.getBool("detect_negative", true))
        found = w.emit(Op::Or, found, w.emit(Op::Equal, in[0], w.constant(-infinity)));
    return found;
}

int lowerMod(Writer& w, const Attributes& attributes, const Values& in) {
    return w.emit(attributes.getBool("fmod", false) ? Op::Fmod : Op::Mod, in[0], in[1]);
}

int lowerWhere(Writer& w, const Attributes&, const Values& in) {
    return w.emit(Op::Where, in[0], in[1], in[2]);
}

int fold(Writer& w, Op op, const Values& in) {
    int value = in[0];
    for (size_t i = 1; i < in.size(); ++i) value = w.emit(op, value, in[i]);
    return value;
}
int lowerMin(Writer& w, const Attributes&, const Values& in) {
    return fold(w, Op::Min, in);
}
int lowerMax(Writer& w, const Attributes&, const Values& in) {
    return fold(w, Op::Max, in);
}
int lowerSum(Writer& w, const Attributes&, const Values& in) {
    return fold(w, Op::Add, in);
}
int lowerMean(Writer& w, const Attributes&, const Values& in) {
    const int sum = fold(w, Op::Add, in);
    return w.emit(Op::Div, sum, w.constant(static_cast<float>(in.size())));
}

struct ComposedRow {
    std::string_view name;
    size_t operands;
    int (*lower)(Writer&, const Attributes&, const Values&);
};
constexpr ComposedRow kComposed[] = {{"Clip", 1, lowerClip},     {"Gelu", 1, lowerGelu},   {"Swish", 1, lowerSwish},
                                     {"Shrink", 1, lowerShrink}, {"IsInf", 1, lowerIsInf}, {"Mod", 2, lowerMod},
                                     {"Where", 3, lowerWhere},   {"Min", 1, lowerMin},     {"Max", 1, lowerMax},
                                     {"Sum", 1, lowerSum},       {"Mean", 1, lowerMean}};

bool operandsPresent(const Values& inputs, size_t count) {
    if (inputs.size() < count) return false;
    for (size_t i = 0; i < count; ++i)
        if (inputs[i] < 0) return false;
    return true;
}

}  // namespace

std::optional<int> lowerElementwise(std::string_view op, const Attributes& attributes, const std::vector<int>& inputs,
                                    PointwiseProgram& program) {
    Writer writer(program);
    for (const DirectRow& row : kDirect)
        if (row.name == op && operandsPresent(inputs, 1))
            return writer.emitWith(row.op, inputs[0],
                                   row.alpha ? attributes.getFloat(row.alpha, row.alphaDefault) : 0.0f,
                                   row.beta ? attributes.getFloat(row.beta, row.betaDefault) : 0.0f);
    for (const BinaryRow& row : kBinary)
        if (row.name == op && operandsPresent(inputs, 2)) return writer.emit(row.op, inputs[0], inputs[1]);
    for (const ComposedRow& row : kComposed)
        if (row.name == op && operandsPresent(inputs, row.operands)) return row.lower(writer, attributes, inputs);
    return std::nullopt;
}

}  // namespace strobe
