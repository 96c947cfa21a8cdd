#include <algorithm>

#include "engine_core/ops/compute_shapes.h"
#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// Empty where the rank is unknown: whether the axes fit it was not checked.
std::vector<int64_t> permOf(const Network& network, const Layer& transpose) {
    const Tensor& in = network.tensor(transpose.inputs[0]);
    if (!in.rankKnown) return {};
    std::vector<int64_t> perm = transpose.attributes.getInts("perm");
    if (perm.empty())
        for (size_t i = in.shape.size(); i-- > 0;) perm.push_back(static_cast<int64_t>(i));
    return perm;
}

bool isIdentity(const std::vector<int64_t>& perm) {
    for (size_t i = 0; i < perm.size(); ++i)
        if (perm[i] != static_cast<int64_t>(i)) return false;
    return true;
}

/// Transpose(Transpose(x)): one of both, or none. The first stays when others read it.
Status mergeTransposes(Network& network, const PassContext& context, LayerId id) {
    const Layer& second = network.layer(id);
    const Layer* first = producerOf(network, second.inputs[0], "Transpose");
    if (!first) return Status::ok();
    const std::vector<int64_t> inner = permOf(network, *first), outer = permOf(network, second);
    if (inner.size() != outer.size() || inner.empty()) return Status::ok();
    std::vector<int64_t> both;
    for (int64_t axis : outer) both.push_back(inner[static_cast<size_t>(axis)]);
    const TensorId x = first->inputs[0];
    if (isIdentity(both)) {
        bypass(network, context, id, x, "Transpose: undoes '" + first->name + "'");
        return Status::ok();
    }
    Fusion fusion;
    fusion.layers = {id};
    if (onlyReader(network, first->outputs[0])) fusion.layers.push_back(first->id);
    fusion.namesake = id;
    fusion.op = second.op;
    fusion.attributes.set("perm", both);
    fusion.inputs = {x};
    fusion.outputs = {second.outputs[0]};
    fusion.description = "Transpose + Transpose: one permutation";
    return fuse(network, context, std::move(fusion)).status();
}

/// Reshape(Reshape(x)) reads x at once, where the target says all by itself: no 0 (keep) that meant the middle shape.
Status mergeReshapes(Network& network, const PassContext& context, LayerId id) {
    const Layer& second = network.layer(id);
    const Layer* first = producerOf(network, second.inputs[0]);
    static constexpr std::string_view kReshaping[] = {"Reshape", "Squeeze", "Unsqueeze", "Flatten"};
    if (!first || std::find(std::begin(kReshaping), std::end(kReshaping), first->op->name) == std::end(kReshaping))
        return Status::ok();
    const auto& target = network.tensor(second.inputs[1]).values;
    if (!target || std::any_of(target->begin(), target->end(), [](const Dim& d) { return d.isConstant(0); }))
        return Status::ok();
    const LayerId both[] = {id};
    if (std::string why = whyVisible(network, first->outputs[0], both); !why.empty()) return Status::ok();
    Fusion fusion;
    fusion.layers = {id, first->id};
    fusion.namesake = id;
    fusion.op = second.op;
    fusion.attributes = second.attributes;
    fusion.inputs = {first->inputs[0], second.inputs[1]};
    fusion.outputs = {second.outputs[0]};
    fusion.description = first->op->name + " + Reshape: one reshape";
    return fuse(network, context, std::move(fusion)).status();
}

/// Swaps the last two axes and nothing else.
bool swapsMatrix(const std::vector<int64_t>& perm) {
    if (perm.size() < 2) return false;
    std::vector<int64_t> swapped = perm;
    std::swap(swapped[perm.size() - 1], swapped[perm.size() - 2]);
    return isIdentity(swapped);
}

/// MatMul reads a transposed matrix where it lies.
Status foldIntoMatMul(Network& network, const PassContext& context, LayerId id) {
    for (int side : {0, 1}) {
        const Layer& product = network.layer(id);
        const TensorId operand = product.inputs[static_cast<size_t>(side)];
        const Layer* transpose = producerOf(network, operand, "Transpose");
        if (!transpose || product.inputs[0] == product.inputs[1] || !swapsMatrix(permOf(network, *transpose))) continue;
        const LayerId inside[] = {id};
        if (std::string why = whyVisible(network, operand, inside); !why.empty()) {
            context.miss(network, transpose->id, std::move(why));
            continue;
        }
        const char* flag = side == 0 ? "transA" : "transB";
        Fusion fusion;
        fusion.layers = {id, transpose->id};
        fusion.namesake = id;
        fusion.op = product.op;
        fusion.attributes = product.attributes;
        if (product.attributes.getBool(flag, false))
            fusion.attributes.erase(flag);
        else
            fusion.attributes.set(flag, int64_t{1});
        fusion.inputs = product.inputs;
        fusion.inputs[static_cast<size_t>(side)] = transpose->inputs[0];
        fusion.outputs = product.outputs;
        fusion.description = std::string("Transpose + MatMul: ") + flag;
        STROBE_ASSIGN(id, fuse(network, context, std::move(fusion)));
    }
    return Status::ok();
}

