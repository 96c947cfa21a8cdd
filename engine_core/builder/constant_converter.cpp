#include "engine_core/builder/constant_converter.h"

#include "engine_core/base/float_formats.h"
#include "engine_core/runtime/graph_executor.h"

namespace strobe {

WeightsPtr ConstantConverter::stored(const WeightsPtr& weights, DataType type) {
    if (weights->type != DataType::Float32 || (type != DataType::BFloat16 && type != DataType::Float16)) return weights;
    WeightsPtr& made = m_made[{weights.get(), static_cast<int>(type)}];
    if (made) return made;
    auto [narrow, data] = allocateWeights(type, weights->dims);
    inSteps(&m_cancel, static_cast<size_t>(weights->count()), kBytesPerPoll, [&, to = static_cast<uint16_t*>(data)](size_t first, size_t last) {
        for (size_t i = first; i < last; ++i) {
            float value = 0;  // not read in place: it may lie at any address
            std::memcpy(&value, static_cast<const char*>(weights->data.get()) + i * sizeof value, sizeof value);
            to[i] = type == DataType::Float16 ? floatToFloat16(value) : floatToBFloat16(value);
        }
    });
    return made = narrow;
}

WeightsPtr ConstantConverter::rounded(const WeightsPtr& weights, DataType format) {
    if (weights->type != DataType::Float32) return weights;
    WeightsPtr& made = m_made[{weights.get(), 256 + static_cast<int>(format)}];
    if (made) return made;
    auto [copy, data] = allocateWeights(weights->type, weights->dims);
    inSteps(&m_cancel, static_cast<size_t>(weights->count()), kBytesPerPoll, [&, to = static_cast<float*>(data)](size_t first, size_t last) {
        std::memcpy(to + first, static_cast<const char*>(weights->data.get()) + first * sizeof(float), (last - first) * sizeof(float));
        roundToFormat(to + first, static_cast<int64_t>(last - first), format);
    });
    return made = copy;
}

}  // namespace strobe
