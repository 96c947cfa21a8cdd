#include <cstring>

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/onednn_tactics.h"
#include "kernels/cpu/simd_strided_copy.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

constexpr int64_t kTileChannels = 16, kTilePositions = 64;

/// A tensor as N × channels × positions in one of our layouts.
struct Extents {
    int64_t batch = 1, channels = 1, positions = 1;
};

/// Strides of a layout within one tile of kTileChannels channels, which never straddles a channel group.
struct TileStrides {
    int64_t start, channel, position;
};

TileStrides tileStrides(Layout layout, const Extents& e, int64_t n, int64_t c, int64_t s) {
    if (layout == Layout::Plain) return {(n * e.channels + c) * e.positions + s, e.positions, 1};
    if (layout == Layout::ChannelsLast) return {(n * e.positions + s) * e.channels + c, 1, e.channels};
    const int64_t block = layoutBlock(layout), groups = (e.channels + block - 1) / block;
    return {((n * groups + c / block) * e.positions + s) * block, 1, block};
}

template <class From, class To>
To convert(From value) {
    if constexpr (std::is_same_v<From, To>)
        return value;
    else
        return To(static_cast<float>(value));
}

/// Copies one tile so that the inner loop runs along the destination's contiguous direction.
template <class From, class To>
void moveTile(const From* source, const TileStrides& from, To* destination, const TileStrides& to, int64_t channels,
              int64_t positions) {
    source += from.start;
    destination += to.start;
    if (to.position == 1) {
        for (int64_t c = 0; c < channels; ++c)
            for (int64_t s = 0; s < positions; ++s)
                destination[c * to.channel + s] = convert<From, To>(source[c * from.channel + s * from.position]);
        return;
    }
    for (int64_t s = 0; s < positions; ++s)
        for (int64_t c = 0; c < channels; ++c)
            destination[s * to.position + c] = convert<From, To>(source[c * from.channel + s * from.position]);
}

/// Zeros after the last channel of a blocked destination.
template <class To>
void clearPadding(To* destination, const TileStrides& to, int64_t channels, int64_t block, int64_t positions) {
    for (int64_t s = 0; s < positions; ++s)
        for (int64_t c = channels; c < block; ++c) destination[to.start + s * to.position + c] = To();
}

template <class From, class To>
void reformat(const void* source, Layout fromLayout, void* destination, Layout toLayout, const Extents& e) {
    const int64_t block = layoutBlock(toLayout);
    const int64_t smallest = std::min(block, layoutBlock(fromLayout)) > 1 ? std::min(block, layoutBlock(fromLayout))
                                                                          : std::max(block, layoutBlock(fromLayout));
    const int64_t step = smallest > 1 ? smallest : kTileChannels;
    const int64_t channelTiles = (e.channels + step - 1) / step,
                  positionTiles = (e.positions + kTilePositions - 1) / kTilePositions;
    const int64_t grain = std::max<int64_t>(1, 16384 / (step * kTilePositions));
    parallelFor(0, e.batch * channelTiles * positionTiles, grain, [&](int64_t first, int64_t last) {
        for (int64_t tile = first; tile < last; ++tile) {
            const int64_t s = tile % positionTiles * kTilePositions, c = tile / positionTiles % channelTiles * step,
                          n = tile / positionTiles / channelTiles;
            TileStrides from = tileStrides(fromLayout, e, n, c, s), to = tileStrides(toLayout, e, n, c, s);
            from.start += layoutBlock(fromLayout) > 1 ? c % layoutBlock(fromLayout) : 0;
            to.start += block > 1 ? c % block : 0;
            const int64_t channels = std::min(step, e.channels - c),
                          positions = std::min(kTilePositions, e.positions - s);
            moveTile(static_cast<const From*>(source), from, static_cast<To*>(destination), to, channels, positions);
            if (block > 1 && c + step >= e.channels)
                clearPadding(static_cast<To*>(destination), to, channels, block - c % block, positions);
        }
    });
}

using ReformatFunction = void (*)(const void*, Layout, void*, Layout, const Extents&);

ReformatFunction functionFor(DataType from, DataType to) {
    if (from == to && dataTypeBits(from) >= 8 && from != DataType::String) {
        switch (dataTypeBits(from)) {
            case 8:
                return reformat<uint8_t, uint8_t>;
            case 16:
                return reformat<uint16_t, uint16_t>;
            case 32:
                return reformat<uint32_t, uint32_t>;
            default:
                return reformat<uint64_t, uint64_t>;
        }
    }
    if (from == DataType::Float32 && to == DataType::BFloat16) return reformat<float, BFloat16>;
    if (from == DataType::Float32 && to == DataType::Float16) return reformat<float, Float16>;
    if (from == DataType::BFloat16 && to == DataType::Float32) return reformat<BFloat16, float>;
    if (from == DataType::Float16 && to == DataType::Float32) return reformat<Float16, float>;
    return nullptr;
}

constexpr int64_t kStrip = 512;           // positions of an image between conversion and interleaving
constexpr int64_t kStripsPerThread = 16;  // below, another thread costs more than it saves
constexpr int64_t kInterleavedChannels = 4;

bool isFloatOrBf16(DataType type) {
    return type == DataType::Float32 || type == DataType::BFloat16;
}

