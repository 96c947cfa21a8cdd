#pragma once
#include "sessions/session.h"

namespace strobe {

/// Weights whose values are gone, since they lay in a model file that was mapped and has changed.
struct LostWeights {
    std::vector<std::span<const uint8_t>> ranges;  // of memory
    std::string reason;                            // what happened and what can be done
    bool holds(const Weights& weights) const;
};

/// A session in one SQLite file: model path, size and hash, settings, builds with their engines, fused structure, pass records, layer
/// profiles, comparisons, and a checksum of them all (document_format.h). Saved to a temporary and renamed over, so a kill leaves the old file
/// or the new one. Builds that hold `lost` weights are stored with zeros for them and with the reason (Build::weightsLost).
/// Errors: IoError naming path and reason; OutOfMemory; Cancelled.
Status saveDocument(const std::string& path, const SessionSnapshot& snapshot, const LostWeights& lost = {}, const CancelToken& cancel = {});
/// The model file is imported again from its path; when it moved or changed (hash differs) an error says so and names both.
/// Errors as above; InvalidModel for a damaged file (the checksum finds any change of what it holds); Unsupported for a newer version.
Result<SessionSnapshot> loadDocument(const std::string& path, const KernelRegistry& kernels, const CancelToken& cancel = {});

}  // namespace strobe
