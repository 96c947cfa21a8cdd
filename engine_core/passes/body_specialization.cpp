#include <algorithm>

#include "engine_core/ops/control_flow.h"
#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// The bodies of a layer as they are being changed, and the captures that are left.
struct Specialization {
    std::vector<Network> bodies;
    std::vector<TensorId> inputs;  // of the layer
    std::vector<std::string> notes;
    int first = 0;     // index of the first capture among a body's inputs
    int captures = 0;  // those left
};

bool describesAlike(const Tensor& a, const Tensor& b) {
    return a.type == b.type && a.rankKnown == b.rankKnown && a.shape == b.shape && a.values == b.values;
}

/// The body's input becomes what the outer tensor is.
void takeConstant(Network& body, TensorId id, const Tensor& outer) {
    body.dropInput(id);
    Tensor& inner = body.tensor(id);
    if (inner.uses.empty() && !inner.isOutput) return;
    if (outer.constant) return body.makeConstant(id, outer.constant);
    inner.type = outer.type;
    inner.shape = outer.shape;
    inner.rankKnown = true;
    inner.values = outer.values;
}

/// Replaces, in a body, what its input's extents were called by what is known of them now.
void takeShape(Network& body, TensorId id, const Tensor& outer) {
    std::map<std::string, Dim> known;
    const Shape before = body.tensor(id).shape;
    if (body.tensor(id).rankKnown && outer.rankKnown && before.size() == outer.shape.size())
        for (size_t d = 0; d < before.size(); ++d)
            if (const auto symbol = before[d].symbolName(); symbol && outer.shape[d].isConstant())
                known.emplace(*symbol, outer.shape[d]);
    body.substituteSymbols(known);
    Tensor& inner = body.tensor(id);
    inner.type = outer.type;
    inner.rankKnown = outer.rankKnown;
    inner.shape = outer.shape;
    inner.values = outer.values;
}

bool isUsed(const Network& body, TensorId id) {
    return body.tensor(id).isOutput || !body.tensor(id).uses.empty();
}

/// Passes on what is known of capture `c`; true when the capture itself is no longer needed.
bool specializeCapture(const Network& network, Specialization& work, int c) {
    const Tensor& outer =
        network.tensor(work.inputs[work.inputs.size() - static_cast<size_t>(work.captures) + static_cast<size_t>(c)]);
    const auto inner = [&](const Network& body) { return body.inputs()[static_cast<size_t>(work.first + c)]; };
    const bool used = std::any_of(work.bodies.begin(), work.bodies.end(),
                                  [&](const Network& body) { return isUsed(body, inner(body)); });
    if (!used || outer.constant || outer.isSymbolicConstant()) {
        for (Network& body : work.bodies) takeConstant(body, inner(body), outer);
        work.notes.push_back("'" + outer.name + (used ? "' is constant" : "' is not read"));
        return true;
    }
    for (Network& body : work.bodies) {
        const TensorId id = inner(body);
        if (describesAlike(body.tensor(id), outer)) continue;
        takeShape(body, id, outer);
        work.notes.push_back("'" + outer.name + "' is " + (outer.rankKnown ? toString(outer.shape) : "of any rank"));
    }
    return false;
}

void dropCapture(Specialization& work, int c) {
    work.inputs.erase(work.inputs.end() - work.captures + c);
    --work.captures;
}

std::string joined(const std::vector<std::string>& notes) {
    std::string text;
    for (const std::string& note : notes)
        if (text.find(note) == std::string::npos) text += (text.empty() ? "" : ", ") + note;
    return text;
}

Status specialize(Network& network, const PassContext& context, LayerId id) {
    const Layer& layer = network.layer(id);
    if (layer.subgraphs.empty()) return Status::ok();
    Specialization work;
    work.inputs = layer.inputs;
    work.captures = controlFlowCounts(layer.op->name, layer.attributes, static_cast<int>(layer.inputs.size())).captures;
    for (const auto& body : layer.subgraphs) work.bodies.push_back(*body);
    work.first = static_cast<int>(work.bodies[0].inputs().size()) - work.captures;
    for (int c = 0; c < work.captures;) {
        if (specializeCapture(network, work, c))
            dropCapture(work, c);
        else
            ++c;
    }
    if (work.notes.empty()) return Status::ok();
    for (Network& body : work.bodies)
        if (const Status status = inferNetwork(body); !status.isOk()) {
            // A branch that these shapes do not fit must not be taken; the model is right as long as it is not.
            context.miss(network, id,
                         "body '" + body.name() + "' does not fit what is known outside: " + status.message());
            return Status::ok();
        }
    RewriteRecord record{context.pass,
                         layer.name,
                         {},
                         layer.provenance,
                         layer.op->name + ": inside its bodies, " + joined(work.notes),
                         -1};
    Layer& target = network.layer(id);
    for (size_t b = 0; b < work.bodies.size(); ++b)
        target.subgraphs[b] = std::make_shared<const Network>(std::move(work.bodies[b]));
    target.attributes.set("captures", static_cast<int64_t>(work.captures));
    network.setInputs(id, std::move(work.inputs));
    context.record(std::move(record));
    return Status::ok();
}

Status run(Network& network, PassContext& context) {
    return forEachLayer(network, context, [&](LayerId id) { return specialize(network, context, id); });
}

}  // namespace

std::unique_ptr<Pass> makeBodySpecialization() {
    return makePass("BodySpecialization",
                    "Carries constants and shapes that are known outside into the bodies of If, Loop and Scan.", run);
}

}  // namespace strobe
