#include <algorithm>

#include "engine_core/passes/pass_list.h"
#include "engine_core/passes/rewrite.h"

namespace strobe {
namespace {

bool isRead(const Network& network, TensorId tensor) {
    return tensor != kNone && (network.tensor(tensor).isOutput || !network.tensor(tensor).uses.empty());
}

/// An optional output that nobody reads need not be computed (MaxPool's indices, an LSTM's last state).
void dropUnreadOutputs(Network& network, LayerId id) {
    const Layer& layer = network.layer(id);
    for (size_t i = 1; i < layer.outputs.size(); ++i)
        if (layer.outputs[i] != kNone && !layer.op->needsOutput(static_cast<int>(i)) &&
            !isRead(network, layer.outputs[i]))
            network.setOutput(id, static_cast<int>(i), kNone);
}

Status run(Network& network, PassContext& context) {
    std::vector<LayerId> order = network.topologicalOrder();
    std::reverse(order.begin(), order.end());
    for (LayerId id : order) {
        const Layer& layer = network.layer(id);
        if (std::any_of(layer.outputs.begin(), layer.outputs.end(), [&](TensorId t) { return isRead(network, t); })) {
            dropUnreadOutputs(network, id);
            continue;
        }
        RewriteRecord record;
        record.replaced = {layer.name};
        record.provenance = layer.provenance;
        record.description = layer.op->name + ": no output depends on it";
        context.record(std::move(record));
        network.removeLayer(id);
    }
    return Status::ok();
}

}  // namespace

std::unique_ptr<Pass> makeDeadLayerElimination() {
    return makePass("DeadLayerElimination", "Removes layers on which no network output depends.", run);
}

}  // namespace strobe
