#include "app/cli/inference.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine_core/base/mapped_file.h"
#include "sessions/npz.h"
#include "sessions/samples.h"

namespace strobe::cli {
namespace {

using Clock = std::chrono::steady_clock;
double millisecondsSince(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

bool endsWith(const std::string& text, const std::string& ending) { return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0; }

/// "name:file.npy,other:file2.npy"
Result<NamedTensors> readNamedFiles(const std::string& text) {
    NamedTensors tensors;
    size_t begin = 0;
    while (begin < text.size()) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        begin = end + 1;
        const size_t colon = part.find(':');
        if (colon == std::string::npos) return invalidArgument("--loadInputs: '" + part + "' is no input; write name:file.npy or give one .npz");
        if (endsWith(part, ".npz")) return invalidArgument("--loadInputs: '" + part + "' names an .npz, which holds names of its own; write --loadInputs=" + part.substr(colon + 1));
        STROBE_ASSIGN(tensors[part.substr(0, colon)], readNpy(part.substr(colon + 1)));
    }
    return tensors;
}

struct StreamResult {
    std::vector<QueryTimes> queries;
    int warmUpQueries = 0;
    double warmUpMs = 0;
    Status status;
};

void runStream(const Options& o, const Engine& engine, const NamedTensors& inputs, Clock::time_point origin, StreamResult& result) {
    auto context = engine.createContext(o.threads);
    if (!context) {
        result.status = context.status();
        return;
    }
    for (const auto& [name, tensor] : inputs)
        if (result.status = (*context)->setInput((*context)->inputIndex(name), tensor->data.get(), tensor->dims); !result.status.isOk()) return;
    const auto warm = Clock::now();
    for (; result.warmUpQueries == 0 || millisecondsSince(warm) < o.warmUp; ++result.warmUpQueries)
        if (result.status = (*context)->run(); !result.status.isOk()) return;
    result.warmUpMs = millisecondsSince(warm);
    const auto start = Clock::now();
    while (static_cast<int>(result.queries.size()) < o.iterations || millisecondsSince(start) < o.duration * 1000) {
        QueryTimes q;
        q.startEnqueue = q.startH2d = q.endH2d = q.startCompute = millisecondsSince(origin);
        if (result.status = (*context)->run(); !result.status.isOk()) return;
        q.endEnqueue = q.endCompute = q.startD2h = q.endD2h = millisecondsSince(origin);
        result.queries.push_back(q);
        if (o.sleepTime > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(o.sleepTime));
    }
}

std::string preview(const Weights& tensor) {
    std::string text = std::string(dataTypeName(tensor.type)) + toString(tensor.dims) + " ";
    const std::vector<double> values = toDoubles(tensor);
    for (size_t i = 0; i < std::min<size_t>(values.size(), 10); ++i) {
        char number[32];
        std::snprintf(number, sizeof number, "%s%.6g", i ? " " : "", values[i]);
        text += number;
    }
    return text + (values.size() > 10 ? " …" : "");
}

/// What would be lost by a slip: a file that is read is never written over.
Status checkNotOverwritten(const Options& o) {
    for (const std::string* output : {&o.saveEngine, &o.saveSession, &o.exportTimes, &o.exportOutput, &o.exportProfile, &o.exportLayerInfo})
        for (const std::string* input : {&o.onnx, &o.loadEngine, &o.loadInputs}) {
            std::error_code error;
            if (!output->empty() && !input->empty() && std::filesystem::equivalent(*output, *input, error))
                return invalidArgument(*output + ": this file is read and would be written over; name another one");
        }
    return Status::ok();
}

}  // namespace

Result<Subject> obtainEngine(const Options& o, Session& session) {
    STROBE_RETURN_IF_ERROR(checkNotOverwritten(o));
    if (o.onnx.empty() == o.loadEngine.empty()) return invalidArgument("give either --onnx=model.onnx or --loadEngine=file.engine");
    if (!o.loadEngine.empty()) {
        const auto start = Clock::now();
        STROBE_ASSIGN(std::shared_ptr<const Engine> engine, Engine::load(o.loadEngine, session.kernels()));
        std::printf("Engine loaded in %.4g sec.\n", millisecondsSince(start) / 1000);
        return Subject{engine, nullptr};
    }
    const auto start = Clock::now();
    STROBE_RETURN_IF_ERROR(session.openModelNow(o.onnx));
    const auto model = session.model();
    if (!model->imported->unsupported.empty()) {
        std::string list;
        for (const UnsupportedNode& node : model->imported->unsupported)
            list += "\n  node '" + node.name + "': op '" + node.opType + "', domain '" + (node.domain.empty() ? "ai.onnx" : node.domain) + "', version " + std::to_string(node.version) + "; " + node.help;
        return unsupported(o.onnx + ": " + std::to_string(model->imported->unsupported.size()) + " nodes are not supported:" + list);
    }
    std::printf("Parsed %s in %.4g sec: %d nodes, opset %lld\n", o.onnx.c_str(), millisecondsSince(start) / 1000, static_cast<int>(model->parsed->sourceNodes().size()),
                static_cast<long long>(model->imported->opsets.empty() ? 0 : model->imported->opsets[0].version));
    STROBE_ASSIGN(Settings settings, settingsFrom(o, *model->parsed));
    if (!o.noTimingCache && o.timingCacheFile.empty()) settings.builder.timingCachePath = session.settings().builder.timingCachePath;
    session.setSettings(settings, "command line");
    std::string lastStep;
    const auto progress = [&](const BuildProgress& p) {
        if (o.verbose && p.step != lastStep) std::printf("[%3.0f %%] %s\n", 100 * p.fraction, p.step.c_str());
        lastStep = p.step;
    };
    STROBE_ASSIGN(std::shared_ptr<const Build> build, session.buildNow(false, progress));
    for (const BuildNote& note : build->report.notes) std::printf("%s: %s\n", note.severity == BuildNote::Severity::Info ? "Note" : "Warning", note.message.c_str());
    std::printf("Network: %d ONNX nodes, %d fused layers, %d engine layers (%d reformats)\n", static_cast<int>(model->parsed->sourceNodes().size()), build->report.fused->layerCount(),
                static_cast<int>(build->engine->graph().layers.size()), build->report.reformats);
    std::printf("Engine built in %.4g sec. (%d candidates timed, %d from the timing cache)\n", build->report.totalSeconds, build->report.timedCandidates, build->report.cachedCandidates);
    std::printf("Engine size: %.4g MiB\n", static_cast<double>(build->engineBytes) / (1 << 20));
    return Subject{build->engine, build};
}

Result<NamedTensors> obtainInputs(const Options& o, const Engine& engine) {
    STROBE_ASSIGN(const auto shapesByFlag, parseShapes(o.shapes, "--shapes"));
    std::map<std::string, Dims> shapes = shapesByFlag;
    if (const auto unnamed = shapes.find(""); unnamed != shapes.end() && engine.inputs().size() == 1) {
        const Dims dims = unnamed->second;
        shapes.erase(unnamed);
        shapes[engine.inputs()[0].name] = dims;
    }
    if (endsWith(o.loadInputs, ".npz") && o.loadInputs.find(':') == std::string::npos) {
        STROBE_ASSIGN(Samples samples, loadSamples(engine, o.loadInputs, shapes, o.seed, 1));
        return samples.runs.front();
    }
    STROBE_ASSIGN(NamedTensors given, readNamedFiles(o.loadInputs));
    return completeInputs(engine, shapes, given, o.seed);
}

Result<Measurement> measure(const Options& o, const Engine& engine, const NamedTensors& inputs) {
    std::vector<StreamResult> results(static_cast<size_t>(o.infStreams));
    const auto origin = Clock::now();
    std::vector<std::thread> streams;
    for (size_t s = 1; s < results.size(); ++s) streams.emplace_back([&, s] { runStream(o, engine, inputs, origin, results[s]); });
    runStream(o, engine, inputs, origin, results[0]);
    for (std::thread& stream : streams) stream.join();
    Measurement measurement;
    double first = 1e300, last = 0;
    for (StreamResult& result : results) {
        STROBE_RETURN_IF_ERROR(result.status);
        for (const QueryTimes& q : result.queries) {
            first = std::min(first, q.startEnqueue);
            last = std::max(last, q.endD2h);
            measurement.queries.push_back(q);
        }
        measurement.warmUpQueries += result.warmUpQueries;
        measurement.warmUpMs = std::max(measurement.warmUpMs, result.warmUpMs);
    }
    measurement.wallSeconds = (last - first) / 1000;
    return measurement;
}

Result<NamedTensors> runOnce(const Engine& engine, const NamedTensors& inputs, int threads) {
    STROBE_ASSIGN(std::unique_ptr<ExecutionContext> context, engine.createContext(threads));
    for (const auto& [name, tensor] : inputs) STROBE_RETURN_IF_ERROR(context->setInput(context->inputIndex(name), tensor->data.get(), tensor->dims));
    STROBE_RETURN_IF_ERROR(context->run());
    NamedTensors outputs;
    const auto bindings = engine.outputs();
    for (size_t o = 0; o < bindings.size(); ++o) {
        STROBE_ASSIGN(const Dims dims, context->outputDims(static_cast<int>(o)));
        auto [weights, data] = allocateWeights(bindings[o].type, dims);
        if (weights->bytes > 0) std::memcpy(data, context->outputData(static_cast<int>(o)), weights->bytes);
        outputs[bindings[o].name] = weights;
    }
    return outputs;
}

Status writeText(const std::string& path, const std::string& text) { return writeFileAtomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}); }

Status writeOutputs(const std::string& path, const NamedTensors& outputs) {
    if (endsWith(path, ".npz")) return writeNpz(path, outputs);
    if (!endsWith(path, ".json")) return invalidArgument("--exportOutput: '" + path + "' must end in .npz or .json");
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [name, tensor] : outputs) {
        std::string dims;
        for (size_t d = 0; d < tensor->dims.size(); ++d) dims += (d ? "x" : "") + std::to_string(tensor->dims[d]);
        list.push_back({{"name", name}, {"dimensions", dims}, {"type", std::string(dataTypeName(tensor->type))}, {"values", toDoubles(*tensor)}});
    }
    return writeText(path, list.dump() + "\n");
}

std::string outputsText(const NamedTensors& outputs) {
    std::string text;
    for (const auto& [name, tensor] : outputs) text += "Output " + name + ": " + preview(*tensor) + "\n";
    return text;
}

}  // namespace strobe::cli
