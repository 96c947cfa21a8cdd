#pragma once
#include <cstdint>

#include "engine_core/base/data_type.h"

namespace strobe {

/// A few rows times a large matrix that is packed in panels of `gemvPanelWidth()` columns: one panel streams through
/// the registers.
struct GemvPanel {
    const float* a = nullptr;  // rows × k, `aStride` apart
    int64_t rows = 1, k = 0, aStride = 0;
    const void* panel = nullptr;        // k × gemvPanelWidth()
    DataType type = DataType::Float32;  // of the panel: FP32 or BF16
    float* y = nullptr;                 // rows × gemvPanelWidth(), `yStride` apart
    int64_t yStride = 0;
};
constexpr int64_t kGemvRows = 4;
int64_t gemvPanelWidth();
void gemvPanel(const GemvPanel& panel);

}  // namespace strobe
