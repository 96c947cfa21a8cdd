#include "engine_core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/nearest_name.h"

namespace strobe {
namespace {

/// "; did you mean 'model.onnx'?" for a file that is not there, or nothing. A folder of very many files is looked at in part.
std::string nearestFile(const std::string& path) {
    std::error_code error;
    const std::filesystem::path wanted(path);
    std::vector<std::string> names;
    const std::filesystem::path folder = wanted.has_parent_path() ? wanted.parent_path() : std::filesystem::path(".");
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end && names.size() < 5000; entry.increment(error))
        names.push_back(entry->path().filename().string());
    std::sort(names.begin(), names.end());
    const std::string nearest = nearestName(wanted.filename().string(), {names.begin(), names.end()}, 4);
    return nearest.empty() ? "" : "; did you mean '" + displayPath((wanted.parent_path() / nearest).string()) + "'?";
}

struct Descriptor {
    int fd = -1;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

MappedFile::Stamp MappedFile::stampOf(const struct stat& info) {
    return {info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size), info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path, uint64_t mostReadBytes, const CancelToken* cancel) {
    const std::string shown = displayPath(path);
    // O_NONBLOCK: a FIFO must be refused, not waited for.
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.fd < 0) {
        const std::string reason = std::strerror(errno);
        if (errno == ENOENT) return notFound(shown + ": no such file; check the path" + tildeHelp(path) + nearestFile(path));
        return ioError(shown + ": cannot be opened: " + reason);
    }
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) return ioError(shown + ": " + std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return ioError(shown + ": is not a regular file; give the path of a file");
    auto opened = std::shared_ptr<MappedFile>(new MappedFile);
    opened->m_path = path;
    opened->m_stamp = stampOf(info);
    opened->m_size = static_cast<size_t>(info.st_size);
    if (opened->m_size > 0)
        if (const Status status = opened->m_size <= mostReadBytes ? opened->readFrom(file.fd, cancel) : opened->map(file.fd); !status.isOk()) return status.withContext(shown);
    return std::shared_ptr<const MappedFile>(std::move(opened));
}

Status MappedFile::readFrom(int descriptor, const CancelToken* cancel) {
    void* data = ::mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return Status(ErrorCode::OutOfMemory, "its " + std::to_string(m_size) + " bytes do not fit into memory");
    m_data = static_cast<const uint8_t*>(data);
    static_cast<void>(::madvise(data, m_size, MADV_HUGEPAGE));  // only advice: fewer pages to make
    for (size_t done = 0; done < m_size;) {
        if (isCancelled(cancel)) return cancelled();
        const ssize_t got = ::read(descriptor, static_cast<uint8_t*>(data) + done, std::min(m_size - done, kBytesPerPoll));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ioError(std::string("cannot be read: ") + std::strerror(errno));
        if (got == 0) return ioError("was cut short while it was read; open it again");
        done += static_cast<size_t>(got);
    }
    return Status::ok();
}

Status MappedFile::map(int descriptor) {
    void* data = ::mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) return ioError(std::string("cannot be mapped: ") + std::strerror(errno));
    m_data = static_cast<const uint8_t*>(data);
    m_guard = std::make_unique<MappingGuard>(data, m_size);
    return Status::ok();
}

Status MappedFile::checkUnchanged() const {
    struct stat now {};
    if (!m_guard) return Status::ok();
    const Stamp stamp = ::stat(m_path.c_str(), &now) == 0 ? stampOf(now) : m_stamp;
    if (stamp.device == m_stamp.device && stamp.inode == m_stamp.inode && !(stamp == m_stamp))
        return ioError(displayPath(m_path) + ": the file was changed while it was in use (" + std::to_string(m_stamp.bytes) + " bytes when it was opened, " +
                       std::to_string(stamp.bytes) + " now); open it again");
    if (m_guard->wasHit())
        return ioError(displayPath(m_path) + ": a part of the file could not be read any more: it was cut short, or its disk failed; restore it and open it again");
    return Status::ok();
}

MappedFile::~MappedFile() {
    m_guard.reset();
    if (m_data) ::munmap(const_cast<uint8_t*>(m_data), m_size);
}

}  // namespace strobe
