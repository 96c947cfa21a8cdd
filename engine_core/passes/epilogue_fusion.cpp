#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/pointwise_form.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

constexpr size_t kMaxExtraInputs = 3;
constexpr size_t kMaxSteps = 16;

bool takesEpilogue(const Network& network, const Layer& layer) {
    static constexpr std::string_view kOps[] = {"Conv", "ConvTranspose", "MatMul", "Gemm"};
    return std::find(std::begin(kOps), std::end(kOps), layer.op->name) != std::end(kOps) && layer.outputs.size() == 1 &&
           layer.outputs[0] != kNone && isRealType(network.tensor(layer.outputs[0]).type);
}

bool isActivation(PointwiseOp op) {
    switch (op) {
        case PointwiseOp::Abs:
        case PointwiseOp::Neg:
        case PointwiseOp::Sqrt:
        case PointwiseOp::Exp:
        case PointwiseOp::Log:
        case PointwiseOp::Tanh:
        case PointwiseOp::Round:
        case PointwiseOp::Relu:
        case PointwiseOp::LeakyRelu:
        case PointwiseOp::Clip:
        case PointwiseOp::Sigmoid:
        case PointwiseOp::HardSigmoid:
        case PointwiseOp::HardSwish:
        case PointwiseOp::Silu:
        case PointwiseOp::Gelu:
        case PointwiseOp::GeluTanh:
        case PointwiseOp::Softplus:
        case PointwiseOp::Elu:
        case PointwiseOp::Mish:
        case PointwiseOp::Reciprocal:
        case PointwiseOp::Rsqrt:
            return true;
        default:
            return false;
    }
}

/// Add, Mul, Min and Max with either operand in the chain; Sub and Div only with the chain on the left.
bool isChainArithmetic(const PointwiseInstruction& in, bool chainIsSecond) {
    switch (in.op) {
        case PointwiseOp::Add:
        case PointwiseOp::Mul:
        case PointwiseOp::Min:
        case PointwiseOp::Max:
            return true;
        case PointwiseOp::Sub:
        case PointwiseOp::Div:
            return !chainIsSecond;
        default:
            return false;
    }
}

/// An epilogue is one chain: each step continues the value before it, the other operand being an extra input or a
/// number.
std::string whyNoChain(const PointwiseProgram& program) {
    int chain = 0;
    std::vector<bool> isNumber(static_cast<size_t>(program.valueCount()), false);
    for (size_t i = 0; i < program.instructions.size(); ++i) {
        const PointwiseInstruction& in = program.instructions[i];
        const int value = program.inputCount + static_cast<int>(i);
        if (in.op == PointwiseOp::Constant) {
            isNumber[static_cast<size_t>(value)] = true;
            continue;
        }
        const std::string name(pointwiseOpName(in.op));
        if (pointwiseOperandCount(in.op) == 1) {
            if (in.a != chain) return name + " is not applied to the running result";
            if (!isActivation(in.op)) return name + " cannot stand in an epilogue";
        } else {
            const bool second = in.b == chain && in.a != chain;
            if (in.c >= 0 || !isChainArithmetic(in, second)) return name + " cannot stand in an epilogue";
            if ((in.a == chain) == (in.b == chain))
                return name + " does not combine the running result with one other operand";
            const int other = second ? in.a : in.b;
            if (other >= program.inputCount && !isNumber[static_cast<size_t>(other)])
                return name + " needs a value computed beside the chain";
        }
        chain = value;
    }
    return program.results == std::vector<int>{chain} ? std::string() : "the program does not end in its result";
}

/// The layer's result through its present epilogue and then through `next`.
std::optional<PointwiseForm> extended(const Network& network, const Layer& layer, const Layer& next) {
    PointwiseComposer composer;
    const TensorId result = layer.outputs[0];
    int value = composer.input(result);
    if (layer.program) {
        std::vector<int> inputs = {value};
        for (size_t i = static_cast<size_t>(layer.op->maxInputs); i < layer.inputs.size(); ++i)
            inputs.push_back(composer.input(layer.inputs[i]));
        value = composer.inlineProgram(*layer.program, inputs)[0];
    }
    const auto end = compose(composer, network, next, {{result, value}});
    if (!end) return std::nullopt;
    return composer.finish({*end}, result);
}

