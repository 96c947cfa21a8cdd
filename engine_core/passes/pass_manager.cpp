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

Status runOne(const Pass& pass, Network& network, PassContext& context) {
    PassRun run;
    run.name = pass.name();
    run.layersBefore = run.layersAfter = network.layerCount();
    run.disabled = context.config.disabledPasses.count(run.name) > 0;
    if (!run.disabled) {
        const size_t rewritesBefore = context.report.rewrites.size();
        const auto start = std::chrono::steady_clock::now();
        context.pass = run.name;
        STROBE_RETURN_IF_ERROR(pass.run(network, context));
        run.rewrites = static_cast<int>(context.report.rewrites.size() - rewritesBefore);
        if (run.rewrites > 0) {
            network.removeUnusedConstants();
            // What lies downstream of a rewrite may know more about its shapes now.
            STROBE_RETURN_IF_ERROR(inferNetwork(network).withContext("after pass " + run.name));
        }
        run.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        run.layersAfter = network.layerCount();
        if (run.rewrites > 0) STROBE_RETURN_IF_ERROR(verify(network).withContext("after pass " + run.name));
    }
    context.report.runs.push_back(std::move(run));
    return Status::ok();
}

}  // namespace

Result<PassReport> PassManager::run(Network& network, const BuilderConfig& config, const KernelRegistry& kernels, CancelToken cancel) {
    PassReport report;
    PassContext context{config, kernels, std::move(cancel), report, {}};
    for (std::string_view name : passSchedule()) {
        if (context.cancel.isCancelled()) return cancelled();
        const auto& passes = standardPasses();
        const auto found = std::find_if(passes.begin(), passes.end(), [&](const auto& pass) { return pass->name() == name; });
        if (found == passes.end()) return internalError("the schedule names the unknown pass '" + std::string(name) + "'");
        STROBE_RETURN_IF_ERROR(runOne(**found, network, context));
    }
    return report;
}

}  // namespace strobe
