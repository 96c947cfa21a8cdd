#include "kernels/cpu/onednn_post_ops.h"

#include <cmath>
#include <limits>

namespace strobe {
namespace {

using dnnl::algorithm;

struct Eltwise {
    algorithm kind;
    float alpha = 0.0f, beta = 0.0f;
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One or two oneDNN functions that make up a one-operand instruction; empty: oneDNN has none.
std::vector<Eltwise> eltwiseFor(const PointwiseInstruction& in) {
    switch (in.op) {
        case PointwiseOp::Abs:
            return {{algorithm::eltwise_abs}};
        case PointwiseOp::Neg:
            return {{algorithm::eltwise_linear, -1.0f, 0.0f}};
        case PointwiseOp::Sqrt:
            return {{algorithm::eltwise_sqrt}};
        case PointwiseOp::Rsqrt:
            return {{algorithm::eltwise_pow, 1.0f, -0.5f}};
        case PointwiseOp::Reciprocal:
            return {{algorithm::eltwise_pow, 1.0f, -1.0f}};
        case PointwiseOp::Exp:
            return {{algorithm::eltwise_exp}};
        case PointwiseOp::Log:
            return {{algorithm::eltwise_log}};
        case PointwiseOp::Tanh:
            return {{algorithm::eltwise_tanh}};
        case PointwiseOp::Round:
            return {{algorithm::eltwise_round}};
        case PointwiseOp::Relu:
            return {{algorithm::eltwise_relu}};
        case PointwiseOp::LeakyRelu:
            return {{algorithm::eltwise_relu, in.alpha}};
        case PointwiseOp::Clip:
            return {{algorithm::eltwise_clip, in.alpha, in.beta}};
        case PointwiseOp::Sigmoid:
            return {{algorithm::eltwise_logistic}};
        case PointwiseOp::HardSigmoid:
            return {{algorithm::eltwise_linear, in.alpha, in.beta}, {algorithm::eltwise_clip, 0.0f, 1.0f}};
        case PointwiseOp::HardSwish:
            return {{algorithm::eltwise_hardswish}};
        case PointwiseOp::Silu:
            return {{algorithm::eltwise_swish, 1.0f}};
        case PointwiseOp::Gelu:
            return {{algorithm::eltwise_gelu_erf}};
        case PointwiseOp::GeluTanh:
            return {{algorithm::eltwise_gelu_tanh}};
        case PointwiseOp::Softplus:
            return {{algorithm::eltwise_soft_relu}};
        case PointwiseOp::Elu:
            return {{algorithm::eltwise_elu, in.alpha}};
        case PointwiseOp::Selu:
            return {{algorithm::eltwise_elu, in.alpha}, {algorithm::eltwise_linear, in.beta, 0.0f}};
        case PointwiseOp::Celu:
            return in.alpha == 1.0f ? std::vector<Eltwise>{{algorithm::eltwise_elu, 1.0f}} : std::vector<Eltwise>{};
        case PointwiseOp::Mish:
            return {{algorithm::eltwise_mish}};
        default:
            return {};
    }
}

/// A two-operand instruction with a known number; `swapped`: the number is the first operand.
std::vector<Eltwise> eltwiseWithScalar(PointwiseOp op, float c, bool swapped) {
    switch (op) {
        case PointwiseOp::Add:
            return {{algorithm::eltwise_linear, 1.0f, c}};
        case PointwiseOp::Mul:
            return {{algorithm::eltwise_linear, c, 0.0f}};
        case PointwiseOp::Sub:
            return {swapped ? Eltwise{algorithm::eltwise_linear, -1.0f, c}
                            : Eltwise{algorithm::eltwise_linear, 1.0f, -c}};
        case PointwiseOp::Div:
            return {swapped ? Eltwise{algorithm::eltwise_pow, c, -1.0f}
                            : Eltwise{algorithm::eltwise_linear, 1.0f / c, 0.0f}};
        case PointwiseOp::Max:
            return {{algorithm::eltwise_clip, c, kInfinity}};
        case PointwiseOp::Min:
            return {{algorithm::eltwise_clip, -kInfinity, c}};
        case PointwiseOp::Pow:
            return swapped ? std::vector<Eltwise>{} : std::vector<Eltwise>{{algorithm::eltwise_pow, 1.0f, c}};
        case PointwiseOp::PRelu:
            return swapped ? std::vector<Eltwise>{} : std::vector<Eltwise>{{algorithm::eltwise_relu, c}};
        default:
            return {};
    }
}

/// With an extra input as second operand; Sub with swapped operands is done by negating first.
std::optional<algorithm> binaryFor(PointwiseOp op, bool swapped) {
    switch (op) {
        case PointwiseOp::Add:
            return algorithm::binary_add;
        case PointwiseOp::Mul:
            return algorithm::binary_mul;
        case PointwiseOp::Max:
            return algorithm::binary_max;
        case PointwiseOp::Min:
            return algorithm::binary_min;
        case PointwiseOp::Sub:
            return swapped ? algorithm::binary_add : algorithm::binary_sub;
        case PointwiseOp::Div:
            return swapped ? std::nullopt : std::optional(algorithm::binary_div);
        default:
            return std::nullopt;
    }
}

class Translator {
public:
    Translator(const Problem& problem, EpilogueOptions options)
        : m_problem(problem),
          m_program(*problem.program),
          m_residual(options.residual),
          m_flattened(std::move(options.flattened)),
          m_out(std::move(options.before)) {}