/// Stored elements in their order, from one of the two types to the other.
void convertAll(const void* source, DataType from, void* destination, int64_t count) {
    parallelFor(0, (count + kStrip - 1) / kStrip, kStripsPerThread, [&](int64_t first, int64_t last) {
        const int64_t begin = first * kStrip;
        const auto n = static_cast<size_t>(std::min(last * kStrip, count) - begin);
        if (from == DataType::Float32)
            storeTile(DataType::BFloat16, static_cast<const float*>(source) + begin, destination, begin, n);
        else
            loadTile(from, source, begin, 1, static_cast<float*>(destination) + begin, n);
    });
}

/// The few planes of an image laid side by side.
void interleave(const void* source, DataType fromType, void* destination, DataType toType, const Extents& e) {
    const int64_t strips = (e.positions + kStrip - 1) / kStrip;
    const size_t bytes = dataTypeBytes(toType, 1);
    parallelFor(0, e.batch * strips, kStripsPerThread, [&](int64_t first, int64_t last) {
        uint16_t converted[kInterleavedChannels * kStrip];
        for (int64_t job = first; job < last; ++job) {
            const int64_t n = job / strips, s = job % strips * kStrip, count = std::min(kStrip, e.positions - s);
            const int64_t start = n * e.channels * e.positions + s;
            const void* from = static_cast<const char*>(source) + dataTypeBytes(fromType, start);
            int64_t stride = e.positions;
            if (fromType != toType) {
                for (int64_t c = 0; c < e.channels; ++c)
                    storeTile(toType, static_cast<const float*>(from) + c * stride, converted, c * kStrip,
                              static_cast<size_t>(count));
                from = converted;
                stride = kStrip;
            }
            transposeTiles({bytes, from, stride,
                            static_cast<char*>(destination) + dataTypeBytes(toType, (n * e.positions + s) * e.channels),
                            e.channels, count, e.channels});
        }
    });
}

class TiledReformatKernel final : public Kernel {
public:
    explicit TiledReformatKernel(const Problem& problem)
        : m_from(problem.inputs[0].format),
          m_to(problem.outputs[0].format),
          m_threads(problem.threads),
          m_function(functionFor(m_from.type, m_to.type)) {
        const Dims& dims = problem.inputs[0].dims;
        const bool unblocked = layoutBlock(m_from.layout) == 1 && layoutBlock(m_to.layout) == 1;
        // One channel, or one position, lies alike in plain and channels-last.
        const bool isLine = unblocked && dims.size() >= 3 && (dims[1] == 1 || elementCount(dims) == dims[0] * dims[1]);
        if (dims.size() < 3 || m_from.layout == m_to.layout || isLine) {
            m_isCopy = true;
            m_extents.positions = storedElementCount(dims, m_from.layout);
            return;
        }
        const bool narrows = m_from.type == DataType::Float32 && m_to.type == DataType::BFloat16;
        m_interleaves =
            m_from.layout == Layout::Plain && m_to.layout == Layout::ChannelsLast && dims[1] <= kInterleavedChannels &&
            (narrows || (m_from.type == m_to.type && dataTypeBits(m_to.type) >= 8 && m_to.type != DataType::String));
        m_extents = {dims[0], dims[1], elementCount(Dims(dims.begin() + 2, dims.end()))};
    }

    Status run(const RunArguments& arguments) const override {
        if (elementCount(*arguments.outputs[0].dims) == 0) return Status::ok();
        const void* source = arguments.inputs[0].data;
        void* destination = arguments.outputs[0].data;
        if (source == destination && m_from == m_to) return Status::ok();
        const ThreadScope threads(m_threads);
        if (m_isCopy && m_from.type != m_to.type && isFloatOrBf16(m_from.type) && isFloatOrBf16(m_to.type))
            return convertAll(source, m_from.type, destination, m_extents.positions), Status::ok();
        if (m_interleaves) return interleave(source, m_from.type, destination, m_to.type, m_extents), Status::ok();
        const Layout from = m_isCopy ? Layout::Plain : m_from.layout, to = m_isCopy ? Layout::Plain : m_to.layout;
        m_function(source, from, destination, to, m_extents);
        return Status::ok();
    }

private:
    Format m_from, m_to;
    int m_threads;
    ReformatFunction m_function;
    bool m_isCopy = false;       // stored elements stay in their order
    bool m_interleaves = false;  // few planes become channels side by side
    Extents m_extents;
};

class TiledReformatTactic final : public Tactic {
public:
    std::string_view name() const override { return "cpu.reformat"; }
    Support supports(const Problem& problem) const override {
        const Format &from = problem.inputs[0].format, &to = problem.outputs[0].format;
        if (from.memory != MemoryKind::Host || to.memory != MemoryKind::Host)
            return Support::no("this copy runs on host memory");
        if (!functionFor(from.type, to.type))
            return Support::no("no conversion from " + std::string(dataTypeName(from.type)) + " to " +
                               std::string(dataTypeName(to.type)));
        if (from.layout != to.layout && problem.inputs[0].dims.size() < 3)
            return Support::no("a change of layout needs rank 3 or more, the tensor is " +
                               toString(problem.inputs[0].dims));
        return Support::yes();
    }
    bool canRunInPlace(const Problem& problem, int, int) const override {
        return problem.inputs[0].format == problem.outputs[0].format;
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<TiledReformatKernel>(problem));
    }
};

}  // namespace

void registerTiledReformat(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Reformat", std::make_unique<TiledReformatTactic>());
}

}  // namespace strobe
