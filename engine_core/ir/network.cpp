#include "engine_core/ir/network.h"

#include <algorithm>
#include <map>
#include <queue>

#include "engine_core/ops/op_definition.h"

namespace strobe {

std::string Network::uniqueTensorName(std::string name) const {
    if (m_tensorByName.find(name) == m_tensorByName.end() && !name.empty()) return name;
    for (int suffix = 1;; ++suffix) {
        std::string candidate = (name.empty() ? std::string("t") : name) + "." + std::to_string(suffix);
        if (m_tensorByName.find(candidate) == m_tensorByName.end()) return candidate;
    }
}

TensorId Network::newTensor(std::string name) {
    const auto id = static_cast<TensorId>(m_tensors.size());
    Tensor tensor;
    tensor.id = id;
    tensor.name = uniqueTensorName(std::move(name));
    m_tensorByName[tensor.name] = id;
    m_tensors.push_back(std::move(tensor));
    return id;
}

TensorId Network::addInput(std::string name, DataType type, Shape shape) {
    const TensorId id = addTensor(std::move(name), type, std::move(shape));
    tensor(id).isInput = true;
    m_inputs.push_back(id);
    return id;
}

TensorId Network::addConstant(std::string name, WeightsPtr weights) {
    const TensorId id = addTensor(std::move(name));
    makeConstant(id, std::move(weights));
    return id;
}

TensorId Network::addSymbolicConstant(std::string name, std::vector<Dim> values, bool scalar) {
    Shape shape;
    if (!scalar) shape = {static_cast<int64_t>(values.size())};
    const TensorId id = addTensor(std::move(name), DataType::Int64, std::move(shape));
    tensor(id).values = std::move(values);
    return id;
}

TensorId Network::addTensor(std::string name, DataType type, Shape shape) {
    const TensorId id = newTensor(std::move(name));
    tensor(id).type = type;
    tensor(id).shape = std::move(shape);
    return id;
}

LayerId Network::addLayer(std::string name, const OpDefinition* op, Attributes attributes, std::vector<TensorId> inputs,
                          std::vector<TensorId> outputs) {
    const auto id = static_cast<LayerId>(m_layers.size());
    if (name.empty()) name = op->name + "_" + std::to_string(id);
    std::string unique = name;
    for (int suffix = 1; m_layerByName.find(unique) != m_layerByName.end(); ++suffix) unique = name + "." + std::to_string(suffix);
    m_layerByName[unique] = id;
    Layer layer;
    layer.id = id;
    layer.name = std::move(unique);
    layer.op = op;
    layer.attributes = std::move(attributes);
    m_layers.push_back(std::move(layer));
    setInputs(id, std::move(inputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
        m_layers.back().outputs.push_back(kNone);
        setOutput(id, static_cast<int>(i), outputs[i]);
    }
    return id;
}

void Network::markOutput(TensorId id) {
    tensor(id).isOutput = true;
    m_outputs.push_back(id);
}

void Network::addUse(TensorId id, LayerId layer, int index) {
    if (id != kNone) tensor(id).uses.push_back({layer, index});
}
void Network::removeUse(TensorId id, LayerId layer, int index) {
    if (id == kNone) return;
    auto& uses = tensor(id).uses;
    uses.erase(std::remove(uses.begin(), uses.end(), TensorUse{layer, index}), uses.end());
}

void Network::removeLayer(LayerId id) {
    Layer& dead = layer(id);
    for (size_t i = 0; i < dead.inputs.size(); ++i) removeUse(dead.inputs[i], id, static_cast<int>(i));
    for (TensorId output : dead.outputs) {
        if (output == kNone) continue;
        tensor(output).producer = kNone;
        tensor(output).values.reset();
        m_tensorByName.erase(tensor(output).name);
    }
    m_layerByName.erase(dead.name);
    dead.inputs.clear();
    dead.outputs.clear();
    dead.subgraphs.clear();
    dead.removed = true;
}

void Network::setInput(LayerId id, int index, TensorId tensorId) {
    Layer& target = layer(id);
    removeUse(target.inputs[static_cast<size_t>(index)], id, index);
    target.inputs[static_cast<size_t>(index)] = tensorId;
    addUse(tensorId, id, index);
}

void Network::setInputs(LayerId id, std::vector<TensorId> inputs) {
    Layer& target = layer(id);
    for (size_t i = 0; i < target.inputs.size(); ++i) removeUse(target.inputs[i], id, static_cast<int>(i));
    target.inputs = std::move(inputs);
    for (size_t i = 0; i < target.inputs.size(); ++i) addUse(target.inputs[i], id, static_cast<int>(i));
}

void Network::setOutput(LayerId id, int index, TensorId tensorId) {
    Layer& target = layer(id);
    TensorId& slot = target.outputs[static_cast<size_t>(index)];
    if (slot != kNone) tensor(slot).producer = kNone;
    slot = tensorId;
    if (tensorId == kNone) return;
    tensor(tensorId).producer = id;
    tensor(tensorId).producerOutput = index;
}

void Network::replaceAllUses(TensorId from, TensorId to) {
    const std::vector<TensorUse> uses = tensor(from).uses;
    for (const TensorUse& use : uses) setInput(use.layer, use.index, to);
    if (!tensor(from).isOutput) return;
    std::replace(m_outputs.begin(), m_outputs.end(), from, to);
    tensor(from).isOutput = false;
    // The user knows the output by its name; an input or another output keeps its own.
    if (!tensor(to).isOutput && !tensor(to).isInput) {
        m_tensorByName[tensor(from).name] = to;
        m_tensorByName[tensor(to).name] = from;
        std::swap(tensor(from).name, tensor(to).name);
    }
    tensor(to).isOutput = true;
}

void Network::makeConstant(TensorId id, WeightsPtr weights) {
    Tensor& target = tensor(id);
    if (target.producer != kNone) layer(target.producer).outputs[static_cast<size_t>(target.producerOutput)] = kNone;
    target.producer = kNone;
    target.type = weights->type;
    target.shape = toShape(weights->dims);
    target.rankKnown = true;
    target.values.reset();
    const bool hasElements = weights->data || weights->count() == 0;  // a network that was read without its weights has none
    if (hasElements && weights->dims.size() <= 1 && weights->count() <= 1024)
        if (auto integers = toInt64s(*weights)) target.values = std::vector<Dim>(integers->begin(), integers->end());
    target.constant = std::move(weights);
}

void Network::dropInput(TensorId id) {
    m_inputs.erase(std::remove(m_inputs.begin(), m_inputs.end(), id), m_inputs.end());
    tensor(id).isInput = false;
    if (!tensor(id).uses.empty() || tensor(id).isOutput) return;
    tensor(id).values.reset();
    m_tensorByName.erase(tensor(id).name);
}

void Network::substituteSymbols(const std::map<std::string, Dim>& values) {
    if (values.empty()) return;
    const auto replaceAll = [&](std::vector<Dim>& dims) {
        for (Dim& dim : dims)
            if (!dim.isConstant()) dim = dim.substitute(values);
    };
    for (Tensor& t : m_tensors) {
        replaceAll(t.shape);
        if (t.values) replaceAll(*t.values);
    }
    for (Layer& l : m_layers)
        for (auto& body : l.subgraphs) {
            Network copy = *body;
            copy.substituteSymbols(values);
            body = std::make_shared<const Network>(std::move(copy));
        }
}

void Network::removeUnusedConstants() {
    for (TensorId id = 0; id < tensorCount(); ++id) removeIfUnusedConstant(id);
}

bool Network::removeIfUnusedConstant(TensorId id) {
    Tensor& t = tensor(id);
    if (!(t.constant || t.isSymbolicConstant()) || !t.uses.empty() || t.isOutput) return false;
    t.constant = nullptr;
    t.values.reset();
    m_tensorByName.erase(t.name);
    return true;
}

namespace {

/// First and one past the last byte.
using ByteRange = std::pair<uintptr_t, uintptr_t>;

void collectConstants(const Network& network, std::vector<ByteRange>& into) {
    for (TensorId id = 0; id < network.tensorCount(); ++id)
        if (const WeightsPtr& weights = network.tensor(id).constant) {
            const auto first = reinterpret_cast<uintptr_t>(weights->data.get());
            into.emplace_back(first, first + weights->bytes);
        }
    for (LayerId id = 0; id < network.layerIdCount(); ++id)
        for (const auto& body : network.layer(id).subgraphs) collectConstants(*body, into);
}

}  // namespace

double Network::constantBytes() const {
    std::vector<ByteRange> ranges;
    collectConstants(*this, ranges);
    std::sort(ranges.begin(), ranges.end());
    double bytes = 0;
    uintptr_t counted = 0;  // all below is
    for (const auto& [first, last] : ranges) {
        if (last <= counted) continue;
        bytes += static_cast<double>(last - std::max(first, counted));
        counted = last;
    }
    return bytes;
}

int Network::layerCount() const {
    return static_cast<int>(std::count_if(m_layers.begin(), m_layers.end(), [](const Layer& l) { return !l.removed; }));
}

bool Network::isAlive(TensorId id) const {
    if (id < 0 || id >= tensorCount()) return false;
    const Tensor& t = tensor(id);
    return t.isInput || t.constant || t.producer != kNone || t.isSymbolicConstant();
}

TensorId Network::findTensor(std::string_view name) const {
    auto found = m_tensorByName.find(name);
    return found == m_tensorByName.end() ? kNone : found->second;
}
LayerId Network::findLayer(std::string_view name) const {
    auto found = m_layerByName.find(name);
    return found == m_layerByName.end() ? kNone : found->second;
}

const std::vector<SourceNode>& Network::sourceNodes() const {
    static const std::vector<SourceNode> kEmpty;
    return m_sourceNodes ? *m_sourceNodes : kEmpty;
}

std::vector<LayerId> Network::topologicalOrder() const {
    std::vector<int> waiting(m_layers.size(), 0);
    std::priority_queue<LayerId, std::vector<LayerId>, std::greater<>> ready;
    for (const Layer& l : m_layers) {
        if (l.removed) continue;
        for (TensorId input : l.inputs)
            if (input != kNone && tensor(input).producer != kNone) ++waiting[static_cast<size_t>(l.id)];
        if (waiting[static_cast<size_t>(l.id)] == 0) ready.push(l.id);
    }
    std::vector<LayerId> order;
    while (!ready.empty()) {
        const LayerId id = ready.top();
        ready.pop();
        order.push_back(id);
        for (TensorId output : layer(id).outputs) {
            if (output == kNone) continue;
            for (const TensorUse& use : tensor(output).uses)
                if (--waiting[static_cast<size_t>(use.layer)] == 0) ready.push(use.layer);
        }
    }
    return order;
}

}  // namespace strobe
