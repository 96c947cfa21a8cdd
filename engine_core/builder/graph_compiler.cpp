#include "engine_core/builder/graph_compiler.h"

#include <algorithm>

#include "engine_core/builder/reformat_costs.h"
#include "engine_core/runtime/plan.h"

namespace strobe {
namespace {

/// A network's tensors where its symbols have given values.
class ShapedNetwork {
public:
    ShapedNetwork(const Network& network, const SymbolValues& symbols)
        : m_network(network), m_dims(static_cast<size_t>(network.tensorCount())), m_values(static_cast<size_t>(network.tensorCount())) {
        for (TensorId id = 0; id < network.tensorCount(); ++id) {
            const Tensor& tensor = network.tensor(id);
            const auto at = static_cast<size_t>(id);
            for (const Dim& dim : tensor.shape) m_dims[at].push_back(dim.evaluate(symbols).value_or(-1));
            if (!tensor.rankKnown) m_dims[at] = {-1};
            if (tensor.isSymbolicConstant()) m_values[at] = evaluateSymbolicConstant(tensor, symbols);
        }
    }
    ShapedNetwork(const ShapedNetwork&) = delete;
    ShapedNetwork& operator=(const ShapedNetwork&) = delete;

    /// −1 for extents that only the run tells.
    const Dims& dims(TensorId id) const { return m_dims[static_cast<size_t>(id)]; }
    /// Refers to this.
    ProblemInputs problemInputs(int threads) const {
        ProblemInputs inputs;
        inputs.threads = threads;
        inputs.dims = [this](TensorId id) -> const Dims& { return dims(id); };
        inputs.known = [this](TensorId id) -> KnownData {
            if (const WeightsPtr& constant = m_network.tensor(id).constant) return {constant->data.get(), constantKeyOf(*constant)};
            if (const WeightsPtr& value = m_values[static_cast<size_t>(id)]) return {value->data.get(), {}};
            return {};
        };
        return inputs;
    }

private:
    const Network& m_network;
    std::vector<Dims> m_dims;
    std::vector<WeightsPtr> m_values;  // of symbolic constants
};

std::vector<Format> plainFormats(const Network& network, const std::vector<TensorId>& ids) {
    std::vector<Format> formats(ids.size());
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != kNone) formats[i].type = network.tensor(ids[i]).type;
    return formats;
}

/// Of a last product: only the chosen kernel tells what became of its result.
std::string resultNote(const LayerPrecision& precision, const LayerCandidates& candidates, const Candidate& chosen) {
    if (!precision.fp32Result) return {};
    const auto isLower = [&](const Format& format) { return format.type == precision.lower; };
    const auto readsLower = [&](const Candidate& candidate) { return std::any_of(candidate.inputs.begin(), candidate.inputs.end(), isLower); };
    if (precision.lower != DataType::Undefined) {
        if (std::none_of(candidates.usable.begin(), candidates.usable.end(), readsLower)) return {};  // said already
        if (std::any_of(chosen.outputs.begin(), chosen.outputs.end(), isLower))
            return "its result is rounded: the chosen kernel writes " + std::string(dataTypeName(precision.lower));
        if (!readsLower(chosen)) return "stays fp32: its result does, and that is the faster way to it";
    }
    return "its result stays fp32: no further product averages rounding before the outputs";
}

}  // namespace

Result<EngineLayer> GraphCompiler::compileControlFlow(const Network& network, const Layer& layer, const SymbolValues& symbols) {
    EngineLayer engine;
    engine.tactic = "runtime." + layer.op->name;
    engine.inputs = plainFormats(network, layer.inputs);
    engine.outputs = plainFormats(network, layer.outputs);
    engine.precisionNote = "decided inside its bodies";
    for (const auto& body : layer.subgraphs) {
        STROBE_ASSIGN(std::shared_ptr<const CompiledGraph> compiled, compile(*body, symbols));
        engine.bodies.push_back(std::move(compiled));
    }
    return engine;
}

