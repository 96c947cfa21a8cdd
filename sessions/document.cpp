#include "sessions/document.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <new>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/exceptions.h"
#include "engine_core/base/mapped_file.h"
#include "engine_core/base/memory.h"
#include "engine_core/runtime/engine_file.h"
#include "profiler/accuracy_verdict.h"
#include "profiler/json_text.h"
#include "sessions/document_format.h"
#include "sessions/document_json.h"

namespace strobe {
namespace {

constexpr const char* kWeightsLostKey = "weightsLost";  // beside a build's settings
constexpr const char* kNotesKey = "notes";              // likewise

Status writeLayers(Database& db, int build, const Profile& profile) {
    for (const LayerProfile& l : profile.layers) {
        const std::string nodes = jsonText(l.provenance), times = jsonText(layerTimesJson(l));
        const CounterValues c = l.counters.value_or(CounterValues{-1, -1, -1});
        STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO layer_profiles VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                          {build, l.layer, l.name, l.op, l.tactic, l.precision, l.outputShape, nodes, l.milliseconds.median, l.share, l.flops, l.bytes, times, c.cycles, c.instructions,
                                           c.cacheMisses}));
    }
    return Status::ok();
}

/// In pieces of kBytesPerPoll, which SQLite handles quickly. Says whether weights were lost.
Result<bool> writeEngine(Database& db, const Build& build, const LostWeights& lost, const CancelToken& cancel) {
    bool anyLost = false;
    EngineFile::WriteOptions options{&cancel, [&](const Weights& weights) {
                                         const bool isLost = lost.holds(weights);
                                         anyLost = anyLost || isLost;
                                         return isLost;
                                     }};
    std::string piece;
    const auto flush = [&] {
        const Status written = db.execute("INSERT INTO engines VALUES(?,?)", {build.id, Database::Value::blob(piece)});
        piece.clear();
        return written;
    };
    const auto take = [&](std::span<const uint8_t> bytes) {
        if (!piece.empty() && piece.size() + bytes.size() > kBytesPerPoll) STROBE_RETURN_IF_ERROR(flush());
        piece.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return Status::ok();
    };
    STROBE_RETURN_IF_ERROR(EngineFile::stream(build.engine->parts(), options, take));
    STROBE_RETURN_IF_ERROR(flush());
    return anyLost;
}

Status writeBuild(Database& db, const Build& build, const LostWeights& lost, const CancelToken& cancel) {
    STROBE_ASSIGN(const bool anyLost, writeEngine(db, build, lost, cancel));
    const std::string config = serializeConfig(build.settings.builder), fused = build.report.fused ? serializeStructure(*build.report.fused) : std::string();
    Json extra = toJson(build.settings);
    if (anyLost || !build.weightsLost.empty()) extra[kWeightsLostKey] = anyLost ? lost.reason : build.weightsLost;
    if (!build.notes.empty()) extra[kNotesKey] = toJson(build.notes);
    const std::string extraText = jsonText(extra), report = jsonText(toJson(build.report)),
                      profile = build.profile ? jsonText(toJson(*build.profile)) : std::string();
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO builds VALUES(?,?,?,?,?,?,?,?,?)", {build.id, build.name, build.createdAt, Database::Value::blob(config), extraText,
                                                                                      static_cast<int64_t>(build.engine->fileBytes()), Database::Value::blob(fused), report, profile}));
    return build.profile ? writeLayers(db, build.id, *build.profile) : Status::ok();
}

