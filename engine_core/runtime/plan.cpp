#include "engine_core/runtime/plan.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

#include "engine_core/runtime/growing_buffer.h"
#include "engine_core/runtime/memory_planner.h"

namespace strobe {

WeightsPtr evaluateSymbolicConstant(const Tensor& tensor, const SymbolValues& symbols) {
    std::vector<int64_t> values;
    for (const Dim& dim : *tensor.values) {
        const auto value = dim.evaluate(symbols);
        if (!value) return nullptr;
        values.push_back(*value);
    }
    if (tensor.type != DataType::Int32) return makeInt64Weights(toDims(tensor.shape), values);
    const std::vector<int32_t> narrow(values.begin(), values.end());
    return makeWeights<int32_t>(DataType::Int32, toDims(tensor.shape), narrow);
}

namespace {

/// The first tactic of `device`, the engine's choice before the others, that supports the problem and can be prepared; its name goes to
/// `tactic`. Null when there is none: `reasons` collects why.
std::unique_ptr<Kernel> prepareFirst(const Problem& problem, const EngineLayer& layer, DeviceKind device, const PlanEnvironment& environment, std::string& tactic,
                                     std::string& reasons) {
    // Only tactics of the op: a file may name another one's.
    std::vector<const Tactic*> candidates = environment.kernels->tactics(device, problem.op->name);
    std::stable_partition(candidates.begin(), candidates.end(),
                          [&](const Tactic* t) { return device == layer.device && t->name() == layer.tactic; });
    for (const Tactic* candidate : candidates) {
        if (isCancelled(environment.cancel)) return nullptr;  // not one after the other until the last resort serves
        Support support = candidate->supports(problem);
        if (support.supported) {
            auto kernel = candidate->prepare(problem, {environment.packedWeights, device == DeviceKind::Cpu ? nullptr : environment.device, environment.cancel});
            if (kernel) {
                tactic = candidate->name();
                return std::move(*kernel);
            }
            support.reason = kernel.status().message();
        }
        reasons += (reasons.empty() ? "" : "; ") + std::string(candidate->name()) + ": " + support.reason;
    }
    return nullptr;
}

/// Runs a kernel that takes other formats than the engine's between Reformats, for the rare shapes that no kernel serves as they come.
class Detour final : public Kernel {
public:
    struct Side {
        std::unique_ptr<Kernel> reformat;  // null: the tensor is as wanted already
        bool onHost = false;               // the copy lies in host memory of its own, else in the workspace
        size_t offset = 0;                 // of the copy
    };
    /// Bytes of the copies and of what kernels need besides.
    struct Memory {
        size_t copies = 0, scratch = 0;
        size_t bytes() const { return copies + scratch; }
    };
    std::unique_ptr<Kernel> kernel;
    bool kernelOnHost = false;  // while the layer is on a device
    std::vector<Side> inputs, outputs;
    Memory workspace, host;  // of the layer's device; of the host, for a layer that is on a device

    size_t workspaceBytes() const override { return workspace.bytes(); }
    std::string description() const override { return kernel->description(); }
    Status run(const RunArguments& arguments) const override {
        std::unique_ptr<RunMemory> memory = takeMemory();
        Status status = memory->host.reserve(host.bytes()).status();
        if (status.isOk()) status = runIn(*memory, arguments);
        std::lock_guard lock(m_mutex);
        m_idleMemory.push_back(std::move(memory));
        return status;
    }

private:
    /// What a run needs besides its workspace.
    struct RunMemory {
        GrowingBuffer host;
        std::vector<TensorView> inputs, outputs;
    };

    std::unique_ptr<RunMemory> takeMemory() const {
        std::lock_guard lock(m_mutex);
        if (m_idleMemory.empty()) return std::make_unique<RunMemory>();
        std::unique_ptr<RunMemory> memory = std::move(m_idleMemory.back());
        m_idleMemory.pop_back();
        return memory;
    }

