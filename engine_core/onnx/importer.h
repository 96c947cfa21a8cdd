#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/mapped_file.h"
#include "engine_core/base/status.h"
#include "engine_core/ir/network.h"

namespace strobe {

/// The newest opset of ONNX's own domain that is known; older ones are lifted to it.
inline constexpr int64_t kNewestOpset = 28;
inline constexpr int64_t kNewestIrVersion = 15;

struct ImportOptions {
    /// Nodes without an op become layers of op "Unsupported" (listed in ImportedModel::unsupported) instead of an
    /// error, so that the graph can be drawn. Such a network cannot be built.
    bool allowUnsupported = false;
    CancelToken cancel;
};

enum class ImportSeverity : uint8_t { Note, Warning };

/// Something worth telling that did not stop the import.
struct ImportIssue {
    ImportSeverity severity = ImportSeverity::Warning;
    std::string node;     // node or tensor, may be empty
    std::string message;  // what was found
    std::string fix;      // what to do, may be empty
};

struct UnsupportedNode {
    std::string name, opType, domain;
    int64_t version = 0;  // opset of the domain
    std::string help;     // nearest known op, "export with …", "give the model a function …"
};

struct OpsetImport {
    std::string domain;
    int64_t version = 0;
};

struct ImportedModel {
    Network network;
    std::string producer, producerVersion, graphName;
    int64_t irVersion = 0;
    int64_t modelVersion = 0;
    std::vector<OpsetImport> opsets;
    std::map<std::string, std::string> metadata;
    uint64_t fileBytes = 0;
    std::string fileHash;  // XXH3 (64 bits) of the file, hexadecimal; external data is not part of it
    std::vector<ImportIssue> warnings;
    std::vector<UnsupportedNode> unsupported;
    /// The model and its external data, whose bytes the weights are.
    std::vector<std::shared_ptr<const MappedFile>> files;
    /// IoError naming the file when one was written to or cut since the import: the weights are no longer what they were.
    Status checkFiles() const;
};

/// Reads an ONNX file and lifts every node to the newest meaning of its op (see README.md). Initializers stay mapped:
/// the network keeps the file (and external data files) mapped as long as any of its weights live. Shapes are inferred.
/// Any thread. Errors name the file, the node or tensor, what was found, what is allowed and what to do.
Result<ImportedModel> importOnnx(const std::string& path, const ImportOptions& options = {});

/// The same from memory. `bytes` must live as long as `owner`; null owner: the bytes are copied. `name` stands in
/// messages; `baseDirectory` holds external data, empty: none can be read.
Result<ImportedModel> importOnnxBytes(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner,
                                      const std::string& name, const std::string& baseDirectory,
                                      const ImportOptions& options = {});

}  // namespace strobe
