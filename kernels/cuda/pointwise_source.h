#pragma once
#include <string>
#include <vector>

#include "engine_core/builder/tactic.h"

namespace strobe {

/// A pointwise program made into CUDA C++ for one combination of types and ways of access; extents and strides are
/// parameters, so that one compiled kernel serves many shapes. Host code, needs no GPU.
struct PointwiseSource {
    std::string text;
    int64_t count = 0;                          // elements of each output
    bool vectorised = false;                    // four elements a thread
    std::vector<int64_t> extents;               // merged output dims in memory order, outermost first
    std::vector<std::vector<int64_t>> strides;  // [strided input][dim], in elements
    /// Words of the parameter block: count, whether four may be read at once, extents, strides, then inputs' and
    /// outputs' addresses.
    std::vector<uint64_t> parameters(const std::vector<const void*>& inputs, const std::vector<void*>& outputs) const;
    int64_t threads() const { return vectorised ? (count + 3) / 4 : count; }
};

/// One operand by element strides in the order of the output's dims; what transpose needs beyond broadcasting.
struct StridedOperand {
    DataType type = DataType::Undefined;
    std::vector<int64_t> strides;
};

/// Inputs broadcast to the outputs' dims, whatever mix of plain and channels-last they lie in; all outputs share one
/// layout.
Result<PointwiseSource> pointwiseSource(const PointwiseProgram& program, const std::vector<TensorDesc>& inputs,
                                        const std::vector<TensorDesc>& outputs);
/// The same with dims in memory order and strides given.
Result<PointwiseSource> stridedSource(const PointwiseProgram& program, std::vector<int64_t> extents,
                                      const std::vector<StridedOperand>& inputs, const std::vector<DataType>& outputs);
/// Element strides of a dense plain or channels-last tensor, in the order of its logical dims.
std::vector<int64_t> elementStrides(const Dims& dims, Layout layout);

}  // namespace strobe