Status writeAll(Database& db, const SessionSnapshot& snapshot, const LostWeights& lost, const CancelToken& cancel) {
    // A failure ends in the file's removal: no way back needs to be kept.
    for (const char* sql : {"PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"}) STROBE_RETURN_IF_ERROR(db.execute(sql));
    STROBE_RETURN_IF_ERROR(createDocumentTables(db));
    const std::string path = snapshot.model ? std::filesystem::absolute(snapshot.model->path).string() : std::string();
    const std::string hash = snapshot.model ? snapshot.model->hash : std::string(), bytes = snapshot.model ? std::to_string(snapshot.model->imported->fileBytes) : std::string();
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO meta VALUES('model_path', ?), ('model_hash', ?), ('model_bytes', ?)", {path, hash, bytes}));
    const std::string config = serializeConfig(snapshot.settings.builder), extra = jsonText(toJson(snapshot.settings));
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO settings VALUES(?,?)", {Database::Value::blob(config), extra}));
    for (const auto& build : snapshot.builds) STROBE_RETURN_IF_ERROR(writeBuild(db, *build, lost, cancel));
    for (const auto& c : snapshot.comparisons) {
        Json json = toJson(*c->accuracy);
        if (c->speed) json["speed"] = toJson(*c->speed);
        const std::string accuracy = jsonText(json);
        STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO comparisons VALUES(?,?,?,?)", {c->id, c->a, c->b, accuracy}));
    }
    STROBE_ASSIGN(const std::string checksum, documentChecksum(db, kDocumentVersion, cancel));
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO meta VALUES(?, ?)", {std::string(kChecksumKey), checksum}));
    return db.execute("COMMIT");
}

Result<std::shared_ptr<const Model>> loadModel(const std::string& path, const std::string& hash, const std::string& document, const CancelToken& cancel) {
    ImportOptions options;
    options.allowUnsupported = true;
    options.cancel = cancel;
    // A model that travels beside its document is found there.
    std::string found = path;
    if (std::error_code error; !std::filesystem::exists(found, error)) {
        const auto beside = std::filesystem::path(document).parent_path() / std::filesystem::path(path).filename();
        if (std::filesystem::exists(beside, error)) found = beside.string();
    }
    auto imported = importOnnx(found, options);
    if (!imported) return imported.status().withContext(document + ": its model cannot be read; put it back or beside the document");
    if (imported->fileHash != hash)
        return invalidModel(document + ": the model " + found + " has changed since the document was saved (hash " + imported->fileHash + ", saved " + hash + "); open the model itself and build anew");
    std::shared_ptr<const Model> model = makeModel(found, std::move(*imported), cancel);
    if (cancel.isCancelled()) return cancelled();
    return model;
}

Status readLayers(Database& db, int build, Profile& profile) {
    return db.query("SELECT layer,name,op,tactic,precision,shape,nodes,share,flops,bytes,milliseconds,cycles,instructions,cache_misses FROM layer_profiles WHERE build=? ORDER BY layer", {build},
                    [&](const Database::Row& row) {
                        LayerProfile l;
                        l.layer = static_cast<int>(row.integer(0));
                        l.name = row.text(1);
                        l.op = row.text(2);
                        l.tactic = row.text(3);
                        l.precision = row.text(4);
                        l.outputShape = row.text(5);
                        l.provenance = Json::parse(row.text(6)).get<std::vector<int>>();
                        l.share = row.real(7);
                        l.flops = row.real(8);
                        l.bytes = row.real(9);
                        layerTimesFrom(Json::parse(row.text(10)), l);
                        if (row.real(11) >= 0) l.counters = CounterValues{row.real(11), row.real(12), row.real(13)};
                        profile.layers.push_back(std::move(l));
                        return Status::ok();
                    });
}

/// Reads one document.
struct Reader {
    Database& db;
    const std::string& path;
    const KernelRegistry& kernels;
    const CancelToken& cancel;
    int version = 0;
};