/// next(mover(x)) becomes mover(next(x)): `inputs` are what next reads then.
Status moveBehind(Network& network, const PassContext& context, LayerId id, LayerId next, std::vector<TensorId> inputs,
                  const std::string& why) {
    const TensorId result = network.layer(next).outputs[0];
    const TensorId inner = network.addTensor(network.tensor(result).name + ".moved", network.tensor(result).type);
    const Layer& mover = network.layer(id);
    RewriteRecord record;
    record.result = mover.name;
    record.provenance = mover.provenance;
    record.description = mover.op->name + " moved behind '" + network.layer(next).name + "', " + why;
    network.setOutput(id, 0, kNone);
    network.setOutput(next, 0, inner);
    network.setInputs(next, std::move(inputs));
    STROBE_RETURN_IF_ERROR(inferLayer(network, next));
    network.setInput(id, 0, inner);
    network.setOutput(id, 0, result);
    context.record(std::move(record));
    return inferLayer(network, id);
}

bool isElementwise(const Layer& layer) {
    return layer.program ? layer.op->name == "Pointwise" : layer.op->toPointwise != nullptr;
}

/// The element-wise layer that alone reads `moved` and keeps its shape; nullptr: none.
const Layer* elementwiseReader(const Network& network, TensorId moved) {
    const Layer* next = onlyReader(network, moved);
    if (!next || next->outputs.size() != 1 || !isElementwise(*next) || next->op->name == "PRelu") return nullptr;
    const Tensor &in = network.tensor(moved), &out = network.tensor(next->outputs[0]);
    return in.rankKnown && out.rankKnown && in.shape == out.shape ? next : nullptr;
}

bool isTransposedNext(const Network& network, TensorId tensor) {
    const Layer* after = onlyReader(network, tensor);
    return after && isPlain(*after, "Transpose");
}

/// f(Transpose(x)) = Transpose(f(x)) for an element-wise f of one tensor: moves down, towards a Transpose that undoes
/// it. A scalar operand cannot have a higher rank than x: f keeps the shape.
Status sinkThrough(Network& network, const PassContext& context, LayerId id) {
    const TensorId x = network.layer(id).inputs[0], moved = network.layer(id).outputs[0];
    const Layer* next = elementwiseReader(network, moved);
    if (!next || !isTransposedNext(network, next->outputs[0])) return Status::ok();
    std::vector<TensorId> inputs = next->inputs;
    for (TensorId& input : inputs) {
        if (input == moved)
            input = x;
        else if (input != kNone && !scalarConstant(network, input))
            return Status::ok();
    }
    return moveBehind(network, context, id, next->id, std::move(inputs), "where another follows");
}

/// Unsqueeze(Transpose(x)) = Transpose(Unsqueeze(x)), the new extents last: the same move.
Status sinkThroughUnsqueeze(Network& network, const PassContext& context, LayerId id) {
    const TensorId x = network.layer(id).inputs[0], moved = network.layer(id).outputs[0];
    const Layer* next = onlyReader(network, moved);
    if (!next || !isPlain(*next, "Unsqueeze") || next->inputs[0] != moved) return Status::ok();
    const auto given = integerConstant(network, inputAt(*next, 1));
    const std::vector<int64_t> perm = permOf(network, network.layer(id));
    if (!given || perm.empty() || !isTransposedNext(network, next->outputs[0])) return Status::ok();
    const auto rank = static_cast<int64_t>(perm.size() + given->size());
    STROBE_ASSIGN(const std::vector<int64_t> axes, normalizeAxes(*given, rank));
    std::vector<int64_t> behind, wider;
    auto old = perm.begin();
    for (int64_t axis = 0; axis < rank; ++axis) {
        const bool isNew = std::binary_search(axes.begin(), axes.end(), axis);
        wider.push_back(isNew ? static_cast<int64_t>(perm.size() + behind.size()) : *old++);
        if (isNew) behind.push_back(wider.back());
    }
    const TensorId at = network.addConstant(next->name + ".moved_axes",
                                            makeInt64Weights({static_cast<int64_t>(behind.size())}, behind));
    network.layer(id).attributes.set("perm", wider);
    return moveBehind(network, context, id, next->id, {x, at}, "where another follows");
}

