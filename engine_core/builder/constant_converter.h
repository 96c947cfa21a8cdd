#pragma once
#include <map>

#include "engine_core/ir/weights.h"

namespace strobe {

/// Constants in another element type, or rounded to one, made once each. Once cancelled they may be unfinished: their sizes are right,
/// their values not.
class ConstantConverter {
public:
    explicit ConstantConverter(CancelToken cancel) : m_cancel(std::move(cancel)) {}
    /// FP32 weights stored as `type` (BF16 or FP16). Other weights, and other types, come back unchanged.
    WeightsPtr stored(const WeightsPtr& weights, DataType type);
    /// FP32 weights with every value rounded to `format`, still stored as FP32 (precision preview).
    WeightsPtr rounded(const WeightsPtr& weights, DataType format);

private:
    CancelToken m_cancel;
    std::map<std::pair<const Weights*, int>, WeightsPtr> m_made;
};

}  // namespace strobe
