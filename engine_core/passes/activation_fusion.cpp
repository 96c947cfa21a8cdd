#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/pointwise_form.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

constexpr size_t kMaxLayers = 10;

PointwiseInstruction activation(PointwiseOp op, float alpha = 0.0f, float beta = 0.0f) {
    PointwiseInstruction instruction;
    instruction.op = op;
    instruction.a = 0;
    instruction.alpha = alpha;
    instruction.beta = beta;
    return instruction;
}

const std::vector<PointwiseInstruction>& knownActivations() {
    static const std::vector<PointwiseInstruction> known = {
        activation(PointwiseOp::Silu),     activation(PointwiseOp::HardSwish),
        activation(PointwiseOp::Gelu),     activation(PointwiseOp::GeluTanh),
        activation(PointwiseOp::Mish),     activation(PointwiseOp::HardSigmoid, 1.0f / 6.0f, 0.5f),
        activation(PointwiseOp::Softplus), activation(PointwiseOp::HardSigmoid, 0.2f, 0.5f)};
    return known;
}

bool isArithmetic(PointwiseOp op) {
    return op == PointwiseOp::Constant || op == PointwiseOp::Add || op == PointwiseOp::Sub || op == PointwiseOp::Mul ||
           op == PointwiseOp::Div || op == PointwiseOp::Pow || op == PointwiseOp::Neg;
}

/// Which sides of a limit the samples lay on.
struct SidesSeen {
    bool low = false, high = false;
};

/// The instruction's value before its limits, and the limits (of a smooth function: where its curve bends); nullopt:
/// arithmetic, or a function that no known activation is written with.
struct Limits {
    float value, low, high;
};
std::optional<Limits> limitsOf(const PointwiseInstruction& in, float a, float b) {
    constexpr float kNone = std::numeric_limits<float>::infinity();
    switch (in.op) {
        case PointwiseOp::Clip:
            return Limits{a, in.alpha, in.beta};
        case PointwiseOp::Relu:
            return Limits{a, 0.0f, kNone};
        case PointwiseOp::HardSigmoid:
            return Limits{in.alpha * a + in.beta, 0.0f, 1.0f};
        case PointwiseOp::HardSwish:
            return Limits{a, -3.0f, 3.0f};
        case PointwiseOp::Min:
            return Limits{a, -kNone, b};
        case PointwiseOp::Max:
            return Limits{a, b, kNone};
        case PointwiseOp::Sigmoid:
        case PointwiseOp::Tanh:
        case PointwiseOp::Erf:
        case PointwiseOp::Exp:
        case PointwiseOp::Softplus:
            return Limits{std::fabs(a), 1.0f, 1.0f};
        case PointwiseOp::Log:
            return Limits{std::fabs(std::log(a)), 1.0f, 1.0f};
        case PointwiseOp::Reciprocal:
            return Limits{a, -kNone, kNone};
        default:
            return std::nullopt;
    }
}

/// Samples say nothing of a function that may do anything beyond them, as Mod, Sign and comparisons do.
bool isUnderstood(const PointwiseInstruction& in) {
    return isArithmetic(in.op) || limitsOf(in, 0.0f, 0.0f).has_value();
}

/// The program's samples, and whether they reached both sides of every limit in it: one that they did not is still to
/// be kept.
class Sampler {
public:
    explicit Sampler(const PointwiseProgram& program) : m_program(program), m_seen(program.instructions.size()) {}

    float evaluate(float x) {
        std::vector<float> values = {x};
        const auto at = [&](int value) { return value < 0 ? 0.0f : values[static_cast<size_t>(value)]; };
        for (size_t i = 0; i < m_program.instructions.size(); ++i) {
            const PointwiseInstruction& in = m_program.instructions[i];
            if (const auto limits = limitsOf(in, at(in.a), at(in.b))) {
                m_seen[i].low = m_seen[i].low || limits->value < limits->low || isNoLimit(limits->low);
                m_seen[i].high = m_seen[i].high || limits->value > limits->high || isNoLimit(limits->high);
            } else {
                m_seen[i] = {true, true};
            }
            values.push_back(evaluatePointwise(in, at(in.a), at(in.b), at(in.c)));
        }
        return at(m_program.results[0]);
    }
    bool hasSeenAllLimits() const {
        return std::all_of(m_seen.begin(), m_seen.end(),
                           [](const SidesSeen& sides) { return sides.low && sides.high; });
    }

private:
    /// Exporters write a side that is left open as the largest number.
    static bool isNoLimit(float limit) { return std::fabs(limit) >= std::numeric_limits<float>::max(); }

    const PointwiseProgram& m_program;
    std::vector<SidesSeen> m_seen;
};

/// Exporters write one function in many orders of the same arithmetic, so values are compared, not text. The program
/// holds at most two functions beside a little arithmetic: far fewer free numbers than points, which cover every bend
/// of the known functions, and must cover every limit in the program.
std::optional<PointwiseInstruction> recognise(const PointwiseProgram& program) {
    const auto functions = std::count_if(program.instructions.begin(), program.instructions.end(),
                                         [](const auto& in) { return !isArithmetic(in.op); });
    if (program.inputCount != 1 || functions < 1 || functions > 2 || program.instructions.size() > 16)
        return std::nullopt;
    if (!std::all_of(program.instructions.begin(), program.instructions.end(), isUnderstood)) return std::nullopt;
    for (const PointwiseInstruction& candidate : knownActivations()) {
        Sampler sampler(program);
        bool same = true;
        for (int i = -84; i <= 84 && same; ++i) {
            const float x = static_cast<float>(i) * 0.25f + 0.0625f;
            const float wanted = evaluatePointwise(candidate, x, 0.0f, 0.0f), found = sampler.evaluate(x);
            same = std::fabs(wanted - found) <= 5e-5f * std::max(1.0f, std::fabs(wanted));
        }
        if (same) return sampler.hasSeenAllLimits() ? std::optional(candidate) : std::nullopt;
    }
    return std::nullopt;
}

