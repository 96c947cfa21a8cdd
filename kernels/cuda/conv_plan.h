#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// A pointwise node of a cuDNN graph, continuing the chain that starts at the convolution.
struct ConvNode {
    enum class Mode {
        Add,
        Sub,
        Mul,
        Div,
        Max,
        Min,
        Relu,
        Elu,
        Tanh,
        Sigmoid,
        Gelu,
        GeluTanh,
        Softplus,
        Swish,
        Exp,
        Log,
        Abs,
        Neg,
        Sqrt,
        Rsqrt
    };
    Mode mode = Mode::Relu;
    int operand = -1;  // the problem's input that is the other operand; −1: `scalar`, or none
    std::optional<float> scalar;
    bool swapped = false;               // the chain is the second operand
    float slope = 0.0f;                 // Relu: below the lower clip
    std::optional<float> lower, upper;  // Relu: clips
    float alpha = 1.0f;                 // Elu
};

/// A Conv or ConvTranspose problem in cuDNN's terms, made without cuDNN. One spatial dim becomes two, the first of
/// extent 1.
struct ConvPlan {
    bool transposed = false;       // the gradient of a convolution from y to x by its data
    std::vector<int64_t> x, w, y;  // dims; w is [M, C/group, kernel…], transposed [C, M/group, kernel…]
    std::vector<int64_t> padsBegin, padsEnd, strides, dilations;
    DataType type = DataType::Float32;
    Layout layout = Layout::ChannelsLast;
    bool hasBias = false;            // the problem's input 2
    std::vector<ConvNode> epilogue;  // after the bias
    std::string unfused;             // why the epilogue is no chain of cuDNN nodes; then it runs as a pass of its own
};
/// The error says why cuDNN is not asked.
Result<ConvPlan> planConv(const Problem& problem);
/// Strides of dims that lie in `layout`, in the order of the dims.
std::vector<int64_t> cudnnStrides(const std::vector<int64_t>& dims, Layout layout);
/// Weights [M, C, kernel…] as [M, kernel…, C], elements of `bytes` each.
void channelsLastWeights(const void* from, void* to, const std::vector<int64_t>& w, size_t bytes);

}  // namespace strobe
