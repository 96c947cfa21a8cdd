#include "sessions/document_format.h"

namespace strobe {
namespace {

constexpr const char* kSchema[] = {
    "CREATE TABLE meta(key TEXT, value TEXT)",
    "CREATE TABLE settings(config BLOB, extra TEXT)",
    "CREATE TABLE builds(id INTEGER PRIMARY KEY, name TEXT, created_at TEXT, config BLOB, extra TEXT, engine_bytes INTEGER, fused BLOB, report TEXT, profile TEXT)",
    "CREATE TABLE engines(build INTEGER, bytes BLOB)",
    ("CREATE TABLE layer_profiles(build INTEGER, layer INTEGER, name TEXT, op TEXT, tactic TEXT, precision TEXT, shape TEXT, nodes TEXT, median_ms REAL, share REAL, flops REAL, bytes REAL, "
     "milliseconds TEXT, cycles REAL, instructions REAL, cache_misses REAL)"),
    "CREATE TABLE comparisons(id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, accuracy TEXT)",
};

struct Table {
    const char* name;
    const char* columns;
    int blob = -1;  // the column whose place holds only a length: the value is read piece by piece
};
const std::vector<Table>& tablesOf(int version) {
    static const std::vector<Table> second = {
        {"meta", "*"}, {"settings", "*"}, {"builds", "id,name,created_at,config,extra,length(engine),fused,report,profile", 5}, {"layer_profiles", "*"}, {"comparisons", "*"}};
    static const std::vector<Table> third = {{"meta", "*"}, {"settings", "*"}, {"builds", "*"}, {"engines", "*"}, {"layer_profiles", "*"}, {"comparisons", "*"}};
    return version == 2 ? second : third;
}

Status addEngine(Database& db, const Database::Row& row, int column, StreamHash& hash) {
    const std::string head = "4:" + std::to_string(row.integer(column)) + ":";  // 4: SQLite's number of the type
    hash.update(head.data(), head.size());
    return db.readBlob("builds", "engine", row.integer(0), [&](std::span<const uint8_t> bytes) { return hash.update(bytes.data(), bytes.size()), Status::ok(); });
}

Status addTable(Database& db, const Table& table, StreamHash& hash, const CancelToken& cancel) {
    const std::string name = table.name;
    const auto add = [&](const Database::Row& row) {
        if (name == "meta" && row.text(0) == kChecksumKey) return Status::ok();
        hash.update(name.data(), name.size());
        for (int c = 0; c < row.columns(); ++c) STROBE_RETURN_IF_ERROR(c == table.blob ? addEngine(db, row, c, hash) : row.addTo(hash, c, cancel));
        return Status::ok();
    };
    return db.query("SELECT " + std::string(table.columns) + " FROM " + name + " ORDER BY rowid", {}, add);
}

/// Keys of `meta` that version 1 had.
bool isOfFirstVersion(const std::string& key) { return key == "model_path" || key == "model_hash"; }

Status compareChecksum(Database& db, const std::string& path, int version, const std::string& stored, const CancelToken& cancel) {
    const auto actual = documentChecksum(db, version, cancel);
    if (actual) return *actual == stored ? Status::ok() : damagedDocument(path, "its contents differ from their checksum");
    const ErrorCode code = actual.status().code();
    return code == ErrorCode::Cancelled || code == ErrorCode::OutOfMemory ? actual.status() : damagedDocument(path, actual.status().message());
}

}  // namespace

Status createDocumentTables(Database& db) {
    for (const char* sql : kSchema) STROBE_RETURN_IF_ERROR(db.execute(sql));
    return db.execute("PRAGMA user_version = " + std::to_string(kDocumentVersion));
}

Result<std::string> documentChecksum(Database& db, int version, const CancelToken& cancel) {
    StreamHash hash;
    // The version is a part of what is checked since it decides how.
    const std::string start = version > 2 ? "strobe session " + std::to_string(version) : std::string();
    hash.update(start.data(), start.size());
    for (const Table& table : tablesOf(version)) STROBE_RETURN_IF_ERROR(addTable(db, table, hash, cancel));
    return hashText(hash.digest());
}

Result<int> checkDocument(Database& db, const std::string& path, const CancelToken& cancel) {
    int version = 0;
    STROBE_RETURN_IF_ERROR(db.query("PRAGMA user_version", {}, [&](const Database::Row& row) { return version = static_cast<int>(row.integer(0)), Status::ok(); }));
    if (version > kDocumentVersion)
        return unsupported(path + ": document version " + std::to_string(version) + " found, this program reads up to " + std::to_string(kDocumentVersion) + "; update Strobe");
    if (version < 1) return invalidModel(path + ": is not a Strobe session");
    std::string stored;
    bool hasNewer = false;
    const Status asked = db.query("SELECT key, value FROM meta", {}, [&](const Database::Row& row) {
        if (row.text(0) == kChecksumKey) stored = row.text(1);
        hasNewer = hasNewer || !isOfFirstVersion(row.text(0));
        return Status::ok();
    });
    if (asked.code() == ErrorCode::Cancelled) return asked;
    if (!asked.isOk()) return damagedDocument(path, asked.message());
    if (version > 1) STROBE_RETURN_IF_ERROR(compareChecksum(db, path, version, stored, cancel));
    if (version == 1 && hasNewer) return damagedDocument(path, "it states version 1 and holds what only newer versions do");
    return version;
}

Status damagedDocument(const std::string& path, const std::string& how) {
    return invalidModel(path + ": the session is damaged (" + how + "); use a copy or open the model itself");
}

}  // namespace strobe
