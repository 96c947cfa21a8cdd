#include "engine_core/builder/lowering.h"

#include <algorithm>

namespace strobe {
namespace {

using ChooseReformat = std::function<Result<EngineLayer>(const Network&, const Layer&, const Format&, const Format&)>;

class Lowering {
public:
    Lowering(const Network& network, ConstantConverter& constants, const ChooseReformat& choose)
        : m_constants(constants), m_choose(choose), m_formats(static_cast<size_t>(network.tensorCount())) {
        m_result.graph = std::make_shared<CompiledGraph>();
        m_result.graph->network = network;
        for (TensorId id = 0; id < network.tensorCount(); ++id) m_formats[static_cast<size_t>(id)].type = network.tensor(id).type;
    }

    Result<LoweringResult> lower(std::vector<LoweredLayer> layers) {
        for (LoweredLayer& lowered : layers) {
            lowered.engine.layer = lowered.layer;
            STROBE_RETURN_IF_ERROR(connectInputs(lowered));
            setOutputFormats(lowered);
            engineLayers().push_back(std::move(lowered.engine));
        }
        STROBE_RETURN_IF_ERROR(finishOutputs());
        net().removeUnusedConstants();
        return std::move(m_result);
    }

private:
    Network& net() { return m_result.graph->network; }
    std::vector<EngineLayer>& engineLayers() { return m_result.graph->layers; }

    Status connectInputs(LoweredLayer& lowered) {
        for (size_t i = 0; i < lowered.engine.inputs.size(); ++i) {
            const TensorId id = net().layer(lowered.layer).inputs[i];
            if (id == kNone || net().tensor(id).isSymbolicConstant()) continue;
            const Format& wanted = lowered.engine.inputs[i];
            if (net().tensor(id).isConstant()) {
                net().setInput(lowered.layer, static_cast<int>(i), constantAs(id, wanted.type, lowered.roundConstants));
                continue;
            }
            const Format& have = m_formats[static_cast<size_t>(id)];
            if (have == wanted) {
                const bool special = have.layout != Layout::Plain || have.type != m_result.graph->network.tensor(id).type || have.memory != MemoryKind::Host;
                if (special && net().tensor(id).producer != kNone) ++m_result.reformatsAvoided;
                continue;
            }
            STROBE_ASSIGN(const TensorId reformatted, reformat(id, wanted));
            net().setInput(lowered.layer, static_cast<int>(i), reformatted);
        }
        return Status::ok();
    }

    TensorId constantAs(TensorId id, DataType type, DataType rounding) {
        const WeightsPtr original = net().tensor(id).constant;
        WeightsPtr wanted = m_constants.stored(original, type);
        if (rounding != DataType::Undefined) wanted = m_constants.rounded(wanted, rounding);
        if (wanted == original) return id;
        TensorId& made = m_convertedConstants[{id, wanted.get()}];
        if (made == 0) {
            const DataType suffix = rounding != DataType::Undefined ? rounding : type;
            made = net().addConstant(net().tensor(id).name + "." + std::string(dataTypeName(suffix)), wanted);
            m_formats.resize(static_cast<size_t>(net().tensorCount()));
            m_formats.back().type = wanted->type;
        }
        return made;
    }

    Result<TensorId> reformat(TensorId id, const Format& wanted) {
        for (const auto& [target, tensor] : m_reformatted[id])
            if (target == wanted) return tensor;
        const TensorId result = net().addTensor(net().tensor(id).name + " as " + wanted.toString(), wanted.type, net().tensor(id).shape);
        net().tensor(result).rankKnown = net().tensor(id).rankKnown;
        m_formats.resize(static_cast<size_t>(net().tensorCount()));
        STROBE_RETURN_IF_ERROR(addReformat(id, result, wanted));
        m_reformatted[id].push_back({wanted, result});
        return result;
    }

    Status addReformat(TensorId from, TensorId to, const Format& wanted) {
        Attributes attributes;
        attributes.set("to_type", static_cast<int64_t>(wanted.type));
        const Format have = m_formats[static_cast<size_t>(from)];
        const LayerId layer = net().addLayer("reformat " + net().tensor(from).name + " to " + wanted.toString(), OpRegistry::instance().get("Reformat"),
                                             std::move(attributes), {from}, {to});
        if (const LayerId producer = net().tensor(from).producer; producer != kNone) net().layer(layer).provenance = net().layer(producer).provenance;
        STROBE_ASSIGN(EngineLayer engine, m_choose(net(), net().layer(layer), have, wanted));
        engine.layer = layer;
        engineLayers().push_back(std::move(engine));
        m_formats[static_cast<size_t>(to)] = wanted;
        ++m_result.reformats;
        return Status::ok();
    }

    void setOutputFormats(const LoweredLayer& lowered) {
        const Layer& layer = net().layer(lowered.layer);
        for (size_t o = 0; o < layer.outputs.size(); ++o) {
            if (layer.outputs[o] == kNone) continue;
            m_formats[static_cast<size_t>(layer.outputs[o])] = lowered.engine.outputs[o];
            m_declaredTypes.try_emplace(layer.outputs[o], net().tensor(layer.outputs[o]).type);
            net().tensor(layer.outputs[o]).type = lowered.engine.outputs[o].type;
        }
    }

    /// Network outputs leave in the plain host format and the type that the model declares.
    Status finishOutputs() {
        const std::vector<TensorId> outputs = net().outputs();
        for (TensorId id : outputs) {
            const auto declared = m_declaredTypes.find(id);
            if (declared == m_declaredTypes.end()) continue;  // an input or a constant
            const Format wanted{declared->second, Layout::Plain, MemoryKind::Host};
            if (m_formats[static_cast<size_t>(id)] == wanted) continue;
            const std::vector<TensorUse> readers = net().tensor(id).uses;
            TensorId result = kNone;
            for (const auto& [target, tensor] : m_reformatted[id])
                if (target == wanted) result = tensor;
            if (result == kNone) {
                STROBE_ASSIGN(result, reformat(id, wanted));
            }
            // The name goes with the output; other readers keep reading the original.
            const std::vector<TensorUse> all = net().tensor(id).uses;
            net().replaceAllUses(id, result);
            for (const TensorUse& use : all) net().setInput(use.layer, use.index, id);
        }
        return Status::ok();
    }

    ConstantConverter& m_constants;
    const ChooseReformat& m_choose;
    LoweringResult m_result;
    std::vector<Format> m_formats;                // by TensorId
    std::map<TensorId, DataType> m_declaredTypes;  // of layer outputs, before lowering
    std::map<TensorId, std::vector<std::pair<Format, TensorId>>> m_reformatted;
    std::map<std::pair<TensorId, const Weights*>, TensorId> m_convertedConstants;
};

}  // namespace

Result<LoweringResult> lowerNetwork(const Network& network, std::vector<LoweredLayer> layers, ConstantConverter& constants, const ChooseReformat& chooseReformat) {
    return Lowering(network, constants, chooseReformat).lower(std::move(layers));
}

}  // namespace strobe
