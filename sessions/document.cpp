#include "sessions/document.h"

#include <unistd.h>
#include <xxhash.h>

#include <cstdio>
#include <filesystem>

#include "engine_core/base/mapped_file.h"
#include "engine_core/runtime/engine_file.h"
#include "sessions/database.h"
#include "sessions/document_json.h"

namespace strobe {
namespace {

constexpr int kVersion = 2;  // 1 had no checksum
constexpr const char* kTables[] = {"meta", "settings", "builds", "layer_profiles", "comparisons"};
constexpr const char* kChecksumKey = "checksum";
constexpr const char* kSchema[] = {
    "CREATE TABLE meta(key TEXT, value TEXT)",
    "CREATE TABLE settings(config BLOB, extra TEXT)",
    "CREATE TABLE builds(id INTEGER PRIMARY KEY, name TEXT, created_at TEXT, config BLOB, extra TEXT, engine BLOB, fused BLOB, report TEXT, profile TEXT)",
    ("CREATE TABLE layer_profiles(build INTEGER, layer INTEGER, name TEXT, op TEXT, tactic TEXT, precision TEXT, shape TEXT, nodes TEXT, median_ms REAL, share REAL, flops REAL, bytes REAL, "
     "milliseconds TEXT, cycles REAL, instructions REAL, cache_misses REAL)"),
    "CREATE TABLE comparisons(id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, accuracy TEXT)",
};

/// Of all rows of all tables but of itself.
Result<std::string> checksumOf(Database& db) {
    const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
    XXH3_64bits_reset(state.get());
    for (const char* table : kTables)
        STROBE_RETURN_IF_ERROR(db.query("SELECT * FROM " + std::string(table) + " ORDER BY rowid", {}, [&](const Database::Row& row) {
            const bool isItself = std::string_view(table) == "meta" && row.text(0) == kChecksumKey;
            const std::string bytes = isItself ? std::string() : table + row.exactBytes();
            XXH3_64bits_update(state.get(), bytes.data(), bytes.size());
            return Status::ok();
        }));
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits_digest(state.get())));
    return std::string(text);
}

Status damaged(const std::string& path, const std::string& how) {
    return invalidModel(path + ": the session is damaged (" + how + "); use a copy or open the model itself");
}

/// SQLite's own structure, then the contents against their checksum.
Status checkContents(Database& db, const std::string& path) {
    std::string structure;
    const Status readable = db.query("PRAGMA quick_check(1)", {}, [&](const Database::Row& row) { return structure = row.text(0), Status::ok(); });
    if (!readable.isOk()) return damaged(path, readable.message());
    if (structure != "ok") return damaged(path, structure);
    std::string stored;
    const Status asked = db.query("SELECT value FROM meta WHERE key=?", {std::string(kChecksumKey)}, [&](const Database::Row& row) { return stored = row.text(0), Status::ok(); });
    const auto actual = checksumOf(db);
    if (!asked.isOk() || !actual) return damaged(path, asked.isOk() ? actual.status().message() : asked.message());
    return *actual == stored ? Status::ok() : damaged(path, "its contents differ from their checksum");
}

Status writeLayers(Database& db, int build, const Profile& profile) {
    for (const LayerProfile& l : profile.layers) {
        const std::string nodes = Json(l.provenance).dump(), times = layerTimesJson(l).dump();
        const CounterValues c = l.counters.value_or(CounterValues{-1, -1, -1});
        STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO layer_profiles VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                          {build, l.layer, l.name, l.op, l.tactic, l.precision, l.outputShape, nodes, l.milliseconds.median, l.share, l.flops, l.bytes, times, c.cycles, c.instructions,
                                           c.cacheMisses}));
    }
    return Status::ok();
}

Status writeBuild(Database& db, const Build& build) {
    STROBE_ASSIGN(const std::vector<uint8_t> engine, build.engine->serialize());
    const std::string config = serializeConfig(build.settings.builder), fused = build.report.fused ? serializeStructure(*build.report.fused) : std::string();
    const std::string extra = toJson(build.settings).dump(), report = toJson(build.report).dump(), profile = build.profile ? toJson(*build.profile).dump() : std::string();
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO builds VALUES(?,?,?,?,?,?,?,?,?)",
                                      {build.id, build.name, build.createdAt, Database::Value::blob(config), extra,
                                       Database::Value::blob({reinterpret_cast<const char*>(engine.data()), engine.size()}), Database::Value::blob(fused), report, profile}));
    return build.profile ? writeLayers(db, build.id, *build.profile) : Status::ok();
}

