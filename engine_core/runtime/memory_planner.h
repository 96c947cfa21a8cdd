#pragma once
#include <cstddef>
#include <vector>

namespace strobe {

/// A block of bytes that must stay untouched from step `first` to step `last`, both included.
struct MemoryRequest {
    size_t bytes = 0;
    int first = 0, last = 0;
};

struct MemoryLayout {
    std::vector<size_t> offsets;  // one a request, 64-byte aligned
    size_t totalBytes = 0;
};

/// Places blocks so that no two that live at the same time overlap: largest first, each at the lowest gap that fits
/// (greedy by size; Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). Deterministic.
MemoryLayout planMemory(const std::vector<MemoryRequest>& requests);

}  // namespace strobe
