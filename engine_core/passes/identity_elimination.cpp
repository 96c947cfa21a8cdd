#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/pointwise_form.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

bool isShapeKept(const Network& network, TensorId input, TensorId output) {
    const Tensor &in = network.tensor(input), &out = network.tensor(output);
    return in.rankKnown && out.rankKnown && in.shape == out.shape && in.type == out.type;
}

bool isAll(const std::optional<std::vector<int64_t>>& values, int64_t expected) {
    return values && std::all_of(values->begin(), values->end(), [&](int64_t v) { return v == expected; });
}

bool isInertDropout(const Network& network, const Layer& layer) {
    if (const TensorId mask = layer.outputs.size() > 1 ? layer.outputs[1] : kNone; mask != kNone && (network.tensor(mask).isOutput || !network.tensor(mask).uses.empty()))
        return false;
    const TensorId training = inputAt(layer, 2);
    return training == kNone || scalarConstant(network, training) == 0.0;
}

bool isIdentityTranspose(const Network& network, const Layer& layer) {
    const std::vector<int64_t> perm = layer.attributes.getInts("perm");
    for (size_t i = 0; i < perm.size(); ++i)
        if (perm[i] != static_cast<int64_t>(i)) return false;
    return !perm.empty() ||
           (network.tensor(layer.inputs[0]).rankKnown && network.tensor(layer.inputs[0]).shape.size() <= 1);
}

/// The whole extent in steps of one.
bool isWholeSlice(const Network& network, const Layer& layer) {
    const TensorId steps = inputAt(layer, 4);
    return steps == kNone || isAll(integerConstant(network, steps), 1);
}

/// Every extent asked for is 1 or that of the input: two extents that only look equal, since of two unequal ones
/// inference keeps one, may differ where one is 1.
bool isIdleExpand(const Network& network, const Layer& layer) {
    const Shape& x = network.tensor(layer.inputs[0]).shape;
    const auto& target = network.tensor(layer.inputs[1]).values;
    if (!target || target->size() > x.size()) return false;
    return std::equal(target->begin(), target->end(), x.end() - static_cast<std::ptrdiff_t>(target->size()),
                      [](const Dim& wanted, const Dim& extent) { return wanted.isConstant(1) || wanted == extent; });
}

/// x·1, x/1, x+0, x−0, x^1 with the neutral element on the side where it is neutral.
bool isNeutralArithmetic(const Network& network, const Layer& layer) {
    const auto operation = scalarOperation(network, layer);
    if (!operation || operation->operand != layer.inputs[static_cast<size_t>(operation->operandIndex)]) return false;
    const std::string& op = layer.op->name;
    const bool constantRight = operation->operandIndex == 0;
    if (op == "Mul") return operation->scalar == 1.0;
    if (op == "Add") return operation->scalar == 0.0;
    if (op == "Sub") return constantRight && operation->scalar == 0.0;
    if (op == "Div" || op == "Pow") return constantRight && operation->scalar == 1.0;
    return false;
}

/// The input that output 0 always equals, or kNone.
TensorId unchangedInput(const Network& network, const Layer& layer) {
    const std::string& op = layer.op->name;
    if (layer.inputs.empty() || layer.inputs[0] == kNone || layer.program) return kNone;
    const TensorId first = layer.inputs[0];
    if (op == "Identity") return first;
    if (op == "Dropout") return isInertDropout(network, layer) ? first : kNone;
    if ((op == "Concat" || op == "Sum" || op == "Max" || op == "Min" || op == "Mean") && layer.inputs.size() == 1)
        return first;
    if (op == "Split" && layer.outputs.size() == 1) return first;
    if (op == "Pad") return isAll(integerConstant(network, inputAt(layer, 1)), 0) ? first : kNone;
    if (op == "Tile") return isAll(integerConstant(network, inputAt(layer, 1)), 1) ? first : kNone;
    if (op == "Transpose") return isIdentityTranspose(network, layer) ? first : kNone;
    if (!isShapeKept(network, first, layer.outputs[0]) && op != "Mul" && op != "Add") return kNone;
    if (op == "Cast" || op == "Reshape" || op == "Squeeze" || op == "Unsqueeze" || op == "Flatten") return first;
    if (op == "Expand") return isIdleExpand(network, layer) ? first : kNone;
    if (op == "Slice") return isWholeSlice(network, layer) ? first : kNone;
    if (isNeutralArithmetic(network, layer)) {
        const TensorId operand = scalarOperation(network, layer)->operand;
        return isShapeKept(network, operand, layer.outputs[0]) ? operand : kNone;
    }
    return kNone;
}

/// Element-wise readers broadcast by themselves: an Expand before them only fills memory.
bool isNeedlessExpand(const Network& network, const Layer& layer) {
    if (!isPlain(layer, "Expand")) return false;
    const TensorId x = layer.inputs[0], expanded = layer.outputs[0];
    const Tensor& t = network.tensor(expanded);
    if (t.isOutput || t.uses.empty() || !network.tensor(x).rankKnown) return false;
    return std::all_of(t.uses.begin(), t.uses.end(), [&](const TensorUse& use) {
        const Layer& reader = network.layer(use.layer);
        if (!reader.op->toPointwise || reader.program || reader.op->name == "PRelu") return false;
        std::vector<TensorId> inputs = reader.inputs;
        std::replace(inputs.begin(), inputs.end(), expanded, x);
        inputs.erase(std::remove(inputs.begin(), inputs.end(), kNone), inputs.end());
        return inputs.size() >= 2 && broadcastsTo(network, inputs, network.tensor(reader.outputs[0]).shape);
    });
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) {
        const Layer& layer = network.layer(id);
        if (isNeedlessExpand(network, layer)) {
            bypass(network, context, id, layer.inputs[0], "Expand: what reads it broadcasts by itself");
            return Status::ok();
        }
        if (layer.outputs.empty() || layer.outputs[0] == kNone) return Status::ok();
        const TensorId same = unchangedInput(network, layer);
        if (same != kNone)
            bypass(network, context, id, same,
                   layer.op->name + ": the result equals its input '" + network.tensor(same).name + "'");
        return Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeIdentityElimination() {
    return makePass("IdentityElimination", "Removes layers that pass their input through unchanged.", run);
}

}  // namespace strobe