    Status runIn(RunMemory& memory, const RunArguments& arguments) const {
        auto* const own = static_cast<uint8_t*>(arguments.workspace);
        auto* const beside = static_cast<uint8_t*>(memory.host.data());
        RunArguments around = arguments;
        around.workspace = own + workspace.copies;
        std::vector<TensorView>&in = memory.inputs, &out = memory.outputs;
        in.assign(arguments.inputs.begin(), arguments.inputs.end());
        out.assign(arguments.outputs.begin(), arguments.outputs.end());
        const auto place = [&](const Side& side, TensorView& view) {
            if (side.reformat) view.data = (side.onHost ? beside : own) + side.offset;
        };
        for (size_t i = 0; i < inputs.size(); ++i) {
            place(inputs[i], in[i]);
            if (inputs[i].reformat) STROBE_RETURN_IF_ERROR(convert(*inputs[i].reformat, arguments.inputs[i], in[i], around));
        }
        for (size_t o = 0; o < outputs.size(); ++o) place(outputs[o], out[o]);
        RunArguments inside = around;
        if (kernelOnHost) inside.workspace = beside + host.copies;
        inside.inputs = in;
        inside.outputs = out;
        STROBE_RETURN_IF_ERROR(kernel->run(inside));
        for (size_t o = 0; o < outputs.size(); ++o)
            if (outputs[o].reformat) STROBE_RETURN_IF_ERROR(convert(*outputs[o].reformat, out[o], arguments.outputs[o], around));
        // Copies may still read the host memory of this run.
        return kernelOnHost ? arguments.stream->synchronize() : Status::ok();
    }

    static Status convert(const Kernel& reformat, const TensorView& from, const TensorView& to, RunArguments arguments) {
        arguments.inputs = {&from, 1};
        arguments.outputs = {&to, 1};
        return reformat.run(arguments);
    }

    mutable std::mutex m_mutex;
    mutable std::vector<std::unique_ptr<RunMemory>> m_idleMemory;  // one for each run that was under way at once
};

Result<std::unique_ptr<Kernel>> prepareReformat(const TensorDesc& from, const TensorDesc& to, DeviceKind device, int threads, const PlanEnvironment& environment) {
    static const Attributes kNoAttributes;
    Problem problem;
    problem.op = OpRegistry::instance().get("Reformat");
    problem.attributes = &kNoAttributes;
    problem.inputs = {from};
    problem.outputs = {to};
    problem.threads = threads;
    EngineLayer anyTactic;
    anyTactic.device = device;
    std::string tactic, reasons;
    const bool onHost = from.format.memory == MemoryKind::Host && to.format.memory == MemoryKind::Host;
    auto kernel = prepareFirst(problem, anyTactic, onHost ? DeviceKind::Cpu : device, environment, tactic, reasons);
    if (!kernel) return unsupported("no kernel reformats " + from.format.toString() + " to " + to.format.toString() + ": " + reasons);
    return kernel;
}

Status addSide(const TensorDesc& stored, const TensorDesc& wanted, bool input, const Problem& problem, DeviceKind device, const PlanEnvironment& environment, Detour& detour) {
    std::vector<Detour::Side>& sides = input ? detour.inputs : detour.outputs;
    sides.emplace_back();
    if (!stored.present || stored.format == wanted.format || elementCount(stored.dims) == 0) return Status::ok();
    STROBE_ASSIGN(sides.back().reformat, prepareReformat(input ? stored : wanted, input ? wanted : stored, device, problem.threads, environment));
    detour.workspace.scratch = std::max(detour.workspace.scratch, sides.back().reformat->workspaceBytes());
    sides.back().onHost = device != DeviceKind::Cpu && wanted.format.memory == MemoryKind::Host;
    Detour::Memory& memory = sides.back().onHost ? detour.host : detour.workspace;
    sides.back().offset = memory.copies;
    memory.copies += (storedBytes(wanted.dims, wanted.format) + 63) / 64 * 64;
    return Status::ok();
}

/// A detour through plain tensors for a kernel of `device`; null when it has none for them either.
Result<std::unique_ptr<Kernel>> prepareDetour(const Problem& problem, const EngineLayer& layer, DeviceKind device, const PlanEnvironment& environment, std::string& tactic) {
    Problem plain = problem;
    bool differs = false;
    for (auto* list : {&plain.inputs, &plain.outputs})
        for (TensorDesc& desc : *list) {
            const Format stored = desc.format;
            desc.format.layout = Layout::Plain;
            if (device == DeviceKind::Cpu) desc.format.memory = MemoryKind::Host;
            differs = differs || !(desc.format == stored);
        }
    if (!differs) return std::unique_ptr<Kernel>();
    auto detour = std::make_unique<Detour>();
    std::string reasons;
    detour->kernel = prepareFirst(plain, layer, device, environment, tactic, reasons);
    if (!detour->kernel) return std::unique_ptr<Kernel>();
    for (size_t i = 0; i < problem.inputs.size(); ++i) STROBE_RETURN_IF_ERROR(addSide(problem.inputs[i], plain.inputs[i], true, problem, layer.device, environment, *detour));
    for (size_t o = 0; o < problem.outputs.size(); ++o) STROBE_RETURN_IF_ERROR(addSide(problem.outputs[o], plain.outputs[o], false, problem, layer.device, environment, *detour));
    detour->kernelOnHost = device != layer.device;
    Detour::Memory& memory = detour->kernelOnHost ? detour->host : detour->workspace;
    memory.scratch = std::max(memory.scratch, detour->kernel->workspaceBytes());
    return std::unique_ptr<Kernel>(std::move(detour));
}

}  // namespace

Result<std::unique_ptr<Kernel>> prepareKernel(const Problem& problem, const EngineLayer& layer, const std::string& layerName,
                                              const PlanEnvironment& environment, std::string& tactic) {
    std::string reasons;
    if (auto kernel = prepareFirst(problem, layer, layer.device, environment, tactic, reasons)) return kernel;
    if (isCancelled(environment.cancel)) return cancelled();
    STROBE_ASSIGN(std::unique_ptr<Kernel> detour, prepareDetour(problem, layer, layer.device, environment, tactic));
    if (!detour && layer.device != DeviceKind::Cpu) {
        STROBE_ASSIGN(detour, prepareDetour(problem, layer, DeviceKind::Cpu, environment, tactic));
    }
    if (detour) return detour;
    if (isCancelled(environment.cancel)) return cancelled();
    return unsupported("layer '" + layerName + "' (" + problem.op->name + ") has no kernel for " + problem.key() + (reasons.empty() ? ": none is registered" : ": " + reasons));
}

namespace {

class PlanMaker {
public:
    PlanMaker(const CompiledGraph& graph, const std::vector<Dims>& inputDims, const SymbolValues& outer, int threads, const PlanEnvironment& environment)
        : m_graph(graph), m_network(graph.network), m_environment(environment), m_plan(std::make_shared<Plan>()), m_inputDims(inputDims) {
        m_plan->graph = &graph;
        m_plan->symbols = outer;
        m_inputs.threads = threads;
        m_inputs.dims = [this](TensorId id) -> const Dims& { return place(id).dims; };
        m_inputs.known = [this](TensorId id) -> KnownData {
            if (place(id).kind != TensorPlace::Kind::Constant) return {};
            const WeightsPtr& constant = m_network.tensor(id).constant;
            return {place(id).pointer, constant ? constantKeyOf(*constant) : std::string()};
        };
    }