    Result<PostOps> translate() {
        m_scalars.resize(static_cast<size_t>(m_program.valueCount()));
        for (int v = 1; v < m_program.inputCount; ++v) m_scalars[static_cast<size_t>(v)] = scalarInput(v);
        for (size_t i = 0; i < m_program.instructions.size(); ++i) {
            const int value = m_program.inputCount + static_cast<int>(i);
            STROBE_RETURN_IF_ERROR(step(m_program.instructions[i], value));
        }
        if (m_program.results.size() != 1 || m_program.results[0] != m_current)
            return unsupported("the epilogue is not one chain that ends in its result");
        flushLinear();
        STROBE_RETURN_IF_ERROR(checkRepeatedFunctions());
        return std::move(m_out);
    }

private:
    /// oneDNN 2.6 gives a repeated function the parameters of its first appearance.
    Status checkRepeatedFunctions() const {
        std::vector<Eltwise> seen;
        for (int i = 0; i < m_out.ops.len(); ++i) {
            if (m_out.ops.kind(i) != dnnl::primitive::kind::eltwise) continue;
            float scale = 1.0f;
            Eltwise f{algorithm::undef};
            m_out.ops.get_params_eltwise(i, scale, f.kind, f.alpha, f.beta);
            for (const Eltwise& other : seen)
                if (other.kind == f.kind && (other.alpha != f.alpha || other.beta != f.beta))
                    return unsupported("oneDNN confuses two post-ops of one kind with different parameters");
            seen.push_back(f);
        }
        return Status::ok();
    }

    size_t inputIndex(int value) const { return static_cast<size_t>(m_problem.op->maxInputs + value - 1); }

    std::optional<float> scalarInput(int value) const {
        const TensorDesc& desc = m_problem.inputs[inputIndex(value)];
        if (!desc.constantData || elementCount(desc.dims) != 1) return std::nullopt;
        const Weights view = borrowedWeights(desc.format.type, {1}, desc.constantData);
        return toFloats(view).at(0);
    }

    Status cannot(const PointwiseInstruction& in) const {
        return unsupported("oneDNN has no post-op for " + std::string(pointwiseOpName(in.op)) + " here");
    }

    Status step(const PointwiseInstruction& in, int value) {
        const int operands = pointwiseOperandCount(in.op);
        if (operands == 0) {
            m_scalars[static_cast<size_t>(value)] = in.alpha;
            return Status::ok();
        }
        const bool first = in.a == m_current, second = operands == 2 && in.b == m_current;
        if (operands == 3 || first == second)
            return unsupported(std::string(pointwiseOpName(in.op)) + " does not continue a single chain of post-ops");
        m_current = value;
        if (operands == 1) return appendAll(eltwiseFor(in), in);
        const int other = first ? in.b : in.a;
        if (const auto scalar = m_scalars[static_cast<size_t>(other)])
            return appendAll(eltwiseWithScalar(in.op, *scalar, second), in);
        if (other >= m_program.inputCount || other == 0)
            return unsupported(std::string(pointwiseOpName(in.op)) + " uses a value outside the chain of post-ops");
        return appendBinary(in, inputIndex(other), second);
    }

    Status appendAll(const std::vector<Eltwise>& functions, const PointwiseInstruction& in) {
        if (functions.empty()) return cannot(in);
        for (const Eltwise& f : functions) {
            if (f.kind == algorithm::eltwise_linear) {  // a·(scale·x + shift) + b
                m_shift = f.alpha * m_shift + f.beta;
                m_scale *= f.alpha;
                continue;
            }
            flushLinear();
            m_out.ops.append_eltwise(1.0f, f.kind, f.alpha, f.beta);
        }
        return Status::ok();
    }

    void flushLinear() {
        if (m_scale != 1.0f || m_shift != 0.0f)
            m_out.ops.append_eltwise(1.0f, algorithm::eltwise_linear, m_scale, m_shift);
        m_scale = 1.0f;
        m_shift = 0.0f;
    }

