#include "engine_core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "engine_core/base/nearest_name.h"

namespace strobe {
namespace {

/// Non-UTF-8 bytes of a path shown as \xNN so that a message is always valid text.
std::string displayPath(const std::string& path) {
    std::string shown;
    for (size_t i = 0; i < path.size(); ++i) {
        const auto c = static_cast<unsigned char>(path[i]);
        int follow = c < 0x80 ? 0 : (c >> 5) == 6 ? 1 : (c >> 4) == 14 ? 2 : (c >> 3) == 30 ? 3 : -1;
        for (int k = 1; k <= follow; ++k)
            if (i + k >= path.size() || (static_cast<unsigned char>(path[i + k]) >> 6) != 2) follow = -1;
        if (follow < 0) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
            shown += escaped;
        } else {
            shown.append(path, i, static_cast<size_t>(follow) + 1);
            i += static_cast<size_t>(follow);
        }
    }
    return shown;
}

std::string temporaryBeside(const std::string& path) { return path + ".tmp" + std::to_string(::getpid()); }

/// A shell puts a home folder for ~ at the beginning of a word only: not in --onnx=~/model.onnx.
std::string tildeHelp(const std::string& path) { return path.rfind("~/", 0) == 0 ? "; write $HOME for ~" : ""; }

/// Reads errno.
Status cannotBeWritten(const std::string& path, const char* step) {
    const char* remedy = errno == ENOENT ? "; make the folder, or check the path" : "; choose a writable folder";
    return ioError(displayPath(path) + ": cannot be written (" + step + "): " + std::strerror(errno) + remedy + tildeHelp(path));
}

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

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path, uint64_t mostReadBytes) {
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
        if (const Status status = opened->m_size <= mostReadBytes ? opened->readFrom(file.fd) : opened->map(file.fd); !status.isOk()) return status.withContext(shown);
    return std::shared_ptr<const MappedFile>(std::move(opened));
}

Status MappedFile::readFrom(int descriptor) {
    void* data = ::mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (data == MAP_FAILED) return Status(ErrorCode::OutOfMemory, "its " + std::to_string(m_size) + " bytes do not fit into memory");
    m_data = static_cast<const uint8_t*>(data);
    for (size_t done = 0; done < m_size;) {
        const ssize_t got = ::read(descriptor, static_cast<uint8_t*>(data) + done, m_size - done);
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

Status checkWritable(const std::string& path) {
    const std::string temporary = temporaryBeside(path);
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
        return ioError(displayPath(path) + ": cannot be written: it is " + (S_ISDIR(info.st_mode) ? "a folder" : "no regular file") + "; name a file");
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.fd < 0) return cannotBeWritten(path, "create");
    ::unlink(temporary.c_str());
    return Status::ok();
}

Status writeFileAtomically(const std::string& path, std::span<const uint8_t> bytes) {
    const std::string temporary = temporaryBeside(path);
    auto fail = [&](const char* step) {
        const Status status = cannotBeWritten(path, step);
        ::unlink(temporary.c_str());
        return status;
    };
    Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.fd < 0) return fail("create");
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t written = ::write(file.fd, bytes.data() + done, bytes.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return fail("write");
        done += static_cast<size_t>(written);
    }
    if (::fsync(file.fd) != 0) return fail("sync");
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail("rename");
    return Status::ok();
}

}  // namespace strobe
