#include "sessions/database.h"

#include <sqlite3.h>

#include <bit>

namespace strobe {

Result<Database> Database::open(const std::string& path, int flags) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    Database database(handle, path);
    if (code != SQLITE_OK) return ioError(path + ": cannot be opened: " + (handle ? sqlite3_errmsg(handle) : "out of memory"));
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 2000);
    return database;
}

Result<Database> Database::create(const std::string& path) { return open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE); }
Result<Database> Database::openReadOnly(const std::string& path) { return open(path, SQLITE_OPEN_READONLY); }

Database::~Database() { sqlite3_close_v2(m_handle); }
Database::Database(Database&& other) noexcept : m_handle(other.m_handle), m_path(std::move(other.m_path)) { other.m_handle = nullptr; }
Database& Database::operator=(Database&& other) noexcept {
    std::swap(m_handle, other.m_handle);
    std::swap(m_path, other.m_path);
    return *this;
}

int64_t Database::Row::integer(int column) const { return sqlite3_column_int64(m_statement, column); }
double Database::Row::real(int column) const { return sqlite3_column_double(m_statement, column); }
std::string Database::Row::text(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
    return data ? std::string(data, static_cast<size_t>(sqlite3_column_bytes(m_statement, column))) : std::string();
}

std::string Database::Row::exactBytes() const {
    std::string bytes;
    for (int c = 0; c < sqlite3_column_count(m_statement); ++c) {
        const int type = sqlite3_column_type(m_statement, c);
        std::string value;
        if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
            const uint64_t bits = type == SQLITE_INTEGER ? static_cast<uint64_t>(integer(c)) : std::bit_cast<uint64_t>(real(c));
            for (int b = 0; b < 64; b += 8) value += static_cast<char>(bits >> b & 255u);
        } else if (type != SQLITE_NULL) {
            value = text(c);
        }
        bytes += std::to_string(type) + ":" + std::to_string(value.size()) + ":" + value;
    }
    return bytes;
}

Status Database::execute(const std::string& sql, const std::vector<Value>& values) {
    return query(sql, values, [](const Row&) { return Status::ok(); });
}

Status Database::query(const std::string& sql, const std::vector<Value>& values, const std::function<Status(const Row&)>& each) {
    const auto failure = [&] { return ioError(m_path + ": " + sqlite3_errmsg(m_handle)); };
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(m_handle, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return failure();
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
        if (code != SQLITE_OK) return failure();
    }
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) STROBE_RETURN_IF_ERROR(each(Row(statement)));
    return code == SQLITE_DONE ? Status::ok() : failure();
}

}  // namespace strobe
