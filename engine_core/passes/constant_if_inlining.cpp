#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

/// The condition of an If, when it is the same in every run.
std::optional<bool> knownCondition(const Network& network, const Layer& layer) {
    const Tensor& condition = network.tensor(layer.inputs[0]);
    if (condition.values && condition.values->size() == 1 && (*condition.values)[0].isConstant())
        return (*condition.values)[0].constant() != 0;
    if (condition.constant && condition.constant->count() == 1)
        return *static_cast<const uint8_t*>(condition.constant->data.get()) != 0;
    return std::nullopt;
}

/// Copies a branch into the network around it.
class Inliner {
public:
    Inliner(Network& network, LayerId id, const Network& body)
        : m_network(network), m_id(id), m_body(body), m_place(static_cast<size_t>(body.tensorCount()), kNone) {}

    /// Returns what stands for output 0; kNone when there is none.
    TensorId run() {
        for (size_t i = 0; i < m_body.inputs().size(); ++i)
            m_place[index(m_body.inputs()[i])] = m_network.layer(m_id).inputs[i + 1];
        for (LayerId layer : m_body.topologicalOrder()) copyLayer(m_body.layer(layer));
        const std::vector<TensorId> outputs = m_network.layer(m_id).outputs;
        TensorId first = kNone;
        for (size_t o = 0; o < outputs.size(); ++o) {
            if (outputs[o] == kNone) continue;
            const TensorId inside = result(outputs[o], m_body.outputs()[o]);
            m_network.replaceAllUses(outputs[o], inside);
            if (first == kNone) first = inside;
        }
        m_network.removeLayer(m_id);
        return first;
    }

private:
    static size_t index(TensorId id) { return static_cast<size_t>(id); }

    TensorId placeOf(TensorId inner) {
        if (inner == kNone) return kNone;
        TensorId& place = m_place[index(inner)];
        if (place != kNone) return place;
        const Tensor& t = m_body.tensor(inner);
        if (t.constant) return place = m_network.addConstant(t.name, t.constant);
        place = m_network.addTensor(t.name, t.type, t.shape);
        m_network.tensor(place).rankKnown = t.rankKnown;
        m_network.tensor(place).values = t.values;
        return place;
    }

    void copyLayer(const Layer& from) {
        std::vector<TensorId> inputs, outputs;
        for (TensorId input : from.inputs) inputs.push_back(placeOf(input));
        for (TensorId output : from.outputs) outputs.push_back(placeOf(output));
        Layer& to = m_network.layer(
            m_network.addLayer(from.name, from.op, from.attributes, std::move(inputs), std::move(outputs)));
        to.program = from.program;
        to.subgraphs = from.subgraphs;
        to.provenance = from.provenance;
        to.precision = from.precision;
    }

    /// What stands for output `outer`: an output of the network needs a tensor of its own, that it may give its name
    /// to.
    TensorId result(TensorId outer, TensorId inner) {
        const TensorId place = placeOf(inner);
        const Tensor& t = m_network.tensor(place);
        if (!m_network.tensor(outer).isOutput || (t.producer != kNone && !t.isOutput)) return place;
        const TensorId copy = m_network.addTensor(t.name, t.type, t.shape);
        const LayerId identity = m_network.addLayer(m_network.layer(m_id).name + "_output",
                                                    OpRegistry::instance().get("Identity"), {}, {place}, {copy});
        m_network.layer(identity).provenance = m_network.layer(m_id).provenance;
        return copy;
    }

    Network& m_network;
    LayerId m_id;
    const Network& m_body;
    std::vector<TensorId> m_place;  // by the body's tensor ids
};

std::vector<int> provenanceWithBody(const Layer& layer, const Network& body) {
    std::vector<int> all = layer.provenance;
    for (LayerId id : body.topologicalOrder()) {
        const std::vector<int>& inside = body.layer(id).provenance;
        all.insert(all.end(), inside.begin(), inside.end());
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

/// True when the layer has gone.
bool inlineBranch(Network& network, const PassContext& context, LayerId id) {
    const Layer& layer = network.layer(id);
    if (!isPlain(layer, "If")) return false;
    const std::optional<bool> condition = knownCondition(network, layer);
    if (!condition) {
        context.miss(network, id,
                     "its condition '" + network.tensor(layer.inputs[0]).name + "' is known only when the model runs");
        return false;
    }
    const std::shared_ptr<const Network> body = layer.subgraphs[*condition ? 0 : 1];
    RewriteRecord record;
    record.replaced = {layer.name};
    record.provenance = provenanceWithBody(layer, *body);
    record.description = std::string("If: its condition is always ") + (*condition ? "true" : "false") +
                         ", the branch stands in its place";
    Network changed = network;
    const TensorId result = Inliner(changed, id, *body).run();
    if (const Status status = inferNetwork(changed); !status.isOk()) {
        context.miss(network, id, "its branch does not fit what is known around it: " + status.message());
        return false;
    }
    network = std::move(changed);
    if (result != kNone) record.result = network.tensor(result).name;
    context.record(std::move(record));
    return true;
}

/// What a branch defines may decide the next condition, and may hold Ifs of its own: looks again after each one that
/// went.
Status run(Network& network, PassContext& context) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (LayerId id : network.topologicalOrder()) {
            if (context.cancel.isCancelled()) return cancelled();
            if (!inlineBranch(network, context, id)) continue;
            changed = true;
            break;
        }
    }
    return Status::ok();
}

}  // namespace

std::unique_ptr<Pass> makeConstantIfInlining() {
    return makePass("ConstantIfInlining", "Puts the branch in the place of an If whose condition never changes.", run);
}

}  // namespace strobe
