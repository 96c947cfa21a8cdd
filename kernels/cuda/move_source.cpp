#include "kernels/cuda/move_source.h"

#include <algorithm>
#include <numeric>

#include "kernels/cuda/nvrtc_compiler.h"

namespace strobe {
namespace {

constexpr size_t kMaxDims = 8;

// p.v: from, to, count, then for RANK dims, outermost first: extent, stride of from, stride of to.
constexpr const char* kMove = R"(
struct Params { u64 v[3 + 3 * RANK]; };
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 t = (i64)blockIdx.x * 256 + threadIdx.x;
    if (t >= (i64)p.v[2]) return;
    u32 rest = (u32)t;
    i64 from = 0, to = 0;
    #pragma unroll
    for (int d = RANK - 1; d >= 0; --d) {
        const u32 extent = (u32)p.v[3 + 3 * d], at = d > 0 ? rest % extent : rest;
        if (d > 0) rest /= extent;
        from += (i64)at * (i64)p.v[4 + 3 * d];
        to += (i64)at * (i64)p.v[5 + 3 * d];
    }
    ((WORD*)p.v[1])[to] = ((const WORD*)p.v[0])[from];
}
)";

// p.v: data, indices, output, count, extent, inner, indices' count.
constexpr const char* kGather = R"(
struct Params { u64 v[7]; };
extern "C" __global__ void __launch_bounds__(256) strobeKernel(const Params p) {
    const i64 t = (i64)blockIdx.x * 256 + threadIdx.x;
    if (t >= (i64)p.v[3]) return;
    const i64 extent = (i64)p.v[4];
    const u32 inner = (u32)p.v[5], indices = (u32)p.v[6], lane = (u32)t % inner, row = (u32)t / inner;
    i64 index = ((const INDEX*)p.v[1])[row % indices];
    if (index < 0) index += extent;
    WORD value = {};
    if (index >= 0 && index < extent) value = ((const WORD*)p.v[0])[((i64)(row / indices) * extent + index) * inner + lane];
    ((WORD*)p.v[2])[t] = value;
}
)";

/// Drops extents of 1 and joins neighbours through which both sides run on.
void mergeDims(StridedBox& box) {
    StridedBox merged = box;
    merged.dims = merged.from = merged.to = {};
    for (size_t d = 0; d < box.dims.size(); ++d) {
        if (box.dims[d] == 1) continue;
        const bool joins = !merged.dims.empty() && merged.from.back() == box.from[d] * box.dims[d] &&
                           merged.to.back() == box.to[d] * box.dims[d];
        if (joins) {
            merged.dims.back() *= box.dims[d];
            merged.from.back() = box.from[d];
            merged.to.back() = box.to[d];
            continue;
        }
        merged.dims.push_back(box.dims[d]);
        merged.from.push_back(box.from[d]);
        merged.to.push_back(box.to[d]);
    }
    box = std::move(merged);
}

/// Takes runs on both sides in elements of up to 16 bytes; tensors start at multiples of 16.
size_t widen(StridedBox& box, size_t bytes) {
    if (box.dims.empty() || box.from.back() != 1 || box.to.back() != 1) return bytes;
    int64_t common = std::gcd(std::gcd(box.fromOffset, box.toOffset), box.dims.back());
    for (size_t d = 0; d + 1 < box.dims.size(); ++d) common = std::gcd(common, std::gcd(box.from[d], box.to[d]));
    int64_t factor = 1;
    while (bytes * 2 <= 16 && common % (factor * 2) == 0) {
        factor *= 2;
        bytes *= 2;
    }
    for (size_t d = 0; d + 1 < box.dims.size(); ++d) {
        box.from[d] /= factor;
        box.to[d] /= factor;
    }
    box.dims.back() /= factor;
    box.fromOffset /= factor;
    box.toOffset /= factor;
    return bytes;
}

/// Outermost in memory first, so that neighbouring threads write neighbouring elements.
void sortByDestination(StridedBox& box) {
    std::vector<size_t> order(box.dims.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return box.to[a] > box.to[b]; });
    const StridedBox given = box;
    for (size_t d = 0; d < order.size(); ++d) {
        box.dims[d] = given.dims[order[d]];
        box.from[d] = given.from[order[d]];
        box.to[d] = given.to[order[d]];
    }
}

}  // namespace

Result<MovePlan> planMove(const StridedBox& given, size_t elementBytes) {
    if (!wordType(elementBytes))
        return unsupported("moves elements of 1, 2, 4 and 8 bytes, these have " + std::to_string(elementBytes));
    StridedBox box = given;
    sortByDestination(box);
    mergeDims(box);
    const size_t bytes = widen(box, elementBytes);
    if (box.dims.size() > kMaxDims)
        return unsupported("moves boxes of " + std::to_string(kMaxDims) + " dims, this one has " +
                           std::to_string(box.dims.size()));
    MovePlan plan;
    plan.count = elementCount(box.dims);
    if (plan.count > INT32_MAX)
        return unsupported("moves up to 2147483647 elements, there are " + std::to_string(plan.count));
    plan.source = kernelPrelude() +
                  replaceAll(replaceAll(kMove, "RANK", std::to_string(box.dims.size())), "WORD", wordType(bytes));
    plan.geometry = {static_cast<uint64_t>(plan.count)};
    for (size_t d = 0; d < box.dims.size(); ++d)
        for (int64_t word : {box.dims[d], box.from[d], box.to[d]}) plan.geometry.push_back(static_cast<uint64_t>(word));
    return plan;
}

Result<GatherPlan> planGather(const Problem& problem) {
    if (problem.program) return unsupported("applies no epilogue");
    const TensorDesc &x = problem.inputs[0], &indices = problem.inputs[1], &y = problem.outputs[0];
    for (const TensorDesc* desc : {&x, &indices, &y})
        if (desc->format.layout != Layout::Plain || (!desc->constantData && desc->format.memory != MemoryKind::Device))
            return unsupported("takes plain tensors on the device");
    const DataType type = indices.format.type;
    if (type != DataType::Int64 && type != DataType::Int32)
        return unsupported("indices are " + std::string(dataTypeName(type)));
    if (dataTypeBits(x.format.type) % 8 != 0 || !wordType(dataTypeBytes(x.format.type, 1)))
        return unsupported("elements are not 1, 2, 4 or 8 bytes");
    const auto rank = static_cast<int64_t>(x.dims.size());
    const int64_t given = problem.attributes->getInt("axis", 0), axis = given < 0 ? given + rank : given;
    int64_t inner = 1;
    for (int64_t d = axis + 1; d < rank; ++d) inner *= x.dims[static_cast<size_t>(d)];
    GatherPlan plan;
    plan.count = elementCount(y.dims);
    if (plan.count == 0 || plan.count > INT32_MAX)
        return unsupported("serves 1 to 2147483647 elements, there are " + std::to_string(plan.count));
    plan.source = kernelPrelude() + replaceAll(replaceAll(kGather, "INDEX", type == DataType::Int64 ? "i64" : "int"),
                                               "WORD", wordType(dataTypeBytes(x.format.type, 1)));
    for (int64_t word : {plan.count, x.dims[static_cast<size_t>(axis)], inner, elementCount(indices.dims)})
        plan.geometry.push_back(static_cast<uint64_t>(word));
    return plan;
}

}  // namespace strobe
