#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "app/cli/inference.h"
#include "engine_core/runtime/engine_file.h"
#include "profiler/accuracy_verdict.h"
#include "profiler/json_text.h"

namespace strobe::cli {
namespace {

struct CompareOptions {
    Options common;
    std::string a, b, json;
    std::optional<double> tolerance;
    bool layers = false;
};

bool looksLikeFlags(const std::string& side) {
    const size_t first = side.find_first_not_of(' ');
    return first == std::string::npos || side[first] == '-';
}

bool isEngine(const std::string& side) {
    return EngineFile::isOne(side) || (!looksLikeFlags(side) && side.ends_with(".engine"));
}

struct Side {
    const char* flag;      // "--a"
    std::string value;     // an engine file, or flags for a build of --onnx
    Options options = {};  // of the build
    Settings settings = {};
    std::shared_ptr<const Build> loaded = nullptr;  // an engine file's
};

/// A shape of a side stands for the same flag of both; profiles of their own replace all of them.
std::vector<GivenFlag> joinProfiles(const std::vector<GivenFlag>& common, const std::vector<GivenFlag>& side) {
    const auto isNumbered = [](const GivenFlag& given) { return given.flag == "--profile"; };
    const bool replaces = std::any_of(side.begin(), side.end(), isNumbered) ||
                          (!side.empty() && std::any_of(common.begin(), common.end(), isNumbered));
    std::vector<GivenFlag> joined = replaces ? std::vector<GivenFlag>() : common;
    const auto isAnew = [&](const GivenFlag& old) {
        return std::any_of(side.begin(), side.end(), [&](const GivenFlag& given) { return given.flag == old.flag; });
    };
    std::erase_if(joined, isAnew);
    joined.insert(joined.end(), side.begin(), side.end());
    return joined;
}

/// The flags of a side join those that both share.
Status readSide(Side& side, const Options& common) {
    side.options = common;
    if (isEngine(side.value)) return Status::ok();
    if (!looksLikeFlags(side.value))
        return invalidArgument(std::string(side.flag) + "=\"" + side.value +
                               "\" is neither an engine file nor flags of a build; write " + side.flag +
                               "= for FP32, " + side.flag + "=--bf16, or " + side.flag + "=file.engine");
    side.options.profileFlags.clear();
    CLI::App app("flags of one side", side.flag);
    addSideFlags(app, side.options);
    std::istringstream words(side.value);
    std::vector<std::string> flags = {side.flag};
    for (std::string word; words >> word;) flags.push_back(word);
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    const Status status = parseArguments(app, static_cast<int>(argv.size()), argv.data());
    side.options.profileFlags = joinProfiles(common.profileFlags, side.options.profileFlags);
    return status.withContext(std::string(side.flag) + "=\"" + side.value + "\"");
}

/// Loads the engine, or checks the flags and keeps their settings, so that neither side is built in vain.
Status prepareSide(Side& side, Session& session, SaidLines& said) {
    if (isEngine(side.value)) {
        auto build = std::make_shared<Build>();
        STROBE_ASSIGN(build->engine, Engine::load(side.value, session.kernels()));
        build->name = side.value;
        side.loaded = std::move(build);
        return Status::ok();
    }
    STROBE_RETURN_IF_ERROR(prepareBuild(side.options, session, said).withContext(side.flag));
    side.settings = session.settings();
    return Status::ok();
}

Result<std::shared_ptr<const Build>> makeSide(const Side& side, Session& session) {
    if (side.loaded) return side.loaded;
    session.setSettings(side.settings, "command line");
    return session.buildNow(false, {});
}

/// Smallest and largest of some rounds' figures.
struct Range {
    double min = 1e300, max = -1e300;
    void take(double value) {
        min = std::min(min, value);
        max = std::max(max, value);
    }
};

/// How far the rounds' medians are apart: what the median of all runs and its error do not tell.
struct Rounds {
    Range a, b, speedup;
};

/// Latency of both, taking turns so that a disturbance hits both alike.
Status measureTogether(const Engine& a, const Engine& b, const NamedTensors& inputs, const Options& o,
                       Statistics& resultA, Statistics& resultB, Rounds& rounds) {
    std::vector<double> samplesA, samplesB;
    Options slice = o;
    slice.duration = o.duration / 6;
    slice.iterations = std::max(2, o.iterations / 3);
    for (int round = 0; round < 3; ++round) {
        double medians[2] = {};
        for (const auto& [engine, samples] : {std::make_pair(&a, &samplesA), std::make_pair(&b, &samplesB)}) {
            STROBE_ASSIGN(const Measurement measurement, measure(slice, *engine, inputs));
            for (const QueryTimes& q : measurement.queries) samples->push_back(q.latency());
            medians[engine == &b] = latencyOf(measurement).median;
        }
        rounds.a.take(medians[0]);
        rounds.b.take(medians[1]);
        if (medians[1] > 0) rounds.speedup.take(medians[0] / medians[1]);
        slice.warmUp = std::min(slice.warmUp, 20.0);
    }
    resultA = summarize(samplesA);
    resultB = summarize(samplesB);
    return Status::ok();
}

void printDifference(const TensorDifference& d) {
    std::printf("  %-32s max abs %.3g, max rel %.3g, RMS %.3g, cosine %.7f, SNR %.1f dB", d.tensor.c_str(), d.maxAbs,
                d.maxRel, d.rms, d.cosine, d.snrDb);
    if (d.top1Agreement >= 0) std::printf(", top-1 agreement %.2f %%", 100 * d.top1Agreement);
    if (d.nonFinite > 0) std::printf(", %lld NaN or infinite on one side only", static_cast<long long>(d.nonFinite));
    std::printf("\n");
}

nlohmann::ordered_json differenceJson(const TensorDifference& d) {
    return {{"tensor", d.tensor},
            {"maxAbs", d.maxAbs},
            {"maxRel", d.maxRel},
            {"meanAbs", d.meanAbs},
            {"rms", d.rms},
            {"cosine", d.cosine},
            {"snrDb", d.snrDb},
            {"nonFinite", d.nonFinite},
            {"top1Agreement", d.top1Agreement}};
}

void printTimes(const Statistics& a, const Statistics& b, const Rounds& rounds) {
    std::printf("Latency: A median = %.4g ms ± %.2g, B median = %.4g ms ± %.2g; B is %.3g × as fast\n", a.median,
                a.medianError, b.median, b.medianError, b.median > 0 ? a.median / b.median : 0);
    const bool isDecided = rounds.speedup.min > 1 || rounds.speedup.max < 1;
    std::printf("Rounds in turn: A %.4g to %.4g ms, B %.4g to %.4g ms; B is %.3g to %.3g × as fast%s\n", rounds.a.min,
                rounds.a.max, rounds.b.min, rounds.b.max, rounds.speedup.min, rounds.speedup.max,
                isDecided ? "" : ", so that which is faster is not decided");
    for (const auto& [name, time] : {std::make_pair("A", &a), std::make_pair("B", &b)})
        if (const std::string warning = variationWarning(*time); !warning.empty())
            std::printf("%s: %s", name, warning.c_str());
}

void printReport(const CompareOptions& o, const AccuracyReport& report) {
    std::printf("Accuracy over %d %s (A is the reference):\n", report.samples, report.samples == 1 ? "run" : "runs");
    for (const TensorDifference& d : report.outputs) printDifference(d);
    if (report.labelAccuracyReference >= 0)
        std::printf("Labels: A %.2f %% right, B %.2f %% right\n", 100 * report.labelAccuracyReference,
                    100 * report.labelAccuracyCandidate);
    if (const int first = firstDiverging(report); first >= 0) {
        const LayerDifference& layer = report.layers[static_cast<size_t>(first)];
        const TensorDifference& d = layer.difference;
        std::printf("First diverging layer: %s (tensor %s, ", layer.layerCandidate.c_str(), d.tensor.c_str());
        if (d.nonFinite > 0)
            std::printf("%lld elements NaN or infinite on one side only)\n", static_cast<long long>(d.nonFinite));
        else
            std::printf("SNR %.1f dB)\n", d.snrDb);
    }
    if (!o.layers) return;
    std::printf("Layers:\n");
    for (const LayerDifference& layer : report.layers) printDifference(layer.difference);
}

Status writeJson(const std::string& path, const Statistics& a, const Statistics& b, const AccuracyReport& report,
                 const AccuracyJudgement& judgement) {
    nlohmann::ordered_json json = {{"latencyMsA", a.median},
                                   {"latencyMsB", b.median},
                                   {"speedup", b.median > 0 ? a.median / b.median : 0},
                                   {"verdict", accuracyVerdictName(judgement.verdict)},
                                   {"reason", judgement.reason},
                                   {"coarsest", dataTypeName(report.coarsest)},
                                   {"samples", report.samples},
                                   {"labelAccuracyA", report.labelAccuracyReference},
                                   {"labelAccuracyB", report.labelAccuracyCandidate}};
    for (const TensorDifference& d : report.outputs) json["outputs"].push_back(differenceJson(d));
    for (const LayerDifference& l : report.layers) {
        json["layers"].push_back(differenceJson(l.difference));
        json["layers"].back()["layerA"] = l.layerReference;
        json["layers"].back()["layerB"] = l.layerCandidate;
    }
    return writeText(path, jsonText(json, 1) + "\n");
}

Status checkSides(const CompareOptions& o, const Side& a, const Side& b) {
    const bool engineA = isEngine(a.value), engineB = isEngine(b.value);
    if (o.common.onnx.empty() && !(engineA && engineB))
        return invalidArgument(
            "give a model (model.onnx or --onnx=model.onnx) with flags in --a and --b, or an engine file in each");
    if (!o.common.saveSession.empty() && (engineA || engineB))
        return invalidArgument("--saveSession keeps builds of the model; an engine file in --a or --b is none");
    return checkOutputs({{"--saveSession", o.common.saveSession}, {"--json", o.json}},
                        {o.common.onnx, o.common.loadInputs, engineA ? a.value : "", engineB ? b.value : ""});
}

/// Builds, times and differences as printed.
Status saveComparison(const Options& o, Session& session, const Build& a, const Build& b, const Statistics& timeA,
                      const Statistics& timeB, const NamedTensors& inputs, AccuracyReport report) {
    for (const auto& [build, latency] : {std::make_pair(&a, &timeA), std::make_pair(&b, &timeB)}) {
        STROBE_ASSIGN(Profile profile, profileLayers(o, *build->engine, inputs, *latency));
        STROBE_RETURN_IF_ERROR(session.keepProfile(build->id, std::move(profile)).status());
    }
    STROBE_RETURN_IF_ERROR(session.keepComparison(a.id, b.id, std::move(report)).status());
    return writeSession(o.saveSession, session);
}

bool hasNamed(const std::vector<BindingInfo>& bindings, const std::string& name) {
    return std::any_of(bindings.begin(), bindings.end(), [&](const BindingInfo& b) { return b.name == name; });
}

/// Why B cannot stand beside A on A's inputs; empty when it can.
std::string whyNotComparable(const Engine& a, const Engine& b, const NamedTensors& inputs) {
    std::map<std::string, Dims> shapes;
    for (const auto& [name, tensor] : inputs) {
        if (!hasNamed(b.inputs(), name)) return "A has an input '" + name + "', B has not";
        shapes[name] = tensor->dims;
    }
    if (const auto profile = b.profileFor(shapes); !profile)
        return "B does not take A's input: " + profile.status().message();
    const std::vector<BindingInfo> outputsA = a.outputs(), outputsB = b.outputs();
    const auto isShared = [&](const BindingInfo& output) { return hasNamed(outputsB, output.name); };
    if (std::any_of(outputsA.begin(), outputsA.end(), isShared)) return {};
    return "no output of the one is an output of the other";
}

/// Engines of two models may be compared where they take and give the same, as after an export with other options.
Status checkComparable(const Engine& a, const Engine& b, const NamedTensors& inputs) {
    const std::string why = whyNotComparable(a, b, inputs);
    const bool isOneModel = a.parts().modelHash == b.parts().modelHash;
    const std::string models = "A is of the model " + a.parts().modelName + " (hash " + a.parts().modelHash +
                               "), B of " + b.parts().modelName + " (hash " + b.parts().modelHash + ")";
    if (why.empty()) {
        if (!isOneModel) std::printf("Note: two models are compared: %s\n", models.c_str());
        return Status::ok();
    }
    if (isOneModel) return invalidArgument("the two sides cannot be compared: " + why);
    return invalidArgument("two different models cannot be compared: " + models + "; " + why +
                           ". Give two builds of one model");
}

Result<AccuracyVerdict> compare(const KernelRegistry& kernels, const CompareOptions& o) {
    Session session(kernels);
    Side sideA{"--a", o.a}, sideB{"--b", o.b};
    STROBE_RETURN_IF_ERROR(readSide(sideA, o.common));
    STROBE_RETURN_IF_ERROR(readSide(sideB, o.common));
    STROBE_RETURN_IF_ERROR(checkSides(o, sideA, sideB));
    if (!o.common.onnx.empty()) STROBE_RETURN_IF_ERROR(openModel(o.common, session));
    SaidLines said;
    STROBE_RETURN_IF_ERROR(prepareSide(sideA, session, said));
    STROBE_RETURN_IF_ERROR(prepareSide(sideB, session, said));
    STROBE_ASSIGN(const std::shared_ptr<const Build> a, makeSide(sideA, session));
    STROBE_ASSIGN(const std::shared_ptr<const Build> b, makeSide(sideB, session));
    STROBE_ASSIGN(const Samples samples, obtainSamples(o.common, *a->engine, kMaxRunsCompared));
    const NamedTensors& inputs = samples.runs.front();
    STROBE_RETURN_IF_ERROR(checkComparable(*a->engine, *b->engine, inputs));
    Statistics timeA, timeB;
    Rounds rounds;
    STROBE_RETURN_IF_ERROR(measureTogether(*a->engine, *b->engine, inputs, o.common, timeA, timeB, rounds));
    AccuracyOptions options;
    options.labels = samples.labels;
    STROBE_ASSIGN(AccuracyReport report, compareAccuracy(*a->engine, *b->engine, samples.runs, options));
    report.inputFile = o.common.loadInputs;
    const AccuracyJudgement judgement = judge(report, o.tolerance);
    std::printf("=== Comparison ===\nA: %s\nB: %s\n", a->name.c_str(), b->name.c_str());
    printTimes(timeA, timeB, rounds);
    printReport(o, report);
    if (!o.json.empty()) STROBE_RETURN_IF_ERROR(writeJson(o.json, timeA, timeB, report, judgement));
    if (!o.common.saveSession.empty())
        STROBE_RETURN_IF_ERROR(saveComparison(o.common, session, *a, *b, timeA, timeB, inputs, report));
    std::printf("%s: %s\n", accuracyVerdictText(judgement.verdict).data(), judgement.reason.c_str());
    return judgement.verdict;
}

/// "--a --b=x" and "--a --bf16": CLI11 would take the one for the other's value, or leave out a bare "--a=". Here each
/// value is part of its argument, and an empty one means a build without flags.
Result<std::vector<std::string>> joinSideValues(int argc, const char* const* argv) {
    std::vector<std::string> arguments;
    for (int i = 0; i < argc; ++i) {
        std::string argument = argv[i];
        if (argument == "--a" || argument == "--b") {
            const std::string next = i + 1 < argc ? argv[i + 1] : "--";
            if (next.rfind("--a", 0) == 0 || next.rfind("--b=", 0) == 0 || next == "--b" || next == "--")
                return invalidArgument(argument + " needs a value: " + argument + "=--bf16, " + argument +
                                       "=file.engine, or " + argument + "= for a build without flags");
            argument += "=" + next;
            ++i;
        }
        if (argument == "--a=" || argument == "--b=") argument += ' ';
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

/// "compare model.onnx --b=--bf16", "compare a.engine b.engine".
Status takeFiles(const std::vector<std::string>& files, CompareOptions& o) {
    if (files.empty()) return Status::ok();
    if (files.size() == 2 && isEngine(files[0]) && isEngine(files[1]) && o.a.empty() && o.b.empty()) {
        o.a = files[0];
        o.b = files[1];
        return Status::ok();
    }
    if (files.size() > 1 || isEngine(files[0]) || !o.common.onnx.empty())
        return invalidArgument("give one model, or two engine files; found: " + files[0] +
                               (files.size() > 1 ? ", " + files[1] : ""));
    o.common.onnx = files[0];
    return Status::ok();
}

}  // namespace

int compareCommand(const KernelRegistry& kernels, int argc, const char* const* argv) {
    CompareOptions options;
    options.common.duration = 1.5;
    std::vector<std::string> files;
    CLI::App app(
        "Compare two builds of a model, or two engine files, in speed and accuracy; exit 1 when accuracy fails",
        "strobe-cli compare");
    app.add_option("files", files, "an ONNX model (as --onnx), or two engine files (as --a and --b)");
    addCompareFlags(app, options.common);
    app.add_option(
        "--a", options.a,
        "flags of the reference build, such as \"\" or \"--layerPrecisions=op:Conv:fp32\", or an engine file");
    app.add_option("--b", options.b, "flags of the candidate build, such as \"--bf16\", or an engine file");
    app.add_option("--tolerance", options.tolerance,
                   "largest difference allowed, as a share of the output's magnitude: more fails. By default the "
                   "coarsest precision of both sides says what holds, what is doubtful and what fails");
    app.add_flag("--layers", options.layers, "print every tensor that both engines have");
    app.add_option("--json", options.json, "write the comparison to this file");
    const auto arguments = joinSideValues(argc, argv);
    if (!arguments) return fail(arguments.status());
    std::vector<const char*> pointers;
    for (const std::string& argument : *arguments) pointers.push_back(argument.c_str());
    if (const int code = parse(app, static_cast<int>(pointers.size()), pointers.data()); code >= 0) return code;
    if (const Status status = takeFiles(files, options); !status.isOk()) return fail(status);
    if (app.count("--a") + app.count("--b") == 0 && options.a.empty())
        return fail(invalidArgument(
            "give what to compare: --a= and --b= with flags of a build, as in --a= --b=--bf16, or two engine files"));
    if (isEngine(options.a) && isEngine(options.b))
        if (const std::string given = givenFlags(app, kBuildingFlags); !given.empty())
            return fail(invalidArgument(given + ": nothing is built, as both sides are engine files; leave it out"));
    if (options.tolerance && !(*options.tolerance > 0 && std::isfinite(*options.tolerance)))
        return fail(
            invalidArgument("--tolerance=" + app["--tolerance"]->as<std::string>() +
                            " must be a finite number above 0, such as 0.01 for 1 % of the output's magnitude"));
    const auto verdict = compare(kernels, options);
    if (!verdict) return fail(verdict.status());
    return *verdict == AccuracyVerdict::Fails ? kFailure : kSuccess;
}

}  // namespace strobe::cli
