#include <algorithm>
#include <chrono>

#include "engine_core/ops/op_definition.h"
#include "engine_core/passes/pass.h"
#include "engine_core/passes/pass_list.h"

namespace strobe {

void PassContext::record(RewriteRecord rewrite) const {
    rewrite.pass = pass;
    report.rewrites.push_back(std::move(rewrite));
}

void PassContext::miss(const Network& network, LayerId layer, std::string reason) const {
    const Layer& l = network.layer(layer);
    // A pass that runs twice would say the same thing twice.
    const bool known = std::any_of(report.nearMisses.begin(), report.nearMisses.end(), [&](const NearMiss& m) {
        return m.pass == pass && m.layer == l.name && m.reason == reason;
    });
    if (!known) report.nearMisses.push_back({pass, l.name, l.provenance, std::move(reason)});
}

const std::vector<std::unique_ptr<Pass>>& PassManager::standardPasses() {
    static const std::vector<std::unique_ptr<Pass>> passes = makeStandardPasses();
    return passes;
}

namespace {

/// Layers of the network and of the bodies in it.
int totalLayers(const Network& network) {
    int count = network.layerCount();
    for (LayerId id = 0; id < network.layerIdCount(); ++id)
        for (const auto& body : network.layer(id).subgraphs) count += totalLayers(*body);
    return count;
}

Status applyTo(Network& network, const Pass& pass, PassContext& context, double& milliseconds);

/// Bodies of If, Loop and Scan first: the outer network infers through them. They are shared, so a changed one is a new
/// one.
Status applyToBodies(Network& network, const Pass& pass, PassContext& context, double& milliseconds) {
    for (LayerId id = 0; id < network.layerIdCount(); ++id)
        for (auto& body : network.layer(id).subgraphs) {
            const size_t before = context.report.rewrites.size();
            Network changed = *body;
            STROBE_RETURN_IF_ERROR(applyTo(changed, pass, context, milliseconds));
            if (context.report.rewrites.size() != before) body = std::make_shared<const Network>(std::move(changed));
        }
    return Status::ok();
}

Status applyTo(Network& network, const Pass& pass, PassContext& context, double& milliseconds) {
    const size_t before = context.report.rewrites.size();
    STROBE_RETURN_IF_ERROR(applyToBodies(network, pass, context, milliseconds));
    const auto start = std::chrono::steady_clock::now();
    STROBE_RETURN_IF_ERROR(pass.run(network, context));
    const bool changed = context.report.rewrites.size() != before;
    if (changed) {
        network.removeUnusedConstants();
        // What lies downstream of a rewrite may know more about its shapes now.
        STROBE_RETURN_IF_ERROR(inferNetwork(network).withContext("after pass " + context.pass));
    }
    milliseconds += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return changed ? verify(network).withContext("after pass " + context.pass) : Status::ok();
}

/// Runs the pass of that name; its times and counts join those of its earlier rounds when `again`.
Status runOne(std::string_view name, Network& network, PassContext& context, bool again = false) {
    const auto& passes = PassManager::standardPasses();
    const auto found = std::find_if(passes.begin(), passes.end(), [&](const auto& p) { return p->name() == name; });
    if (found == passes.end()) return internalError("the schedule names the unknown pass '" + std::string(name) + "'");
    const Pass& pass = **found;
    PassRun run;
    run.name = pass.name();
    run.layersBefore = totalLayers(network);
    run.disabled = context.config.disabledPasses.count(run.name) > 0;
    if (!run.disabled) {
        const size_t rewritesBefore = context.report.rewrites.size();
        context.pass = run.name;
        STROBE_RETURN_IF_ERROR(applyTo(network, pass, context, run.milliseconds));
        run.rewrites = static_cast<int>(context.report.rewrites.size() - rewritesBefore);
    }
    run.layersAfter = totalLayers(network);
    std::vector<PassRun>& runs = context.report.runs;
    const auto earlier = again ? std::find_if(runs.begin(), runs.end(), [&](const PassRun& r) { return r.name == name; }) : runs.end();
    if (earlier == runs.end()) {
        runs.push_back(std::move(run));
        return Status::ok();
    }
    earlier->milliseconds += run.milliseconds;
    earlier->rewrites += run.rewrites;
    earlier->layersAfter = run.layersAfter;
    return Status::ok();
}

bool hasBodies(const Network& network) {
    for (LayerId id = 0; id < network.layerIdCount(); ++id)
        if (!network.layer(id).subgraphs.empty()) return true;
    return false;
}

/// Folds conditions, resolves them and carries what is known into bodies, until nothing more comes of it. Each round reaches one level of
/// bodies further down, so the bound only cuts off nests deeper than that.
Status resolveControlFlow(Network& network, PassContext& context) {
    constexpr int kMaxRounds = 16;
    for (int round = 0; round < kMaxRounds; ++round) {
        if (!hasBodies(network)) break;
        const size_t before = context.report.rewrites.size();
        for (std::string_view name : controlFlowSchedule()) {
            if (context.cancel.isCancelled()) return cancelled();
            STROBE_RETURN_IF_ERROR(runOne(name, network, context, round > 0));
        }
        if (context.report.rewrites.size() == before) break;
    }
    return Status::ok();
}

}  // namespace

Result<PassReport> PassManager::run(Network& network, const BuilderConfig& config, const KernelRegistry& kernels,
                                    CancelToken cancel) {
    PassReport report;
    PassContext context{config, kernels, std::move(cancel), report, {}, network.constantBytes()};
    STROBE_RETURN_IF_ERROR(resolveControlFlow(network, context));
    for (std::string_view name : passSchedule()) {
        if (context.cancel.isCancelled()) return cancelled();
        STROBE_RETURN_IF_ERROR(runOne(name, network, context));
    }
    // Constants that were being made when that came are unfinished.
    if (context.cancel.isCancelled()) return cancelled();
    return report;
}

}  // namespace strobe
