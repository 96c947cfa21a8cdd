#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/cli/inference.h"

namespace strobe::cli {
namespace {

void printHeader(const Engine& engine) {
    const DeviceInfo& device = engine.parts().device;
    std::printf("=== Device Information ===\nDevice: %s (%s)\n", device.name.c_str(), device.id.c_str());
    std::string features;
    for (const std::string& feature : device.features) features += (features.empty() ? "" : " ") + feature;
    std::printf("Cores: %d\nFeatures: %s\n", device.cores, features.c_str());
}

void printProfiles(const Engine& engine) {
    for (size_t p = 0; p < engine.parts().profiles.size(); ++p)
        for (const auto& [name, range] : engine.parts().profiles[p].inputs)
            std::printf("Profile %zu: %s min=%s opt=%s max=%s\n", p, name.c_str(), toString(range.min).c_str(), toString(range.opt).c_str(), toString(range.max).c_str());
}

Status report(const Options& o, const Subject& subject, Session& session) {
    const Engine& engine = *subject.engine;
    if (o.dumpOptimizationProfile) printProfiles(engine);
    if (o.dumpLayerInfo) std::printf("%s", layerInfoJson(engine).c_str());
    if (!o.exportLayerInfo.empty()) STROBE_RETURN_IF_ERROR(writeText(o.exportLayerInfo, layerInfoJson(engine)));
    if (!o.saveEngine.empty()) STROBE_RETURN_IF_ERROR(engine.save(o.saveEngine));
    if (o.skipInference) {
        if (!o.saveSession.empty()) STROBE_RETURN_IF_ERROR(session.saveNow(o.saveSession));
        return Status::ok();
    }
    STROBE_ASSIGN(const NamedTensors inputs, obtainInputs(o, engine));
    STROBE_ASSIGN(const Measurement measurement, measure(o, engine, inputs));
    const std::vector<QueryTimes>& queries = measurement.queries;
    const double wallSeconds = measurement.wallSeconds;
    std::printf("Warmup completed %d queries over %.4g ms\n", measurement.warmUpQueries, measurement.warmUpMs);
    std::printf("Timing trace has %zu queries over %.4g s\n", queries.size(), wallSeconds);
    const std::vector<double> percentiles = o.percentiles.empty() ? std::vector<double>{90, 95, 99} : o.percentiles;
    std::printf("%s", performanceSummary(queries, wallSeconds, percentiles, engine.parts().device.kind != DeviceKind::Cpu).c_str());
    if (!o.exportTimes.empty()) STROBE_RETURN_IF_ERROR(writeText(o.exportTimes, timesJson(queries)));
    if (o.dumpProfile || !o.exportProfile.empty()) {
        ProfileOptions options;
        options.threads = o.threads;
        options.minIterations = o.iterations;
        options.durationMs = std::min(1000.0, o.duration * 1000);
        options.warmUpMs = std::min(o.warmUp, options.durationMs / 4);
        STROBE_ASSIGN(const Profile profile, profileEngine(engine, inputs, options));
        if (o.dumpProfile) std::printf("%s", profileTable(profile).c_str());
        if (!o.exportProfile.empty()) STROBE_RETURN_IF_ERROR(writeText(o.exportProfile, profileJson(profile)));
    }
    if (o.dumpOutput || !o.exportOutput.empty()) {
        STROBE_ASSIGN(const NamedTensors outputs, runOnce(engine, inputs, o.threads));
        if (o.dumpOutput) std::printf("%s", outputsText(outputs).c_str());
        if (!o.exportOutput.empty()) STROBE_RETURN_IF_ERROR(writeOutputs(o.exportOutput, outputs));
    }
    if (o.saveSession.empty()) return Status::ok();
    if (!subject.build) return invalidArgument("--saveSession needs --onnx: a loaded engine has no model to keep");
    session.removeBuild(subject.build->id);
    STROBE_RETURN_IF_ERROR(session.buildNow(true, {}).status());
    return session.saveNow(o.saveSession);
}

int run(const KernelRegistry& kernels, int argc, const char* const* argv, bool onlyBuild) {
    Options options;
    CLI::App app(onlyBuild ? "Build an engine from an ONNX model" : "Build an engine (or load one) and measure it", onlyBuild ? "strobe-cli build" : "strobe-cli bench");
    addModelFlags(app, options);
    addBuildFlags(app, options);
    addInferenceFlags(app, options);
    addReportFlags(app, options);
    if (const int code = parse(app, argc, argv); code >= 0) return code;
    options.skipInference = options.skipInference || onlyBuild;
    Session session(kernels);
    auto subject = obtainEngine(options, session);
    if (!subject) return fail(subject.status());
    printHeader(*subject->engine);
    const Status status = report(options, *subject, session);
    return status.isOk() ? kSuccess : fail(status);
}

}  // namespace

int benchCommand(const KernelRegistry& kernels, int argc, const char* const* argv) { return run(kernels, argc, argv, false); }
int buildCommand(const KernelRegistry& kernels, int argc, const char* const* argv) { return run(kernels, argc, argv, true); }

int runCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    Options options;
    CLI::App app("Run a model or an engine once and write its outputs", "strobe-cli run");
    addModelFlags(app, options);
    addBuildFlags(app, options);
    addInferenceFlags(app, options);
    app.add_option("--exportOutput", options.exportOutput, "write the outputs to this .npz or .json file");
    if (const int code = parse(app, argc, argv); code >= 0) return code;
    Session session(kernels);
    auto subject = obtainEngine(options, session);
    if (!subject) return fail(subject.status());
    auto inputs = obtainInputs(options, *subject->engine);
    if (!inputs) return fail(inputs.status());
    auto outputs = runOnce(*subject->engine, *inputs, options.threads);
    if (!outputs) return fail(outputs.status());
    if (!options.saveEngine.empty())
        if (const Status saved = subject->engine->save(options.saveEngine); !saved.isOk()) return fail(saved);
    std::printf("%s", outputsText(*outputs).c_str());
    if (options.exportOutput.empty()) return kSuccess;
    const Status written = writeOutputs(options.exportOutput, *outputs);
    return written.isOk() ? kSuccess : fail(written);
}

int devicesCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    CLI::App app("List the devices that engines can run on", "strobe-cli devices");
    if (const int code = parse(app, argc, argv); code >= 0) return code;
    const Session session(kernels);
    for (const DeviceInfo& device : session.devices()) {
        if (!device.unavailableReason.empty()) {
            std::printf("%-8s not available: %s\n", device.id.c_str(), device.unavailableReason.c_str());
            continue;
        }
        std::string features;
        for (const std::string& feature : device.features) features += " " + feature;
        std::printf("%-8s %s, %d cores, %.4g GiB;%s\n", device.id.c_str(), device.name.c_str(), device.cores, static_cast<double>(device.memoryBytes) / (1 << 30), features.c_str());
    }
    return kSuccess;
}

}  // namespace strobe::cli
