#include "app/cli/inference.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <thread>

#include "app/cli/input_data.h"
#include "engine_core/base/exceptions.h"
#include "profiler/transfer_times.h"

namespace strobe::cli {
namespace {

using Clock = std::chrono::steady_clock;
double millisecondsSince(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct StreamResult {
    std::vector<QueryTimes> queries;
    Transfers transfers = Transfers::None;
    int warmUpQueries = 0;
    double warmUpMs = 0;
    Status status;
};

Transfers transfersOf(const Options& o, const Result<std::unique_ptr<TransferTimes>>& times) {
    if (!times) return Transfers::Unknown;
    return !*times ? Transfers::None : o.noDataTransfers ? Transfers::LeftOut : Transfers::Counted;
}

/// One timed run. Where copies are told apart, they are put at its ends.
Result<QueryTimes> runQuery(ExecutionContext& context, TransferTimes* times, Transfers transfers,
                            Clock::time_point origin) {
    QueryTimes q;
    q.startEnqueue = q.startH2d = q.endH2d = q.startCompute = millisecondsSince(origin);
    STROBE_RETURN_IF_ERROR(context.run(times));
    q.endEnqueue = q.endCompute = q.startD2h = q.endD2h = millisecondsSince(origin);
    if (!times) return q;
    STROBE_ASSIGN(const TransferTimes::Milliseconds copies, times->take());
    q.startCompute = std::min(q.startCompute + copies.toDevice, q.endCompute);
    q.endCompute = std::max(q.startCompute, q.endCompute - copies.toHost);
    if (transfers == Transfers::Counted) {
        q.endH2d = q.startCompute;
        q.startD2h = q.endCompute;
    }
    return q;
}

Status runStream(const Options& o, const Engine& engine, const NamedTensors& inputs, Clock::time_point origin,
                 StreamResult& result) {
    STROBE_ASSIGN(const std::unique_ptr<ExecutionContext> context, engine.createContext(o.threads));
    STROBE_RETURN_IF_ERROR(setInputs(*context, inputs));
    const auto times = TransferTimes::create(engine);
    TransferTimes* observer = times ? times->get() : nullptr;
    result.transfers = transfersOf(o, times);
    const auto warm = Clock::now();
    for (; result.warmUpQueries == 0 || millisecondsSince(warm) < o.warmUp; ++result.warmUpQueries)
        STROBE_RETURN_IF_ERROR(runQuery(*context, observer, result.transfers, origin).status());
    result.warmUpMs = millisecondsSince(warm);
    const auto start = Clock::now();
    while (static_cast<int>(result.queries.size()) < o.iterations || millisecondsSince(start) < o.duration * 1000) {
        STROBE_ASSIGN(const QueryTimes q, runQuery(*context, observer, result.transfers, origin));
        result.queries.push_back(q);
        if (o.sleepTime > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(o.sleepTime));
    }
    return Status::ok();
}

Status refuseUnsupported(const Options& o, const ImportedModel& imported) {
    if (imported.unsupported.empty()) return Status::ok();
    std::string list;
    for (const UnsupportedNode& node : imported.unsupported)
        list += "\n  node '" + node.name + "': op '" + node.opType + "', domain '" +
                (node.domain.empty() ? "ai.onnx" : node.domain) + "', version " + std::to_string(node.version) + "; " +
                node.help;
    return unsupported(o.onnx + ": " + std::to_string(imported.unsupported.size()) +
                       " nodes are not supported:" + list);
}

void printProblems(const Session& session, const Build& build) {
    for (const ProblemEntry& problem : session.problems())
        if (problem.source == "build " + build.name)
            std::printf("%s: %s\n", problem.severity == ProblemSeverity::Info ? "Note" : "Warning",
                        problem.message.c_str());
}

/// An engine's device is part of it.
Status checkDevice(const Options& o, const Engine& engine) {
    const DeviceInfo& device = engine.parts().device;
    if (o.device.empty() || o.device == device.id) return Status::ok();
    return invalidArgument("--device=" + o.device + " has no effect on a loaded engine: " + o.loadEngine + " is for " +
                           device.id + "; build it again from the model for another device");
}

/// Calls `run` once a stream, each in a thread of its own; none unless all threads start.
Status runStreams(size_t count, const std::function<void(size_t)>& run) {
    std::promise<bool> start;
    const std::shared_future<bool> all = start.get_future().share();
    std::vector<std::thread> streams;
    std::string refused;
    try {
        for (size_t s = 1; s < count; ++s)
            streams.emplace_back([&run, all, s] {
                if (all.get()) run(s);
            });
    } catch (const std::exception& error) {
        refused = error.what();
    }
    start.set_value(refused.empty());
    if (refused.empty()) run(0);
    for (std::thread& stream : streams) stream.join();
    if (refused.empty()) return Status::ok();
    return outOfRange("--infStreams=" + std::to_string(count) + ": the system refuses the thread of stream " +
                      std::to_string(streams.size() + 2) + " (" + refused +
                      "); give fewer streams, or raise the limit of threads (ulimit -u) or of memory (ulimit -v)");
}

}  // namespace

Status openModel(const Options& o, Session& session) {
    const auto start = Clock::now();
    STROBE_RETURN_IF_ERROR(session.openModelNow(o.onnx));
    const auto model = session.model();
    STROBE_RETURN_IF_ERROR(refuseUnsupported(o, *model->imported));
    std::printf("Parsed %s in %.4g sec: %d nodes, opset %lld\n", o.onnx.c_str(), millisecondsSince(start) / 1000,
                static_cast<int>(model->parsed->sourceNodes().size()),
                static_cast<long long>(model->imported->opsets.empty() ? 0 : model->imported->opsets[0].version));
    return Status::ok();
}

Status prepareBuild(const Options& o, Session& session, SaidLines& said) {
    STROBE_ASSIGN(Settings settings, settingsFrom(o));
    STROBE_ASSIGN(const NamedTensors given, readInputs(o));
    const auto model = session.model();
    STROBE_RETURN_IF_ERROR(checkInputNames(o, given, *model->parsed));
    STROBE_RETURN_IF_ERROR(takeShapes(o, *model, given, settings, said));
    STROBE_ASSIGN(const auto profiles,
                  completeProfiles(*model->parsed, settings.builder.profiles, model->assumed.values));
    STROBE_RETURN_IF_ERROR(checkInputShapes(o, given, profiles));
    STROBE_RETURN_IF_ERROR(checkNames(settings, *model, session.kernels()));
    if (!o.noTimingCache && o.timingCacheFile.empty())
        settings.builder.timingCachePath = Session::defaultTimingCachePath();
    session.setSettings(settings, "command line");
    return Status::ok();
}

std::vector<OutputFile> outputFiles(const Options& o) {
    return {{"--saveEngine", o.saveEngine},          {"--saveSession", o.saveSession},
            {"--exportTimes", o.exportTimes},        {"--exportOutput", o.exportOutput},
            {"--exportProfile", o.exportProfile},    {"--exportLayerInfo", o.exportLayerInfo},
            {"--timingCacheFile", o.timingCacheFile}};
}

Result<Subject> obtainEngine(const Options& o, Session& session) {
    STROBE_RETURN_IF_ERROR(checkOutputs(outputFiles(o), {o.onnx, o.loadEngine, o.loadInputs}));
    if (!o.exportOutput.empty() && !o.exportOutput.ends_with(".npz") && !o.exportOutput.ends_with(".json"))
        return invalidArgument("--exportOutput: '" + o.exportOutput + "' must end in .npz or .json");
    if (!o.loadEngine.empty()) {
        const auto start = Clock::now();
        STROBE_ASSIGN(std::shared_ptr<const Engine> engine, Engine::load(o.loadEngine, session.kernels()));
        STROBE_RETURN_IF_ERROR(checkDevice(o, *engine));
        STROBE_RETURN_IF_ERROR(checkInputsOfEngine(o, *engine));
        std::printf("Engine loaded in %.4g sec.\n", millisecondsSince(start) / 1000);
        return Subject{engine, nullptr};
    }
    STROBE_RETURN_IF_ERROR(openModel(o, session));
    SaidLines said;
    STROBE_RETURN_IF_ERROR(prepareBuild(o, session, said));
    std::string lastStep;
    const auto progress = [&](const BuildProgress& p) {
        if (o.verbose && p.step != lastStep) std::printf("[%3.0f %%] %s\n", 100 * p.fraction, p.step.c_str());
        lastStep = p.step;
    };
    STROBE_ASSIGN(std::shared_ptr<const Build> build, session.buildNow(false, progress));
    printProblems(session, *build);
    const BuildReport& report = build->report;
    std::printf("Network: %d ONNX nodes, %d fused layers, %d engine layers (%d reformats)\n",
                static_cast<int>(session.model()->parsed->sourceNodes().size()), report.fused->layerCount(),
                static_cast<int>(build->engine->graph().layers.size()), report.reformats);
    std::printf("Engine built in %.4g sec. (%d candidates timed, %d from the timing cache)\n", report.totalSeconds,
                report.timedCandidates, report.cachedCandidates);
    std::printf("Engine size: %.4g MiB\n", static_cast<double>(build->engineBytes) / (1 << 20));
    if (!o.timingCacheFile.empty() && report.timedCandidates > 0) printWrote(o.timingCacheFile);
    return Subject{build->engine, build};
}

Result<Measurement> measure(const Options& o, const Engine& engine, const NamedTensors& inputs) {
    std::vector<StreamResult> results(static_cast<size_t>(o.infStreams));
    STROBE_RETURN_IF_ERROR(runStreams(results.size(), [&, origin = Clock::now()](size_t s) {
        results[s].status = withoutExceptions([&] { return runStream(o, engine, inputs, origin, results[s]); });
    }));
    Measurement measurement;
    double first = 1e300, last = 0;
    for (StreamResult& result : results) {
        STROBE_RETURN_IF_ERROR(result.status);
        for (const QueryTimes& q : result.queries) {
            first = std::min(first, q.startEnqueue);
            last = std::max(last, q.endD2h);
            measurement.queries.push_back(q);
        }
        measurement.transfers = result.transfers;
        measurement.warmUpQueries += result.warmUpQueries;
        measurement.warmUpMs = std::max(measurement.warmUpMs, result.warmUpMs);
    }
    measurement.wallSeconds = (last - first) / 1000;
    return measurement;
}

Statistics latencyOf(const Measurement& measurement) {
    std::vector<double> times;
    for (const QueryTimes& q : measurement.queries) times.push_back(q.latency());
    return summarize(times);
}

Result<Profile> profileLayers(const Options& o, const Engine& engine, const NamedTensors& inputs,
                              const Statistics& latency) {
    ProfileOptions options;
    options.threads = o.threads;
    options.minIterations = o.iterations;
    options.durationMs = std::min(1000.0, o.duration * 1000);
    options.warmUpMs = std::min(o.warmUp, options.durationMs / 4);
    options.latency = latency;
    return profileEngine(engine, inputs, options);
}

Status writeEngine(const std::string& path, const Engine& engine) {
    STROBE_RETURN_IF_ERROR(engine.save(path));
    printWrote(path);
    return Status::ok();
}

Status writeSession(const std::string& path, Session& session) {
    STROBE_RETURN_IF_ERROR(session.saveNow(path));
    printWrote(path);
    return Status::ok();
}

}  // namespace strobe::cli
