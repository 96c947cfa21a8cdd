#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"

namespace strobe {

/// Elements at x[i·inner + j], i < extent: lines along an axis of a tensor that is contiguous as outer × extent ×
/// inner. Storage is FP32 or BF16, arithmetic FP32.
struct AxisLines {
    DataType type = DataType::Float32;
    const void* x = nullptr;
    int64_t extent = 0, inner = 1;
    int64_t first = 0, last = 1;  // lines j of this call
};

/// Softmax (or its logarithm) along each line into the same places of `y`, which is FP32 or of the lines' type and may
/// be `x`. `scratch` holds `extent` floats.
void softmaxLines(const AxisLines& lines, bool logarithm, DataType outType, void* y, float* scratch);

enum class ReduceKind : uint8_t { Sum, Mean, Max, Min, SumSquare, L1, L2 };
/// y[j] for each line j; FP32.
void reduceLines(const AxisLines& lines, ReduceKind kind, float* y);

/// One row brought to mean 0 (when `centered`) and mean square 1, times scale, plus bias.
struct NormRow {
    DataType type = DataType::Float32;
    const void* x = nullptr;
    DataType outType = DataType::Float32;
    void* y = nullptr;  // may be x
    int64_t size = 0;
    bool centered = true;
    float epsilon = 0.0f;
    const float* scale = nullptr;  // FP32; one for each run of `run` elements
    const float* bias = nullptr;   // may be null
    int64_t run = 1;
};
void normalizeRow(const NormRow& row);

}  // namespace strobe