    Result<std::shared_ptr<const Plan>> make() {
        m_plan->tensors.resize(static_cast<size_t>(m_network.tensorCount()));
        collectFormats();
        placeGivenTensors();
        for (size_t i = 0; i < m_graph.layers.size(); ++i) STROBE_RETURN_IF_ERROR(addStep(static_cast<int>(i)));
        placeArena();
        for (TensorId id = 0; id < m_network.tensorCount(); ++id)
            if (isUnknown(id)) m_plan->lateTensors.push_back(id);
        return std::shared_ptr<const Plan>(m_plan);
    }

private:
    TensorPlace& place(TensorId id) { return m_plan->tensors[static_cast<size_t>(id)]; }
    const Layer& layerOf(int index) const { return m_network.layer(m_graph.layers[static_cast<size_t>(index)].layer); }

    void collectFormats() {
        m_formats.resize(m_plan->tensors.size());
        for (size_t i = 0; i < m_formats.size(); ++i) m_formats[i].type = m_network.tensor(static_cast<TensorId>(i)).type;
        for (const EngineLayer& chosen : m_graph.layers) {
            const Layer& layer = m_network.layer(chosen.layer);
            for (size_t o = 0; o < layer.outputs.size(); ++o)
                if (layer.outputs[o] != kNone) m_formats[static_cast<size_t>(layer.outputs[o])] = chosen.outputs[o];
        }
    }

    void placeGivenTensors() {
        for (size_t i = 0; i < m_network.inputs().size(); ++i) {
            const Tensor& tensor = m_network.tensor(m_network.inputs()[i]);
            TensorPlace& input = place(tensor.id);
            input.kind = TensorPlace::Kind::Input;
            input.index = static_cast<int>(i);
            input.dims = m_inputDims[i];
            for (size_t d = 0; tensor.rankKnown && d < std::min(tensor.shape.size(), input.dims.size()); ++d)
                if (const auto symbol = tensor.shape[d].symbolName()) m_plan->symbols[*symbol] = input.dims[d];
        }
        for (TensorId id = 0; id < m_network.tensorCount(); ++id) placeConstant(m_network.tensor(id));
    }

