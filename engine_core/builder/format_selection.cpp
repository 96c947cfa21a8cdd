#include "engine_core/builder/format_selection.h"

#include <algorithm>
#include <limits>

namespace strobe {

namespace {

class Selector {
public:
    Selector(const Network& network, const std::vector<SelectionNode>& nodes, const std::function<const Dims&(TensorId)>& dims, const ReformatMilliseconds& reformat)
        : m_network(network), m_nodes(nodes), m_dims(dims), m_reformat(reformat), m_nodeOfLayer(static_cast<size_t>(network.layerIdCount()), -1), m_choice(nodes.size(), 0) {
        for (size_t n = 0; n < nodes.size(); ++n) m_nodeOfLayer[static_cast<size_t>(nodes[n].layer)] = static_cast<int>(n);
    }

    std::vector<int> select() {
        runForward();
        chooseBackward();
        improve();
        // Single moves do not leave an island of layers on the wrong side of the bus: the graph with all on the device is a second start.
        const std::vector<int> first = m_choice;
        const double cost = totalCost();
        if (!chooseDevice()) return first;
        improve();
        return totalCost() < cost ? m_choice : first;
    }

private:
    size_t count(size_t node) const { return m_nodes[node].candidates ? m_nodes[node].candidates->usable.size() : 1; }
    double ownTime(size_t node, size_t candidate) const { return m_nodes[node].candidates ? m_nodes[node].candidates->usable[candidate].milliseconds : 0; }

    Format plainOf(TensorId id) const { return {m_network.tensor(id).type, Layout::Plain, MemoryKind::Host}; }
    Format inputFormat(size_t node, size_t candidate, size_t input) const {
        const Layer& layer = m_network.layer(m_nodes[node].layer);
        return m_nodes[node].candidates ? m_nodes[node].candidates->usable[candidate].inputs[input] : plainOf(layer.inputs[input]);
    }
    Format outputFormat(size_t node, size_t candidate, size_t output) const {
        const Layer& layer = m_network.layer(m_nodes[node].layer);
        return m_nodes[node].candidates ? m_nodes[node].candidates->usable[candidate].outputs[output] : plainOf(layer.outputs[output]);
    }
    double reformat(TensorId id, const Format& from, const Format& to) const { return from == to ? 0 : m_reformat(m_dims(id), from, to); }
    bool isFree(TensorId id) const { return id == kNone || m_network.tensor(id).isConstant() || m_network.tensor(id).isSymbolicConstant(); }

    /// Best cost of getting input `input` in the wanted format, over the producer's candidates; a value read n times pays 1/n of its producer.
    double bestUpstream(TensorId id, const Format& wanted) const {
        const Tensor& tensor = m_network.tensor(id);
        if (tensor.producer == kNone) return reformat(id, plainOf(id), wanted);
        const auto producer = static_cast<size_t>(m_nodeOfLayer[static_cast<size_t>(tensor.producer)]);
        double best = std::numeric_limits<double>::max();
        const double readers = static_cast<double>(std::max<size_t>(1, tensor.uses.size()));
        for (size_t c = 0; c < count(producer); ++c)
            best = std::min(best, m_forward[producer][c] / readers + reformat(id, outputFormat(producer, c, static_cast<size_t>(tensor.producerOutput)), wanted));
        return best;
    }

    void runForward() {
        m_forward.resize(m_nodes.size());
        for (size_t n = 0; n < m_nodes.size(); ++n) {
            const Layer& layer = m_network.layer(m_nodes[n].layer);
            for (size_t c = 0; c < count(n); ++c) {
                double cost = ownTime(n, c);
                for (size_t i = 0; i < layer.inputs.size(); ++i)
                    if (!isFree(layer.inputs[i])) cost += bestUpstream(layer.inputs[i], inputFormat(n, c, i));
                m_forward[n].push_back(cost);
            }
        }
    }

    /// Reformats after output tensors of `node` if it chose `candidate`, each distinct target once.
    double downstream(size_t node, size_t candidate, bool chosenOnly) const {
        const Layer& layer = m_network.layer(m_nodes[node].layer);
        double cost = 0;
        for (size_t o = 0; o < layer.outputs.size(); ++o) {
            if (layer.outputs[o] == kNone) continue;
            const Format from = outputFormat(node, candidate, o);
            std::vector<Format> targets;
            if (m_network.tensor(layer.outputs[o]).isOutput) targets.push_back(plainOf(layer.outputs[o]));
            for (const TensorUse& use : m_network.tensor(layer.outputs[o]).uses) {
                const auto reader = static_cast<size_t>(m_nodeOfLayer[static_cast<size_t>(use.layer)]);
                if (chosenOnly && reader <= node) continue;
                targets.push_back(inputFormat(reader, static_cast<size_t>(m_choice[reader]), static_cast<size_t>(use.index)));
            }
            for (size_t t = 0; t < targets.size(); ++t)
                if (std::find(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(t), targets[t]) == targets.begin() + static_cast<std::ptrdiff_t>(t))
                    cost += reformat(layer.outputs[o], from, targets[t]);
        }
        return cost;
    }

