#include <cstdio>
#include <cstring>
#include <string_view>

#include "app/cli/command_line.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/register.h"
#include "kernels/cuda_loader.h"

namespace {

using Command = int (*)(const strobe::KernelRegistry&, int, const char* const*);
struct Entry {
    std::string_view name;
    Command run;
    const char* help;
};
constexpr Entry kCommands[] = {
    {"bench", strobe::cli::benchCommand, "build or load an engine and measure it (the default, as trtexec)"},
    {"build", strobe::cli::buildCommand, "build an engine and save it"},
    {"run", strobe::cli::runCommand, "run once on given or random inputs and write the outputs"},
    {"inspect", strobe::cli::inspectCommand, "show a model or an engine: parsed, fused or engine network"},
    {"compare", strobe::cli::compareCommand, "two builds side by side in speed and accuracy"},
    {"verify", strobe::cli::verifyCommand, "run ONNX backend test folders and compare with their outputs"},
    {"devices", strobe::cli::devicesCommand, "list devices"},
};

int help() {
    std::puts("strobe-cli: build, profile, compare and export neural-network inference engines\n\nUsage: strobe-cli [COMMAND] --onnx=model.onnx [flags]\n\nCommands:");
    for (const Entry& command : kCommands) std::printf("  %-8s %s\n", std::string(command.name).c_str(), command.help);
    std::puts("\nstrobe-cli COMMAND --help lists the flags of a command.");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    strobe::restartWithShortSpin(argv);
    strobe::KernelRegistry kernels;
    strobe::registerCpuKernels(kernels);
    strobe::registerCudaModule(kernels);
    if (argc < 2) return help(), strobe::cli::kUsage;
    if (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h") || !std::strcmp(argv[1], "help")) return help();
    for (const Entry& command : kCommands)
        if (command.name == argv[1]) return command.run(kernels, argc - 1, argv + 1);
    if (argv[1][0] == '-') return strobe::cli::benchCommand(kernels, argc, argv);
    std::fprintf(stderr, "strobe-cli: unknown command '%s'; commands are bench, build, run, inspect, compare, verify and devices\n", argv[1]);
    return strobe::cli::kUsage;
}
