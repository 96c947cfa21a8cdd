#pragma once
#include "sessions/session.h"

namespace strobe {

/// A session in one SQLite file (write-ahead log while open): model path and hash, settings, builds with engine bytes, fused structure,
/// pass records, layer profiles, comparisons, and a checksum of them all. Saved to a temporary and renamed over, so a kill leaves the old file or the new one.
/// Errors: IoError naming path and reason; InvalidModel for a damaged file (the checksum finds any change of what it holds); Unsupported for a newer version.
Status saveDocument(const std::string& path, const SessionSnapshot& snapshot);
/// The model file is imported again from its path; when it moved or changed (hash differs) an error says so and names both.
Result<SessionSnapshot> loadDocument(const std::string& path, const KernelRegistry& kernels, const CancelToken& cancel = {});

}  // namespace strobe