    void chooseBackward() {
        for (size_t n = m_nodes.size(); n-- > 0;) {
            double best = std::numeric_limits<double>::max();
            for (size_t c = 0; c < count(n); ++c) {
                const double cost = m_forward[n][c] + downstream(n, c, true);
                if (cost < best) {
                    best = cost;
                    m_choice[n] = static_cast<int>(c);
                }
            }
        }
    }

    /// The fastest candidate on the device, for each layer that has one; false when none has.
    bool chooseDevice() {
        bool any = false;
        for (size_t n = 0; n < m_nodes.size(); ++n) {
            const auto onDevice = [&](size_t c) { return m_nodes[n].candidates && m_nodes[n].candidates->usable[c].device != DeviceKind::Cpu; };
            double best = std::numeric_limits<double>::max();
            for (size_t c = 0; c < count(n); ++c)
                if (onDevice(c) && ownTime(n, c) < best) {
                    best = ownTime(n, c);
                    m_choice[n] = static_cast<int>(c);
                    any = true;
                }
        }
        return any;
    }

    double totalCost() const {
        double cost = 0;
        for (size_t n = 0; n < m_nodes.size(); ++n) cost += ownTime(n, static_cast<size_t>(m_choice[n])) + downstream(n, static_cast<size_t>(m_choice[n]), false);
        for (TensorId id : m_network.inputs()) cost += inputReformats(id);
        return cost;
    }

    /// Of a network input, each distinct target once.
    double inputReformats(TensorId id) const {
        double cost = 0;
        std::vector<Format> targets;
        for (const TensorUse& use : m_network.tensor(id).uses) {
            const auto reader = static_cast<size_t>(m_nodeOfLayer[static_cast<size_t>(use.layer)]);
            const Format wanted = inputFormat(reader, static_cast<size_t>(m_choice[reader]), static_cast<size_t>(use.index));
            if (std::find(targets.begin(), targets.end(), wanted) != targets.end()) continue;
            targets.push_back(wanted);
            cost += reformat(id, plainOf(id), wanted);
        }
        return cost;
    }

    /// Reformats in front of `node`, those that another reader already pays not counted.
    double upstream(size_t node, size_t candidate) const {
        const Layer& layer = m_network.layer(m_nodes[node].layer);
        double cost = 0;
        for (size_t i = 0; i < layer.inputs.size(); ++i) {
            const TensorId id = layer.inputs[i];
            if (isFree(id)) continue;
            const Tensor& tensor = m_network.tensor(id);
            Format from = plainOf(id);
            if (tensor.producer != kNone) {
                const auto producer = static_cast<size_t>(m_nodeOfLayer[static_cast<size_t>(tensor.producer)]);
                from = outputFormat(producer, static_cast<size_t>(m_choice[producer]), static_cast<size_t>(tensor.producerOutput));
            }
            const Format wanted = inputFormat(node, candidate, i);
            const bool paid = std::any_of(tensor.uses.begin(), tensor.uses.end(), [&](const TensorUse& use) {
                const auto reader = static_cast<size_t>(m_nodeOfLayer[static_cast<size_t>(use.layer)]);
                return reader != node && inputFormat(reader, static_cast<size_t>(m_choice[reader]), static_cast<size_t>(use.index)) == wanted;
            });
            if (!paid) cost += reformat(id, from, wanted);
        }
        return cost;
    }

    void improve() {
        for (int round = 0; round < 8; ++round) {
            bool changed = false;
            for (size_t n = 0; n < m_nodes.size(); ++n) {
                const auto total = [&](size_t c) { return ownTime(n, c) + upstream(n, c) + downstream(n, c, false); };
                double best = total(static_cast<size_t>(m_choice[n]));
                for (size_t c = 0; c < count(n); ++c)
                    if (const double cost = total(c); cost < best - 1e-9) {
                        best = cost;
                        m_choice[n] = static_cast<int>(c);
                        changed = true;
                    }
            }
            if (!changed) return;
        }
    }

    const Network& m_network;
    const std::vector<SelectionNode>& m_nodes;
    const std::function<const Dims&(TensorId)>& m_dims;
    const ReformatMilliseconds& m_reformat;
    std::vector<int> m_nodeOfLayer;
    std::vector<std::vector<double>> m_forward;
    std::vector<int> m_choice;
};

}  // namespace

std::vector<int> selectCandidates(const Network& network, const std::vector<SelectionNode>& nodes, const std::function<const Dims&(TensorId)>& dims,
                                  const ReformatMilliseconds& reformat) {
    return Selector(network, nodes, dims, reformat).select();
}

}  // namespace strobe
