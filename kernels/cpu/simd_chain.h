#pragma once
#include <optional>
#include <vector>

#include "engine_core/base/data_type.h"
#include "engine_core/ir/pointwise_program.h"

namespace strobe {

/// The shape that most chains between convolutions have (scale, shift, activation, residual): one pass in registers
/// instead of one a step.
///   y = second( first(x · scale1 + shift1) · scale2 + shift2 + r )
/// x and r are full-size inputs, scales and shifts smaller ones or numbers; each part may be missing.
struct ChainForm {
    struct Term {
        bool present = false;
        int input = -1;  // −1: the number
        float number = 0.0f;
    };
    int x = -1, r = -1;
    Term scale1, shift1, scale2, shift2;
    bool addsX = false;  // scale1 is 1 more than its term: x + x · scale1
    std::optional<PointwiseInstruction> first, second;
};

/// The form of a program with one result; `isFull` says of each input whether it is as large as the output. Nullopt
/// where it has another.
std::optional<ChainForm> chainForm(const PointwiseProgram& program, const std::vector<bool>& isFull);

/// `rows` rows of `n` neighbouring elements; strides in elements, from one row to the next. x, r and out are FP32 or
/// BF16; terms FP32 with an element for each of a row, the same in all rows (null: the number).
struct ChainTile {
    const void* x = nullptr;
    DataType xType = DataType::Float32;
    const void* r = nullptr;
    DataType rType = DataType::Float32;
    const float *scale1 = nullptr, *shift1 = nullptr, *scale2 = nullptr, *shift2 = nullptr;
    void* out = nullptr;  // may be x or r of the same type and stride
    DataType outType = DataType::Float32;
    size_t n = 0;
    int64_t rows = 1, xStride = 0, rStride = 0, outStride = 0;
};
void runChain(const ChainForm& form, const ChainTile& tile);

}  // namespace strobe
