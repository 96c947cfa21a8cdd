#pragma once
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/data_type.h"
#include "engine_core/base/status.h"
#include "engine_core/ir/dim.h"

namespace strobe {

/// A constant tensor: row-major elements that live as long as any copy of this does (a mapped file, or memory of its own).
/// Immutable and shared between networks.
struct Weights {
    DataType type = DataType::Undefined;
    Dims dims;
    std::shared_ptr<const void> data;  // an aliasing pointer into the owner; element alignment is not promised by mapped files
    size_t bytes = 0;

    int64_t count() const { return elementCount(dims); }
    bool isScalarLike() const { return count() == 1; }
    /// Requires T to be the element type's size.
    template <class T>
    std::vector<T> copyAs() const {
        std::vector<T> values(static_cast<size_t>(count()));
        if (!values.empty()) std::memcpy(values.data(), data.get(), values.size() * sizeof(T));
        return values;
    }
};

using WeightsPtr = std::shared_ptr<const Weights>;

/// Takes a copy of `elements`.
template <class T>
WeightsPtr makeWeights(DataType type, Dims dims, std::span<const T> elements) {
    auto storage = std::make_shared<std::vector<T>>(elements.begin(), elements.end());
    auto weights = std::make_shared<Weights>();
    weights->type = type;
    weights->dims = std::move(dims);
    weights->bytes = storage->size() * sizeof(T);
    weights->data = std::shared_ptr<const void>(storage, storage->data());
    return weights;
}
/// Elements that someone else owns and keeps for as long as the result is used.
Weights borrowedWeights(DataType type, Dims dims, const void* elements);
WeightsPtr makeFloatWeights(Dims dims, std::span<const float> elements);
WeightsPtr makeInt64Weights(Dims dims, std::span<const int64_t> elements);
/// 64-byte aligned zeroed storage of `type` and `dims`, to be filled through the returned pointer before it is shared.
std::pair<WeightsPtr, void*> allocateWeights(DataType type, Dims dims);
/// The same for sizes that a user or a file states: OutOfMemory instead of std::bad_alloc.
Result<std::pair<WeightsPtr, void*>> tryAllocateWeights(DataType type, Dims dims);
/// The same weights, or a copy where elements do not lie at their natural alignment (raw data of a model file promises none, kernels
/// expect it). Once cancelled the copy may be unfinished.
WeightsPtr alignedWeights(const WeightsPtr& weights, const CancelToken* cancel);

/// The elements as numbers, whatever the element type (strings excluded: empty).
std::vector<double> toDoubles(const Weights& weights);
std::vector<float> toFloats(const Weights& weights);
/// Integer or bool weights as int64 (uint64: the same bits); nullopt for other types.
std::optional<std::vector<int64_t>> toInt64s(const Weights& weights);

}  // namespace strobe
