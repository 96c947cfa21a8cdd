#include "engine_core/runtime/engine_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/mapped_file.h"
#include "engine_core/base/stream_hash.h"
#include "engine_core/runtime/network_proto.h"

namespace strobe {
namespace {

constexpr char kMagic[8] = {'S', 'T', 'R', 'O', 'B', 'E', 'N', 'G'};
constexpr size_t kPage = 4096, kAlignment = 64, kHeaderBytes = 64, kHeaderChecked = 40;

struct Header {
    char magic[8];
    uint32_t version;
    uint32_t reserved;
    uint64_t manifestBytes;
    uint64_t fileBytes;
    uint64_t bodyHash;
    uint64_t headerHash;
    uint8_t padding[kHeaderBytes - 48];
};
static_assert(sizeof(Header) == kHeaderBytes);

size_t roundUp(size_t value, size_t to) { return (value + to - 1) / to * to; }

/// Collects weights; offsets are relative to the weights' start until the manifest's size is known.
struct WeightsWriter {
    /// Weights may begin at one address and differ in length: empty ones, overlapping parts of an external file.
    using Key = std::pair<const void*, size_t>;
    static Key keyOf(const Weights& weights) { return {weights.data.get(), weights.bytes}; }

    std::map<Key, uint64_t> known;
    std::vector<const Weights*> order;
    uint64_t bytes = 0;

    void store(const Weights& weights, pb::WeightsRef& ref) {
        ref.set_type(static_cast<uint32_t>(weights.type));
        for (int64_t dim : weights.dims) ref.add_dims(dim);
        ref.set_bytes(weights.bytes);
        const auto [place, fresh] = known.try_emplace(keyOf(weights), bytes);
        if (fresh) {
            order.push_back(&weights);
            bytes = roundUp(bytes + weights.bytes, kAlignment);
        }
        ref.set_offset(place->second);
    }
};

void describeParts(const Engine::Parts& parts, pb::Manifest& manifest) {
    manifest.set_model_name(parts.modelName);
    manifest.set_model_hash(parts.modelHash);
    pb::Device& device = *manifest.mutable_device();
    device.set_kind(static_cast<uint32_t>(parts.device.kind));
    device.set_index(parts.device.index);
    device.set_id(parts.device.id);
    device.set_name(parts.device.name);
    device.set_fingerprint(parts.device.fingerprint);
    for (const auto& feature : parts.device.features) device.add_features(feature);
    writeConfig(parts.config, *manifest.mutable_config());
    // Where the builder kept its timing cache is not the engine's business.
    manifest.mutable_config()->clear_timing_cache_path();
    writeProfiles(parts.profiles, *manifest.mutable_profiles());
    for (const auto& [symbol, value] : parts.optSymbols) {
        manifest.add_opt_symbols(symbol);
        manifest.add_opt_values(value);
    }
}

/// Equal messages give equal bytes (maps sorted).
std::string serializeDeterministic(const google::protobuf::MessageLite& message) {
    std::string bytes;
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
    return coded.HadError() ? std::string() : (coded.Trim(), bytes);
}

/// The manifest's bytes; `weights` learns what follows them.
std::string manifestOf(const Engine::Parts& parts, WeightsWriter& weights) {
    pb::Manifest manifest;
    describeParts(parts, manifest);
    writeGraph(*parts.graph, [&](const Weights& w, pb::WeightsRef& ref) { weights.store(w, ref); }, *manifest.mutable_graph());
    return serializeDeterministic(manifest);
}

size_t weightsOffset(const std::string& manifest) { return roundUp(sizeof(Header) + manifest.size(), kPage); }

uint64_t headerHashOf(const Header& header) {
    StreamHash hash;
    hash.update(&header, kHeaderChecked);
    return hash.digest();
}

Status checkHeader(std::span<const uint8_t> bytes, const std::string& name, Header& header, const CancelToken* cancel) {
    if (bytes.size() < sizeof header || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0)
        return invalidModel(name + ": is not a Strobe engine" + (bytes.empty() ? " (the file is empty)" : "") + "; build one with strobe-cli --saveEngine");
    std::memcpy(&header, bytes.data(), sizeof header);
    const bool headerHolds = header.headerHash == headerHashOf(header);
    if (header.version != EngineFile::kVersion && headerHolds)
        return unsupported(name + ": engine format version " + std::to_string(header.version) + " found, this program reads version " + std::to_string(EngineFile::kVersion) +
                           "; rebuild the engine from the model");
    const bool padded = std::all_of(std::begin(header.padding), std::end(header.padding), [](uint8_t b) { return b == 0; });
    StreamHash body;
    if (!body.update(bytes.subspan(sizeof header), cancel)) return cancelled();
    if (!headerHolds || !padded || header.fileBytes != bytes.size() || header.manifestBytes > bytes.size() - sizeof header || header.bodyHash != body.digest())
        return invalidModel(name + ": the engine file is damaged (" + std::to_string(bytes.size()) + " bytes, checksum differs); copy it again or rebuild it");
    return Status::ok();
}

/// What follows the header, in order, in pieces that a cancelled writer does not wait long for.
class BodyWriter {
public:
    BodyWriter(const std::string& manifest, const WeightsWriter& weights, const EngineFile::WriteOptions& options)
        : m_manifest(manifest), m_weights(weights), m_options(options), m_zeros(kBytesPerPoll / 16, 0) {}