/// A layer and the producers it is grown by, back to one tensor.
struct Cone {
    std::vector<LayerId> layers;      // root first
    std::vector<TensorId> externals;  // what flows in, constants of one element excluded
};

void addExternals(const Network& network, Cone& cone, const Layer& layer) {
    for (TensorId input : layer.inputs) {
        if (input == kNone || scalarConstant(network, input)) continue;
        if (std::find(cone.externals.begin(), cone.externals.end(), input) == cone.externals.end())
            cone.externals.push_back(input);
    }
}

/// Takes in the producer of the external that is computed last; false when none can be.
bool grow(const Network& network, Cone& cone, const std::vector<int>& position) {
    LayerId latest = kNone;
    for (TensorId external : cone.externals) {
        const Layer* producer = producerOf(network, external);
        if (!producer || producer->outputs.size() != 1) continue;
        if (latest == kNone || position[static_cast<size_t>(producer->id)] > position[static_cast<size_t>(latest)])
            latest = producer->id;
    }
    if (latest == kNone || cone.layers.size() == kMaxLayers || !pointwiseForm(network, network.layer(latest)))
        return false;
    const Layer& layer = network.layer(latest);
    cone.externals.erase(std::find(cone.externals.begin(), cone.externals.end(), layer.outputs[0]));
    cone.layers.push_back(latest);
    addExternals(network, cone, layer);
    return true;
}

std::optional<PointwiseForm> formOf(const Network& network, const Cone& cone) {
    PointwiseComposer composer;
    std::map<TensorId, int> known = {{cone.externals[0], composer.input(cone.externals[0])}};
    std::optional<int> value;
    for (size_t i = cone.layers.size(); i-- > 0;) {  // producers were added after their readers
        const Layer& layer = network.layer(cone.layers[i]);
        value = compose(composer, network, layer, known);
        if (!value) return std::nullopt;
        known[layer.outputs[0]] = *value;
    }
    return composer.finish({*value});
}

Status fuseCone(Network& network, const PassContext& context, const Cone& cone, const PointwiseInstruction& found) {
    const TensorId output = network.layer(cone.layers[0]).outputs[0];
    const TensorId kept[] = {output};
    if (std::string reason = whyVisible(network, cone.layers, kept); !reason.empty()) {
        context.miss(network, cone.layers[0],
                     "it ends a " + std::string(pointwiseOpName(found.op)) + ", but inside " + reason);
        return Status::ok();
    }
    Fusion fusion;
    fusion.layers = cone.layers;
    fusion.namesake = cone.layers[0];
    fusion.op = OpRegistry::instance().get("Pointwise");
    fusion.inputs = cone.externals;
    fusion.outputs = {output};
    PointwiseProgram program;
    program.inputCount = 1;
    program.instructions = {found};
    program.results = {1};
    fusion.program = std::move(program);
    fusion.description =
        std::to_string(cone.layers.size()) + " layers together are " + std::string(pointwiseOpName(found.op));
    return fuse(network, context, std::move(fusion)).status();
}

Status recogniseAt(Network& network, const PassContext& context, LayerId root, const std::vector<int>& position) {
    const Layer& layer = network.layer(root);
    if (!pointwiseForm(network, layer)) return Status::ok();
    const Tensor& out = network.tensor(layer.outputs[0]);
    Cone cone;
    cone.layers = {root};
    addExternals(network, cone, layer);
    while (grow(network, cone, position)) {
        if (cone.externals.size() != 1) continue;
        const Tensor& in = network.tensor(cone.externals[0]);
        if (in.shape != out.shape || in.type != out.type || !isRealType(in.type)) continue;
        const auto form = formOf(network, cone);
        const auto found = form ? recognise(form->program) : std::nullopt;
        if (found) return fuseCone(network, context, cone, *found);
    }
    return Status::ok();
}

Status run(Network& network, PassContext& context) {
    std::vector<LayerId> order = network.topologicalOrder();
    std::vector<int> position(static_cast<size_t>(network.layerIdCount()), 0);
    for (size_t i = 0; i < order.size(); ++i) position[static_cast<size_t>(order[i])] = static_cast<int>(i);
    // From the end, so that x·HardSigmoid(x) is seen before the HardSigmoid in it.
    for (size_t i = order.size(); i-- > 0;) {
        if (context.cancel.isCancelled()) return cancelled();
        if (!network.layer(order[i]).removed) STROBE_RETURN_IF_ERROR(recogniseAt(network, context, order[i], position));
        position.resize(static_cast<size_t>(network.layerIdCount()),
                        static_cast<int>(i));  // a new layer stands where its root stood
    }
    return Status::ok();
}

}  // namespace

std::unique_ptr<Pass> makeActivationFusion() {
    return makePass("ActivationFusion",
                    "Recognises GELU, SiLU, hard-swish, hard-sigmoid, Mish and softplus written out in arithmetic.",
                    run);
}

}  // namespace strobe
