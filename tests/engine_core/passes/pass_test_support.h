#pragma once
#include <algorithm>
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
            if (std::find(names.begin(), names.end(), pass->name()) == names.end())
                config.disabledPasses.insert(std::string(pass->name()));
    }
    auto report = PassManager::run(network, config, referenceKernels());
    EXPECT_TRUE(report) << report.status().message();
    return report ? *report : PassReport();
}

inline std::string reasons(const PassReport& report, const std::string& pass) {
    std::string text;
    for (const NearMiss& miss : report.nearMisses)
        if (miss.pass == pass) text += miss.layer + ": " + miss.reason + "\n";
    return text;
}

/// What the network's outputs are for these inputs (in the order of the network's inputs), by reference kernels: with
/// constant inputs everything folds.
inline std::vector<std::vector<float>> evaluate(Network network, const std::vector<WeightsPtr>& inputs) {
    SymbolValues symbols;
    for (size_t i = 0; i < inputs.size(); ++i) {
        Tensor& t = network.tensor(network.inputs()[i]);
        for (size_t d = 0; d < t.shape.size(); ++d)
            if (auto name = t.shape[d].symbolName()) symbols[*name] = inputs[i]->dims[d];
        t.isInput = false;
        network.makeConstant(t.id, inputs[i]);
    }
    for (TensorId id = 0; id < network.tensorCount(); ++id) {
        if (!network.tensor(id).isSymbolicConstant()) continue;
        const auto values = strobe::evaluate(Shape(*network.tensor(id).values), symbols);
        if (values) network.makeConstant(id, makeInt64Weights(toDims(network.tensor(id).shape), *values));
    }
    EXPECT_TRUE(inferNetwork(network));
    BuilderConfig config;
    PassReport report;
    PassContext context{config, referenceKernels(), {}, report, "test"};
    const Status status = makeConstantFolding()->run(network, context);
    EXPECT_TRUE(status) << status.message();
    std::vector<std::vector<float>> results;
    for (TensorId output : network.outputs()) {
        if (!network.tensor(output).constant) {
            ADD_FAILURE() << "output " << network.tensor(output).name << " was not computed\n"
                          << reasons(report, "test") << network.toString();
            return {};
        }
        results.push_back(toFloats(*network.tensor(output).constant));
    }
    return results;
}

/// Runs passes and compares structure-independent results before and after.
inline PassReport runPassesAndCompare(Network& network, std::vector<std::string> names,
                                      const std::vector<WeightsPtr>& inputs, float tolerance = 2e-5f) {
    const auto before = evaluate(network, inputs);
    PassReport report = runPasses(network, std::move(names));
    const auto after = evaluate(network, inputs);
    EXPECT_EQ(before.size(), after.size());
    for (size_t o = 0; o < std::min(before.size(), after.size()); ++o) {
        EXPECT_EQ(before[o].size(), after[o].size());
        for (size_t i = 0; i < std::min(before[o].size(), after[o].size()); ++i)
            EXPECT_NEAR(before[o][i], after[o][i], tolerance * std::max(1.0f, std::fabs(before[o][i])))
                << "output " << o << " element " << i;
    }
    return report;
}

/// Input data of about [−2, 2].
inline WeightsPtr data(Dims dims, float seed = 1.0f) {
    std::vector<float> values(static_cast<size_t>(elementCount(dims)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = 2.0f * std::sin(seed + 1.3f * static_cast<float>(i));
    return makeFloatWeights(std::move(dims), values);
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

}  // namespace strobe::test
