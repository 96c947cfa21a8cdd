#include "engine_core/builder/builder.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "engine_core/builder/graph_compiler.h"
#include "engine_core/builder/shape_trials.h"

namespace strobe {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What one writes for a device elsewhere; trtexec's is a number.
bool meansCuda(const std::string& id) {
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    return id.rfind("cuda", 0) == 0 || id == "gpu" || id == "GPU" || id.rfind("gpu:", 0) == 0 || id == "nvidia" || (!id.empty() && std::all_of(id.begin(), id.end(), isDigit));
}

Result<DeviceInfo> findDevice(const KernelRegistry& kernels, const std::string& id) {
    if (id == "cpu" || id.empty()) return cpuDeviceInfo();
    std::string known = "cpu", missing;
    for (const auto& provider : kernels.devices())
        for (const DeviceInfo& device : provider->list()) {
            const bool isUsable = device.unavailableReason.empty();
            if (device.id == id && isUsable) return device;
            if (device.id == id || (!isUsable && device.kind == DeviceKind::Cuda && meansCuda(id)))
                return unsupported("device '" + id + "' cannot be used: " + device.unavailableReason + "; usable here: cpu");
            if (isUsable) known += ", " + device.id;
        }
    if (meansCuda(id) && known == "cpu") missing = "; GPUs (cuda:0 …) need Strobe's CUDA module, which is not there";
    return invalidArgument("device '" + id + "' does not exist; usable here: " + known + missing);
}

/// Replaces every body by what `change` makes of it.
template <class Change>
Status forEachBody(Network& network, Change change) {
    for (LayerId id = 0; id < network.layerIdCount(); ++id)
        for (auto& body : network.layer(id).subgraphs) {
            Network changed = *body;
            STROBE_RETURN_IF_ERROR(change(changed));
            body = std::make_shared<const Network>(std::move(changed));
        }
    return Status::ok();
}

/// Cancelled when that came in between.
Status alignConstants(Network& network, const CancelToken& cancel) {
    for (TensorId id = 0; id < network.tensorCount(); ++id)
        if (WeightsPtr& weights = network.tensor(id).constant) weights = alignedWeights(weights, &cancel);
    STROBE_RETURN_IF_ERROR(forEachBody(network, [&](Network& body) { return alignConstants(body, cancel); }));
    return cancel.isCancelled() ? cancelled() : Status::ok();
}

Status inferWithBodies(Network& network) {
    STROBE_RETURN_IF_ERROR(forEachBody(network, inferWithBodies));
    return inferNetwork(network);
}

/// Extents that every profile fixes (min = max everywhere) become constants: shape arithmetic on them folds away, and fusions that need to
/// know an extent fire.
void specialize(Network& network, const std::vector<OptimizationProfile>& profiles, std::vector<BuildNote>& notes) {
    std::map<std::string, Dim> fixed;
    std::set<std::string> open;
    for (TensorId id : network.inputs()) {
        const Tensor& tensor = network.tensor(id);
        for (size_t d = 0; tensor.rankKnown && d < tensor.shape.size(); ++d) {
            const auto symbol = tensor.shape[d].symbolName();
            if (!symbol) continue;
            for (const OptimizationProfile& profile : profiles) {
                const ShapeRange& range = profile.inputs.at(tensor.name);
                const auto [place, fresh] = fixed.try_emplace(*symbol, range.opt[d]);
                if (range.min[d] != range.max[d] || place->second != Dim(range.opt[d])) open.insert(*symbol);
            }
        }
    }
    for (const std::string& symbol : open) fixed.erase(symbol);
    if (fixed.empty()) return;
    Network specialized = network;
    specialized.substituteSymbols(fixed);
    if (const Status status = inferWithBodies(specialized); status.isOk())
        network = std::move(specialized);
    else  // A branch that is never taken at these extents may not fit them; the general network holds for all.
        notes.push_back({BuildNote::Severity::Warning, {}, {}, "the extents that all profiles fix are not used to simplify the network: " + status.message(), {}});
}

Status refuseUnsupported(const Network& network) {
    std::string names;
    int count = 0;
    for (LayerId id : network.topologicalOrder()) {
        const Layer& layer = network.layer(id);
        if (layer.op->name != "Unsupported") continue;
        if (++count <= 20) names += (names.empty() ? "" : ", ") + std::string("'") + layer.name + "' (" + layer.attributes.getString("op_type", "?") + ")";
    }
    if (count == 0) return Status::ok();
    return unsupported(std::to_string(count) + (count == 1 ? " node has an op" : " nodes have ops") + " that Strobe does not know: " + names);
}

/// Progress with an honest estimate: the time so far, extended to the layers that are left.
class ProgressMeter {
public:
    explicit ProgressMeter(const Builder::ProgressCallback& callback) : m_callback(callback) {}
    void report(const std::string& step, double fraction) {
        if (!m_callback) return;
        const double spent = secondsSince(m_start);
        m_callback({step, fraction, fraction > 0.08 ? spent / fraction * (1 - fraction) : -1});
    }

private:
    const Builder::ProgressCallback& m_callback;
    Clock::time_point m_start = Clock::now();
};

/// Null for the CPU.
Result<std::shared_ptr<Device>> openDevice(const KernelRegistry& kernels, const DeviceInfo& device) {
    if (device.kind != DeviceKind::Cpu)
        for (const auto& provider : kernels.devices())
            if (provider->kind() == device.kind) return provider->open(device.index);
    return std::shared_ptr<Device>();
}

/// Symbols at one corner (opt, max) of a profile.
/// The profiles to build for: complete, and such that the network takes their shapes.
Result<std::vector<OptimizationProfile>> usableProfiles(const Builder::Request& request) {
    const Network& network = *request.parsed;
    const auto& asked = request.config.profiles;
    const auto givesAll = [&](const OptimizationProfile& profile) { return profile.inputs.size() == network.inputs().size(); };
    const AssumedExtents assumed = !asked.empty() && std::all_of(asked.begin(), asked.end(), givesAll) ? AssumedExtents{} : assumeExtents(network, request.cancel);
    STROBE_ASSIGN(auto profiles, completeProfiles(network, asked, assumed.values));
    if (request.cancel.isCancelled()) return cancelled();
    const auto refused = findRefusedShape(network, profiles, request.cancel);
    if (!refused) return profiles;
    if (request.cancel.isCancelled()) return cancelled();
    if (asked.empty()) return invalidArgument("the model leaves extents of its inputs open and none that it takes were found; give the shapes to build for: " + refused->message);
    return invalidArgument((profiles.size() > 1 ? "profile " + std::to_string(refused->profile) + ": " : std::string()) + refused->message);
}

/// The parsed network, simplified for the profiles and rewritten by the passes.
Status fuseInto(BuildReport& report, const Builder::Request& request, const std::vector<OptimizationProfile>& profiles, const KernelRegistry& kernels) {
    const auto start = Clock::now();
    Network fused = *request.parsed;
    specialize(fused, profiles, report.notes);
    STROBE_ASSIGN(report.passes, PassManager::run(fused, request.config, kernels, request.cancel));
    STROBE_RETURN_IF_ERROR(alignConstants(fused, request.cancel));
    report.passSeconds = secondsSince(start);
    report.fused = std::make_shared<const Network>(std::move(fused));
    return Status::ok();
}

/// Tactics and formats for the fused network, timed on the device.
Result<std::shared_ptr<const CompiledGraph>> compile(const Builder::Request& request, const Network& fused, const std::vector<OptimizationProfile>& profiles,
                                                     const SymbolValues& opt, const DeviceInfo& device, const KernelRegistry& kernels, ProgressMeter& meter,
                                                     BuildReport& report) {
    const auto start = Clock::now();
    const BuilderConfig& config = request.config;
    STROBE_ASSIGN(const std::shared_ptr<Device> opened, openDevice(kernels, device));
    PackedWeightsCache packedWeights;
    LayerTimer timer(config, device.fingerprint, request.timingCache, opened.get(), packedWeights, request.cancel);
    GraphCompiler::Setup setup;
    setup.config = &config;
    setup.kernels = &kernels;
    setup.device = device;
    setup.timer = &timer;
    setup.report = &report;
    setup.threads = config.threads > 0 ? config.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    if (config.workspaceLimit > 0)
        for (const OptimizationProfile& profile : profiles) {
            STROBE_ASSIGN(SymbolValues largest, symbolsAt(fused, profile, &ShapeRange::max));
            if (largest != opt) setup.largest.push_back(std::move(largest));
        }
    setup.cancel = request.cancel;
    setup.progress = [&](const std::string& layer, int done, int total) {
        meter.report("Timing " + layer + " (" + std::to_string(done + 1) + " of " + std::to_string(total) + ")", 0.05 + 0.93 * done / std::max(1, total));
    };
    auto graph = GraphCompiler(setup).compile(fused, opt);
    report.timingSeconds = secondsSince(start);
    report.timedCandidates = timer.timed();
    report.cachedCandidates = timer.cached();
    return graph;
}

}  // namespace

