#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine_core/runtime/engine.h"

namespace strobe {

/// Engine file: [header 64 bytes][manifest: strobe.pb.Manifest][padding][weights, each at a multiple of 64, the first on a page].
/// Header, little endian: magic "STROBENG", u32 version, u32 zero, u64 manifest bytes, u64 file bytes, u64 XXH3 of all that follows the
/// header, u64 XXH3 of the header's first 40 bytes. Any flipped bit fails a checksum. Holds no code and no absolute path.
struct EngineFile {
    static constexpr uint32_t kVersion = 1;
    /// Whether the file at `path` begins as one; false when it cannot be read.
    static bool isOne(const std::string& path);
    /// Takes the next bytes; an error ends the writing.
    using Sink = std::function<Status(std::span<const uint8_t>)>;
    struct WriteOptions {
        const CancelToken* cancel = nullptr;
        std::function<bool(const Weights&)> writesZeros;  // for weights whose values are lost; null: none are
    };
    /// Hands the file to `sink` piece by piece. Weights are read twice (their checksum stands first) and must not change meanwhile.
    static Status stream(const Engine::Parts& parts, const WriteOptions& options, const Sink& sink);
    /// The same in memory.
    static Result<std::vector<uint8_t>> write(const Engine::Parts& parts);
    /// Bytes that stream() gives, without reading the weights.
    static size_t size(const Engine::Parts& parts);
    /// Weights alias `owner`'s memory.
    static Result<Engine::Parts> read(std::shared_ptr<const void> owner, std::span<const uint8_t> bytes, const std::string& shownName, const CancelToken* cancel = nullptr);
    /// "this engine needs avx512_bf16, which this CPU lacks; rebuild it here"; empty when it can run on `device`.
    static std::string whyNotHere(const Engine::Parts& parts, const DeviceInfo& device);
};

/// Those of the device's features that the engine must find where it runs: not what serves a type that no layer has.
std::vector<std::string> neededFeatures(const Engine::Parts& parts);

/// A network without its weights (only types and shapes), and a config, for documents.
std::string serializeStructure(const Network& network);
Result<Network> parseStructure(std::string_view bytes);
std::string serializeConfig(const BuilderConfig& config);
Result<BuilderConfig> parseConfig(std::string_view bytes);

}  // namespace strobe
