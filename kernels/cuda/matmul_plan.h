#pragma once
#include <string>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// A MatMul problem as a strided batch of row-major products C[m,n] = alpha · op(A) · op(B), made without cuBLASLt.
struct MatMulPlan {
    int64_t m = 0, n = 0, k = 0, batch = 1;
    bool transA = false, transB = false;            // A is stored [k,m], B [n,k]
    int64_t strideA = 0, strideB = 0, strideC = 0;  // elements between two of the batch; 0: one for all
    float alpha = 1.0f;
    DataType type = DataType::Float32;
    bool hasBias = false;  // the problem's input 2, one value a column
    enum class Activation { None, Relu, GeluTanh } activation = Activation::None;
    std::string unfused;  // why the epilogue runs as a pass of its own; empty: it does not
};
Result<MatMulPlan> planMatMul(const Problem& problem);

}  // namespace strobe
