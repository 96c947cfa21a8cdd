#pragma once
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace strobe {

enum class ErrorCode {
    Ok,
    InvalidArgument,  // the user asked for something that has no meaning
    InvalidModel,     // the file breaks its format's rules
    Unsupported,      // valid, but Strobe has no way to do it
    NotFound,
    IoError,
    OutOfRange,  // outside the profile, outside an index
    OutOfMemory,
    Cancelled,
    Internal,  // our own mistake
};

const char* errorCodeName(ErrorCode code);

/// Outcome of a call that can fail. The message names file, node or tensor, the value found, the value allowed and what to do.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(ErrorCode code, std::string message) : m_code(code), m_message(std::move(message)) {}
    static Status ok() { return {}; }

    bool isOk() const { return m_code == ErrorCode::Ok; }
    explicit operator bool() const { return isOk(); }
    ErrorCode code() const { return m_code; }
    const std::string& message() const { return m_message; }
    /// The same error with "context: " before its message, as it is handed upwards.
    Status withContext(const std::string& context) const {
        return isOk() ? *this : Status(m_code, context + ": " + m_message);
    }

private:
    ErrorCode m_code = ErrorCode::Ok;
    std::string m_message;
};

Status invalidArgument(std::string message);
Status invalidModel(std::string message);
Status unsupported(std::string message);
Status notFound(std::string message);
Status ioError(std::string message);
Status outOfRange(std::string message);
Status cancelled();
Status internalError(std::string message);

/// A value or the Status that says why there is none. value() requires hasValue().
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : m_value(std::in_place_index<0>, std::move(value)) {}
    Result(Status error) : m_value(std::in_place_index<1>, std::move(error)) {}

    bool hasValue() const { return m_value.index() == 0; }
    explicit operator bool() const { return hasValue(); }
    T& value() & { return std::get<0>(m_value); }
    const T& value() const& { return std::get<0>(m_value); }
    T&& value() && { return std::get<0>(std::move(m_value)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    Status status() const { return hasValue() ? Status() : std::get<1>(m_value); }

private:
    std::variant<T, Status> m_value;
};

#define STROBE_CONCAT_IMPL(a, b) a##b
#define STROBE_CONCAT(a, b) STROBE_CONCAT_IMPL(a, b)
/// Returns the error from the enclosing function when `expr` (a Status) failed.
#define STROBE_RETURN_IF_ERROR(expr)                                      \
    do {                                                                  \
        ::strobe::Status strobeStatus_ = (expr);                          \
        if (!strobeStatus_.isOk()) return strobeStatus_;                  \
    } while (false)
/// STROBE_ASSIGN(auto x, call()): x becomes the value of a Result, or the enclosing function returns its error.
#define STROBE_ASSIGN(lhs, expr) STROBE_ASSIGN_IMPL(STROBE_CONCAT(strobeResult_, __LINE__), lhs, expr)
#define STROBE_ASSIGN_IMPL(tmp, lhs, expr)   \
    auto tmp = (expr);                       \
    if (!tmp.hasValue()) return tmp.status(); \
    lhs = std::move(tmp).value()

}  // namespace strobe
