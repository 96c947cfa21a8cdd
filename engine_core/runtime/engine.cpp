#include "engine_core/runtime/engine.h"

#include <algorithm>
#include <set>

#include "engine_core/builder/builder.h"
#include "engine_core/runtime/engine_shared.h"
#include "engine_core/runtime/execution_context.h"
#include "engine_core/runtime/plan.h"

namespace strobe {
namespace {

Status checkTactics(const CompiledGraph& graph, const KernelRegistry& kernels) {
    for (const EngineLayer& layer : graph.layers) {
        for (const auto& body : layer.bodies) STROBE_RETURN_IF_ERROR(checkTactics(*body, kernels));
        if (layer.bodies.empty() && !kernels.findByName(layer.tactic))
            return unsupported("layer '" + graph.network.layer(layer.layer).name + "' needs tactic '" + layer.tactic +
                               "', which this program does not have; rebuild the engine with it");
    }
    return Status::ok();
}

std::vector<BindingInfo> describe(const Network& network, const std::vector<TensorId>& ids) {
    std::vector<BindingInfo> bindings;
    for (TensorId id : ids) {
        const Tensor& t = network.tensor(id);
        bindings.push_back({t.name, t.type, t.shape, t.rankKnown});
    }
    return bindings;
}

void countWeights(const CompiledGraph& graph, std::set<std::pair<const void*, size_t>>& seen, size_t& bytes) {
    for (TensorId id = 0; id < graph.network.tensorCount(); ++id) {
        const WeightsPtr& weights = graph.network.tensor(id).constant;
        if (weights && !graph.network.tensor(id).uses.empty() &&
            seen.insert({weights->data.get(), weights->bytes}).second)
            bytes += weights->bytes;
    }
    for (const EngineLayer& layer : graph.layers)
        for (const auto& body : layer.bodies) countWeights(*body, seen, bytes);
}

std::string rangeText(const ShapeRange& range, size_t d) { return "[" + std::to_string(range.min[d]) + ", " + std::to_string(range.max[d]) + "]"; }

/// Empty when `shapes` lie inside the profile.
std::string outsideReason(const OptimizationProfile& profile, const std::map<std::string, Dims>& shapes) {
    for (const auto& [name, range] : profile.inputs) {
        const auto found = shapes.find(name);
        if (found == shapes.end()) continue;
        if (found->second.size() != range.min.size())
            return "input '" + name + "' has rank " + std::to_string(found->second.size()) + ", the engine takes rank " + std::to_string(range.min.size());
        for (size_t d = 0; d < range.min.size(); ++d)
            if (found->second[d] < range.min[d] || found->second[d] > range.max[d])
                return "input '" + name + "' " + toString(found->second) + ": dim " + std::to_string(d) + " is " + std::to_string(found->second[d]) +
                       ", the profile allows " + rangeText(range, d);
    }
    return {};
}

}  // namespace

bool isReformat(const CompiledGraph& graph, const EngineLayer& layer) {
    return graph.network.layer(layer.layer).op->name == "Reformat";
}

Engine::Engine(Parts parts, const KernelRegistry& kernels) : m_parts(std::move(parts)), m_kernels(kernels), m_shared(std::make_unique<Shared>()) {}
Engine::~Engine() = default;

Result<std::shared_ptr<const Engine>> Engine::create(Parts parts, const KernelRegistry& kernels) {
    auto engine = std::shared_ptr<Engine>(new Engine(std::move(parts), kernels));
    const DeviceInfo& device = engine->m_parts.device;
    if (device.kind != DeviceKind::Cpu) {
        const auto& providers = kernels.devices();
        const auto provider = std::find_if(providers.begin(), providers.end(), [&](const auto& p) { return p->kind() == device.kind; });
        if (provider == providers.end()) return unsupported("the engine is for device " + device.id + ", and this program has no module for it");
        auto opened = (*provider)->open(device.index);
        if (!opened) return opened.status().withContext("the engine is for device " + device.id + " (" + device.name + ")");
        engine->m_shared->device = std::move(*opened);
    }
    // Behind the device: without it its tactics are missing too, and it is what the user can put right.
    STROBE_RETURN_IF_ERROR(checkTactics(engine->graph(), kernels));
    return std::shared_ptr<const Engine>(std::move(engine));
}

std::vector<BindingInfo> Engine::inputs() const { return describe(graph().network, graph().network.inputs()); }
std::vector<BindingInfo> Engine::outputs() const { return describe(graph().network, graph().network.outputs()); }

Result<int> Engine::profileFor(const std::map<std::string, Dims>& shapes) const {
    std::string reasons;
    for (size_t p = 0; p < m_parts.profiles.size(); ++p) {
        const std::string reason = outsideReason(m_parts.profiles[p], shapes);
        if (reason.empty()) return static_cast<int>(p);
        reasons += (p ? "; " : "") + (m_parts.profiles.size() > 1 ? "profile " + std::to_string(p) + ": " : std::string()) + reason;
    }
    if (m_parts.profiles.empty()) return 0;
    return outOfRange(reasons + "; run inside it or rebuild with a wider profile");
}

Status Engine::checkProfile(int profile, const std::map<std::string, Dims>& shapes) const {
    const size_t count = std::max<size_t>(1, m_parts.profiles.size());
    const std::string subject = "profile " + std::to_string(profile);
    if (profile < 0 || static_cast<size_t>(profile) >= count)
        return outOfRange(subject + " is not there; the engine has " + std::to_string(count) + (count == 1 ? " profile" : " profiles") + ", counted from 0");
    if (m_parts.profiles.empty()) return Status::ok();
    const std::string reason = outsideReason(m_parts.profiles[static_cast<size_t>(profile)], shapes);
    return reason.empty() ? Status::ok() : outOfRange(subject + ": " + reason);
}

Result<MemoryFigures> Engine::memory(const std::map<std::string, Dims>& shapes) const {
    MemoryFigures figures;
    std::set<std::pair<const void*, size_t>> seen;
    countWeights(graph(), seen, figures.weights);
    STROBE_ASSIGN(std::unique_ptr<ExecutionContext> context, createContext());
    const std::vector<BindingInfo> bindings = inputs();
    for (size_t i = 0; i < bindings.size(); ++i) {
        const auto given = shapes.find(bindings[i].name);
        const auto dims = given != shapes.end() ? std::optional<Dims>(given->second) : evaluate(bindings[i].shape, m_parts.optSymbols);
        if (!dims) return invalidArgument("input '" + bindings[i].name + "' has no shape");
        STROBE_RETURN_IF_ERROR(context->setInput(static_cast<int>(i), nullptr, *dims));
    }
    STROBE_RETURN_IF_ERROR(context->prepare());
    figures.activations = context->memory().activations;
    figures.workspace = context->memory().workspace;
    return figures;
}

}  // namespace strobe