Result<BuildReport> Builder::fuse(const Request& request) const {
    STROBE_RETURN_IF_ERROR(refuseUnsupported(*request.parsed));
    STROBE_ASSIGN(const std::vector<OptimizationProfile> profiles, usableProfiles(request));
    BuildReport report;
    STROBE_RETURN_IF_ERROR(fuseInto(report, request, profiles, m_kernels));
    return report;
}

Result<BuildResult> Builder::build(const Request& request) const {
    const auto start = Clock::now();
    ProgressMeter meter(request.progress);
    BuildResult result;
    STROBE_RETURN_IF_ERROR(refuseUnsupported(*request.parsed));
    STROBE_ASSIGN(const DeviceInfo device, findDevice(m_kernels, request.config.device));
    STROBE_ASSIGN(std::vector<OptimizationProfile> profiles, usableProfiles(request));
    STROBE_ASSIGN(const SymbolValues timed, symbolsAt(*request.parsed, profiles.front(), &ShapeRange::opt));
    if (device.memoryBytes > 0) STROBE_RETURN_IF_ERROR(checkFits(*request.parsed, timed, device.memoryBytes));
    if (request.fused) {
        result.report = *request.fused;
    } else {
        meter.report("Fusing", 0.01);
        STROBE_RETURN_IF_ERROR(fuseInto(result.report, request, profiles, m_kernels));
    }
    const Network& fused = *result.report.fused;
    STROBE_ASSIGN(const SymbolValues opt, symbolsAt(fused, profiles.front(), &ShapeRange::opt));
    STROBE_ASSIGN(auto graph, compile(request, fused, profiles, opt, device, m_kernels, meter, result.report));
    Engine::Parts parts{std::move(graph), request.config, device, request.modelName, request.modelHash, std::move(profiles), opt};
    STROBE_ASSIGN(result.engine, Engine::create(std::move(parts), m_kernels));
    result.report.totalSeconds = secondsSince(start);
    meter.report("Built", 1.0);
    return result;
}

}  // namespace strobe