/// Aligned: weights are used in place.
Result<std::shared_ptr<const Engine>> readEngine(const Reader& reader, int64_t build, int64_t statedBytes, const std::string& name) {
    if (statedBytes < 0) return damagedDocument(reader.path, "an engine of " + std::to_string(statedBytes) + " bytes");
    const auto size = static_cast<size_t>(statedBytes);
    const std::shared_ptr<void> memory = allocateAligned(size);
    if (!memory) return Status(ErrorCode::OutOfMemory, reader.path + ": build '" + name + "' takes " + std::to_string(size) + " bytes, which cannot be had");
    size_t filled = 0;
    const auto take = [&](std::span<const uint8_t> bytes) {
        if (bytes.size() > size - filled) return damagedDocument(reader.path, "build '" + name + "' is longer than stated");
        std::memcpy(static_cast<uint8_t*>(memory.get()) + filled, bytes.data(), bytes.size());
        filled += bytes.size();
        return Status::ok();
    };
    const auto takeRow = [&](const Database::Row& row) -> Status {
        STROBE_ASSIGN(const std::string_view bytes, row.bytes(0));
        return take({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    };
    if (reader.version < 3)
        STROBE_RETURN_IF_ERROR(reader.db.readBlob("builds", "engine", build, take));
    else
        STROBE_RETURN_IF_ERROR(reader.db.query("SELECT bytes FROM engines WHERE build=? ORDER BY rowid", {build}, takeRow));
    if (filled != size) return damagedDocument(reader.path, "build '" + name + "' is shorter than stated");
    return Engine::loadBytes(memory, {static_cast<const uint8_t*>(memory.get()), size}, reader.path + ": build '" + name + "'", reader.kernels, &reader.cancel);
}

Status readBuild(const Reader& reader, const Database::Row& row, SessionSnapshot& snapshot) {
    auto build = std::make_shared<Build>();
    build->id = static_cast<int>(row.integer(0));
    build->name = row.text(1);
    build->createdAt = row.text(2);
    STROBE_ASSIGN(build->settings.builder, parseConfig(row.text(3)));
    const Json extra = Json::parse(row.text(4));
    settingsFrom(extra, build->settings);
    if (const auto lost = extra.find(kWeightsLostKey); lost != extra.end()) build->weightsLost = lost->get<std::string>();
    if (const auto notes = extra.find(kNotesKey); notes != extra.end()) build->notes = notesFrom(*notes);
    build->engineBytes = static_cast<size_t>(row.integer(5));
    STROBE_ASSIGN(build->engine, readEngine(reader, row.integer(0), row.integer(5), build->name));
    build->report = reportFrom(Json::parse(row.text(7)));
    if (const std::string fused = row.text(6); !fused.empty()) {
        STROBE_ASSIGN(Network network, parseStructure(fused));
        build->report.fused = std::make_shared<const Network>(std::move(network));
    }
    if (const std::string text = row.text(8); !text.empty()) {
        Profile profile = profileFrom(Json::parse(text));
        STROBE_RETURN_IF_ERROR(readLayers(reader.db, build->id, profile));
        if (profile.layers.size() != build->engine->graph().layers.size()) return invalidModel(reader.path + ": the layer times of build '" + build->name + "' are incomplete");
        build->profile = std::make_shared<const Profile>(std::move(profile));
    }
    snapshot.builds.push_back(std::move(build));
    return Status::ok();
}

Status readComparison(const Database::Row& row, SessionSnapshot& snapshot) {
    auto comparison = std::make_shared<Comparison>();
    comparison->id = static_cast<int>(row.integer(0));
    comparison->a = static_cast<int>(row.integer(1));
    comparison->b = static_cast<int>(row.integer(2));
    std::shared_ptr<const Build> a, b;
    for (const auto& build : snapshot.builds) {
        if (build->id == comparison->a) a = build;
        if (build->id == comparison->b) b = build;
    }
    if (!a || !b) {
        snapshot.notes.push_back("a comparison was left out since the document does not hold both of its builds");
        return Status::ok();
    }
    const Json json = Json::parse(row.text(3));
    if (const auto speed = json.find("speed"); speed != json.end()) comparison->speed = speedFrom(*speed);
    AccuracyReport accuracy = accuracyFrom(json);
    // Older versions did not write it.
    if (accuracy.coarsest == DataType::Undefined) accuracy.coarsest = coarsestType(*a->engine, *b->engine);
    comparison->accuracy = std::make_shared<const AccuracyReport>(std::move(accuracy));
    comparison->rows = alignBuilds(*a, *b, comparison->accuracy.get());
    snapshot.comparisons.push_back(std::move(comparison));
    return Status::ok();
}

Status readAll(Reader& reader, SessionSnapshot& snapshot) {
    Database& db = reader.db;
    STROBE_ASSIGN(reader.version, checkDocument(db, reader.path, reader.cancel));
    std::string modelPath, modelHash;
    STROBE_RETURN_IF_ERROR(db.query("SELECT key, value FROM meta", {}, [&](const Database::Row& row) {
        if (row.text(0) == "model_path") modelPath = row.text(1);
        if (row.text(0) == "model_hash") modelHash = row.text(1);
        return Status::ok();
    }));
    if (!modelPath.empty()) {
        STROBE_ASSIGN(snapshot.model, loadModel(modelPath, modelHash, reader.path, reader.cancel));
    }
    STROBE_RETURN_IF_ERROR(db.query("SELECT config, extra FROM settings", {}, [&](const Database::Row& row) -> Status {
        STROBE_ASSIGN(snapshot.settings.builder, parseConfig(row.text(0)));
        settingsFrom(Json::parse(row.text(1)), snapshot.settings);
        return Status::ok();
    }));
    const std::string engineBytes = reader.version < 3 ? "length(engine)" : "engine_bytes";
    STROBE_RETURN_IF_ERROR(db.query("SELECT id,name,created_at,config,extra," + engineBytes + ",fused,report,profile FROM builds ORDER BY id", {},
                                    [&](const Database::Row& row) { return readBuild(reader, row, snapshot); }));
    return db.query("SELECT id,a,b,accuracy FROM comparisons ORDER BY id", {}, [&](const Database::Row& row) { return readComparison(row, snapshot); });
}

/// SQLite reads a cut last page as if zeros followed.
Status checkWhole(Database& db, const std::string& path, size_t fileBytes) {
    return db.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", {}, [&](const Database::Row& row) {
        const auto stated = static_cast<size_t>(row.integer(0));
        if (fileBytes >= stated) return Status::ok();
        return invalidModel(path + ": the session has " + std::to_string(fileBytes) + " bytes and states " + std::to_string(stated) + "; it is truncated, use a copy or open the model itself");
    });
}

}  // namespace