Status writeAll(Database& db, const SessionSnapshot& snapshot) {
    STROBE_RETURN_IF_ERROR(db.execute("BEGIN"));
    for (const char* sql : kSchema) STROBE_RETURN_IF_ERROR(db.execute(sql));
    STROBE_RETURN_IF_ERROR(db.execute("PRAGMA user_version = " + std::to_string(kVersion)));
    const std::string path = snapshot.model ? std::filesystem::absolute(snapshot.model->path).string() : std::string();
    const std::string hash = snapshot.model ? snapshot.model->hash : std::string();
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO meta VALUES('model_path', ?), ('model_hash', ?)", {path, hash}));
    const std::string config = serializeConfig(snapshot.settings.builder), extra = toJson(snapshot.settings).dump();
    STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO settings VALUES(?,?)", {Database::Value::blob(config), extra}));
    for (const auto& build : snapshot.builds) STROBE_RETURN_IF_ERROR(writeBuild(db, *build));
    for (const auto& c : snapshot.comparisons) {
        const std::string accuracy = toJson(*c->accuracy).dump();
        STROBE_RETURN_IF_ERROR(db.execute("INSERT INTO comparisons VALUES(?,?,?,?)", {c->id, c->a, c->b, accuracy}));
    }
    STROBE_ASSIGN(const std::string checksum, checksumOf(db));
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
    return makeModel(found, std::move(*imported), cancel);
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

Status readBuild(Database& db, const Database::Row& row, const std::string& path, const KernelRegistry& kernels, SessionSnapshot& snapshot) {
    auto build = std::make_shared<Build>();
    build->id = static_cast<int>(row.integer(0));
    build->name = row.text(1);
    build->createdAt = row.text(2);
    STROBE_ASSIGN(build->settings.builder, parseConfig(row.text(3)));
    settingsFrom(Json::parse(row.text(4)), build->settings);
    const auto bytes = std::make_shared<std::string>(row.text(5));
    build->engineBytes = bytes->size();
    // Weights are used in place and want their alignment, which a std::string does not promise.
    auto [aligned, data] = allocateWeights(DataType::UInt8, {static_cast<int64_t>(bytes->size())});
    std::memcpy(data, bytes->data(), bytes->size());
    const std::span<const uint8_t> view(static_cast<const uint8_t*>(data), bytes->size());
    STROBE_ASSIGN(build->engine, Engine::loadBytes(aligned->data, view, path + ": build '" + build->name + "'", kernels));
    build->report = reportFrom(Json::parse(row.text(7)));
    if (const std::string fused = row.text(6); !fused.empty()) {
        STROBE_ASSIGN(Network network, parseStructure(fused));
        build->report.fused = std::make_shared<const Network>(std::move(network));
    }
    if (const std::string text = row.text(8); !text.empty()) {
        Profile profile = profileFrom(Json::parse(text));
        STROBE_RETURN_IF_ERROR(readLayers(db, build->id, profile));
        if (profile.layers.size() != build->engine->graph().layers.size()) return invalidModel(path + ": the layer times of build '" + build->name + "' are incomplete");
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
    comparison->accuracy = std::make_shared<const AccuracyReport>(accuracyFrom(Json::parse(row.text(3))));
    std::shared_ptr<const Build> a, b;
    for (const auto& build : snapshot.builds) {
        if (build->id == comparison->a) a = build;
        if (build->id == comparison->b) b = build;
    }
    if (!a || !b) return invalidModel("a comparison names builds that the document does not hold");
    comparison->rows = alignBuilds(*a, *b, comparison->accuracy.get());
    snapshot.comparisons.push_back(std::move(comparison));
    return Status::ok();
}

Status readAll(Database& db, const std::string& path, const KernelRegistry& kernels, const CancelToken& cancel, SessionSnapshot& snapshot) {
    int version = 0;
    STROBE_RETURN_IF_ERROR(db.query("PRAGMA user_version", {}, [&](const Database::Row& row) { return version = static_cast<int>(row.integer(0)), Status::ok(); }));
    if (version > kVersion) return unsupported(path + ": document version " + std::to_string(version) + " found, this program reads up to " + std::to_string(kVersion) + "; update Strobe");
    if (version < 1) return invalidModel(path + ": is not a Strobe session");
    if (version > 1) STROBE_RETURN_IF_ERROR(checkContents(db, path));
    std::string modelPath, modelHash;
    STROBE_RETURN_IF_ERROR(db.query("SELECT key, value FROM meta", {}, [&](const Database::Row& row) {
        if (row.text(0) == "model_path") modelPath = row.text(1);
        if (row.text(0) == "model_hash") modelHash = row.text(1);
        return Status::ok();
    }));
    if (!modelPath.empty()) {
        STROBE_ASSIGN(snapshot.model, loadModel(modelPath, modelHash, path, cancel));
    }
    STROBE_RETURN_IF_ERROR(db.query("SELECT config, extra FROM settings", {}, [&](const Database::Row& row) -> Status {
        STROBE_ASSIGN(snapshot.settings.builder, parseConfig(row.text(0)));
        settingsFrom(Json::parse(row.text(1)), snapshot.settings);
        return Status::ok();
    }));
    STROBE_RETURN_IF_ERROR(db.query("SELECT id,name,created_at,config,extra,engine,fused,report,profile FROM builds ORDER BY id", {},
                                    [&](const Database::Row& row) { return readBuild(db, row, path, kernels, snapshot); }));
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

Status saveDocument(const std::string& path, const SessionSnapshot& snapshot) {
    const std::string temporary = path + ".tmp" + std::to_string(::getpid());
    std::remove(temporary.c_str());
    Status status;
    {
        auto db = Database::create(temporary);
        status = db ? writeAll(*db, snapshot) : db.status();
    }
    if (status.isOk() && std::rename(temporary.c_str(), path.c_str()) != 0) status = ioError(path + ": cannot be replaced");
    if (!status.isOk()) {
        std::remove(temporary.c_str());
        return Status(status.code(), path + ": the session cannot be saved (" + status.message() + "); choose a writable folder");
    }
    return Status::ok();
}

Result<SessionSnapshot> loadDocument(const std::string& path, const KernelRegistry& kernels, const CancelToken& cancel) {
    // Says "no such file", "is a directory" better than SQLite does.
    STROBE_ASSIGN(const std::shared_ptr<const MappedFile> file, MappedFile::open(path, 0));
    STROBE_ASSIGN(Database db, Database::openReadOnly(path));
    STROBE_RETURN_IF_ERROR(checkWhole(db, path, file->bytes().size()));
    SessionSnapshot snapshot;
    try {
        STROBE_RETURN_IF_ERROR(readAll(db, path, kernels, cancel, snapshot));
    } catch (const Json::exception& error) {
        return damaged(path, error.what());
    }
    return snapshot;
}

}  // namespace strobe