Result<EngineLayer> GraphCompiler::chooseReformat(const Network& network, const Layer& layer, const Format& from, const Format& to, const SymbolValues& symbols) {
    EngineLayer engine;
    engine.inputs = {from};
    engine.outputs = {to};
    const bool device = from.memory == MemoryKind::Device || to.memory == MemoryKind::Device;
    engine.device = device ? m_setup.device.kind : DeviceKind::Cpu;
    ProblemInputs inputs;
    Dims dims;
    for (const Dim& dim : network.tensor(layer.inputs[0]).shape) dims.push_back(dim.evaluate(symbols).value_or(-1));
    const bool known = network.tensor(layer.inputs[0]).rankKnown && std::all_of(dims.begin(), dims.end(), [](int64_t d) { return d >= 0; });
    inputs.threads = m_setup.threads;
    inputs.dims = [&](TensorId) -> const Dims& { return dims; };
    inputs.known = [](TensorId) { return KnownData{}; };
    const Problem problem = makeProblem(network, layer, inputs, &engine.inputs, &engine.outputs);
    double best = 0;
    std::string reasons;
    for (const Tactic* tactic : m_setup.kernels->tactics(engine.device, "Reformat")) {
        Support support = known ? tactic->supports(problem) : Support::yes();
        if (known && support.supported) support = checkWorkspaceLimit(*m_setup.config, *m_setup.timer, *tactic, problem);
        CandidateRecord record{std::string(tactic->name()), from.toString() + " → " + to.toString(), -1, support.reason, false};
        if (support.supported && !engine.tactic.empty() && tactic->isReference()) continue;
        if (support.supported && known && m_setup.config->optimizationLevel > 1) {
            const auto milliseconds = m_setup.timer->time(*tactic, problem);
            if (!milliseconds) return milliseconds.status();
            record.milliseconds = *milliseconds;
        }
        if (support.supported && (engine.tactic.empty() || (record.milliseconds >= 0 && record.milliseconds < best))) {
            engine.tactic = record.tactic;
            best = record.milliseconds;
            engine.buildMilliseconds = best;
        }
        if (!support.supported) reasons += "; " + record.tactic + ": " + support.reason;
        engine.candidates.push_back(std::move(record));
    }
    for (CandidateRecord& record : engine.candidates) record.chosen = record.tactic == engine.tactic;
    if (engine.tactic.empty()) return unsupported("no kernel reformats " + from.toString() + " to " + to.toString() + reasons);
    return engine;
}

void GraphCompiler::noteOracle(const Layer& layer, const LayerCandidates& candidates, const Candidate& chosen) {
    if (!chosen.tactic->isReference()) return;
    std::string reasons;
    for (const CandidateRecord& record : candidates.records)
        if (!record.declined.empty() && reasons.size() < 400) reasons += (reasons.empty() ? "" : "; ") + record.tactic + ": " + record.declined;
    m_setup.report->notes.push_back({BuildNote::Severity::Warning, layer.name, layer.provenance,
                                     "layer '" + layer.name + "' (" + layer.op->name + ") runs on the slow reference kernel" +
                                         (reasons.empty() ? std::string(": no faster one exists for this op") : ": " + reasons),
                                     "expect it to be slow; consider expressing it by other ops"});
}

EngineLayer GraphCompiler::lower(const Layer& layer, const LayerPrecision& precision, LayerCandidates candidates, int choice) {
    const Candidate& chosen = candidates.usable[static_cast<size_t>(choice)];
    CandidateRecord& record = candidates.records[static_cast<size_t>(chosen.record)];
    record.chosen = true;
    noteOracle(layer, candidates, chosen);
    EngineLayer engine;
    engine.device = chosen.device;
    engine.tactic = chosen.tactic->name();
    engine.inputs = chosen.inputs;
    engine.outputs = chosen.outputs;
    engine.roundOutputs = precision.fp32Result ? DataType::Undefined : precision.preview;
    engine.buildMilliseconds = record.milliseconds;
    engine.precisionNote = candidates.precisionNote;
    if (const std::string note = resultNote(precision, candidates, chosen); !note.empty())
        engine.precisionNote += (engine.precisionNote.empty() ? "" : "; ") + note;
    engine.candidates = std::move(candidates.records);
    return engine;
}

