#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"
#include "engine_core/base/stream_hash.h"

struct sqlite3;
struct sqlite3_stmt;

namespace strobe {

/// A thin owner of one SQLite connection; errors carry the file's path. Statements end with Cancelled soon after `cancel`. One thread at a
/// time.
class Database {
public:
    static Result<Database> create(const std::string& path, const CancelToken& cancel = {});
    static Result<Database> openReadOnly(const std::string& path, const CancelToken& cancel = {});
    ~Database();
    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;

    /// One bound value: integer, real, text or blob.
    struct Value {
        enum class Kind : uint8_t { Integer, Real, Text, Blob } kind;
        int64_t integer = 0;
        double real = 0;
        std::string_view bytes;
        Value(int64_t v) : kind(Kind::Integer), integer(v) {}
        Value(int v) : kind(Kind::Integer), integer(v) {}
        Value(double v) : kind(Kind::Real), real(v) {}
        Value(const std::string& v) : kind(Kind::Text), bytes(v) {}
        static Value blob(std::string_view v) {
            Value value(0);
            value.kind = Kind::Blob;
            value.bytes = v;
            return value;
        }
    };
    /// The current row of a query.
    class Row {
    public:
        explicit Row(sqlite3_stmt* statement) : m_statement(statement) {}
        int64_t integer(int column) const;
        double real(int column) const;
        std::string text(int column) const;  // also for blobs
        /// Of text or a blob, where SQLite has them; until the next row. OutOfMemory when it has no room for them.
        Result<std::string_view> bytes(int column) const;
        /// The column's type, its length and its bytes: equal only for equal values. Errors as bytes(); Cancelled.
        Status addTo(StreamHash& hash, int column, const CancelToken& cancel) const;
        int columns() const;

    private:
        sqlite3_stmt* m_statement;
    };

    Status execute(const std::string& sql, const std::vector<Value>& values = {});
    /// Calls `each` for every row until it fails.
    Status query(const std::string& sql, const std::vector<Value>& values, const std::function<Status(const Row&)>& each);
    /// Hands a blob to `each` piece by piece, without having it in memory as a whole.
    Status readBlob(const char* table, const char* column, int64_t rowId, const std::function<Status(std::span<const uint8_t>)>& each);

private:
    Database(sqlite3* handle, std::string path, const CancelToken& cancel) : m_handle(handle), m_path(std::move(path)), m_cancel(std::make_unique<CancelToken>(cancel)) {}
    static Result<Database> open(const std::string& path, int flags, const CancelToken& cancel);
    Status failure(int code) const;
    sqlite3* m_handle;
    std::string m_path;
    std::unique_ptr<CancelToken> m_cancel;  // SQLite holds its address
};

}  // namespace strobe
