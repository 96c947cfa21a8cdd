#include "engine_core/ir/weights.h"

#include <cstdlib>
#include <new>

#include "engine_core/base/float_formats.h"
#include "engine_core/base/memory.h"

namespace strobe {
namespace {

template <class Stored, class Convert>
std::vector<double> convertAll(const Weights& weights, Convert convert) {
    const std::vector<Stored> stored = weights.copyAs<Stored>();
    std::vector<double> values(stored.size());
    for (size_t i = 0; i < stored.size(); ++i) values[i] = static_cast<double>(convert(stored[i]));
    return values;
}
template <class Stored>
std::vector<double> convertAll(const Weights& weights) {
    return convertAll<Stored>(weights, [](Stored value) { return value; });
}

std::vector<double> unpackNibbles(const Weights& weights, bool isSignedType) {
    std::vector<double> values(static_cast<size_t>(weights.count()));
    const auto* bytes = static_cast<const uint8_t*>(weights.data.get());
    for (size_t i = 0; i < values.size(); ++i) {
        int nibble = (bytes[i / 2] >> (i % 2 ? 4 : 0)) & 15;
        if (isSignedType && nibble >= 8) nibble -= 16;
        values[i] = nibble;
    }
    return values;
}

}  // namespace

WeightsPtr makeFloatWeights(Dims dims, std::span<const float> elements) {
    return makeWeights<float>(DataType::Float32, std::move(dims), elements);
}
WeightsPtr makeInt64Weights(Dims dims, std::span<const int64_t> elements) {
    return makeWeights<int64_t>(DataType::Int64, std::move(dims), elements);
}

Result<std::pair<WeightsPtr, void*>> tryAllocateWeights(DataType type, Dims dims) {
    auto weights = std::make_shared<Weights>();
    weights->type = type;
    weights->bytes = dataTypeBytes(type, elementCount(dims));
    weights->dims = std::move(dims);
    const std::shared_ptr<void> storage = allocateZeroed((weights->bytes + 63) / 64 * 64);
    if (!storage)
        return Status(ErrorCode::OutOfMemory, "a tensor " + toString(weights->dims) + " needs a block of " +
                                                  std::to_string(weights->bytes) +
                                                  " bytes, which cannot be had; use smaller shapes");
    weights->data = storage;
    return std::pair<WeightsPtr, void*>(weights, storage.get());
}

std::pair<WeightsPtr, void*> allocateWeights(DataType type, Dims dims) {
    auto allocated = tryAllocateWeights(type, std::move(dims));
    if (!allocated) throw std::bad_alloc();
    return *allocated;
}

WeightsPtr alignedWeights(const WeightsPtr& weights, const CancelToken* cancel) {
    const size_t element = std::max<size_t>(1, static_cast<size_t>(dataTypeBits(weights->type)) / 8);
    if (weights->type == DataType::String || reinterpret_cast<uintptr_t>(weights->data.get()) % element == 0) return weights;
    auto [copy, data] = allocateWeights(weights->type, weights->dims);
    inSteps(cancel, weights->bytes, kBytesPerPoll, [&, to = static_cast<char*>(data)](size_t first, size_t last) {
        std::memcpy(to + first, static_cast<const char*>(weights->data.get()) + first, last - first);
    });
    return copy;
}

Weights borrowedWeights(DataType type, Dims dims, const void* elements) {
    Weights weights{type, std::move(dims), std::shared_ptr<const void>(std::shared_ptr<const void>(), elements), 0};
    weights.bytes = dataTypeBytes(type, weights.count());
    return weights;
}

std::vector<double> toDoubles(const Weights& weights) {
    switch (weights.type) {
        case DataType::Float32: return convertAll<float>(weights);
        case DataType::Float64: return convertAll<double>(weights);
        case DataType::Float16: return convertAll<uint16_t>(weights, float16ToFloat);
        case DataType::BFloat16: return convertAll<uint16_t>(weights, bfloat16ToFloat);
        case DataType::Float8E4M3FN: return convertAll<uint8_t>(weights, float8E4M3FNToFloat);
        case DataType::Float8E5M2: return convertAll<uint8_t>(weights, float8E5M2ToFloat);
        case DataType::Int4: return unpackNibbles(weights, true);
        case DataType::UInt4: return unpackNibbles(weights, false);
        case DataType::Int8: return convertAll<int8_t>(weights);
        case DataType::UInt8: return convertAll<uint8_t>(weights);
        case DataType::Int16: return convertAll<int16_t>(weights);
        case DataType::UInt16: return convertAll<uint16_t>(weights);
        case DataType::Int32: return convertAll<int32_t>(weights);
        case DataType::UInt32: return convertAll<uint32_t>(weights);
        case DataType::Int64: return convertAll<int64_t>(weights);
        case DataType::UInt64: return convertAll<uint64_t>(weights);
        case DataType::Bool: return convertAll<uint8_t>(weights, [](uint8_t value) { return value ? 1 : 0; });
        case DataType::Undefined:
        case DataType::String: break;
    }
    return {};
}

std::vector<float> toFloats(const Weights& weights) {
    if (weights.type == DataType::Float32) return weights.copyAs<float>();
    const std::vector<double> values = toDoubles(weights);
    return {values.begin(), values.end()};
}

std::optional<std::vector<int64_t>> toInt64s(const Weights& weights) {
    if (weights.type == DataType::Int64 || weights.type == DataType::UInt64) return weights.copyAs<int64_t>();
    if (!isInteger(weights.type) && weights.type != DataType::Bool) return std::nullopt;
    const std::vector<double> values = toDoubles(weights);
    return std::vector<int64_t>(values.begin(), values.end());
}

}  // namespace strobe
