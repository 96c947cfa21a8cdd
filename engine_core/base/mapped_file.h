#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine_core/base/cancel.h"
#include "engine_core/base/mapping_guard.h"
#include "engine_core/base/status.h"

struct stat;

namespace strobe {

/// The bytes of a regular file, page-aligned, for as long as the object lives.
class MappedFile {
public:
    /// Read into memory of its own up to kMostReadBytes (a model is often exported again over the file that is open here), larger ones
    /// mapped: there, what others write to the file may show, and what they cut off reads as zeros; checkUnchanged tells.
    /// Errors: NotFound, IoError (directory, device, FIFO, unreadable), OutOfMemory, each with path and reason; Cancelled.
    static Result<std::shared_ptr<const MappedFile>> open(const std::string& path, uint64_t mostReadBytes = kMostReadBytes, const CancelToken* cancel = nullptr);
    /// Read whatever the size: stays as it is whatever becomes of the file. Same errors.
    static Result<std::shared_ptr<const MappedFile>> read(const std::string& path, const CancelToken* cancel = nullptr) { return open(path, UINT64_MAX, cancel); }
    static constexpr uint64_t kMostReadBytes = uint64_t{256} << 20;
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const uint8_t> bytes() const { return {m_data, m_size}; }
    const std::string& path() const { return m_path; }
    /// IoError when the mapped file was written to or cut since it was opened (not when another file took its name: the old one is kept).
    Status checkUnchanged() const;

private:
    MappedFile() = default;
    /// Of the file on disk when it was opened.
    struct Stamp {
        uint64_t device = 0, inode = 0, bytes = 0;
        int64_t seconds = 0, nanoseconds = 0;  // last modification
        bool operator==(const Stamp&) const = default;
    };
    static Stamp stampOf(const struct stat& info);
    Status readFrom(int descriptor, const CancelToken* cancel);
    Status map(int descriptor);
    Stamp m_stamp;
    std::unique_ptr<MappingGuard> m_guard;  // null: memory of its own
    const uint8_t* m_data = nullptr;
    size_t m_size = 0;
    std::string m_path;
};

}  // namespace strobe
