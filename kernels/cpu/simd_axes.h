#pragma once
#include <optional>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "kernels/shared/known_inputs.h"

namespace strobe {

/// A stored tensor seen as outer × extent × inner around neighbouring axes.
struct AxisView {
    int64_t outer = 1, extent = 1, inner = 1;
};

/// The view around `axes` (marked by logical number) of a tensor as it is stored; nullopt when other dims of more than
/// one element lie between them, or blocks cut the channel axis.
std::optional<AxisView> viewAround(const Dims& dims, Layout layout, const std::vector<bool>& axes);

/// Host tensors in FP32 or BF16, or why not. The result has the first input's type; kernels of sums, which are FP32
/// anyhow, may write these as they are.
enum class FloatResult : uint8_t { AsInput, AsInputOrSums };
Support supportsFloatStorage(const Problem& problem, FloatResult result = FloatResult::AsInput);

/// Elements of an input as FP32, for parameters that are known before the run; nullopt when they are not.
std::optional<std::vector<float>> knownFloats(const Problem& problem, size_t input);

}  // namespace strobe
