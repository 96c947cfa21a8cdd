#pragma once
#include "kernels/reference/numbers.h"

namespace strobe {

/// Strides of a (batched, broadcast, transposed) matrix product, all in elements.
struct MatMulPlan {
    MatMulPlan(const Dims& a, const Dims& b, bool transA, bool transB);
    int64_t m = 1, k = 1, n = 1;
    int64_t aRow = 1, aInner = 1, bInner = 1, bColumn = 1;
    Dims batch;
    std::vector<int64_t> aBatchStrides, bBatchStrides;  // in matrices

    /// Calls element(position in Y, start of A's row, start of B's column, column) for every element of Y, in order.
    template <class Element>
    void forEach(Element element) const {
        if (elementCount(batch) * m * n == 0) return;
        Dims index(batch.size(), 0);
        int64_t at = 0;
        do {
            const int64_t a = offsetOf(index, aBatchStrides) * m * k, b = offsetOf(index, bBatchStrides) * k * n;
            for (int64_t row = 0; row < m; ++row)
                for (int64_t column = 0; column < n; ++column) {
                    pollCancel(k);
                    element(at++, a + row * aRow, b + column * bColumn, column);
                }
        } while (advance(index, batch));
    }
};

/// A·B over doubles.
std::vector<double> matMulNumbers(const std::vector<double>& a, const Dims& aDims, const std::vector<double>& b,
                                  const Dims& bDims);

/// Quantisation of a matrix: `zeroPoint` or `scale` holds one entry in all, one a row (perRow) or one a column; empty
/// zero point: 0.
void subtractZeroPoint(std::vector<double>& values, const Dims& dims, const std::vector<double>& zeroPoint,
                       bool perRow);
void multiplyScale(std::vector<double>& values, const Dims& dims, const std::vector<double>& scale, bool perRow);

}  // namespace strobe