    void placeConstant(const Tensor& tensor) {
        TensorPlace& constant = place(tensor.id);
        if (tensor.constant) {
            constant.kind = TensorPlace::Kind::Constant;
            constant.pointer = tensor.constant->data.get();
            constant.dims = tensor.constant->dims;
        } else if (tensor.isSymbolicConstant()) {
            constant.dims = toDims(tensor.shape);
            const WeightsPtr weights = evaluateSymbolicConstant(tensor, m_plan->symbols);
            constant.kind = weights ? TensorPlace::Kind::Constant : TensorPlace::Kind::Late;
            if (!weights) return;
            constant.pointer = weights->data.get();
            m_plan->ownedConstants.push_back(weights->data);
        }
    }

    bool isUnknown(TensorId id) { return id != kNone && place(id).kind == TensorPlace::Kind::Late; }

    /// Gives outputs their dims; true when all are known.
    bool placeOutputs(const Layer& layer) {
        bool known = true;
        for (TensorId id : layer.outputs) {
            if (id == kNone) continue;
            const Tensor& tensor = m_network.tensor(id);
            const auto dims = tensor.rankKnown ? evaluate(tensor.shape, m_plan->symbols) : std::nullopt;
            TensorPlace& output = place(id);
            output.kind = dims ? TensorPlace::Kind::Arena : TensorPlace::Kind::Late;
            known = known && dims;
            if (!dims) continue;
            output.dims = *dims;
            output.bytes = storedBytes(*dims, m_formats[static_cast<size_t>(id)]);
            if (m_formats[static_cast<size_t>(id)].memory == MemoryKind::Device) output.kind = TensorPlace::Kind::Device;
        }
        return known;
    }

    Status addStep(int index) {
        const EngineLayer& chosen = m_graph.layers[static_cast<size_t>(index)];
        const Layer& layer = m_network.layer(chosen.layer);
        PlanStep step;
        step.layer = index;
        step.onDevice = chosen.device != DeviceKind::Cpu;
        const bool known = placeOutputs(layer);
        const bool late = !known || layer.op->dataDependentShape || std::any_of(layer.inputs.begin(), layer.inputs.end(), [&](TensorId t) { return isUnknown(t); });
        if (late && step.onDevice) return unsupported("layer '" + layer.name + "' runs on a device, and its shapes are known only while running; build with a profile that covers them");
        if (!chosen.bodies.empty())
            step.kind = PlanStep::Kind::ControlFlow;
        else if (late)
            step.kind = PlanStep::Kind::Late;
        else if (std::all_of(layer.outputs.begin(), layer.outputs.end(), [&](TensorId t) { return t == kNone || elementCount(place(t).dims) == 0; }))
            step.kind = PlanStep::Kind::Nothing;
        else
            STROBE_RETURN_IF_ERROR(prepareStep(step, chosen, layer));
        m_plan->steps.push_back(std::move(step));
        return Status::ok();
    }

    Status prepareStep(PlanStep& step, const EngineLayer& chosen, const Layer& layer) {
        const Problem problem = makeProblem(m_network, layer, m_inputs, &chosen.inputs, &chosen.outputs);
        STROBE_RETURN_IF_ERROR(checkShapes(problem).withContext("layer '" + layer.name + "' (" + layer.op->name + ")"));
        STROBE_ASSIGN(step.kernel, prepareKernel(problem, chosen, layer.name, m_environment, step.tactic));
        if (step.tactic != chosen.tactic) ++m_plan->fallbacks;
        step.workspaceBytes = step.kernel->workspaceBytes();
        m_plan->largestWorkspace = std::max(m_plan->largestWorkspace, step.workspaceBytes);
        const Tactic* tactic = m_environment.kernels->findByName(step.tactic);
        // A tensor that the layer reads twice (x + conv(x)) may be overwritten only where every one of its places allows it.
        const auto allowed = [&](size_t input, size_t output) {
            for (size_t i = 0; i < layer.inputs.size(); ++i)
                if (layer.inputs[i] == layer.inputs[input] && !tactic->canRunInPlace(problem, static_cast<int>(i), static_cast<int>(output))) return false;
            return true;
        };
        for (size_t o = 0; o < layer.outputs.size(); ++o)
            for (size_t i = 0; i < layer.inputs.size() && layer.outputs[o] != kNone; ++i)
                if (layer.inputs[i] != kNone && allowed(i, o)) m_inPlace.push_back({step.layer, layer.inputs[i], layer.outputs[o]});
        for (size_t i = 0; i < layer.inputs.size(); ++i)
            if (layer.inputs[i] != kNone && problem.outputs.size() == 1 && step.tactic == chosen.tactic)
                if (const auto offset = tactic->placeInOutput(problem, static_cast<int>(i)))
                    m_parts.push_back({step.layer, layer.inputs[i], layer.outputs[0], *offset});
        return Status::ok();
    }

