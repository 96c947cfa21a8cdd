#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/inference.h"
#include "profiler/json_text.h"

namespace strobe::cli {
namespace {

using Json = nlohmann::ordered_json;

Json tensorJson(const Network& network, TensorId id) {
    if (id == kNone) return nullptr;
    const Tensor& t = network.tensor(id);
    Json json = {{"name", t.name},
                 {"type", std::string(dataTypeName(t.type))},
                 {"shape", t.rankKnown ? toString(t.shape) : "[?]"}};
    if (t.constant) json["constant"] = true;
    return json;
}

Json networkJson(const Network& network) {
    Json layers = Json::array(), inputs = Json::array(), outputs = Json::array();
    for (TensorId id : network.inputs()) inputs.push_back(tensorJson(network, id));
    for (TensorId id : network.outputs()) outputs.push_back(tensorJson(network, id));
    for (LayerId id : network.topologicalOrder()) {
        const Layer& layer = network.layer(id);
        Json json = {{"name", layer.name}, {"op", layer.op->name}};
        if (const std::string attributes = layer.attributes.toString(); !attributes.empty())
            json["attributes"] = attributes;
        if (layer.program) json["program"] = layer.program->toString();
        for (TensorId t : layer.inputs) json["inputs"].push_back(tensorJson(network, t));
        for (TensorId t : layer.outputs) json["outputs"].push_back(tensorJson(network, t));
        Json nodes = Json::array();
        for (int node : layer.provenance)
            if (node >= 0 && node < static_cast<int>(network.sourceNodes().size()))
                nodes.push_back(network.sourceNodes()[static_cast<size_t>(node)].name);
        json["onnxNodes"] = nodes;
        for (const auto& body : layer.subgraphs) json["subgraphs"].push_back(networkJson(*body));
        layers.push_back(std::move(json));
    }
    return {{"name", network.name()}, {"inputs", inputs}, {"outputs", outputs}, {"layers", layers}};
}

Json passesJson(const PassReport& report) {
    Json rewrites = Json::array(), misses = Json::array(), runs = Json::array();
    for (const RewriteRecord& r : report.rewrites)
        rewrites.push_back(
            {{"pass", r.pass}, {"result", r.result}, {"replaced", r.replaced}, {"description", r.description}});
    for (const NearMiss& m : report.nearMisses)
        misses.push_back({{"pass", m.pass}, {"layer", m.layer}, {"reason", m.reason}});
    for (const PassRun& r : report.runs)
        runs.push_back({{"pass", r.name},
                        {"ms", r.milliseconds},
                        {"rewrites", r.rewrites},
                        {"layersBefore", r.layersBefore},
                        {"layersAfter", r.layersAfter},
                        {"disabled", r.disabled}});
    return {{"runs", runs}, {"rewrites", rewrites}, {"nearMisses", misses}};
}

void printModel(const ImportedModel& model, const Network& network) {
    const std::string producer = model.producer.empty() ? "not named" : model.producer;
    const std::string version = model.producerVersion.empty() ? "" : " " + model.producerVersion;
    std::printf("Producer: %s%s, IR version %lld\n", producer.c_str(), version.c_str(),
                static_cast<long long>(model.irVersion));
    for (const OpsetImport& opset : model.opsets)
        std::printf("Opset: %s %lld\n", opset.domain.empty() ? "ai.onnx" : opset.domain.c_str(),
                    static_cast<long long>(opset.version));
    for (const ImportIssue& issue : model.warnings)
        std::printf("%s: %s%s\n", issue.severity == ImportSeverity::Note ? "Note" : "Warning",
                    issue.node.empty() ? "" : (issue.node + ": ").c_str(), issue.message.c_str());
    for (const UnsupportedNode& node : model.unsupported)
        std::printf("Unsupported: node '%s', op '%s', domain '%s', version %lld; %s\n", node.name.c_str(),
                    node.opType.c_str(), node.domain.c_str(), static_cast<long long>(node.version), node.help.c_str());
    std::map<std::string, int> ops;
    for (LayerId id : network.topologicalOrder()) ++ops[network.layer(id).op->name];
    std::printf("Nodes: %zu\n", network.sourceNodes().size());
    std::printf("Layers: %d of %zu kinds (nodes that are not constants or shape arithmetic):", network.layerCount(),
                ops.size());
    for (const auto& [op, count] : ops) std::printf(" %s×%d", op.c_str(), count);
    std::printf("\n");
}

void printFused(const Model& model, const BuildReport& report) {
    for (const RewriteRecord& r : report.passes.rewrites)
        std::printf("%s: %s → %s\n", r.pass.c_str(), r.description.c_str(), r.result.c_str());
    for (const NearMiss& m : report.passes.nearMisses)
        std::printf("Not fused (%s) %s: %s\n", m.pass.c_str(), m.layer.c_str(), m.reason.c_str());
    for (const PassRun& r : report.passes.runs)
        std::printf("Pass %-32s %5d rewrites, %4d → %4d layers, %.3g ms\n", r.name.c_str(), r.rewrites, r.layersBefore,
                    r.layersAfter, r.milliseconds);
    printModel(*model.imported, *report.fused);
    std::printf("%s", report.fused->toString().c_str());
}

Status inspectModel(Session& session, const Options& o, const std::string& stage, bool json) {
    STROBE_RETURN_IF_ERROR(session.openModelNow(o.onnx));
    const auto model = session.model();
    if (stage == "parsed") {
        if (json) return std::printf("%s\n", jsonText(networkJson(*model->parsed), 1).c_str()), Status::ok();
        printModel(*model->imported, *model->parsed);
        std::printf("%s", model->parsed->toString().c_str());
        return Status::ok();
    }
    SaidLines said;
    STROBE_RETURN_IF_ERROR(prepareBuild(o, session, said));
    if (stage == "engine") {
        STROBE_ASSIGN(const std::shared_ptr<const Build> build, session.buildNow(false, {}));
        std::printf("%s",
                    json ? layerInfoJson(*build->engine).c_str() : build->engine->graph().network.toString().c_str());
        return Status::ok();
    }
    Builder::Request request;
    request.parsed = model->parsed;
    request.config = session.settings().builder;
    STROBE_ASSIGN(const BuildReport report, Builder(session.kernels()).fuse(request));
    if (!json) return printFused(*model, report), Status::ok();
    Json all = networkJson(*report.fused);
    all["passes"] = passesJson(report.passes);
    std::printf("%s\n", jsonText(all, 1).c_str());
    return Status::ok();
}

double mebibytes(size_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
}

void printActivations(const Engine& engine, const std::map<std::string, Dims>& shapes, const char* which) {
    if (const auto memory = engine.memory(shapes))
        std::printf("Memory at the %s shapes (%s): activations %.4g MiB (largest workspace %.4g MiB)\n", which,
                    shapesText(shapes).c_str(), mebibytes(memory->activations), mebibytes(memory->workspace));
}

/// Activations depend on the shapes of a run: those that the engine was tuned for, and the largest that it takes.
void printMemory(const Engine& engine) {
    if (const auto memory = engine.memory({})) std::printf("Memory: weights %.4g MiB\n", mebibytes(memory->weights));
    for (const OptimizationProfile& profile : engine.parts().profiles) {
        std::map<std::string, Dims> best, largest;
        for (const auto& [name, range] : profile.inputs) {
            best[name] = range.opt;
            largest[name] = range.max;
        }
        printActivations(engine, best, "best");
        if (largest != best) printActivations(engine, largest, "largest");
    }
}

/// " (p2o.MatMul.*: fp32, …)"; empty without rules.
std::string rulesText(const std::vector<PrecisionRule>& rules) {
    std::string text;
    for (const PrecisionRule& rule : rules)
        if (rule.reason.empty())
            text += (text.empty() ? " (" : ", ") + rule.pattern + ": " + std::string(dataTypeName(rule.type));
    return text.empty() ? text : text + ")";
}

/// What a search found, a line a layer.
void printReasons(const std::vector<PrecisionRule>& rules) {
    for (const PrecisionRule& rule : rules)
        if (!rule.reason.empty()) std::printf("  %s: %s\n", rule.pattern.c_str(), rule.reason.c_str());
}

void printEngine(const Engine& engine) {
    const Engine::Parts& parts = engine.parts();
    std::printf("Engine of %s (model hash %s)\nBuilt for %s: %s\nPrecision: %s%s, level %d\n", parts.modelName.c_str(),
                parts.modelHash.c_str(), parts.device.id.c_str(), parts.device.name.c_str(),
                std::string(precisionModeName(parts.config.precision)).c_str(),
                rulesText(parts.config.precisionRules).c_str(), parts.config.optimizationLevel);
    printReasons(parts.config.precisionRules);
    const auto list = [](const char* title, const std::vector<BindingInfo>& bindings) {
        for (const BindingInfo& b : bindings)
            std::printf("%s: %s %s%s\n", title, b.name.c_str(), std::string(dataTypeName(b.type)).c_str(),
                        b.rankKnown ? toString(b.shape).c_str() : "[?]");
    };
    list("Input", engine.inputs());
    list("Output", engine.outputs());
    for (size_t p = 0; p < parts.profiles.size(); ++p)
        for (const auto& [name, range] : parts.profiles[p].inputs)
            std::printf("Profile %zu: %s min=%s opt=%s max=%s\n", p, name.c_str(), toString(range.min).c_str(),
                        toString(range.opt).c_str(), toString(range.max).c_str());
    printMemory(engine);
    std::printf("%zu layers:\n", engine.graph().layers.size());
    for (const EngineLayer& layer : engine.graph().layers) {
        const Layer& definition = engine.graph().network.layer(layer.layer);
        std::printf("  %-40s %-14s %-24s %s\n", definition.name.c_str(), definition.op->name.c_str(),
                    layer.tactic.c_str(), layer.outputs.empty() ? "" : layer.outputs[0].toString().c_str());
    }
}

}  // namespace

int inspectCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    Options options;
    std::string stage = "parsed";
    bool json = false;
    CLI::App app("Show a model (parsed, fused or engine network) or an engine file", "strobe-cli inspect");
    addInspectFlags(app, options);
    app.add_option("--stage", stage, "parsed, fused or engine; default parsed")
        ->check(CLI::IsMember({"parsed", "fused", "engine"}));
    app.add_flag("--json", json, "machine-readable");
    if (const int code = parse(app, argc, argv); code >= 0) return code;
    if (const Status status = resolveOptions(app, options); !status.isOk()) return fail(status);
    const std::string building = givenFlags(app, kBuildingFlags) + givenFlags(app, kRunningFlags);
    if (!options.onnx.empty()) {
        if (stage == "parsed" && !building.empty())
            return fail(invalidArgument(
                building + ": the parsed network does not depend on it; add --stage=fused or --stage=engine"));
        Session session(kernels);
        const Status status = inspectModel(session, options, stage, json);
        return status.isOk() ? kSuccess : fail(status);
    }
    if (app.count("--stage") > 0)
        return fail(invalidArgument(
            "--stage has no effect on an engine file, which holds the engine network only; give the model"));
    if (!building.empty()) return fail(invalidArgument(building + " has no effect on an engine file; give the model"));
    auto engine = Engine::load(options.loadEngine, kernels);
    if (!engine) return fail(engine.status());
    if (json)
        std::printf("%s", layerInfoJson(**engine).c_str());
    else
        printEngine(**engine);
    return kSuccess;
}

}  // namespace strobe::cli
