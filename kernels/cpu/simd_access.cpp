#include "kernels/cpu/simd_access.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

/// Strides in the stored order of a blocked target with as many blocks: N, block, spatial…, lane.
Dims blockedStrides(const Dims& dims, int64_t block) {
    Dims strides(dims.size() + 1, 0);
    int64_t step = block;
    for (size_t i = dims.size(); i-- > 0;) {
        const int64_t extent = i == 1 ? (dims[1] + block - 1) / block : dims[i];
        strides[i] = dims[i] == 1 ? 0 : step;
        step *= extent;
    }
    strides.back() = dims[1] == 1 ? 0 : 1;
    return strides;
}

Dims storedDims(const Dims& dims, Layout layout) {
    if (layout == Layout::Plain) return dims;
    Dims stored = {dims[0]};
    const int64_t block = layoutBlock(layout);
    if (block > 1) stored.push_back((dims[1] + block - 1) / block);
    stored.insert(stored.end(), dims.begin() + 2, dims.end());
    stored.push_back(block > 1 ? block : dims[1]);
    return stored;
}

/// Logical strides in the stored order of `layout`.
Dims storedStrides(const Dims& logical, Layout layout) {
    if (layout == Layout::Plain) return logical;
    Dims strides = {logical[0]};
    const int64_t block = layoutBlock(layout);
    if (block > 1) strides.push_back(logical[1] * block);
    strides.insert(strides.end(), logical.begin() + 2, logical.end());
    strides.push_back(logical[1]);
    return strides;
}

void mergeDims(Dims& dims, Dims& strides) {
    Dims mergedDims, mergedStrides;
    for (size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] == 1) continue;
        if (!mergedDims.empty() && mergedStrides.back() == strides[i] * dims[i]) {
            mergedDims.back() *= dims[i];
            mergedStrides.back() = strides[i];
        } else {
            mergedDims.push_back(dims[i]);
            mergedStrides.push_back(strides[i]);
        }
    }
    if (mergedDims.empty()) {
        mergedDims = {1};
        mergedStrides = {0};
    }
    dims = std::move(mergedDims);
    strides = std::move(mergedStrides);
}

int64_t periodOf(const TensorAccess& access) {
    size_t first = 0;
    while (first < access.strides.size() && access.strides[first] == 0) ++first;
    int64_t period = 1;
    for (size_t i = first; i < access.dims.size(); ++i) period *= access.dims[i];
    return period;
}

/// Position within the target as an index over access.dims.
struct Cursor {
    Cursor(const TensorAccess& tensor, int64_t position) : access(tensor), index(tensor.dims.size()) {
        for (size_t i = index.size(); i-- > 0;) {
            index[i] = position % access.dims[i];
            position /= access.dims[i];
            offset += index[i] * access.strides[i];
        }
    }
    /// `count` more along the last dim, not past its end.
    void advanceInner(int64_t count) {
        index.back() += count;
        offset += count * access.strides.back();
        if (index.back() < access.dims.back()) return;
        offset -= index.back() * access.strides.back();
        index.back() = 0;
        if (index.size() > 1) advanceOuter(1);
    }
    /// `count` more along the last dim but one, not past its end.
    void advanceOuter(int64_t count) {
        size_t i = index.size() - 2;
        index[i] += count;
        offset += count * access.strides[i];
        while (index[i] >= access.dims[i] && i > 0) {
            offset -= index[i] * access.strides[i];
            index[i] = 0;
            --i;
            ++index[i];
            offset += access.strides[i];
        }
    }
    const TensorAccess& access;
    Dims index;
    int64_t offset = 0;
};

/// One run along the last dim; lanes without a channel read as zero.
void readRun(const TensorAccess& access, const void* data, const Cursor& at, size_t n, float* to) {
    size_t valid = n;
    if (access.lastBlockChannels > 0 && at.index[1] == access.dims[1] - 1)
        valid = static_cast<size_t>(
            std::clamp<int64_t>(access.lastBlockChannels - at.index.back(), 0, static_cast<int64_t>(n)));
    if (valid > 0) loadTile(access.type, data, at.offset, access.strides.back(), to, valid);
    std::fill(to + valid, to + n, 0.0f);
}

}  // namespace

bool makeAccess(const Dims& dims, const Format& format, const Dims& target, Layout targetLayout, TensorAccess& access) {
    if ((format.layout != Layout::Plain && (dims.size() < 3 || dims.size() != target.size())) ||
        (targetLayout != Layout::Plain && target.size() < 3))
        return false;
    const int64_t block = layoutBlock(format.layout), targetBlock = layoutBlock(targetLayout);
    if (block > 1 && block != targetBlock) return false;
    access = {};
    access.type = format.type;
    access.dims = storedDims(target, targetLayout);
    if (block > 1) {
        access.strides = blockedStrides(dims, block);
    } else {
        Dims logical(target.size() - dims.size(), 0);
        const Dims own = logicalStrides(dims, format.layout);
        logical.insert(logical.end(), own.begin(), own.end());
        access.strides = storedStrides(logical, targetLayout);
        if (targetBlock > 1 && target[1] % targetBlock != 0 && logical[1] != 0)
            access.lastBlockChannels = target[1] % targetBlock;
    }
    if (access.lastBlockChannels == 0) mergeDims(access.dims, access.strides);
    access.period = periodOf(access);
    access.uniform = access.period == 1;
    access.contiguous =
        !access.uniform && access.lastBlockChannels == 0 && access.dims.size() == 1 && access.strides[0] == 1;
    return true;
}

void readAccess(const TensorAccess& access, const void* data, int64_t begin, size_t n, float* to) {
    if (access.contiguous || access.uniform)
        return loadTile(access.type, data, access.uniform ? 0 : begin, access.uniform ? 0 : 1, to, n);
    Cursor at(access, begin);
    const int64_t inner = access.dims.back();
    const size_t last = access.dims.size() - 1;
    size_t done = 0;
    while (done < n) {
        const auto run = static_cast<int64_t>(std::min<size_t>(n - done, static_cast<size_t>(inner - at.index.back())));
        readRun(access, data, at, static_cast<size_t>(run), to + done);
        const bool whole = run == inner;
        int64_t repeats = 0;
        if (whole && last > 0 && access.strides[last - 1] == 0)
            repeats =
                std::min(access.dims[last - 1] - 1 - at.index[last - 1], static_cast<int64_t>(n - done) / inner - 1);
        // A run that is broadcast along the next dim is copied in doubling steps.
        const size_t first = done, total = static_cast<size_t>((repeats + 1) * inner);
        done += static_cast<size_t>(run);
        while (repeats > 0 && done < first + total) {
            const size_t step = std::min(done - first, first + total - done);
            std::memcpy(to + done, to + first, step * sizeof(float));
            done += step;
        }
        if (repeats > 0) at.advanceOuter(repeats);
        at.advanceInner(run);
    }
}

int64_t accessKey(const TensorAccess& access, int64_t begin, size_t n) {
    const int64_t inner = access.dims.back();
    if (access.strides.back() == 0 && begin / inner == (begin + static_cast<int64_t>(n) - 1) / inner)
        return -1 - begin / inner % std::max<int64_t>(access.period / inner, 1);
    return begin % access.period;
}

}  // namespace strobe
