#include "engine_core/onnx/importer.h"

#include <filesystem>

#include "engine_core/base/mapped_file.h"
#include "engine_core/base/stream_hash.h"
#include "engine_core/onnx/display_text.h"
#include "engine_core/onnx/import_state.h"
#include "engine_core/onnx/model_reader.h"
#include "onnx.pb.h"

namespace strobe {
namespace {

Status readOpsets(ImportState& state) {
    for (const auto& entry : state.model.opset_import()) {
        const std::string domain = normalizedDomain(entry.domain());
        const std::string shown = domain.empty() ? "ai.onnx" : displayText(domain);
        if (entry.version() < 1)
            return invalidModel("opset_import of domain '" + shown + "' has version " +
                                std::to_string(entry.version()) + ", 1 or more is needed");
        if (domain.empty() && entry.version() > kNewestOpset)
            return unsupported("the model needs opset " + std::to_string(entry.version()) + ", 1 to " +
                               std::to_string(kNewestOpset) + " are known; export with opset " +
                               std::to_string(kNewestOpset));
        const auto [place, fresh] = state.opsets.emplace(domain, entry.version());
        if (!fresh && place->second != entry.version())
            return invalidModel("domain '" + shown + "' has two opset versions, " + std::to_string(place->second) +
                                " and " + std::to_string(entry.version()) + "; one is allowed");
        if (fresh) state.out.opsets.push_back({domain, entry.version()});
    }
    if (state.opsets.empty() && state.model.ir_version() < 3) {
        state.opsets[""] = 1;
        state.out.opsets.push_back({"", 1});
    }
    if (state.opsets.empty())
        return invalidModel(
            "the model has no opset_import; one with the version of ONNX's ops is needed, export it again");
    return Status::ok();
}

Status readHeader(ImportState& state) {
    const strobe_onnx::ModelProto& model = state.model;
    if (!model.has_ir_version()) return invalidModel("the model has no ir_version; it is no ONNX model or damaged");
    if (model.ir_version() < 1 || model.ir_version() > kNewestIrVersion)
        return invalidModel("ir_version is " + std::to_string(model.ir_version()) + ", 1 to " +
                            std::to_string(kNewestIrVersion) + " are known; export with a current ONNX release");
    if (!model.has_graph()) return invalidModel("the model has no graph; export it again");
    state.out.irVersion = model.ir_version();
    state.out.modelVersion = model.model_version();
    state.out.producer = displayText(model.producer_name());
    state.out.producerVersion = displayText(model.producer_version());
    state.out.graphName = displayText(model.graph().name());
    for (const auto& entry : model.metadata_props())
        state.out.metadata[displayText(entry.key())] = displayText(entry.value(), 1 << 16);
    for (const auto& function : model.functions()) {
        const std::string key = functionKey(function.domain(), function.name(), function.overload());
        if (!state.functions.emplace(key, &function).second)
            return invalidModel("function '" + displayText(function.name()) + "' of domain '" +
                                displayText(function.domain()) + "' is defined twice");
    }
    return readOpsets(state);
}

Result<ImportedModel> importParsed(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner,
                                   const std::string& baseDirectory, const ImportOptions& options) {
    ImportedModel result;
    result.fileBytes = bytes.size();
    STROBE_ASSIGN(const auto model, parseModel(bytes, options.cancel));
    StreamHash hash;
    if (!hash.update(bytes, &options.cancel)) return cancelled();
    result.fileHash = hashText(hash.digest());
    TensorReader reader(std::move(owner), bytes, baseDirectory, options.cancel);
    ImportState state(*model, reader, options, result);
    STROBE_RETURN_IF_ERROR(readHeader(state));
    STROBE_ASSIGN(result.unsupported, findUnsupported(state));
    if (!result.unsupported.empty() && !options.allowUnsupported) return unsupportedError(result.unsupported);
    STROBE_RETURN_IF_ERROR(importMainGraph(state));
    result.files = reader.externalFiles();
    return result;
}

}  // namespace

Status ImportedModel::checkFiles() const {
    for (const auto& file : files) STROBE_RETURN_IF_ERROR(file->checkUnchanged());
    return Status::ok();
}

Result<ImportedModel> importOnnxBytes(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner,
                                      const std::string& name, const std::string& baseDirectory,
                                      const ImportOptions& options) {
    if (!owner) {
        auto copy = std::make_shared<std::vector<uint8_t>>(bytes.begin(), bytes.end());
        bytes = *copy;
        owner = std::move(copy);
    }
    Result<ImportedModel> result = importParsed(bytes, std::move(owner), baseDirectory, options);
    if (!result) return result.status().withContext(displayText(name, 400));
    return result;
}

Result<ImportedModel> importOnnx(const std::string& path, const ImportOptions& options) {
    STROBE_ASSIGN(const std::shared_ptr<const MappedFile> file, MappedFile::open(path, MappedFile::kMostReadBytes, &options.cancel));
    const std::string folder = std::filesystem::path(path).parent_path().string();
    auto imported = importOnnxBytes(file->bytes(), file, path, folder.empty() ? "." : folder, options);
    // Of a file that was cut meanwhile the rest read as zeros: that is worth saying, not what they led to.
    STROBE_RETURN_IF_ERROR(file->checkUnchanged());
    if (!imported) return imported;
    imported->files.push_back(file);
    STROBE_RETURN_IF_ERROR(imported->checkFiles());
    return imported;
}

}  // namespace strobe
