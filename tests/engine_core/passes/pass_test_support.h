#pragma once
#include <string>
#include <vector>

#include "engine_core/passes/pass.h"
#include "engine_core/passes/pass_list.h"
#include "kernels/reference/reference_kernel.h"
#include "tests/support/network_builder.h"

namespace strobe::test {

inline const KernelRegistry& referenceKernels() {
    static const KernelRegistry* kernels = [] {
        auto* registry = new KernelRegistry;
        registerReferenceKernels(*registry);
        return registry;
    }();
    return *kernels;
}

/// Runs the named passes (all the standard ones when none is named) as the manager does, dead layers swept afterwards.
inline PassReport runPasses(Network& network, std::vector<std::string> names, BuilderConfig config = {}) {
    if (!names.empty()) {
        names.push_back("DeadLayerElimination");
        for (const auto& pass : PassManager::standardPasses())
            if (std::find(names.begin(), names.end(), pass->name()) == names.end()) config.disabledPasses.insert(std::string(pass->name()));
    }
    auto report = PassManager::run(network, config, referenceKernels());
    EXPECT_TRUE(report) << report.status().message();
    return report ? *report : PassReport();
}

/// Op names of the living layers in topological order, e.g. "Conv Relu".
inline std::string opsOf(const Network& network) {
    std::string text;
    for (LayerId id : network.topologicalOrder()) text += (text.empty() ? "" : " ") + network.layer(id).op->name;
    return text;
}

inline const Layer& onlyLayer(const Network& network, const std::string& op) {
    for (LayerId id : network.topologicalOrder())
        if (network.layer(id).op->name == op) return network.layer(id);
    ADD_FAILURE() << "no layer of op " << op << " in\n" << network.toString();
    static const Layer none;
    return none;
}

inline std::string reasons(const PassReport& report, const std::string& pass) {
    std::string text;
    for (const NearMiss& miss : report.nearMisses)
        if (miss.pass == pass) text += miss.layer + ": " + miss.reason + "\n";
    return text;
}

}  // namespace strobe::test
