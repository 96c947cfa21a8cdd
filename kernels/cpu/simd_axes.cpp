#include "kernels/cpu/simd_axes.h"

#include "kernels/cpu/simd_tile.h"

namespace strobe {

std::optional<AxisView> viewAround(const Dims& dims, Layout layout, const std::vector<bool>& axes) {
    struct Stored {
        int64_t extent;
        bool inside;
    };
    std::vector<Stored> stored;
    const int64_t block = layoutBlock(layout);
    if (block > 1 && axes[1]) return std::nullopt;
    for (size_t i = 0; i < dims.size(); ++i) {
        if (i == 1 && layout == Layout::ChannelsLast) continue;
        stored.push_back({i == 1 && block > 1 ? (dims[1] + block - 1) / block : dims[i], axes[i]});
    }
    if (layout == Layout::ChannelsLast) stored.push_back({dims[1], axes[1]});
    if (block > 1) stored.push_back({block, false});
    AxisView view;
    bool begun = false, ended = false;
    for (const Stored& dim : stored) {
        if (dim.extent == 1) continue;
        if (dim.inside && ended) return std::nullopt;
        begun = begun || dim.inside;
        ended = begun && !dim.inside;
        (dim.inside ? view.extent : begun ? view.inner : view.outer) *= dim.extent;
    }
    return view;
}

Support supportsFloatStorage(const Problem& problem, FloatResult result) {
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list) {
            if (!desc.present) continue;
            if (desc.format.memory != MemoryKind::Host) return Support::no("runs on host memory");
            if (isFloatingPoint(desc.format.type) && desc.format.type != DataType::Float32 &&
                desc.format.type != DataType::BFloat16)
                return Support::no("takes FP32 and BF16, " + std::string(dataTypeName(desc.format.type)) +
                                   " was asked");
        }
    const DataType type = problem.inputs[0].format.type;
    const DataType written = problem.outputs[0].format.type;
    const bool isSums = result == FloatResult::AsInputOrSums && written == DataType::Float32;
    if (!isFloatingPoint(type) || (written != type && !isSums))
        return Support::no("takes floating point of one type, " + std::string(dataTypeName(type)) + " was asked");
    return Support::yes();
}

std::optional<std::vector<float>> knownFloats(const Problem& problem, size_t input) {
    if (!isGiven(problem, input)) return std::vector<float>();
    const TensorDesc& desc = problem.inputs[input];
    if (!desc.constantData) return std::nullopt;
    std::vector<float> values(static_cast<size_t>(elementCount(desc.dims)));
    loadTile(desc.format.type, desc.constantData, 0, 1, values.data(), values.size());
    return values;
}

}  // namespace strobe
