#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"

namespace strobe {

/// What a file may hold at its top: a whole model, or one tensor (test data).
enum class WireRoot { Model, Tensor };

/// Limits that keep a hostile file from costing more than it weighs.
inline constexpr int kMaxMessageNesting =
    100;  // messages within messages, not counting what encloses the innermost graph
inline constexpr int kMaxSubgraphDepth = 32;  // If, Loop, Scan bodies within bodies
inline constexpr int64_t kMaxMessages = int64_t{8} << 20;

/// A file's bytes without what Strobe does not read, each tensor's raw data replaced by a 16-byte marker.
struct SlimBytes {
    std::string bytes;
};

/// Walks the protobuf wire format of `file` by the schema of onnx.proto, checks every tag, type and length against its
/// enclosing message, and copies what is known into a slim form that protobuf can parse cheaply: initializers stay
/// where they are in the file. Errors (InvalidModel) name message, field and byte offset.
Result<SlimBytes> slimDown(std::span<const uint8_t> file, WireRoot root, const CancelToken& cancel);

/// Where a tensor's raw data lies in the file.
struct RawRange {
    uint64_t offset = 0;
    uint64_t length = 0;
};
std::string encodeRawRange(RawRange range);
/// Requires the marker that encodeRawRange made (slimDown writes no other raw data).
RawRange decodeRawRange(const std::string& marker);

}  // namespace strobe