Result<std::vector<LayerCandidates>> GraphCompiler::findCandidates(const Network& network, const std::vector<LayerId>& order,
                                                                   const std::vector<LayerPrecision>& precision, const ProblemInputs& shapes) {
    CandidateFinder::Setup setup{&network, m_setup.config, m_setup.kernels, m_setup.device.kind, shapes, {}, m_setup.timer, &m_constants, m_setup.cancel};
    std::vector<std::unique_ptr<ShapedNetwork>> largest;
    for (const SymbolValues& symbols : m_setup.largest) {
        largest.push_back(std::make_unique<ShapedNetwork>(network, symbols));
        setup.largest.push_back(largest.back()->problemInputs(m_setup.threads));
    }
    CandidateFinder finder(setup);
    std::vector<LayerCandidates> candidates(order.size());
    for (size_t n = 0; n < order.size(); ++n) {
        const Layer& layer = network.layer(order[n]);
        if (m_setup.cancel.isCancelled()) return cancelled();
        m_setup.progress(layer.name, static_cast<int>(n), static_cast<int>(order.size()));
        if (!layer.subgraphs.empty()) continue;
        STROBE_ASSIGN(candidates[n], finder.find(layer, precision[static_cast<size_t>(order[n])]));
    }
    return candidates;
}

Result<std::shared_ptr<const CompiledGraph>> GraphCompiler::compile(const Network& network, const SymbolValues& symbols) {
    const ShapedNetwork shaped(network, symbols);
    const ProblemInputs shapes = shaped.problemInputs(m_setup.threads);
    const std::vector<LayerPrecision> precision = decidePrecision(network, *m_setup.config, m_setup.device, m_setup.report->notes);
    const std::vector<LayerId> order = network.topologicalOrder();
    STROBE_ASSIGN(std::vector<LayerCandidates> candidates, findCandidates(network, order, precision, shapes));
    std::vector<SelectionNode> nodes;
    for (size_t n = 0; n < order.size(); ++n) nodes.push_back({order[n], candidates[n].usable.empty() ? nullptr : &candidates[n]});
    ReformatCosts costs({m_setup.kernels, m_setup.config->optimizationLevel > 1 ? m_setup.timer : nullptr, m_setup.threads});
    const auto reformat = [&](const Dims& dims, const Format& from, const Format& to) { return costs.milliseconds(dims, from, to); };
    const std::vector<int> choice = selectCandidates(network, nodes, shapes.dims, reformat);
    STROBE_RETURN_IF_ERROR(costs.failure());
    std::vector<LoweredLayer> lowered;
    for (size_t n = 0; n < order.size(); ++n) {
        const Layer& layer = network.layer(order[n]);
        lowered.push_back({order[n], {}});
        if (nodes[n].candidates) {
            lowered.back().roundConstants = precision[static_cast<size_t>(order[n])].preview;
            lowered.back().engine = lower(layer, precision[static_cast<size_t>(order[n])], std::move(candidates[n]), choice[n]);
        } else {
            STROBE_ASSIGN(lowered.back().engine, compileControlFlow(network, layer, symbols));
        }
    }
    const auto choose = [&](const Network& net, const Layer& layer, const Format& from, const Format& to) { return chooseReformat(net, layer, from, to, symbols); };
    STROBE_ASSIGN(LoweringResult result, lowerNetwork(network, std::move(lowered), m_constants, choose));
    // Constants whose conversion was cancelled are unfinished.
    if (m_setup.cancel.isCancelled()) return cancelled();
    m_setup.report->reformats += result.reformats;
    m_setup.report->reformatsAvoided += result.reformatsAvoided;
    return std::shared_ptr<const CompiledGraph>(std::move(result.graph));
}

}  // namespace strobe
