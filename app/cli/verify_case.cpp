#include "app/cli/verify_case.h"

#include <algorithm>
#include <cmath>

#include "app/cli/run_outputs.h"
#include "engine_core/builder/builder.h"
#include "engine_core/onnx/backend_case.h"
#include "engine_core/ops/op_definition.h"

namespace strobe::cli {
namespace {

/// ONNX's runner asks for 1e-3 and 1e-7; types whose own rounding step is coarser (or a build that computes in them)
/// get about two steps. Sums in another order differ by steps of the largest value, not of the one that cancels: two of
/// them are allowed.
Tolerance toleranceFor(const Weights& wanted, PrecisionMode mode) {
    const DataType type = wanted.type;
    if (type == DataType::BFloat16 || mode == PrecisionMode::Bf16 || mode == PrecisionMode::Best) return {2e-2, 2e-2};
    if (type == DataType::Float16 || mode == PrecisionMode::Fp16) return {4e-3, 1e-3};
    double largest = 0;
    for (double value : toDoubles(wanted))
        if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
    return {1e-3, 1e-7 + 2.4e-7 * std::min(largest, 1.0)};
}

CaseOutcome outcomeOf(const Status& status, const std::string& where) {
    return {status.code() == ErrorCode::Unsupported ? "refused" : "wrong", where + status.message()};
}

/// One profile a data set: data sets may differ even in rank.
BuilderConfig configFor(const Options& o, const BackendCase& backendCase) {
    BuilderConfig config;
    config.precision = o.bf16   ? PrecisionMode::Bf16
                       : o.fp16 ? PrecisionMode::Fp16
                       : o.best ? PrecisionMode::Best
                                : PrecisionMode::Fp32;
    config.optimizationLevel = o.builderOptimizationLevel;
    config.threads = o.threads;
    if (!o.device.empty()) config.device = o.device;
    const Network& network = backendCase.model.network;
    for (const BackendCase::DataSet& set : backendCase.dataSets) {
        OptimizationProfile profile;
        for (size_t i = 0; i < set.inputs.size(); ++i) {
            const Dims& dims = set.inputs[i]->dims;
            profile.inputs[network.tensor(network.inputs()[i]).name] = {dims, dims, dims};
        }
        if (std::find(config.profiles.begin(), config.profiles.end(), profile) == config.profiles.end())
            config.profiles.push_back(std::move(profile));
    }
    return config;
}

/// Such outputs differ from run to run by definition: only their types and dims can be compared.
bool isRandom(const Network& network) {
    for (LayerId id : network.topologicalOrder()) {
        const Layer& layer = network.layer(id);
        if (layer.op->nondeterministic) return true;
        for (const auto& body : layer.subgraphs)
            if (isRandom(*body)) return true;
    }
    return false;
}

Status compareForms(const Weights& found, const Weights& wanted) {
    if (found.type == wanted.type && found.dims == wanted.dims) return Status::ok();
    return invalidArgument(std::string(dataTypeName(found.type)) + toString(found.dims) + " found, " +
                           std::string(dataTypeName(wanted.type)) + toString(wanted.dims) + " wanted");
}

CaseOutcome runDataSet(const Engine& engine, const BackendCase& backendCase, size_t n, const BuilderConfig& config) {
    const BackendCase::DataSet& set = backendCase.dataSets[n];
    const Network& network = backendCase.model.network;
    NamedTensors inputs;
    for (size_t i = 0; i < set.inputs.size(); ++i) inputs[network.tensor(network.inputs()[i]).name] = set.inputs[i];
    const std::string where = "data set " + std::to_string(n) + ", ";
    const auto outputs = runOnce(engine, inputs, config.threads);
    if (!outputs) return outcomeOf(outputs.status(), where + "run: ");
    const bool random = isRandom(network);
    for (size_t i = 0; i < set.outputs.size(); ++i) {
        const std::string& name = network.tensor(network.outputs()[i]).name;
        const auto found = outputs->find(name);
        if (found == outputs->end()) return {"wrong", where + "output '" + name + "' is missing from the engine"};
        const Weights& wanted = *set.outputs[i];
        const Status same = random ? compareForms(*found->second, wanted)
                                   : compareTensors(*found->second, wanted, toleranceFor(wanted, config.precision));
        if (!same.isOk()) return {"wrong", where + "output '" + name + "': " + same.message()};
    }
    return {"pass", random ? "values are random: type and dims compared" : ""};
}

}  // namespace

CaseOutcome verifyCase(const KernelRegistry& kernels, const Options& o, const std::string& folder) {
    auto loaded = loadBackendCase(folder);
    if (!loaded) return {"refused", loaded.status().message()};
    Builder::Request request;
    request.config = configFor(o, *loaded);
    request.modelName = loaded->name;
    request.modelHash = loaded->model.fileHash;
    request.parsed = std::make_shared<const Network>(loaded->model.network);
    const auto built = Builder(kernels).build(request);
    if (!built) return outcomeOf(built.status(), "build: ");
    for (size_t n = 0; n < loaded->dataSets.size(); ++n)
        if (CaseOutcome outcome = runDataSet(*built->engine, *loaded, n, request.config);
            outcome.status != "pass" || n + 1 == loaded->dataSets.size())
            return outcome;
    return {"refused", "no data set"};
}

}  // namespace strobe::cli