/// Why `next` stays a layer of its own.
std::string whyNot(const Network& network, const Layer& layer, const Layer& next,
                   const std::optional<PointwiseForm>& form) {
    if (!form) return "'" + next.name + "' has no scalar form";
    const Tensor &own = network.tensor(layer.outputs[0]), &out = network.tensor(next.outputs[0]);
    if (own.type != out.type)
        return "'" + next.name + "' changes the element type to " + std::string(dataTypeName(out.type));
    if (own.shape != out.shape)
        return "'" + next.name + "' widens " + toString(own.shape) + " to " + toString(out.shape);
    if (form->inputs.empty() || form->inputs[0] != layer.outputs[0])
        return "'" + next.name + "' does not use the result";
    if (form->inputs.size() > kMaxExtraInputs + 1)
        return "the epilogue would read " + std::to_string(form->inputs.size() - 1) + " more tensors";
    if (form->program.instructions.size() > kMaxSteps) return "the epilogue would have too many steps";
    for (size_t i = 1; i < form->inputs.size(); ++i)
        if (const Tensor& in = network.tensor(form->inputs[i]); in.type != own.type)
            return "'" + in.name + "' is " + std::string(dataTypeName(in.type)) + ", the result " +
                   std::string(dataTypeName(own.type));
    return whyNoChain(form->program);
}

Result<LayerId> absorb(Network& network, const PassContext& context, LayerId id, LayerId nextId, PointwiseForm form) {
    const Layer &layer = network.layer(id), &next = network.layer(nextId);
    Fusion fusion;
    fusion.layers = {id, nextId};
    fusion.namesake = id;
    fusion.op = layer.op;
    fusion.attributes = layer.attributes;
    fusion.inputs = layer.inputs;
    fusion.inputs.resize(static_cast<size_t>(layer.op->maxInputs), kNone);
    fusion.inputs.insert(fusion.inputs.end(), form.inputs.begin() + 1, form.inputs.end());
    fusion.outputs = {next.outputs[0]};
    fusion.program = std::move(form.program);
    fusion.description =
        layer.op->name + " + " + next.op->name + ": became part of the " + layer.op->name + "'s epilogue";
    return fuse(network, context, std::move(fusion));
}

Status extend(Network& network, const PassContext& context, LayerId id) {
    while (true) {
        const Layer& layer = network.layer(id);
        const TensorId result = layer.outputs[0];
        const Layer* next = onlyReader(network, result);
        if (!next) {
            const auto& uses = network.tensor(result).uses;
            const bool pointwiseReader = std::any_of(uses.begin(), uses.end(), [&](const TensorUse& use) {
                return pointwiseForm(network, network.layer(use.layer)).has_value();
            });
            const LayerId inside[] = {uses.empty() ? kNone : uses.front().layer};
            if (pointwiseReader) context.miss(network, id, whyVisible(network, result, inside));
            return Status::ok();
        }
        if (!pointwiseForm(network, *next)) return Status::ok();
        auto form = extended(network, layer, *next);
        if (std::string reason = whyNot(network, layer, *next, form); !reason.empty()) {
            context.miss(network, id, std::move(reason));
            return Status::ok();
        }
        STROBE_ASSIGN(id, absorb(network, context, id, next->id, std::move(*form)));
    }
}

Status run(Network& network, PassContext& context) {
    std::vector<LayerId> order = network.topologicalOrder();
    // Of two convolutions that meet in an addition the later one takes it: the other operand is there by then.
    std::reverse(order.begin(), order.end());
    for (LayerId id : order) {
        if (context.cancel.isCancelled()) return cancelled();
        if (!network.layer(id).removed && takesEpilogue(network, network.layer(id)))
            STROBE_RETURN_IF_ERROR(extend(network, context, id));
    }
    return Status::ok();
}

}  // namespace

std::unique_ptr<Pass> makeEpilogueFusion() {
    return makePass("EpilogueFusion",
                    "Lets convolutions and matrix products apply activation, residual and scale before they store.",
                    run);
}

}  // namespace strobe
