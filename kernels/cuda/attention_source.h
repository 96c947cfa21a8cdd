#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// Attention with one block a query row, its scores in shared memory. Host code.
struct AttentionPlan {
    std::string source;
    int64_t rows = 0;                // batch × heads × queries
    bool hasMask = false;            // the problem's input 3
    std::vector<uint64_t> geometry;  // parameter words after the addresses of Q, K, V, mask and output
};
/// Q, K, V of rank 3 or 4, shared key heads, an added or boolean mask, causality. Past keys, lengths, windows and soft
/// caps are declined.
Result<AttentionPlan> planAttention(const Problem& problem);

constexpr int kAttentionThreads = 128;

}  // namespace strobe
