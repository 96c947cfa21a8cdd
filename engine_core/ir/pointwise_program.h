#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <optional>
#include <vector>

namespace strobe {

/// Scalar functions that a pointwise program is made of. All arithmetic is FP32; comparisons and logic give 0 or 1.
enum class PointwiseOp : uint8_t {
    Constant,  // alpha
    // one operand
    Abs, Neg, Sqrt, Rsqrt, Reciprocal, Exp, Log, Erf, Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Asinh, Acosh, Atanh, Tanh,
    Floor, Ceil, Round, Sign, Not, IsNaN,
    Relu, LeakyRelu /*alpha*/, ThresholdedRelu /*alpha*/, Clip /*alpha=min, beta=max*/, Sigmoid, HardSigmoid /*alpha·x+beta*/, HardSwish,
    Silu, Gelu /*erf*/, GeluTanh, Softplus, Softsign, Elu /*alpha*/, Selu /*alpha, beta=gamma*/, Celu /*alpha*/, Mish,
    // two operands
    Add, Sub, Mul, Div, Pow, Mod /*sign of divisor*/, Fmod, Min, Max, PRelu /*a<0 ? a·b : a*/,
    Equal, Less, LessOrEqual, Greater, GreaterOrEqual, And, Or, Xor,
    // three operands
    Where,  // a != 0 ? b : c
};

int pointwiseOperandCount(PointwiseOp op);
std::string_view pointwiseOpName(PointwiseOp op);
std::optional<PointwiseOp> pointwiseOpFromName(std::string_view name);

struct PointwiseInstruction {
    PointwiseOp op = PointwiseOp::Constant;
    int a = -1, b = -1, c = -1;  // value numbers
    float alpha = 0.0f, beta = 0.0f;
    bool operator==(const PointwiseInstruction&) const = default;
};

/// A small SSA program applied to every element. Values 0 … inputCount−1 are the inputs (broadcast to the output's shape);
/// instruction i defines value inputCount + i. `results` names the value of each output.
/// As an epilogue of a layer, input 0 is the layer's own result and inputs 1… are the layer's extra inputs.
struct PointwiseProgram {
    int inputCount = 0;
    std::vector<PointwiseInstruction> instructions;
    std::vector<int> results;

    bool operator==(const PointwiseProgram&) const = default;
    int valueCount() const { return inputCount + static_cast<int>(instructions.size()); }
    /// Operands refer backwards, results exist.
    bool isValid() const;
    /// "v2=Add(v0,v1); v3=Relu(v2) -> v3"
    std::string toString() const;
    static std::optional<PointwiseProgram> parse(std::string_view text, int inputCount);
};

/// One instruction on scalars: the definition that every kernel is tested against.
float evaluatePointwise(const PointwiseInstruction& instruction, float a, float b, float c);
/// The same in double, for models that compute in FP64 (reference kernels only).
double evaluatePointwiseDouble(const PointwiseInstruction& instruction, double a, double b, double c);

}  // namespace strobe
