#include "app/cli/output_files.h"

#include <cstdio>
#include <filesystem>

#include "engine_core/base/atomic_file.h"

namespace strobe::cli {
namespace {

namespace fs = std::filesystem;

bool isSameFile(const std::string& a, const std::string& b) {
    std::error_code error;
    return fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error) || fs::equivalent(a, b, error);
}

std::string sizeText(uint64_t bytes) {
    char text[32];
    if (bytes < 1024)
        std::snprintf(text, sizeof text, "%llu bytes", static_cast<unsigned long long>(bytes));
    else if (bytes < 1024 * 1024)
        std::snprintf(text, sizeof text, "%.3g KiB", static_cast<double>(bytes) / 1024);
    else
        std::snprintf(text, sizeof text, "%.4g MiB", static_cast<double>(bytes) / (1024 * 1024));
    return text;
}

}  // namespace

Status checkOutputs(const std::vector<OutputFile>& outputs, const std::vector<std::string>& inputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
        const OutputFile& output = outputs[i];
        if (output.path.empty()) continue;
        // What would be lost by a slip: a file that is read is never written over.
        for (const std::string& input : inputs)
            if (!input.empty() && isSameFile(output.path, input))
                return invalidArgument(
                    output.path + ": this file is read and would be written over; name another one for " + output.flag);
        for (size_t j = 0; j < i; ++j)
            if (!outputs[j].path.empty() && isSameFile(output.path, outputs[j].path))
                return invalidArgument(std::string(outputs[j].flag) + " and " + output.flag + " both name " +
                                       output.path + "; name two files");
        STROBE_RETURN_IF_ERROR(checkWritable(output.path).withContext(output.flag));
    }
    return Status::ok();
}

void printWrote(const std::string& path) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    std::printf("Wrote %s (%s)\n", path.c_str(), error ? "size unknown" : sizeText(bytes).c_str());
}

Status writeText(const std::string& path, const std::string& text) {
    STROBE_RETURN_IF_ERROR(writeFileAtomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
    printWrote(path);
    return Status::ok();
}

}  // namespace strobe::cli