    /// Network outputs made by a layer are written straight to the caller's memory.
    void placeNetworkOutputs() {
        for (size_t i = 0; i < m_network.outputs().size(); ++i) {
            TensorPlace& output = place(m_network.outputs()[i]);
            if (output.kind != TensorPlace::Kind::Arena) continue;
            output.kind = TensorPlace::Kind::Output;
            output.index = static_cast<int>(i);
        }
    }

    int lastUse(TensorId id) const {
        int last = m_stepOfLayer[static_cast<size_t>(m_network.tensor(id).producer)];
        for (const TensorUse& use : m_network.tensor(id).uses) last = std::max(last, m_stepOfLayer[static_cast<size_t>(use.layer)]);
        return last;
    }

    void placeArena() {
        placeNetworkOutputs();
        m_stepOfLayer.assign(static_cast<size_t>(m_network.layerIdCount()), 0);
        for (size_t i = 0; i < m_graph.layers.size(); ++i) m_stepOfLayer[static_cast<size_t>(m_graph.layers[i].layer)] = static_cast<int>(i);
        std::vector<int> group(m_plan->tensors.size());
        std::iota(group.begin(), group.end(), 0);
        const auto movable = [&](TensorId id) { return place(id).kind == TensorPlace::Kind::Arena || place(id).kind == TensorPlace::Kind::Device; };
        std::vector<bool> outputTaken(m_plan->tensors.size(), false), inputTaken(m_plan->tensors.size(), false);
        for (const InPlace& pair : m_inPlace) {
            if (!movable(pair.input) || place(pair.input).kind != place(pair.output).kind || place(pair.input).bytes != place(pair.output).bytes) continue;
            if (lastUse(pair.input) != pair.step || outputTaken[static_cast<size_t>(pair.output)] || inputTaken[static_cast<size_t>(pair.input)]) continue;
            outputTaken[static_cast<size_t>(pair.output)] = inputTaken[static_cast<size_t>(pair.input)] = true;
            group[static_cast<size_t>(pair.output)] = group[static_cast<size_t>(pair.input)];
        }
        placeParts(group);
        m_plan->hostBytes = placeKind(TensorPlace::Kind::Arena, group, false);
        m_plan->deviceBytes = placeKind(TensorPlace::Kind::Device, group, true);
    }

    /// Inputs of a Concat are written where they belong in its output. Only those that nothing reads later: what overwrites the
    /// output in place would destroy them.
    void placeParts(const std::vector<int>& group) {
        for (const Part& part : m_parts) {
            const bool host = place(part.input).kind == TensorPlace::Kind::Arena && place(part.output).kind == TensorPlace::Kind::Arena;
            if (!host || lastUse(part.input) != part.step) continue;
            const int inner = group[static_cast<size_t>(part.input)], outer = group[static_cast<size_t>(part.output)];
            if (inner != outer) m_inside.try_emplace(inner, std::pair{outer, part.offset});
        }
    }

    /// The group that owns the memory of `group`, and where in it this one starts.
    std::pair<int, size_t> ownerOf(int group) const {
        size_t offset = 0;
        for (auto found = m_inside.find(group); found != m_inside.end(); found = m_inside.find(group)) {
            group = found->second.first;
            offset += found->second.second;
        }
        return {group, offset};
    }