bool LostWeights::holds(const Weights& weights) const {
    const auto* first = static_cast<const uint8_t*>(weights.data.get());
    return std::any_of(ranges.begin(), ranges.end(), [&](std::span<const uint8_t> range) { return first >= range.data() && first < range.data() + range.size(); });
}

Status saveDocument(const std::string& path, const SessionSnapshot& snapshot, const LostWeights& lost, const CancelToken& cancel) {
    AtomicFile file(path);
    const auto write = [&]() -> Status {
        STROBE_ASSIGN(Database db, Database::create(file.temporaryPath(), cancel));
        return writeAll(db, snapshot, lost, cancel);
    };
    const Status status = withoutExceptions(write);
    if (status.isOk()) return file.commit(&cancel);
    const ErrorCode code = status.code();
    if (code == ErrorCode::Cancelled) return status;
    if (code == ErrorCode::OutOfMemory)
        return Status(code, path + ": not enough memory to save the session; remove builds or close other programs");
    const char* advice = code == ErrorCode::IoError ? "; choose a writable folder" : "";
    return Status(code, path + ": the session cannot be saved (" + status.message() + ")" + advice);
}

Result<SessionSnapshot> loadDocument(const std::string& path, const KernelRegistry& kernels, const CancelToken& cancel) {
    // Says "no such file", "is a directory" better than SQLite does.
    STROBE_ASSIGN(const std::shared_ptr<const MappedFile> file, MappedFile::open(path, 0));
    STROBE_ASSIGN(Database db, Database::openReadOnly(path, cancel));
    STROBE_RETURN_IF_ERROR(checkWhole(db, path, file->bytes().size()));
    SessionSnapshot snapshot;
    Reader reader{db, path, kernels, cancel};
    try {
        STROBE_RETURN_IF_ERROR(readAll(reader, snapshot));
    } catch (const Json::exception& error) {
        return damagedDocument(path, error.what());
    } catch (const std::bad_alloc&) {
        return Status(ErrorCode::OutOfMemory, path + ": the session does not fit into memory; close other programs and open it again");
    }
    return snapshot;
}

}  // namespace strobe
