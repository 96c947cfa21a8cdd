#include "engine_core/builder/graph_compiler.h"

#include <algorithm>

#include "engine_core/runtime/plan.h"

namespace strobe {
namespace {

/// Dims of every tensor at the opt shapes; −1 where only the run tells.
std::vector<Dims> dimsAt(const Network& network, const SymbolValues& symbols) {
    std::vector<Dims> dims(static_cast<size_t>(network.tensorCount()));
    for (TensorId id = 0; id < network.tensorCount(); ++id)
        for (const Dim& dim : network.tensor(id).shape) dims[static_cast<size_t>(id)].push_back(dim.evaluate(symbols).value_or(-1));
    for (TensorId id = 0; id < network.tensorCount(); ++id)
        if (!network.tensor(id).rankKnown) dims[static_cast<size_t>(id)] = {-1};
    return dims;
}

std::vector<Format> plainFormats(const Network& network, const std::vector<TensorId>& ids) {
    std::vector<Format> formats(ids.size());
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] != kNone) formats[i].type = network.tensor(ids[i]).type;
    return formats;
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
        const Support support = known ? tactic->supports(problem) : Support::yes();
        CandidateRecord record{std::string(tactic->name()), from.toString() + " → " + to.toString(), -1, support.reason, false};
        if (support.supported && !engine.tactic.empty() && tactic->isReference()) continue;
        if (support.supported && known && m_setup.config->optimizationLevel > 1) {
            const auto milliseconds = m_setup.timer->time(*tactic, problem, m_setup.cancel);
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

Result<std::shared_ptr<const CompiledGraph>> GraphCompiler::compile(const Network& network, const SymbolValues& symbols) {
    const std::vector<Dims> dims = dimsAt(network, symbols);
    std::vector<WeightsPtr> evaluated(dims.size());
    for (TensorId id = 0; id < network.tensorCount(); ++id)
        if (network.tensor(id).isSymbolicConstant()) evaluated[static_cast<size_t>(id)] = evaluateSymbolicConstant(network.tensor(id), symbols);
    const std::function<const Dims&(TensorId)> dimsOf = [&](TensorId id) -> const Dims& { return dims[static_cast<size_t>(id)]; };
    CandidateFinder::Setup setup{&network, m_setup.config, m_setup.kernels, m_setup.device.kind, {}, m_setup.timer, &m_constants, m_setup.cancel};
    setup.problems.dims = dimsOf;
    setup.problems.threads = m_setup.threads;
    setup.problems.known = [&](TensorId id) -> KnownData {
        if (const WeightsPtr& constant = network.tensor(id).constant) return {constant->data.get(), constantKeyOf(*constant)};
        if (const WeightsPtr& value = evaluated[static_cast<size_t>(id)]) return {value->data.get(), {}};
        return {};
    };
    CandidateFinder finder(setup);
    const std::vector<LayerPrecision> precision = decidePrecision(network, *m_setup.config, m_setup.device, m_setup.report->notes);
    const std::vector<LayerId> order = network.topologicalOrder();
    std::vector<LayerCandidates> candidates(order.size());
    std::vector<SelectionNode> nodes;
    for (size_t n = 0; n < order.size(); ++n) {
        const Layer& layer = network.layer(order[n]);
        if (m_setup.cancel.isCancelled()) return cancelled();
        m_setup.progress(layer.name, static_cast<int>(n), static_cast<int>(order.size()));
        nodes.push_back({order[n], nullptr});
        if (!layer.subgraphs.empty()) continue;
        STROBE_ASSIGN(candidates[n], finder.find(layer, precision[static_cast<size_t>(order[n])]));
        nodes.back().candidates = &candidates[n];
    }
    const std::vector<int> choice = selectCandidates(network, nodes, dimsOf);
    std::vector<LoweredLayer> lowered;
    for (size_t n = 0; n < order.size(); ++n) {
        const Layer& layer = network.layer(order[n]);
        LoweredLayer entry{order[n], {}};
        if (!nodes[n].candidates) {
            STROBE_ASSIGN(entry.engine, compileControlFlow(network, layer, symbols));
            lowered.push_back(std::move(entry));
            continue;
        }
        const Candidate& chosen = candidates[n].usable[static_cast<size_t>(choice[n])];
        candidates[n].records[static_cast<size_t>(chosen.record)].chosen = true;
        noteOracle(layer, candidates[n], chosen);
        entry.engine.device = chosen.device;
        entry.engine.tactic = chosen.tactic->name();
        entry.engine.inputs = chosen.inputs;
        entry.engine.outputs = chosen.outputs;
        entry.engine.roundOutputs = precision[static_cast<size_t>(order[n])].preview;
        entry.engine.buildMilliseconds = candidates[n].records[static_cast<size_t>(chosen.record)].milliseconds;
        entry.engine.precisionNote = candidates[n].precisionNote;
        entry.engine.candidates = candidates[n].records;
        lowered.push_back(std::move(entry));
    }
    const auto choose = [&](const Network& net, const Layer& layer, const Format& from, const Format& to) { return chooseReformat(net, layer, from, to, symbols); };
    STROBE_ASSIGN(LoweringResult result, lowerNetwork(network, std::move(lowered), m_constants, choose));
    m_setup.report->reformats += result.reformats;
    m_setup.report->reformatsAvoided += result.reformatsAvoided;
    return std::shared_ptr<const CompiledGraph>(std::move(result.graph));
}

}  // namespace strobe
