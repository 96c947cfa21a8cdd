#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"

namespace strobe {

/// A file that is written under a temporary name beside its place and put there by commit(), so that a failure leaves the old file whole
/// and nothing else. Errors: IoError with path, step and reason; Cancelled. One thread.
class AtomicFile {
public:
    explicit AtomicFile(std::string path);
    ~AtomicFile();  // without commit(): the temporary goes
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Where the bytes are until commit(); others may write them there (SQLite) instead of append().
    const std::string& temporaryPath() const { return m_temporary; }
    Status append(std::span<const uint8_t> bytes, const CancelToken* cancel = nullptr);
    /// Waits until the disk has all, then takes the place of the old file.
    Status commit(const CancelToken* cancel = nullptr);

private:
    Status open();
    Status flush(uint64_t end, const CancelToken* cancel);
    Status failed(const char* step) const;
    std::string m_path, m_temporary;
    int m_descriptor = -1;
    uint64_t m_written = 0, m_flushed = 0;
    bool m_committed = false;
};

/// All at once.
Status writeFileAtomically(const std::string& path, std::span<const uint8_t> bytes, const CancelToken* cancel = nullptr);
/// Whether a file could be written there now, tried with a temporary one that is gone again; an existing file is not touched.
/// IoError with the reason.
Status checkWritable(const std::string& path);

/// Bytes of a path that are no UTF-8 as \xNN, so that a message is always valid text.
std::string displayPath(const std::string& path);
/// What to do about a ~, or nothing: a shell puts a home folder there at the beginning of a word only, not in --onnx=~/model.onnx.
std::string tildeHelp(const std::string& path);

}  // namespace strobe
