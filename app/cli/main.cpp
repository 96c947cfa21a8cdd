#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

#include "app/cli/command_line.h"
#include "engine_core/base/exceptions.h"
#include "engine_core/base/nearest_name.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/register.h"
#include "kernels/cuda_loader.h"

namespace {

using Command = int (*)(const strobe::KernelRegistry&, int, const char* const*);
struct Entry {
    std::string_view name;
    Command run;
    const char* help;
    bool forks = false;  // a driver that the parent has loaded is of no use to its children
};
constexpr Entry kCommands[] = {
    {"bench", strobe::cli::benchCommand, "build or load an engine and measure it (the default, as trtexec)"},
    {"build", strobe::cli::buildCommand, "build an engine and save it (--saveEngine=model.engine)"},
    {"run", strobe::cli::runCommand, "run on all of the given data, or once on random inputs, and write the outputs"},
    {"inspect", strobe::cli::inspectCommand, "show a model or an engine: parsed, fused or engine network"},
    {"compare", strobe::cli::compareCommand, "two builds side by side in speed and accuracy"},
    {"verify", strobe::cli::verifyCommand, "run ONNX backend test folders and compare with their outputs", true},
    {"devices", strobe::cli::devicesCommand, "list devices"},
};

int help() {
    std::puts(
        "strobe-cli: build, profile, compare and export neural-network inference engines\n\nUsage: strobe-cli "
        "[COMMAND] model.onnx [flags]\n\nCommands:");
    for (const Entry& command : kCommands) std::printf("  %-8s %s\n", std::string(command.name).c_str(), command.help);
    std::puts("\nstrobe-cli COMMAND --help lists the flags of a command.");
    return 0;
}

int dispatch(int argc, char** argv) {
    strobe::KernelRegistry kernels;
    strobe::registerCpuKernels(kernels);
    if (argc < 2) return help(), strobe::cli::kUsage;
    if (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h") || !std::strcmp(argv[1], "help")) return help();
    if (!std::strcmp(argv[1], "--version")) return std::puts("strobe-cli " STROBE_VERSION), strobe::cli::kSuccess;
    const auto command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                      [&](const Entry& entry) { return entry.name == argv[1]; });
    const bool isKnown = command != std::end(kCommands);
    if (!isKnown || !command->forks) strobe::registerCudaModule(kernels);
    if (isKnown) return command->run(kernels, argc - 1, argv + 1);
    if (argv[1][0] == '-') return strobe::cli::benchCommand(kernels, argc, argv);
    const std::string word = argv[1];
    if (word.find('.') != std::string::npos || word.find('/') != std::string::npos)
        return strobe::cli::benchCommand(kernels, argc, argv);  // a model or an engine
    std::vector<std::string_view> names;
    for (const Entry& entry : kCommands) names.push_back(entry.name);
    const std::string nearest = strobe::nearestName(word, names, 3);
    return strobe::cli::fail(strobe::invalidArgument(
        "unknown command '" + word + "'" + (nearest.empty() ? "" : "; did you mean " + nearest + "?") +
        "; commands are bench, build, run, inspect, compare, verify and devices"));
}

}  // namespace

int main(int argc, char** argv) {
    strobe::restartWithShortSpin(argv);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // in a pipe too, a line shows when it is written
    try {
        return dispatch(argc, argv);
    } catch (...) {
        return strobe::cli::fail(strobe::statusOfException());
    }
}