    Status appendBinary(const PointwiseInstruction& in, size_t index, bool swapped) {
        const auto kind = binaryFor(in.op, swapped);
        if (!kind) return cannot(in);
        if (swapped && in.op == PointwiseOp::Sub) {
            m_scale = -m_scale;
            m_shift = -m_shift;
        }
        flushLinear();
        if (m_residual == Residual::Sum && m_out.sumInput < 0 && in.op == PointwiseOp::Add &&
            isSumResidual(m_problem, index)) {
            m_out.sumInput = static_cast<int>(index);
            m_out.ops.append_sum();
            return Status::ok();
        }
        STROBE_ASSIGN(const auto desc, extraDesc(m_problem.inputs[index]));
        m_out.arguments.push_back(
            {DNNL_ARG_ATTR_MULTIPLE_POST_OP(m_out.ops.len()) | DNNL_ARG_SRC_1, desc, OnednnBuffer::input(index)});
        m_out.ops.append_binary(*kind, desc);
        return Status::ok();
    }

    /// Extents of 1 in front bring the extra input to the output's rank. oneDNN 2.6 reads one with more than channels
    /// in the output's memory order, whatever its descriptor says.
    Result<dnnl::memory::desc> extraDesc(const TensorDesc& extra) const {
        const TensorDesc& output = m_problem.outputs[0];
        if (m_flattened) return flatDesc(extra, *m_flattened);
        if (extra.dims.size() > output.dims.size())
            return unsupported("an epilogue input has a higher rank than the output");
        Dims dims(output.dims.size() - extra.dims.size(), 1);
        dims.insert(dims.end(), extra.dims.begin(), extra.dims.end());
        const bool onlyChannels = dims.size() < 2 || elementCount(dims) == dims[1];
        if (!onlyChannels && extra.format.layout != output.format.layout)
            return unsupported("epilogue input " + toString(extra.dims) + " lies in " + extra.format.toString() +
                               ", the output in " + output.format.toString());
        if (extra.dims.size() < output.dims.size() && extra.format.layout != Layout::Plain)
            return unsupported("an epilogue input of lower rank lies in " + extra.format.toString());
        return onednnDesc(dims, extra.format);
    }

    Result<dnnl::memory::desc> flatDesc(const TensorDesc& extra, const Dims& flat) const {
        if (elementCount(extra.dims) == elementCount(flat)) return onednnDesc(flat, extra.format);
        if (elementCount(extra.dims) == 1) return onednnDesc({1, 1}, extra.format);
        if (!extra.dims.empty() && elementCount(extra.dims) == extra.dims.back() && extra.dims.back() == flat[1])
            return onednnDesc({1, flat[1]}, extra.format);
        return unsupported("epilogue input " + toString(extra.dims) + " is neither full-size nor one row");
    }

    const Problem& m_problem;
    const PointwiseProgram& m_program;
    Residual m_residual;
    std::optional<Dims> m_flattened;
    PostOps m_out;
    std::vector<std::optional<float>> m_scalars;
    int m_current = 0;
    float m_scale = 1.0f, m_shift = 0.0f;  // linear functions not yet appended
};

}  // namespace

Result<PostOps> translateEpilogue(const Problem& problem, EpilogueOptions options) {
    if (!problem.program) return std::move(options.before);
    return Translator(problem, std::move(options)).translate();
}

void appendEpilogueFormats(const Problem& problem, Layout layout, std::vector<Format>& inputs) {
    for (size_t i = inputs.size(); i < problem.inputs.size(); ++i) {
        Format format = problem.inputs[i].format;
        if (!problem.inputs[i].constantData && problem.inputs[i].dims == problem.outputs[0].dims)
            format.layout = layout;
        inputs.push_back(format);
    }
}

std::vector<Tactic::Formats> formatsForLayouts(const Problem& problem,
                                               const std::vector<std::pair<Layout, Layout>>& layouts) {
    const auto own = std::min(static_cast<size_t>(problem.op->maxInputs), problem.inputs.size());
    std::vector<Tactic::Formats> candidates;
    for (const auto& [source, destination] : layouts) {
        Tactic::Formats formats;
        for (size_t i = 0; i < own; ++i) formats.inputs.push_back(problem.inputs[i].format);
        formats.outputs.push_back(problem.outputs[0].format);
        formats.inputs[0].layout = source;
        formats.outputs[0].layout = destination;
        appendEpilogueFormats(problem, destination, formats.inputs);
        candidates.push_back(std::move(formats));
    }
    return candidates;
}

bool isSumResidual(const Problem& problem, size_t index) {
    const TensorDesc& extra = problem.inputs[index];
    const TensorDesc& output = problem.outputs[0];
    return index >= static_cast<size_t>(problem.op->maxInputs) && !extra.constantData && extra.dims == output.dims &&
           extra.format == output.format;
}

}  // namespace strobe
