#pragma once
#include <string>
#include <vector>

#include "engine_core/base/status.h"

namespace strobe::cli {

struct OutputFile {
    const char* flag;
    std::string path;  // empty: not asked for
};

/// Whether each can be written, before the work begins: nothing is read and written at once, no two are the same file,
/// folders are there and writable. Existing files stay as they are.
Status checkOutputs(const std::vector<OutputFile>& outputs, const std::vector<std::string>& inputs);
/// The line that says that a file was written.
void printWrote(const std::string& path);
/// Writes and says so.
Status writeText(const std::string& path, const std::string& text);

}  // namespace strobe::cli
