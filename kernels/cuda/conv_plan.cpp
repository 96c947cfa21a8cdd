#include "kernels/cuda/conv_plan.h"

#include <algorithm>
#include <cstring>

#include "engine_core/ops/compute_shapes.h"
#include "kernels/cuda/cuda_tactics.h"
#include "kernels/cuda/pointwise_source.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {
namespace {

using Mode = ConvNode::Mode;

std::optional<ConvNode> unaryNode(const PointwiseInstruction& in) {
    ConvNode node;
    switch (in.op) {
        case PointwiseOp::Relu:
            node.mode = Mode::Relu;
            return node;
        case PointwiseOp::LeakyRelu:
            node.slope = in.alpha;
            return node;
        case PointwiseOp::Clip:
            node.lower = in.alpha;
            node.upper = in.beta;
            return node;
        case PointwiseOp::Elu:
            node.mode = Mode::Elu;
            node.alpha = in.alpha;
            return node;
        case PointwiseOp::Tanh:
            node.mode = Mode::Tanh;
            return node;
        case PointwiseOp::Sigmoid:
            node.mode = Mode::Sigmoid;
            return node;
        case PointwiseOp::Gelu:
            node.mode = Mode::Gelu;
            return node;
        case PointwiseOp::GeluTanh:
            node.mode = Mode::GeluTanh;
            return node;
        case PointwiseOp::Softplus:
            node.mode = Mode::Softplus;
            return node;
        case PointwiseOp::Silu:
            node.mode = Mode::Swish;
            return node;
        case PointwiseOp::Exp:
            node.mode = Mode::Exp;
            return node;
        case PointwiseOp::Log:
            node.mode = Mode::Log;
            return node;
        case PointwiseOp::Abs:
            node.mode = Mode::Abs;
            return node;
        case PointwiseOp::Neg:
            node.mode = Mode::Neg;
            return node;
        case PointwiseOp::Sqrt:
            node.mode = Mode::Sqrt;
            return node;
        case PointwiseOp::Rsqrt:
            node.mode = Mode::Rsqrt;
            return node;
        default:
            return std::nullopt;
    }
}

std::optional<Mode> binaryMode(PointwiseOp op) {
    switch (op) {
        case PointwiseOp::Add:
            return Mode::Add;
        case PointwiseOp::Sub:
            return Mode::Sub;
        case PointwiseOp::Mul:
            return Mode::Mul;
        case PointwiseOp::Div:
            return Mode::Div;
        case PointwiseOp::Max:
            return Mode::Max;
        case PointwiseOp::Min:
            return Mode::Min;
        default:
            return std::nullopt;
    }
}

/// cuDNN reads an operand of the output's dims in the output's format, or one value a channel.
bool fits(const TensorDesc& operand, const TensorDesc& output) {
    if (operand.dims == output.dims) return operand.format == output.format;
    return operand.constantData && operand.dims.size() == output.dims.size() &&
           elementCount(operand.dims) == operand.dims[1] && operand.dims[1] == output.dims[1];
}

/// Appends the node, or says why there is none.
std::string translate(const Problem& problem, const PointwiseInstruction& in, int current, ConvPlan& plan) {
    const PointwiseProgram& program = *problem.program;
    const std::string name(pointwiseOpName(in.op));
    const int operands = pointwiseOperandCount(in.op);
    if (operands == 1) {
        const auto node = unaryNode(in);
        if (in.a != current) return name + " does not continue one chain";
        if (!node) return "cuDNN has no node for " + name;
        plan.epilogue.push_back(*node);
        return {};
    }
    const auto mode = operands == 2 ? binaryMode(in.op) : std::nullopt;
    if (!mode) return "cuDNN has no node for " + name;
    if ((in.a == current) == (in.b == current)) return name + " does not continue one chain";
    ConvNode node;
    node.mode = *mode;
    node.swapped = in.b == current;
    const int other = node.swapped ? in.a : in.b;
    if (other == 0) return name + " uses the convolution's result twice";
    if (other >= program.inputCount) {
        const PointwiseInstruction& made = program.instructions[static_cast<size_t>(other - program.inputCount)];
        if (made.op != PointwiseOp::Constant) return name + " uses a value outside the chain";
        node.scalar = made.alpha;
    } else {
        node.operand = problem.op->maxInputs + other - 1;
        const TensorDesc& desc = problem.inputs[static_cast<size_t>(node.operand)];
        if (!fits(desc, problem.outputs[0]))
            return "epilogue input " + toString(desc.dims) + " in " + desc.format.toString() +
                   " is neither full-size in the output's format nor one value a channel";
    }
    plan.epilogue.push_back(node);
    return {};
}

std::string translateEpilogue(const Problem& problem, ConvPlan& plan) {
    const PointwiseProgram& program = *problem.program;
    int current = 0;
    for (size_t i = 0; i < program.instructions.size(); ++i) {
        const PointwiseInstruction& in = program.instructions[i];
        if (in.op == PointwiseOp::Constant) continue;
        if (std::string reason = translate(problem, in, current, plan); !reason.empty()) return reason;
        current = program.inputCount + static_cast<int>(i);
    }
    return program.results.size() == 1 && program.results[0] == current
               ? std::string()
               : "the epilogue is not one chain that ends in its result";
}

Status placeWindow(const Problem& problem, ConvPlan& plan) {
    const Shape input = toShape(plan.x);
    const Dims kernel(plan.w.begin() + 2, plan.w.end());
    WindowAttributes window;
    if (plan.transposed) {
        STROBE_ASSIGN(const TransposedWindow transposed, transposedWindow(*problem.attributes, input, kernel));
        window = transposed.window;
    } else {
        STROBE_ASSIGN(window, windowAttributes(*problem.attributes, input, kernel));
    }
    plan.padsBegin = toDims(window.padsBegin);
    plan.padsEnd = toDims(window.padsEnd);
    plan.strides = window.strides;
    plan.dilations = window.dilations;
    // Rows that output_padding adds are what the convolution's last window would not reach: they count as no padding.
    for (size_t d = 0; plan.transposed && d < kernel.size(); ++d) {
        const int64_t full = plan.strides[d] * (plan.x[d + 2] - 1) + plan.dilations[d] * (kernel[d] - 1) + 1;
        plan.padsEnd[d] = std::max<int64_t>(0, full - plan.y[d + 2] - plan.padsBegin[d]);
    }
    return Status::ok();
}

Status checkConv(const Problem& problem) {
    if (const Support support = checkDeviceTensors(problem); !support.supported) return unsupported(support.reason);
    const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1], &y = problem.outputs[0];
    if (!w.constantData) return unsupported("the weights are no constants");
    if (x.dims.size() < 3 || x.dims.size() > 5)
        return unsupported("cuDNN convolves 1 to 3 spatial dims, the input is " + toString(x.dims));
    if (elementCount(x.dims) == 0 || elementCount(w.dims) == 0) return unsupported("an input has no elements");
    if (!(x.format == y.format))
        return unsupported("input and output must share type and layout, they are " + x.format.toString() + " and " +
                           y.format.toString());
    if (w.format.type != x.format.type)
        return unsupported("weights are " + std::string(dataTypeName(w.format.type)) + ", the input is " +
                           std::string(dataTypeName(x.format.type)));
    return Status::ok();
}

}  // namespace

