#include "app/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "engine_core/base/nearest_name.h"
#include "engine_core/runtime/engine_file.h"

namespace strobe::cli {
namespace {

struct Hint {
    const char* flag;
    const char* text;
};
/// Flags of trtexec (this and older ones) and habits from other tools, with what does the same here.
constexpr Hint kHints[] = {
    {"precision", "write --bf16, --fp16 or --best; FP32 is the default"},
    {"fp32", "FP32 is the default; leave the flag out"},
    {"noTF32", "FP32 is computed as such here; leave the flag out"},
    {"int8", "INT8 is computed where the model has QuantizeLinear nodes; there is no calibration yet"},
    {"calib", "there is no calibration yet"},
    {"fp8", "not supported; --bf16, --fp16 and --best are"},
    {"int4", "not supported; --bf16, --fp16 and --best are"},
    {"batch", "the batch is the first extent of --shapes, as in --shapes=x:8x3x224x224"},
    {"maxBatch", "the batch is the first extent of --maxShapes, as in --maxShapes=x:8x3x224x224"},
    {"explicitBatch", "batches are always explicit; leave the flag out"},
    {"workspace", "write --memPoolSize=workspace:N (MiB)"},
    {"buildOnly", "write --skipInference, or use strobe-cli build"},
    {"model", "write --onnx=model.onnx"},
    {"input-shapes", "write --shapes=name:1x3x224x224"},
    {"trt-min-shapes", "write --minShapes=name:1x3x224x224"},
    {"trt-opt-shapes", "write --optShapes=name:1x3x224x224"},
    {"trt-max-shapes", "write --maxShapes=name:1x3x224x224"},
    {"useCudaGraph", "CUDA graphs are not captured here; leave the flag out"},
    {"useSpinWait", "leave the flag out"},
    {"profilingVerbosity", "engines always keep all layer details; leave the flag out"},
    {"precisionConstraints", "--layerPrecisions are always obeyed; leave the flag out"},
    {"sparsity", "not supported"},
    {"refit", "not supported"},
    {"stripWeights", "not supported"},
    {"output", "write --exportOutput=file.npz"},
    {"save-outputs", "write --exportOutput=file.npz"},
    {"load-inputs", "write --loadInputs=file.npz"},
};

bool endsWith(const std::string& text, const std::string& ending) {
    return text.size() > ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

using AddFlags = void (*)(CLI::App&, Options&);
struct CommandFlags {
    const char* name;
    AddFlags add;
};
constexpr CommandFlags kCommands[] = {{"bench", addBenchFlags},
                                      {"build", addBuildCommandFlags},
                                      {"run", addRunFlags},
                                      {"inspect", addInspectFlags},
                                      {"compare", addCompareFlags}};

bool has(const CLI::App& app, const std::string& flag) {
    return app.get_option_no_throw("--" + flag) != nullptr;
}

/// "bench and run": the commands that read a flag.
std::string readersOf(const std::string& flag) {
    std::vector<std::string> readers;
    for (const CommandFlags& command : kCommands) {
        Options scratch;
        CLI::App app;
        command.add(app, scratch);
        if (has(app, flag)) readers.emplace_back(command.name);
    }
    std::string text;
    for (size_t i = 0; i < readers.size(); ++i)
        text += (i == 0 ? "" : i + 1 == readers.size() ? " and " : ", ") + readers[i];
    return text;
}

std::string nearestFlag(const CLI::App& app, const std::string& unknown) {
    std::vector<std::string_view> names;
    for (const CLI::Option* option : app.get_options())
        names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    return nearestName(unknown, names, 4);
}

Status unknownArgument(const CLI::App& app, const std::string& extra) {
    const std::string flag = extra.substr(0, extra.find('='));
    const size_t dashes = std::min(flag.find_first_not_of('-'), flag.size());
    if (dashes == 0) return invalidArgument("unknown argument '" + flag + "'; --help lists all");
    const std::string bare = flag.substr(dashes);
    const auto hint = std::find_if(std::begin(kHints), std::end(kHints), [&](const Hint& h) { return bare == h.flag; });
    if (hint != std::end(kHints)) return invalidArgument("unknown flag '" + flag + "': " + hint->text);
    if (const std::string readers = readersOf(bare); !readers.empty() && !has(app, bare)) {
        if (app.get_name().rfind("--", 0) == 0)
            return invalidArgument("flag '" + flag + "' is not of one side; give it to compare itself, for both");
        return invalidArgument("flag '" + flag + "' has no effect in '" + app.get_name() + "'; it is read by " +
                               readers);
    }
    const std::string nearest = nearestFlag(app, bare);
    return invalidArgument("unknown flag '" + flag + "'" +
                           (nearest.empty() ? "" : "; did you mean --" + nearest + "?") + "; --help lists all");
}

/// CLI11's "--name: 1 required TEXT missing" and "--name was given a disallowed flag override".
Status wrongCount(const std::string& what) {
    const std::string name = what.substr(0, what.find_first_of(": "));
    const std::string flag = (name[0] == '-' ? "" : "--") + name;
    if (what.find("override") == std::string::npos) return invalidArgument(flag + " takes one value: " + flag + "=…");
    return invalidArgument(
        flag + " takes no value" +
        (flag == "--threads" ? "; CPU threads are --cpuThreads=N" : "; write it alone, or leave it out"));
}

/// Flags of these groups have nothing to act on.
Status refuseGroups(const CLI::App& app, std::initializer_list<const char*> groups, const std::string& why) {
    for (const char* group : groups)
        if (const std::string given = givenFlags(app, group); !given.empty())
            return invalidArgument(given + (given.find(',') == std::string::npos ? " has" : " have") + " no effect " +
                                   why);
    return Status::ok();
}

}  // namespace

Status parseArguments(CLI::App& app, int argc, const char* const* argv) {
    // CLI11 would take the next argument for the value.
    for (int i = 1; i < argc; ++i)
        if (const std::string argument = argv[i]; argument.size() > 3 && argument.rfind("--", 0) == 0 &&
                                                  argument.back() == '=' && argument.find('=') == argument.size() - 1)
            return invalidArgument(argument + " has no value");
    app.allow_extras(true);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ArgumentMismatch& error) {
        return wrongCount(error.what());
    } catch (const CLI::ParseError& error) {
        return invalidArgument(error.what());
    }
    for (const std::string& extra : app.remaining()) return unknownArgument(app, extra);
    return Status::ok();
}

int parse(CLI::App& app, int argc, const char* const* argv) {
    const auto isHelp = [](const char* argument) {
        return std::string(argument) == "--help" || std::string(argument) == "-h";
    };
    if (std::any_of(argv + 1, argv + argc, isHelp)) {
        std::fputs(app.help().c_str(), stdout);
        return kSuccess;
    }
    const Status status = parseArguments(app, argc, argv);
    return status.isOk() ? -1 : fail(status);
}

std::string givenFlags(const CLI::App& app, const char* group) {
    std::string given;
    for (const CLI::Option* option : app.get_options())
        if (option->get_group() == group && option->count() > 0)
            given += (given.empty() ? "--" : ", --") + option->get_lnames().front();
    return given;
}

Status resolveOptions(const CLI::App& app, Options& o) {
    if (!o.file.empty()) {
        const bool isEngine = EngineFile::isOne(o.file) || endsWith(o.file, ".engine");
        if (isEngine && !has(app, "loadEngine"))
            return invalidArgument(o.file + ": is an engine already; give an ONNX model");
        std::string& target = isEngine ? o.loadEngine : o.onnx;
        if (!target.empty() && target != o.file)
            return invalidArgument("two files are given, '" + target + "' and '" + o.file + "'; give one");
        target = o.file;
    }
    if (endsWith(o.onnx, ".strobe"))
        return invalidArgument(o.onnx + ": is a session document; open it in the window (strobe), or give its model");
    if (o.onnx.empty() == o.loadEngine.empty()) {
        if (!o.onnx.empty())
            return invalidArgument("a model and an engine are given; give either --onnx or --loadEngine");
        return invalidArgument(has(app, "loadEngine") ? "give a model (model.onnx or --onnx=model.onnx) or an engine "
                                                        "(file.engine or --loadEngine=file.engine)"
                                                      : "give a model: model.onnx or --onnx=model.onnx");
    }
    if (!o.loadEngine.empty()) {
        STROBE_RETURN_IF_ERROR(refuseGroups(app, {kBuildingFlags},
                                            "on a loaded engine: precision, shapes and kernels are fixed when it is "
                                            "built; build it again from the model with them"));
        if (!o.saveSession.empty())
            return invalidArgument("--saveSession needs a model: a loaded engine has none to keep");
    }
    if (o.skipInference)
        STROBE_RETURN_IF_ERROR(
            refuseGroups(app, {kResultFlags}, "with --skipInference: nothing is run; leave one out"));
    return Status::ok();
}

int fail(const Status& status) {
    std::fflush(stdout);
    std::fprintf(stderr, "strobe-cli: %s\n", status.message().c_str());
    switch (status.code()) {
        case ErrorCode::InvalidArgument:
        case ErrorCode::InvalidModel:
        case ErrorCode::NotFound:
        case ErrorCode::Unsupported:
        case ErrorCode::OutOfRange:
        case ErrorCode::IoError:
            return kUsage;
        default:
            return kFailure;
    }
}

}  // namespace strobe::cli