    size_t placeKind(TensorPlace::Kind kind, const std::vector<int>& group, bool deviceWorkspaces) {
        std::vector<MemoryRequest> requests;
        std::map<int, size_t> requestOfGroup;
        for (size_t id = 0; id < m_plan->tensors.size(); ++id) {
            const TensorPlace& tensor = m_plan->tensors[id];
            if (tensor.kind != kind) continue;
            const int first = m_stepOfLayer[static_cast<size_t>(m_network.tensor(static_cast<TensorId>(id)).producer)];
            auto [found, fresh] = requestOfGroup.try_emplace(ownerOf(group[id]).first, requests.size());
            if (fresh) requests.push_back({tensor.bytes, first, first});
            MemoryRequest& request = requests[found->second];
            request.bytes = std::max(request.bytes, tensor.bytes);
            request.first = std::min(request.first, first);
            request.last = std::max(request.last, lastUse(static_cast<TensorId>(id)));
        }
        const size_t tensorRequests = requests.size();
        std::vector<size_t> stepOfRequest;
        for (size_t s = 0; s < m_plan->steps.size(); ++s)
            if (m_plan->steps[s].workspaceBytes > 0 && m_plan->steps[s].onDevice == deviceWorkspaces) {
                requests.push_back({m_plan->steps[s].workspaceBytes, static_cast<int>(s), static_cast<int>(s)});
                stepOfRequest.push_back(s);
            }
        const MemoryLayout layout = planMemory(requests);
        for (size_t id = 0; id < m_plan->tensors.size(); ++id)
            if (m_plan->tensors[id].kind == kind) {
                const auto [owner, offset] = ownerOf(group[id]);
                m_plan->tensors[id].offset = layout.offsets[requestOfGroup.at(owner)] + offset;
            }
        for (size_t r = 0; r < stepOfRequest.size(); ++r) m_plan->steps[stepOfRequest[r]].workspaceOffset = layout.offsets[tensorRequests + r];
        return layout.totalBytes;
    }

    struct InPlace {
        int step;
        TensorId input, output;
    };
    struct Part {
        int step;
        TensorId input, output;
        size_t offset;
    };
    const CompiledGraph& m_graph;
    const Network& m_network;
    const PlanEnvironment& m_environment;
    std::shared_ptr<Plan> m_plan;
    ProblemInputs m_inputs;
    std::vector<Format> m_formats;
    const std::vector<Dims>& m_inputDims;
    std::vector<InPlace> m_inPlace;
    std::vector<Part> m_parts;
    std::map<int, std::pair<int, size_t>> m_inside;  // a group of tensors that share memory → the group around it, offset there
    std::vector<int> m_stepOfLayer;
};

}  // namespace

Result<std::shared_ptr<const Plan>> makePlan(const CompiledGraph& graph, const std::vector<Dims>& inputDims, const SymbolValues& outer, int threads,
                                             const PlanEnvironment& environment) {
    return PlanMaker(graph, inputDims, outer, threads, environment).make();
}

/// A key is in m_beingMade for as long as this lives.
class PlanCache::Making {
public:
    /// Requires the cache's lock.
    Making(PlanCache& cache, Key key) : m_cache(cache), m_key(std::move(key)) { m_cache.m_beingMade.insert(m_key); }
    ~Making() {
        {
            std::lock_guard lock(m_cache.m_mutex);
            m_cache.m_beingMade.erase(m_key);
        }
        m_cache.m_madeOne.notify_all();
    }
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;

private:
    PlanCache& m_cache;
    Key m_key;
};

Result<std::shared_ptr<const Plan>> PlanCache::get(const CompiledGraph& graph, const std::vector<Dims>& inputDims, const SymbolValues& outer, int threads,
                                                   const PlanEnvironment& environment) {
    constexpr auto kBetweenLooks = std::chrono::milliseconds(20);
    std::string text = std::to_string(threads);
    for (const Dims& dims : inputDims) text += toString(dims);
    for (const auto& [name, value] : outer) text += " " + name + "=" + std::to_string(value);
    const Key key(&graph, std::move(text));
    std::optional<Making> making;
    {
        std::unique_lock lock(m_mutex);
        // Whoever makes the plan may fail or be cancelled: then one of those who wait makes it.
        for (;; m_madeOne.wait_for(lock, kBetweenLooks)) {
            if (auto found = m_plans.find(key); found != m_plans.end()) {
                found->second.lastUse = ++m_clock;
                return found->second.plan;
            }
            if (m_beingMade.count(key) == 0) break;
            if (isCancelled(environment.cancel)) return cancelled();
        }
        making.emplace(*this, key);
    }
    STROBE_ASSIGN(std::shared_ptr<const Plan> plan, makePlan(graph, inputDims, outer, threads, environment));
    std::lock_guard lock(m_mutex);
    if (m_plans.size() >= kMaxPlans)
        m_plans.erase(std::min_element(m_plans.begin(), m_plans.end(),
                                       [](const auto& a, const auto& b) { return a.second.lastUse < b.second.lastUse; }));
    m_plans[key] = {plan, ++m_clock};
    return plan;
}

}  // namespace strobe