    Status write(const EngineFile::Sink& sink) {
        m_at = sizeof(Header);
        const size_t weightsStart = weightsOffset(m_manifest);
        STROBE_RETURN_IF_ERROR(emit(m_manifest.data(), m_manifest.size(), sink));
        for (const Weights* weights : m_weights.order) {
            STROBE_RETURN_IF_ERROR(pad(weightsStart + m_weights.known.at(WeightsWriter::keyOf(*weights)), sink));
            const bool lost = m_options.writesZeros && m_options.writesZeros(*weights);
            STROBE_RETURN_IF_ERROR(lost ? pad(m_at + weights->bytes, sink) : emit(weights->data.get(), weights->bytes, sink));
        }
        return pad(weightsStart + m_weights.bytes, sink);
    }

private:
    Status emit(const void* bytes, size_t count, const EngineFile::Sink& sink) {
        Status status;
        const bool whole = inSteps(m_options.cancel, count, kBytesPerPoll, [&](size_t first, size_t last) {
            if (status.isOk()) status = sink({static_cast<const uint8_t*>(bytes) + first, last - first});
        });
        m_at += count;
        return whole ? status : cancelled();
    }
    /// Zeros up to `end`.
    Status pad(size_t end, const EngineFile::Sink& sink) {
        while (m_at < end) STROBE_RETURN_IF_ERROR(emit(m_zeros.data(), std::min(end - m_at, m_zeros.size()), sink));
        return Status::ok();
    }

