#include "engine_core/base/stream_hash.h"

#include <cstdio>
#include <new>

#define XXH_STATIC_LINKING_ONLY  // its state's size
#include <xxhash.h>

namespace strobe {
namespace {

const XXH3_state_t* stateIn(const unsigned char* memory) {
    return std::launder(reinterpret_cast<const XXH3_state_t*>(memory));
}
XXH3_state_t* stateIn(unsigned char* memory) {
    return std::launder(reinterpret_cast<XXH3_state_t*>(memory));
}

}  // namespace

StreamHash::StreamHash() {
    static_assert(sizeof(XXH3_state_t) <= sizeof m_state && alignof(XXH3_state_t) <= 64);
    XXH3_64bits_reset(new (m_state) XXH3_state_t);
}

void StreamHash::update(const void* bytes, size_t count) {
    if (count > 0) XXH3_64bits_update(stateIn(m_state), bytes, count);
}

bool StreamHash::update(std::span<const uint8_t> bytes, const CancelToken* cancel) {
    return inSteps(cancel, bytes.size(), kBytesPerPoll, [&](size_t first, size_t last) { update(bytes.data() + first, last - first); });
}

uint64_t StreamHash::digest() const {
    return XXH3_64bits_digest(stateIn(m_state));
}

std::string hashText(uint64_t hash) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return text;
}

}  // namespace strobe
