#pragma once
#include <initializer_list>
#include <string>

#include "engine_core/ops/op_definition.h"

namespace strobe {

/// Rank check with a message: "input 0: rank 2 found, rank 4 needed".
Status requireRank(const InferenceContext& context, int input, int rank);
Status requireRankAtLeast(const InferenceContext& context, int input, int rank);
/// Adds `rank` to a negative axis; error when outside [-rank, rank).
Result<int64_t> normalizeAxis(int64_t axis, int64_t rank);
/// Numpy broadcasting on symbolic shapes. Of two different extents a constant 1 yields the other and another constant
/// wins. Two unequal expressions over the same symbols are two ways to write one extent (checked when shapes are
/// bound): the first is kept. Over different symbols either may be 1 when it runs: Dim::broadcast.
Result<Shape> broadcastShapes(const Shape& a, const Shape& b);
/// Windowed extent of convolution and pooling: floor or ceil ((in + padding − dilation·(kernel−1) − 1) / stride) + 1.
Dim windowExtent(const Dim& input, int64_t kernel, int64_t stride, int64_t dilation, const Dim& padBegin, const Dim& padEnd, bool ceilMode);

/// auto_pad resolved on symbols: begins then ends, for SAME_* computed from the input extents.
struct WindowAttributes {
    std::vector<int64_t> kernel, strides, dilations;
    Shape padsBegin, padsEnd;
};
/// Reads kernel_shape, strides, dilations, pads and auto_pad for `spatial` dims, with ONNX's defaults and checks (stride ≥ 1 …).
Result<WindowAttributes> windowAttributes(const Attributes& attributes, const Shape& input, const std::vector<int64_t>& kernel);

/// Cost of ops that only move elements.
double noFlops(const CostContext& cost);
/// An op of that kind, with exactly `inputs` inputs and one output.
OpDefinition copyOp(const char* name, int inputs, Status (*infer)(InferenceContext&), std::vector<AttributeSpec> attributes = {});

/// Same type and shape as input 0.
Status inferLikeInput0(InferenceContext& context);

}  // namespace strobe