    const std::string& m_manifest;
    const WeightsWriter& m_weights;
    const EngineFile::WriteOptions& m_options;
    const std::vector<uint8_t> m_zeros;
    size_t m_at = 0;
};

/// Of everything that layers take and give, bodies of control flow included.
void collectTypes(const CompiledGraph& graph, std::set<DataType>& used) {
    for (const EngineLayer& layer : graph.layers) {
        for (const auto* formats : {&layer.inputs, &layer.outputs})
            for (const Format& format : *formats) used.insert(format.type);
        for (const auto& body : layer.bodies) collectTypes(*body, used);
    }
}

}  // namespace

Status EngineFile::stream(const Engine::Parts& parts, const WriteOptions& options, const Sink& sink) {
    WeightsWriter weights;
    const std::string manifest = manifestOf(parts, weights);
    if (std::any_of(weights.order.begin(), weights.order.end(), [](const Weights* w) { return w->type == DataType::String; }))
        return unsupported("the network has constants of type string, which an engine file cannot hold; run the model itself");
    BodyWriter body(manifest, weights, options);
    StreamHash hash;
    STROBE_RETURN_IF_ERROR(body.write([&](std::span<const uint8_t> bytes) { return hash.update(bytes.data(), bytes.size()), Status::ok(); }));
    Header header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.version = kVersion;
    header.manifestBytes = manifest.size();
    header.fileBytes = weightsOffset(manifest) + weights.bytes;
    header.bodyHash = hash.digest();
    header.headerHash = headerHashOf(header);
    STROBE_RETURN_IF_ERROR(sink({reinterpret_cast<const uint8_t*>(&header), sizeof header}));
    return body.write(sink);
}

Result<std::vector<uint8_t>> EngineFile::write(const Engine::Parts& parts) {
    std::vector<uint8_t> file;
    file.reserve(size(parts));
    STROBE_RETURN_IF_ERROR(stream(parts, {}, [&](std::span<const uint8_t> bytes) { return file.insert(file.end(), bytes.begin(), bytes.end()), Status::ok(); }));
    return file;
}

size_t EngineFile::size(const Engine::Parts& parts) {
    WeightsWriter weights;
    return weightsOffset(manifestOf(parts, weights)) + weights.bytes;
}

Result<Engine::Parts> EngineFile::read(std::shared_ptr<const void> owner, std::span<const uint8_t> bytes, const std::string& name, const CancelToken* cancel) {
    Header header{};
    STROBE_RETURN_IF_ERROR(checkHeader(bytes, name, header, cancel));
    pb::Manifest manifest;
    if (!manifest.ParseFromArray(bytes.data() + sizeof header, static_cast<int>(header.manifestBytes))) return invalidModel(name + ": the manifest cannot be read; rebuild the engine");
    const size_t weightsStart = roundUp(sizeof header + header.manifestBytes, kPage);
    const auto fetch = [&](const pb::WeightsRef& ref) -> Result<WeightsPtr> {
        auto weights = std::make_shared<Weights>();
        if (ref.type() == 0 || ref.type() >= static_cast<uint32_t>(DataType::String))
            return invalidModel(name + ": weights of unknown type");
        weights->type = static_cast<DataType>(ref.type());
        weights->dims.assign(ref.dims().begin(), ref.dims().end());
        weights->bytes = ref.bytes();
        const bool inside = weightsStart <= bytes.size() && ref.offset() <= bytes.size() - weightsStart && ref.bytes() <= bytes.size() - weightsStart - ref.offset();
        if (!inside || dataTypeBytes(weights->type, weights->count()) != ref.bytes()) return invalidModel(name + ": weights lie outside the file; rebuild the engine");
        weights->data = std::shared_ptr<const void>(owner, bytes.data() + weightsStart + ref.offset());
        return WeightsPtr(std::move(weights));
    };
    Engine::Parts parts;
    auto graph = readGraph(manifest.graph(), fetch);
    if (!graph) return graph.status().withContext(name);
    parts.graph = *graph;
    auto config = readConfig(manifest.config());
    if (!config) return config.status().withContext(name);
    parts.config = *config;
    const pb::Device& device = manifest.device();
    parts.device.kind = device.kind() == 0 ? DeviceKind::Cpu : DeviceKind::Cuda;
    parts.device.index = device.index();
    parts.device.id = device.id();
    parts.device.name = device.name();
    parts.device.fingerprint = device.fingerprint();
    parts.device.features.assign(device.features().begin(), device.features().end());
    parts.modelName = manifest.model_name();
    parts.modelHash = manifest.model_hash();
    parts.profiles = readProfiles(manifest.profiles());
    for (int i = 0; i < std::min(manifest.opt_symbols_size(), manifest.opt_values_size()); ++i) parts.optSymbols[manifest.opt_symbols(i)] = manifest.opt_values(i);
    return parts;
}

std::vector<std::string> neededFeatures(const Engine::Parts& parts) {
    static const std::map<std::string, std::set<DataType>> servesOnly = {
        {"avx512_vnni", {DataType::Int8, DataType::UInt8}}, {"amx_int8", {DataType::Int8, DataType::UInt8}},
        {"avx512_bf16", {DataType::BFloat16}},              {"amx_bf16", {DataType::BFloat16}},
        {"avx512_fp16", {DataType::Float16}},
    };
    std::set<DataType> used;
    collectTypes(*parts.graph, used);
    std::vector<std::string> needed;
    for (const std::string& feature : parts.device.features) {
        const auto types = servesOnly.find(feature);
        const auto isUsed = [&](DataType type) { return used.count(type) > 0; };
        if (types == servesOnly.end() || std::any_of(types->second.begin(), types->second.end(), isUsed))
            needed.push_back(feature);
    }
    return needed;
}

std::string EngineFile::whyNotHere(const Engine::Parts& parts, const DeviceInfo& device) {
    const DeviceInfo& builtFor = parts.device;
    for (const std::string& feature : neededFeatures(parts))
        if (std::find(device.features.begin(), device.features.end(), feature) == device.features.end())
            return "the engine was built on " + builtFor.name + " and uses " + feature + ", which " + device.name + " lacks; rebuild it on this machine";
    return {};
}

Result<std::shared_ptr<const Engine>> Engine::loadBytes(std::shared_ptr<const void> owner, std::span<const uint8_t> bytes, const std::string& shownName,
                                                        const KernelRegistry& kernels, const CancelToken* cancel) {
    STROBE_ASSIGN(Parts parts, EngineFile::read(std::move(owner), bytes, shownName, cancel));
    if (parts.device.kind == DeviceKind::Cpu)
        if (const std::string reason = EngineFile::whyNotHere(parts, cpuDeviceInfo()); !reason.empty()) return unsupported(shownName + ": " + reason);
    return create(std::move(parts), kernels);
}

Result<std::shared_ptr<const Engine>> Engine::load(const std::string& path, const KernelRegistry& kernels) {
    STROBE_ASSIGN(std::shared_ptr<const MappedFile> file, MappedFile::read(path));
    const auto bytes = file->bytes();
    return loadBytes(file, bytes, path, kernels);
}

Result<std::vector<uint8_t>> Engine::serialize() const { return EngineFile::write(m_parts); }

size_t Engine::fileBytes() const { return EngineFile::size(m_parts); }

Status Engine::save(const std::string& path, const CancelToken* cancel) const {
    AtomicFile file(path);
    STROBE_RETURN_IF_ERROR(EngineFile::stream(m_parts, {cancel, {}}, [&](std::span<const uint8_t> bytes) { return file.append(bytes, cancel); }));
    return file.commit(cancel);
}

namespace {

void describeOnly(const Weights& weights, pb::WeightsRef& ref) {
    ref.set_type(static_cast<uint32_t>(weights.type));
    for (int64_t dim : weights.dims) ref.add_dims(dim);
    ref.set_stripped(true);
}

}  // namespace

bool EngineFile::isOne(const std::string& path) {
    char magic[sizeof kMagic] = {};
    std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
    return std::equal(std::begin(magic), std::end(magic), std::begin(kMagic));
}

std::string serializeStructure(const Network& network) {
    pb::Network out;
    writeNetwork(network, describeOnly, out);
    return serializeDeterministic(out);
}

Result<Network> parseStructure(std::string_view bytes) {
    pb::Network in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return invalidModel("the stored network cannot be read");
    return readNetwork(in, [](const pb::WeightsRef& ref) -> Result<WeightsPtr> {
        auto weights = std::make_shared<Weights>();
        weights->type = static_cast<DataType>(std::min<uint32_t>(ref.type(), static_cast<uint32_t>(DataType::String)));
        weights->dims.assign(ref.dims().begin(), ref.dims().end());
        return WeightsPtr(std::move(weights));
    });
}

std::string serializeConfig(const BuilderConfig& config) {
    pb::Config out;
    writeConfig(config, out);
    return serializeDeterministic(out);
}

Result<BuilderConfig> parseConfig(std::string_view bytes) {
    pb::Config in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return invalidModel("the stored settings cannot be read");
    return readConfig(in);
}

}  // namespace strobe
