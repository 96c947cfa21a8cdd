#include "sessions/database.h"

#include <sqlite3.h>

#include <bit>

namespace strobe {

Result<Database> Database::open(const std::string& path, int flags, const CancelToken& cancel) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    Database database(handle, path, cancel);
    if (code != SQLITE_OK) return ioError(path + ": cannot be opened: " + (handle ? sqlite3_errmsg(handle) : "out of memory"));
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 2000);
    constexpr int kInstructionsPerPoll = 10000;
    sqlite3_progress_handler(handle, kInstructionsPerPoll, [](void* token) { return static_cast<const CancelToken*>(token)->isCancelled() ? 1 : 0; }, database.m_cancel.get());
    return database;
}

Result<Database> Database::create(const std::string& path, const CancelToken& cancel) { return open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, cancel); }
Result<Database> Database::openReadOnly(const std::string& path, const CancelToken& cancel) { return open(path, SQLITE_OPEN_READONLY, cancel); }

Database::~Database() { sqlite3_close_v2(m_handle); }
Database::Database(Database&& other) noexcept : m_handle(other.m_handle), m_path(std::move(other.m_path)), m_cancel(std::move(other.m_cancel)) { other.m_handle = nullptr; }
Database& Database::operator=(Database&& other) noexcept {
    std::swap(m_handle, other.m_handle);
    std::swap(m_path, other.m_path);
    std::swap(m_cancel, other.m_cancel);
    return *this;
}

int64_t Database::Row::integer(int column) const { return sqlite3_column_int64(m_statement, column); }
double Database::Row::real(int column) const { return sqlite3_column_double(m_statement, column); }
std::string Database::Row::text(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
    return data ? std::string(data, static_cast<size_t>(sqlite3_column_bytes(m_statement, column))) : std::string();
}

Result<std::string_view> Database::Row::bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
    const auto count = static_cast<size_t>(sqlite3_column_bytes(m_statement, column));
    if (!data && sqlite3_errcode(sqlite3_db_handle(m_statement)) == SQLITE_NOMEM) return Status(ErrorCode::OutOfMemory, "a value does not fit into memory");
    return data ? std::string_view(data, count) : std::string_view();
}

int Database::Row::columns() const { return sqlite3_column_count(m_statement); }

Status Database::Row::addTo(StreamHash& hash, int column, const CancelToken& cancel) const {
    const int type = sqlite3_column_type(m_statement, column);
    char number[8];
    std::string_view value;
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        const uint64_t bits = type == SQLITE_INTEGER ? static_cast<uint64_t>(integer(column)) : std::bit_cast<uint64_t>(real(column));
        for (int b = 0; b < 8; ++b) number[b] = static_cast<char>(bits >> (8 * b) & 255u);
        value = {number, sizeof number};
    } else if (type != SQLITE_NULL) {
        STROBE_ASSIGN(value, bytes(column));
    }
    const std::string head = std::to_string(type) + ":" + std::to_string(value.size()) + ":";
    hash.update(head.data(), head.size());
    return hash.update({reinterpret_cast<const uint8_t*>(value.data()), value.size()}, &cancel) ? Status::ok() : cancelled();
}

Status Database::failure(int code) const {
    if (code == SQLITE_INTERRUPT && m_cancel->isCancelled()) return cancelled();
    const int kind = code & 0xff;  // without what extends it
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
        return invalidModel(m_path + ": the document is damaged (" + sqlite3_errmsg(m_handle) +
                            "); take a copy of it, or open the model and build anew");
    return Status(code == SQLITE_NOMEM ? ErrorCode::OutOfMemory : ErrorCode::IoError, m_path + ": " + sqlite3_errmsg(m_handle));
}

Status Database::execute(const std::string& sql, const std::vector<Value>& values) {
    return query(sql, values, [](const Row&) { return Status::ok(); });
}

Status Database::query(const std::string& sql, const std::vector<Value>& values, const std::function<Status(const Row&)>& each) {
    if (m_cancel->isCancelled()) return cancelled();
    sqlite3_stmt* statement = nullptr;
    if (const int code = sqlite3_prepare_v2(m_handle, sql.c_str(), -1, &statement, nullptr); code != SQLITE_OK) return failure(code);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(statement, sqlite3_finalize);
    for (size_t i = 0; i < values.size(); ++i) {
        const Value& v = values[i];
        const int at = static_cast<int>(i) + 1;
        int code = SQLITE_OK;
        switch (v.kind) {
            case Value::Kind::Integer: code = sqlite3_bind_int64(statement, at, v.integer); break;
            case Value::Kind::Real: code = sqlite3_bind_double(statement, at, v.real); break;
            case Value::Kind::Text: code = sqlite3_bind_text64(statement, at, v.bytes.data(), v.bytes.size(), SQLITE_STATIC, SQLITE_UTF8); break;
            case Value::Kind::Blob: code = sqlite3_bind_blob64(statement, at, v.bytes.data(), v.bytes.size(), SQLITE_STATIC); break;
        }
        if (code != SQLITE_OK) return failure(code);
    }
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (m_cancel->isCancelled()) return cancelled();
        STROBE_RETURN_IF_ERROR(each(Row(statement)));
    }
    return code == SQLITE_DONE ? Status::ok() : failure(code);
}

Status Database::readBlob(const char* table, const char* column, int64_t rowId, const std::function<Status(std::span<const uint8_t>)>& each) {
    sqlite3_blob* blob = nullptr;
    if (const int code = sqlite3_blob_open(m_handle, "main", table, column, rowId, 0, &blob); code != SQLITE_OK) return failure(code);
    const std::unique_ptr<sqlite3_blob, int (*)(sqlite3_blob*)> owner(blob, sqlite3_blob_close);
    const auto total = static_cast<size_t>(sqlite3_blob_bytes(blob));
    std::vector<uint8_t> piece(std::min(total, kBytesPerPoll));
    for (size_t done = 0; done < total; done += piece.size()) {
        if (m_cancel->isCancelled()) return cancelled();
        piece.resize(std::min(piece.size(), total - done));
        if (const int code = sqlite3_blob_read(blob, piece.data(), static_cast<int>(piece.size()), static_cast<int>(done)); code != SQLITE_OK) return failure(code);
        STROBE_RETURN_IF_ERROR(each(piece));
    }
    return Status::ok();
}

}  // namespace strobe
