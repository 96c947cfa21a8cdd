#include "engine_core/runtime/memory_planner.h"

#include <algorithm>
#include <numeric>

namespace strobe {
namespace {

constexpr size_t kAlignment = 64;

bool overlapInTime(const MemoryRequest& a, const MemoryRequest& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

MemoryLayout planMemory(const std::vector<MemoryRequest>& requests) {
    std::vector<size_t> order(requests.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });

    MemoryLayout layout;
    layout.offsets.assign(requests.size(), 0);
    std::vector<size_t> placed;  // by offset
    for (size_t index : order) {
        const MemoryRequest& request = requests[index];
        if (request.bytes == 0) continue;
        const size_t bytes = (request.bytes + kAlignment - 1) / kAlignment * kAlignment;
        size_t offset = 0;
        for (size_t other : placed) {
            if (!overlapInTime(request, requests[other])) continue;
            if (offset + bytes <= layout.offsets[other]) break;
            const size_t end = layout.offsets[other] + (requests[other].bytes + kAlignment - 1) / kAlignment * kAlignment;
            offset = std::max(offset, end);
        }
        layout.offsets[index] = offset;
        layout.totalBytes = std::max(layout.totalBytes, offset + bytes);
        placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                       [&](size_t a, size_t b) { return layout.offsets[a] < layout.offsets[b]; }),
                      index);
    }
    return layout;
}

}  // namespace strobe
