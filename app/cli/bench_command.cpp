#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "app/cli/inference.h"
#include "app/cli/run_outputs.h"

namespace strobe::cli {
namespace {

void printHeader(const Engine& engine) {
    const DeviceInfo& device = engine.parts().device;
    std::printf("=== Device Information ===\nDevice: %s (%s)\n", device.name.c_str(), device.id.c_str());
    std::string features;
    for (const std::string& feature : device.features) features += (features.empty() ? "" : " ") + feature;
    // An engine file does not hold what is not needed to run it.
    if (device.cores > 0) std::printf("Cores: %d\n", device.cores);
    if (!features.empty()) std::printf("Features: %s\n", features.c_str());
}

void printProfiles(const Engine& engine) {
    for (size_t p = 0; p < engine.parts().profiles.size(); ++p)
        for (const auto& [name, range] : engine.parts().profiles[p].inputs)
            std::printf("Profile %zu: %s min=%s opt=%s max=%s\n", p, name.c_str(), toString(range.min).c_str(),
                        toString(range.opt).c_str(), toString(range.max).c_str());
}

/// What is known of an engine without running it.
Status reportEngine(const Options& o, const Engine& engine) {
    if (o.dumpOptimizationProfile) printProfiles(engine);
    if (o.dumpLayerInfo) std::printf("%s", layerInfoJson(engine).c_str());
    if (!o.exportLayerInfo.empty()) STROBE_RETURN_IF_ERROR(writeText(o.exportLayerInfo, layerInfoJson(engine)));
    if (!o.saveEngine.empty()) STROBE_RETURN_IF_ERROR(writeEngine(o.saveEngine, engine));
    return Status::ok();
}

void printAverages(const std::vector<QueryTimes>& queries, int runs) {
    double sum = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
        sum += queries[q].latency();
        if ((q + 1) % static_cast<size_t>(runs) != 0) continue;
        std::printf("Average on %d runs - latency: %.4g ms\n", runs, sum / runs);
        sum = 0;
    }
}

Result<Statistics> measureAndReport(const Options& o, const Engine& engine, const NamedTensors& inputs) {
    if (o.noDataTransfers && engine.parts().device.kind == DeviceKind::Cpu)
        std::printf("Note: --noDataTransfers changes nothing on the CPU: inputs and outputs are used where they lie\n");
    STROBE_ASSIGN(const Measurement measurement, measure(o, engine, inputs));
    const std::vector<QueryTimes>& queries = measurement.queries;
    std::printf("Warmup completed %d queries over %.4g ms\n", measurement.warmUpQueries, measurement.warmUpMs);
    std::printf("Timing trace has %zu queries over %.4g s\n", queries.size(), measurement.wallSeconds);
    if (o.avgRuns > 0) printAverages(queries, o.avgRuns);
    const std::vector<double> percentiles = o.percentiles.empty() ? std::vector<double>{90, 95, 99} : o.percentiles;
    std::printf("%s", performanceSummary(queries, measurement.wallSeconds, percentiles, measurement.transfers).c_str());
    if (!o.exportTimes.empty()) STROBE_RETURN_IF_ERROR(writeText(o.exportTimes, timesJson(queries)));
    return latencyOf(measurement);
}

/// A session keeps the build with the times that are reported.
Status profileAndReport(const Options& o, const Subject& subject, const NamedTensors& inputs, const Statistics& latency,
                        Session& session) {
    if (!o.dumpProfile && o.exportProfile.empty() && o.saveSession.empty()) return Status::ok();
    STROBE_ASSIGN(Profile profile, profileLayers(o, *subject.engine, inputs, latency));
    if (o.dumpProfile) std::printf("%s", profileTable(profile).c_str());
    if (!o.exportProfile.empty()) STROBE_RETURN_IF_ERROR(writeText(o.exportProfile, profileJson(profile)));
    return subject.build ? session.keepProfile(subject.build->id, std::move(profile)).status() : Status::ok();
}

Status bench(const Options& o, const Subject& subject, Session& session) {
    const Engine& engine = *subject.engine;
    STROBE_RETURN_IF_ERROR(reportEngine(o, engine));
    if (o.skipInference) return o.saveSession.empty() ? Status::ok() : writeSession(o.saveSession, session);
    // Times are those of the first run; outputs are of all that the data holds.
    const bool wantsOutputs = o.dumpOutput || !o.exportOutput.empty();
    STROBE_ASSIGN(const Samples samples, obtainSamples(o, engine, wantsOutputs ? kAllRuns : 1));
    const NamedTensors& inputs = samples.runs.front();
    STROBE_ASSIGN(const Statistics latency, measureAndReport(o, engine, inputs));
    STROBE_RETURN_IF_ERROR(profileAndReport(o, subject, inputs, latency, session));
    // Before the outputs, which may be of shapes that no file can hold.
    if (!o.saveSession.empty()) STROBE_RETURN_IF_ERROR(writeSession(o.saveSession, session));
    if (!wantsOutputs) return Status::ok();
    STROBE_ASSIGN(const WholeOutputs outputs, runAll(engine, samples, o.threads));
    return reportOutputs(o, outputs, o.dumpOutput);
}

Status build(const Options& o, const Subject& subject, Session& session) {
    STROBE_RETURN_IF_ERROR(reportEngine(o, *subject.engine));
    if (!o.saveSession.empty()) return writeSession(o.saveSession, session);
    if (o.saveEngine.empty())
        std::printf("The engine was not kept: add --saveEngine=%s.engine to write it\n",
                    std::filesystem::path(o.onnx).stem().c_str());
    return Status::ok();
}

Status run(const Options& o, const Subject& subject, Session&) {
    STROBE_ASSIGN(const Samples samples, obtainSamples(o, *subject.engine));
    if (o.loadInputs.empty()) std::printf("Inputs: random numbers (--seed=%u); give data with --loadInputs\n", o.seed);
    if (samples.runs.size() > 1) std::printf("Runs: %zu, as the data holds so many batches\n", samples.runs.size());
    STROBE_ASSIGN(const WholeOutputs outputs, runAll(*subject.engine, samples, o.threads));
    if (!o.saveEngine.empty()) STROBE_RETURN_IF_ERROR(writeEngine(o.saveEngine, *subject.engine));
    return reportOutputs(o, outputs, true);
}

struct Command {
    const char* name;
    const char* help;
    void (*addFlags)(CLI::App&, Options&);
    Status (*work)(const Options&, const Subject&, Session&);
    bool printsDevice = true;
};

int perform(const Command& command, const KernelRegistry& kernels, int argc, const char* const* argv) {
    Options options;
    CLI::App app(command.help, std::string("strobe-cli ") + command.name);
    command.addFlags(app, options);
    if (const int code = parse(app, argc, argv); code >= 0) return code;
    if (const Status status = resolveOptions(app, options); !status.isOk()) return fail(status);
    Session session(kernels);
    const auto subject = obtainEngine(options, session);
    if (!subject) return fail(subject.status());
    if (command.printsDevice) printHeader(*subject->engine);
    const Status status = command.work(options, *subject, session);
    return status.isOk() ? kSuccess : fail(status);
}

}  // namespace

int benchCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    return perform({"bench", "Build an engine (or load one) and measure it", addBenchFlags, bench}, kernels, argc,
                   argv);
}
int buildCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    return perform({"build", "Build an engine from an ONNX model", addBuildCommandFlags, build}, kernels, argc, argv);
}
int runCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    return perform(
        {"run", "Run a model or an engine on all of the given data, or once on random inputs, and write the outputs",
         addRunFlags, run, false},
        kernels, argc, argv);
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
        std::printf("%-8s %s, %d cores, %.4g GiB;%s\n", device.id.c_str(), device.name.c_str(), device.cores,
                    static_cast<double>(device.memoryBytes) / (1 << 30), features.c_str());
    }
    return kSuccess;
}

}  // namespace strobe::cli