/// The constant for operands that have `axes` more; kNone: it is none.
TensorId unsqueezedConstant(Network& network, TensorId constant, const std::vector<int64_t>& axes, size_t rank) {
    const Tensor& t = network.tensor(constant);
    if (!t.constant || t.shape.size() + axes.size() > rank) return kNone;
    if (t.constant->count() == 1 && t.shape.size() <= 1) return constant;
    Dims narrow = t.constant->dims, wide;
    narrow.insert(narrow.begin(), rank - axes.size() - narrow.size(), 1);
    auto old = narrow.begin();
    for (size_t axis = 0; axis < rank; ++axis)
        wide.push_back(std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis)) ? 1 : *old++);
    auto weights = std::make_shared<Weights>(*t.constant);
    weights->dims = std::move(wide);
    return network.addConstant(t.name + ".unsqueezed", std::move(weights));
}

/// Nobody else reads the tensor, and only element-wise layers stand between it and a convolution.
bool isBehindConv(const Network& network, TensorId tensor) {
    while (const Layer* layer = onlyReader(network, tensor) ? producerOf(network, tensor) : nullptr) {
        if (isPlain(*layer, "Conv")) return true;
        if (!isElementwise(*layer)) return false;
        const auto computed = std::find_if(layer->inputs.begin(), layer->inputs.end(), [&](TensorId input) {
            return input != kNone && !network.tensor(input).isConstant();
        });
        if (computed == layer->inputs.end()) return false;
        tensor = *computed;
    }
    return false;
}

/// f(Squeeze(Conv(x))) = Squeeze(f(Conv(x))): exporters that have two-dimensional convolutions only squeeze their
/// results, and behind that no convolution takes bias and activation in.
Status sinkSqueeze(Network& network, const PassContext& context, LayerId id) {
    const TensorId x = network.layer(id).inputs[0];
    const auto given = integerConstant(network, inputAt(network.layer(id), 1));
    if (!given || !network.tensor(x).rankKnown || !isBehindConv(network, x)) return Status::ok();
    const size_t rank = network.tensor(x).shape.size();
    STROBE_ASSIGN(const std::vector<int64_t> axes, normalizeAxes(*given, static_cast<int64_t>(rank)));
    TensorId top = x;
    while (const Layer* next = elementwiseReader(network, network.layer(id).outputs[0])) {
        std::vector<TensorId> inputs = next->inputs;
        for (TensorId& input : inputs) {
            if (input == kNone) continue;
            input = input == network.layer(id).outputs[0] ? top : unsqueezedConstant(network, input, axes, rank);
            if (input == kNone) return Status::ok();
        }
        const LayerId nextId = next->id;
        STROBE_RETURN_IF_ERROR(
            moveBehind(network, context, id, nextId, std::move(inputs), "which the convolution can take in"));
        top = network.layer(nextId).outputs[0];
    }
    return Status::ok();
}

Status run(Network& network, PassContext& context) {
    const auto sink = [&](LayerId id) -> Status {
        if (isPlain(network.layer(id), "Squeeze")) return sinkSqueeze(network, context, id);
        if (!isPlain(network.layer(id), "Transpose")) return Status::ok();
        STROBE_RETURN_IF_ERROR(sinkThroughUnsqueeze(network, context, id));
        return sinkThrough(network, context, id);
    };
    STROBE_RETURN_IF_ERROR(forEachLayer(network, context, sink));
    return forEachLayer(network, context, [&](LayerId id) -> Status {
        const Layer& layer = network.layer(id);
        if (isPlain(layer, "Transpose")) return mergeTransposes(network, context, id);
        if (isPlain(layer, "Reshape")) return mergeReshapes(network, context, id);
        if (isPlain(layer, "MatMul")) return foldIntoMatMul(network, context, id);
        return Status::ok();
    });
}

}  // namespace

std::unique_ptr<Pass> makeTransposeMotion() {
    return makePass(
        "TransposeMotion",
        "Merges, cancels and moves transposes and reshapes, and lets matrix products read transposed operands.", run);
}

}  // namespace strobe
