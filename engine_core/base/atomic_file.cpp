#include "engine_core/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "engine_core/base/utf8.h"

namespace strobe {
namespace {

/// The last close of a removed file gives its pages back, which may wait for those that the disk just writes: a cancelled job of a large
/// file does not wait for that.
void closeRemoved(int descriptor) {
    constexpr off_t kQuickBytes = off_t{16} << 20;
    struct stat info {};
    if (::fstat(descriptor, &info) == 0 && info.st_size <= kQuickBytes) {
        ::close(descriptor);
        return;
    }
    try {
        std::thread([descriptor] { ::close(descriptor); }).detach();
    } catch (...) {  // no memory or no thread for it
        ::close(descriptor);
    }
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : m_path(std::move(path)), m_temporary(m_path + ".tmp" + std::to_string(::getpid())) {
    ::unlink(m_temporary.c_str());
}

AtomicFile::~AtomicFile() {
    if (m_committed) {
        ::close(m_descriptor);
        return;
    }
    if (m_descriptor < 0) m_descriptor = ::open(m_temporary.c_str(), O_RDONLY | O_CLOEXEC);  // written by others
    ::unlink(m_temporary.c_str());
    if (m_descriptor >= 0) closeRemoved(m_descriptor);
}

/// Reads errno.
Status AtomicFile::failed(const char* step) const {
    const int reason = errno;
    const char* remedy = reason == ENOENT ? "; make the folder, or check the path" : "; choose a writable folder";
    return ioError(displayPath(m_path) + ": cannot be written (" + step + "): " + std::strerror(reason) + remedy + tildeHelp(m_path));
}

Status AtomicFile::open() {
    if (m_descriptor >= 0) return Status::ok();
    m_descriptor = ::open(m_temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat info {};
    if (m_descriptor < 0 || ::fstat(m_descriptor, &info) != 0) return failed("create");
    m_written = static_cast<uint64_t>(info.st_size);
    return Status::ok();
}

Status AtomicFile::append(std::span<const uint8_t> bytes, const CancelToken* cancel) {
    STROBE_RETURN_IF_ERROR(open());
    for (size_t done = 0; done < bytes.size();) {
        if (isCancelled(cancel)) return cancelled();
        const ssize_t written = ::pwrite(m_descriptor, bytes.data() + done, std::min(bytes.size() - done, kBytesPerPoll), static_cast<off_t>(m_written));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return failed("write");
        done += static_cast<size_t>(written);
        m_written += static_cast<uint64_t>(written);
        // The disk is kept busy, and never so far behind that the last wait would be long.
        if (m_written - m_flushed >= 4 * kBytesPerPoll) STROBE_RETURN_IF_ERROR(flush(m_written - 2 * kBytesPerPoll, cancel));
    }
    return Status::ok();
}

/// Waits until the disk has what lies before `end`, piece by piece. Where the file system cannot do that, the last sync does it all.
Status AtomicFile::flush(uint64_t end, const CancelToken* cancel) {
    while (m_flushed < end) {
        if (isCancelled(cancel)) return cancelled();
        const uint64_t count = std::min<uint64_t>(end - m_flushed, kBytesPerPoll);
        static_cast<void>(::sync_file_range(m_descriptor, static_cast<off_t>(m_flushed), static_cast<off_t>(count),
                                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
        m_flushed += count;
    }
    return Status::ok();
}

Status AtomicFile::commit(const CancelToken* cancel) {
    STROBE_RETURN_IF_ERROR(open());
    STROBE_RETURN_IF_ERROR(flush(m_written, cancel));
    if (::fsync(m_descriptor) != 0) return failed("sync");
    if (isCancelled(cancel)) return cancelled();
    if (::rename(m_temporary.c_str(), m_path.c_str()) != 0) return failed("rename");
    m_committed = true;
    return Status::ok();
}

Status writeFileAtomically(const std::string& path, std::span<const uint8_t> bytes, const CancelToken* cancel) {
    AtomicFile file(path);
    STROBE_RETURN_IF_ERROR(file.append(bytes, cancel));
    return file.commit(cancel);
}

Status checkWritable(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
        return ioError(displayPath(path) + ": cannot be written: it is " + (S_ISDIR(info.st_mode) ? "a folder" : "no regular file") + "; name a file");
    return AtomicFile(path).append({});
}

std::string tildeHelp(const std::string& path) { return path.rfind("~/", 0) == 0 ? "; write $HOME for ~" : ""; }

std::string displayPath(const std::string& path) {
    std::string shown;
    for (size_t at = 0; at < path.size();) {
        const size_t length = utf8Length(path, at);
        if (length > 0) {
            shown.append(path, at, length);
        } else {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(path[at]));
            shown += escaped;
        }
        at += std::max<size_t>(length, 1);
    }
    return shown;
}

}  // namespace strobe
