#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine_core/base/cancel.h"

namespace strobe {

/// XXH3 (64 bits) of bytes that come piece by piece: the same as of all at once. Allocates nothing.
class StreamHash {
public:
    StreamHash();
    void update(const void* bytes, size_t count);
    /// False when it was stopped before the end.
    bool update(std::span<const uint8_t> bytes, const CancelToken* cancel);
    uint64_t digest() const;

private:
    alignas(64) unsigned char m_state[576];
};

/// 16 hexadecimal digits.
std::string hashText(uint64_t hash);

}  // namespace strobe
