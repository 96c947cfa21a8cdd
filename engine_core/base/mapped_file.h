#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine_core/base/status.h"

namespace strobe {

/// A regular file mapped read-only for as long as the object lives. Pages are private copies: writes by others may or may not show.
class MappedFile {
public:
    /// Errors: NotFound, IoError (directory, device, FIFO, unreadable), each with path and reason.
    static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const uint8_t> bytes() const { return {m_data, m_size}; }
    const std::string& path() const { return m_path; }

private:
    MappedFile() = default;
    const uint8_t* m_data = nullptr;
    size_t m_size = 0;
    std::string m_path;
};

/// Writes `bytes` to a temporary beside `path` and renames it over, so that a failure leaves the old file whole.
Status writeFileAtomically(const std::string& path, std::span<const uint8_t> bytes);

}  // namespace strobe
