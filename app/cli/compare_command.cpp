#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <sstream>

#include "app/cli/comparable.h"
#include "app/cli/comparison_report.h"
#include "app/cli/inference.h"
#include "engine_core/runtime/engine_file.h"
#include "profiler/accuracy_verdict.h"

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
    side.options.accuracyLimit = 0;
    CLI::App app("flags of one side", side.flag);
    addSideFlags(app, side.options);
    std::istringstream words(side.value);
    std::vector<std::string> flags = {side.flag};
    for (std::string word; words >> word;) flags.push_back(word);
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    const Status status = parseArguments(app, static_cast<int>(argv.size()), argv.data());
    side.options.profileFlags = joinProfiles(common.profileFlags, side.options.profileFlags);
    // A limit that both share means the side that has an error.
    const Options& o = side.options;
    if (o.accuracyLimit == 0 && (o.bf16 || o.fp16 || o.best)) side.options.accuracyLimit = common.accuracyLimit;
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

/// Latency of both as bench measures it, taking turns so that a disturbance hits both alike.
Result<SpeedInTurn> measureTogether(const Engine& a, const Engine& b, const NamedTensors& inputs, const Options& o) {
    Options slice = o;
    slice.duration = o.duration / (2 * kSpeedRounds);
    slice.iterations = std::max(2, (o.iterations + kSpeedRounds - 1) / kSpeedRounds);
    STROBE_ASSIGN(SpeedInTurn speed, measureInTurn([&](int side, int round) -> Result<std::vector<double>> {
        constexpr double kShortWarmUpMs = 20;
        if (round > 0) slice.warmUp = std::min(slice.warmUp, kShortWarmUpMs);
        STROBE_ASSIGN(const Measurement measurement, measure(slice, side == 0 ? a : b, inputs));
        std::vector<double> latencies;
        for (const QueryTimes& q : measurement.queries) latencies.push_back(q.latency());
        return latencies;
    }));
    for (const auto& [name, tensor] : inputs) speed.shapes[name] = tensor->dims;
    return speed;
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
Status saveComparison(const Options& o, Session& session, const Build& a, const Build& b, const SpeedInTurn& times,
                      const NamedTensors& inputs, AccuracyReport report) {
    for (const auto& [build, latency] : {std::make_pair(&a, &times.a), std::make_pair(&b, &times.b)}) {
        STROBE_ASSIGN(Profile profile, profileLayers(o, *build->engine, inputs, *latency));
        STROBE_RETURN_IF_ERROR(session.keepProfile(build->id, std::move(profile)).status());
    }
    STROBE_RETURN_IF_ERROR(session.keepComparison(a.id, b.id, std::move(report), times).status());
    return writeSession(o.saveSession, session);
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
    STROBE_RETURN_IF_ERROR(checkComparable(*a, *b, inputs));
    STROBE_ASSIGN(const SpeedInTurn times, measureTogether(*a->engine, *b->engine, inputs, o.common));
    AccuracyOptions options;
    options.labels = samples.labels;
    STROBE_ASSIGN(AccuracyReport report, compareAccuracy(*a->engine, *b->engine, samples.runs, options));
    report.inputFile = o.common.loadInputs;
    const AccuracyJudgement judgement = judge(report, o.tolerance);
    std::printf("=== Comparison ===\nA: %s\nB: %s\n", a->name.c_str(), b->name.c_str());
    printTimes(times);
    printReport(report, o.layers);
    if (!o.json.empty()) STROBE_RETURN_IF_ERROR(writeText(o.json, comparisonJson(times, report, judgement)));
    if (!o.common.saveSession.empty())
        STROBE_RETURN_IF_ERROR(saveComparison(o.common, session, *a, *b, times, inputs, report));
    std::printf("%s: %s\n", accuracyVerdictText(judgement.verdict).c_str(), judgement.reason.c_str());
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
    app.add_option("--json", options.json, "write the comparison, its rounds and its warnings too, to this JSON file");
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
