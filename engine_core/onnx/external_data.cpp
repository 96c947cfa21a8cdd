#include "engine_core/onnx/external_data.h"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "engine_core/onnx/display_text.h"

namespace strobe {
namespace fs = std::filesystem;
namespace {

bool isInside(const fs::path& folder, const fs::path& file) {
    auto inner = file.begin();
    for (auto outer = folder.begin(); outer != folder.end(); ++outer, ++inner)
        if (inner == file.end() || *inner != *outer) return false;
    return inner != file.end();
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> openExternalData(const std::string& baseDirectory,
                                                           const std::string& location,
                                                           const CancelToken& cancel) {
    const std::string shown = "external data '" + displayText(location) + "'";
    if (location.empty())
        return invalidModel("external data has an empty location; a path relative to the model's folder is needed");
    if (location.find('\0') != std::string::npos) return invalidModel(shown + ": the path holds a NUL character");
    const fs::path relative(location);
    if (relative.is_absolute() || location[0] == '\\' || (location.size() > 1 && location[1] == ':'))
        return invalidModel(shown +
                            ": an absolute path is not allowed; put the file beside the model and name it relative to "
                            "the model's folder");
    for (const fs::path& part : relative)
        if (part == "..")
            return invalidModel(shown + ": '..' is not allowed; external data must lie in the model's folder");
    std::error_code error;
    const fs::path folder = fs::canonical(baseDirectory.empty() ? "." : baseDirectory, error);
    if (error)
        return ioError("folder '" + displayText(baseDirectory) + "' of the model cannot be read: " + error.message());
    const fs::path file = fs::canonical(folder / relative, error);
    if (error == std::errc::no_such_file_or_directory)
        return notFound(shown + " is missing in " + displayText(folder.string(), 400) +
                        "; copy it there, beside the model");
    if (error) return ioError(shown + " cannot be read: " + error.message());
    if (!isInside(folder, file))
        return invalidModel(shown + " is a link out of the model's folder; copy the file itself beside the model");
    return MappedFile::open(file.string(), MappedFile::kMostReadBytes, &cancel);
}

Result<uint64_t> parseByteCount(const std::string& text, const char* what) {
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc() || stop != end || value > static_cast<uint64_t>(INT64_MAX))
        return invalidModel(std::string("external data has ") + what + " '" + displayText(text) +
                            "', a decimal number from 0 to 2^63−1 is needed");
    return value;
}

}  // namespace strobe
