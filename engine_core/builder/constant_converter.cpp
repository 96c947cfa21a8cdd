#include "engine_core/builder/constant_converter.h"

#include "engine_core/base/float_formats.h"
#include "engine_core/runtime/graph_executor.h"

namespace strobe {

WeightsPtr ConstantConverter::stored(const WeightsPtr& weights, DataType type) {
    if (weights->type != DataType::Float32 || (type != DataType::BFloat16 && type != DataType::Float16)) return weights;
    WeightsPtr& made = m_made[{weights.get(), static_cast<int>(type)}];
    if (made) return made;
    auto [narrow, data] = allocateWeights(type, weights->dims);
    const std::vector<float> values = weights->copyAs<float>();
    for (size_t i = 0; i < values.size(); ++i) static_cast<uint16_t*>(data)[i] = type == DataType::Float16 ? floatToFloat16(values[i]) : floatToBFloat16(values[i]);
    return made = narrow;
}

WeightsPtr ConstantConverter::rounded(const WeightsPtr& weights, DataType format) {
    if (weights->type != DataType::Float32) return weights;
    WeightsPtr& made = m_made[{weights.get(), 256 + static_cast<int>(format)}];
    if (made) return made;
    auto [copy, data] = allocateWeights(weights->type, weights->dims);
    std::memcpy(data, weights->data.get(), weights->bytes);
    roundToFormat(static_cast<float*>(data), weights->count(), format);
    return made = copy;
}

}  // namespace strobe
