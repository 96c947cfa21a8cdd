#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/inference.h"
#include "sessions/samples.h"

namespace strobe::cli {
namespace {

struct CompareOptions {
    Options common;
    std::string a, b, json;
    double tolerance = 0.03;
    bool layers = false;
};

bool isEngineFile(const std::string& text) { return text.size() > 7 && text.compare(text.size() - 7, 7, ".engine") == 0; }

/// One side: an engine file, or flags for a build of --onnx.
Result<std::shared_ptr<const Build>> makeSide(const std::string& side, const CompareOptions& o, Session& session) {
    if (isEngineFile(side)) {
        auto build = std::make_shared<Build>();
        STROBE_ASSIGN(build->engine, Engine::load(side, session.kernels()));
        build->name = side;
        return std::shared_ptr<const Build>(build);
    }
    Options options = o.common;
    CLI::App app("flags of one side", "strobe-cli compare");
    addBuildFlags(app, options);
    addInferenceFlags(app, options);
    app.add_option("--device", options.device, "cpu, or cuda:0 …");
    std::istringstream words(side);
    std::vector<std::string> flags = {"side"};
    for (std::string word; words >> word;) flags.push_back(word);
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    if (parse(app, static_cast<int>(argv.size()), argv.data()) >= 0) return invalidArgument("the flags '" + side + "' of one side are wrong");
    STROBE_ASSIGN(Settings settings, settingsFrom(options, *session.model()->parsed));
    if (!options.noTimingCache && options.timingCacheFile.empty()) settings.builder.timingCachePath = session.settings().builder.timingCachePath;
    session.setSettings(settings, "command line");
    return session.buildNow(false, {});
}

/// Latency of both, taking turns so that a disturbance hits both alike.
Status measureTogether(const Engine& a, const Engine& b, const NamedTensors& inputs, const Options& o, Statistics& resultA, Statistics& resultB) {
    std::vector<double> samplesA, samplesB;
    Options slice = o;
    slice.duration = o.duration / 6;
    slice.iterations = std::max(2, o.iterations / 3);
    for (int round = 0; round < 3; ++round) {
        for (const auto& [engine, samples] : {std::make_pair(&a, &samplesA), std::make_pair(&b, &samplesB)}) {
            STROBE_ASSIGN(const Measurement measurement, measure(slice, *engine, inputs));
            for (const QueryTimes& q : measurement.queries) samples->push_back(q.latency());
        }
        slice.warmUp = std::min(slice.warmUp, 20.0);
    }
    resultA = summarize(samplesA);
    resultB = summarize(samplesB);
    return Status::ok();
}

void printDifference(const TensorDifference& d) {
    std::printf("  %-32s max abs %.3g, max rel %.3g, RMS %.3g, cosine %.7f, SNR %.1f dB", d.tensor.c_str(), d.maxAbs, d.maxRel, d.rms, d.cosine, d.snrDb);
    if (d.top1Agreement >= 0) std::printf(", top-1 agreement %.2f %%", 100 * d.top1Agreement);
    if (d.mismatchedNaN > 0) std::printf(", %lld NaN on one side only", static_cast<long long>(d.mismatchedNaN));
    std::printf("\n");
}

nlohmann::ordered_json differenceJson(const TensorDifference& d) {
    return {{"tensor", d.tensor}, {"maxAbs", d.maxAbs}, {"maxRel", d.maxRel}, {"meanAbs", d.meanAbs}, {"rms", d.rms}, {"cosine", d.cosine}, {"snrDb", d.snrDb}, {"mismatchedNaN", d.mismatchedNaN}, {"top1Agreement", d.top1Agreement}};
}

void printReport(const CompareOptions& o, const Build& a, const Build& b, const Statistics& timeA, const Statistics& timeB, const AccuracyReport& report) {
    std::printf("=== Comparison ===\nA: %s\nB: %s\n", a.name.c_str(), b.name.c_str());
    std::printf("Latency: A median = %.4g ms ± %.2g, B median = %.4g ms ± %.2g; B is %.3g × as fast\n", timeA.median, timeA.medianError, timeB.median, timeB.medianError,
                timeB.median > 0 ? timeA.median / timeB.median : 0);
    std::printf("Accuracy over %d %s (A is the reference):\n", report.samples, report.samples == 1 ? "run" : "runs");
    for (const TensorDifference& d : report.outputs) printDifference(d);
    if (report.labelAccuracyReference >= 0)
        std::printf("Labels: A %.2f %% right, B %.2f %% right\n", 100 * report.labelAccuracyReference, 100 * report.labelAccuracyCandidate);
    if (report.firstDiverging >= 0) {
        const LayerDifference& layer = report.layers[static_cast<size_t>(report.firstDiverging)];
        std::printf("First diverging layer: %s (tensor %s, SNR %.1f dB)\n", layer.layerCandidate.c_str(), layer.difference.tensor.c_str(), layer.difference.snrDb);
    }
    if (!o.layers) return;
    std::printf("Layers:\n");
    for (const LayerDifference& layer : report.layers) printDifference(layer.difference);
}

Status writeJson(const std::string& path, const Statistics& a, const Statistics& b, const AccuracyReport& report) {
    nlohmann::ordered_json json = {{"latencyMsA", a.median}, {"latencyMsB", b.median}, {"speedup", b.median > 0 ? a.median / b.median : 0}, {"samples", report.samples},
                                   {"labelAccuracyA", report.labelAccuracyReference}, {"labelAccuracyB", report.labelAccuracyCandidate}};
    for (const TensorDifference& d : report.outputs) json["outputs"].push_back(differenceJson(d));
    for (const LayerDifference& l : report.layers) {
        json["layers"].push_back(differenceJson(l.difference));
        json["layers"].back()["layerA"] = l.layerReference;
        json["layers"].back()["layerB"] = l.layerCandidate;
    }
    return writeText(path, json.dump(1) + "\n");
}

Result<bool> compare(const KernelRegistry& kernels, const CompareOptions& o) {
    Session session(kernels);
    if (!o.common.onnx.empty()) STROBE_RETURN_IF_ERROR(session.openModelNow(o.common.onnx));
    if (o.common.onnx.empty() && !(isEngineFile(o.a) && isEngineFile(o.b))) return invalidArgument("give --onnx=model.onnx with flags in --a and --b, or an engine file in each");
    STROBE_ASSIGN(const std::shared_ptr<const Build> a, makeSide(o.a, o, session));
    STROBE_ASSIGN(const std::shared_ptr<const Build> b, makeSide(o.b, o, session));
    const std::vector<BindingInfo> inputsB = b->engine->inputs();
    for (const BindingInfo& input : a->engine->inputs()) {
        const auto same = [&](const BindingInfo& other) { return other.name == input.name; };
        if (std::none_of(inputsB.begin(), inputsB.end(), same))
            return invalidArgument("the two engines have different inputs: A has '" + input.name + "', B has not; compare two builds of one model");
    }
    STROBE_ASSIGN(auto shapes, parseShapes(o.common.shapes, "--shapes"));
    Samples samples;
    if (o.common.loadInputs.find(':') == std::string::npos) {
        STROBE_ASSIGN(samples, loadSamples(*a->engine, o.common.loadInputs, shapes, o.common.seed));
    } else {
        STROBE_ASSIGN(NamedTensors inputs, obtainInputs(o.common, *a->engine));
        samples.runs.push_back(std::move(inputs));
    }
    Statistics timeA, timeB;
    STROBE_RETURN_IF_ERROR(measureTogether(*a->engine, *b->engine, samples.runs.front(), o.common, timeA, timeB));
    AccuracyOptions options;
    options.labels = samples.labels;
    STROBE_ASSIGN(const AccuracyReport report, compareAccuracy(*a->engine, *b->engine, samples.runs, options));
    printReport(o, *a, *b, timeA, timeB, report);
    if (!o.json.empty()) STROBE_RETURN_IF_ERROR(writeJson(o.json, timeA, timeB, report));
    if (!o.common.saveSession.empty()) {
        STROBE_RETURN_IF_ERROR(session.compareNow(a->id, b->id, {}).status());
        STROBE_RETURN_IF_ERROR(session.saveNow(o.common.saveSession));
    }
    bool same = true;
    for (const TensorDifference& d : report.outputs) same = same && d.maxRel <= o.tolerance && d.mismatchedNaN == 0;
    std::printf("%s: largest difference %s %.3g of the output's magnitude\n", same ? "Same" : "Differs", same ? "within" : "exceeds", o.tolerance);
    return same;
}

}  // namespace

int compareCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    CompareOptions options;
    options.common.duration = 1.5;
    CLI::App app("Compare two builds of a model, or two engine files, in speed and accuracy; exit 1 when they differ", "strobe-cli compare");
    addModelFlags(app, options.common);
    addBuildFlags(app, options.common);
    addInferenceFlags(app, options.common);
    app.add_option("--a", options.a, "flags of the reference build, such as \"\" or \"--layerPrecisions=op:Conv:fp32\", or an engine file");
    app.add_option("--b", options.b, "flags of the candidate build, such as \"--bf16\", or an engine file");
    app.add_option("--tolerance", options.tolerance, "largest difference allowed, as a share of the output's magnitude; default 0.03");
    app.add_flag("--layers", options.layers, "print every tensor that both engines have");
    app.add_option("--json", options.json, "write the comparison to this file");
    // CLI11 takes the next argument as the value of a bare "--a="; here it means a build without flags.
    std::vector<const char*> arguments(argv, argv + argc);
    for (const char*& argument : arguments) {
        if (std::string(argument) == "--a=") argument = "--a= ";
        if (std::string(argument) == "--b=") argument = "--b= ";
    }
    if (const int code = parse(app, argc, arguments.data()); code >= 0) return code;
    const auto same = compare(kernels, options);
    if (!same) return fail(same.status());
    return *same ? kSuccess : kFailure;
}

}  // namespace strobe::cli