Result<ConvPlan> planConv(const Problem& problem) {
    STROBE_RETURN_IF_ERROR(checkConv(problem));
    ConvPlan plan;
    plan.transposed = problem.op->name == "ConvTranspose";
    plan.x = problem.inputs[0].dims;
    plan.w = problem.inputs[1].dims;
    plan.y = problem.outputs[0].dims;
    STROBE_RETURN_IF_ERROR(placeWindow(problem, plan));
    for (const auto* pads : {&plan.padsBegin, &plan.padsEnd})
        for (int64_t pad : *pads)
            if (pad < 0) return unsupported("cuDNN cannot crop: a pad is " + std::to_string(pad));
    if (plan.w.size() == 3) {
        for (auto* dims : {&plan.x, &plan.w, &plan.y}) dims->insert(dims->begin() + 2, 1);
        for (auto* pads : {&plan.padsBegin, &plan.padsEnd}) pads->insert(pads->begin(), 0);
        for (auto* steps : {&plan.strides, &plan.dilations}) steps->insert(steps->begin(), 1);
    }
    plan.type = problem.inputs[0].format.type;
    plan.layout = problem.inputs[0].format.layout;
    plan.hasBias = isGiven(problem, 2);
    if (problem.program) plan.unfused = translateEpilogue(problem, plan);
    if (!problem.program) return plan;
    // Whatever cuDNN refuses, the pass of our own must be able to do.
    std::vector<TensorDesc> inputs = {problem.outputs[0]};
    for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
        inputs.push_back(problem.inputs[i]);
    STROBE_RETURN_IF_ERROR(pointwiseSource(*problem.program, inputs, problem.outputs).status());
    return plan;
}

std::vector<int64_t> cudnnStrides(const std::vector<int64_t>& dims, Layout layout) {
    return elementStrides(dims, layout);
}

void channelsLastWeights(const void* from, void* to, const std::vector<int64_t>& w, size_t bytes) {
    int64_t window = 1;
    for (size_t d = 2; d < w.size(); ++d) window *= w[d];
    const auto* source = static_cast<const char*>(from);
    auto* target = static_cast<char*>(to);
    for (int64_t m = 0; m < w[0]; ++m)
        for (int64_t k = 0; k < window; ++k)
            for (int64_t c = 0; c < w[1]; ++c, target += bytes)
                std::memcpy(target, source + static_cast<size_t>((m * w[1] + c) * window + k) * bytes, bytes);
}

}  // namespace strobe
