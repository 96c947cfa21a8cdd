#pragma once
#include <optional>

#include "kernels/cpu/simd_pointwise.h"

namespace strobe {

/// Descriptions for SimdPointwise of the problem's output 0 and of its epilogue's extra inputs: input 0 is the FP32
/// tile.
struct EpiloguePlan {
    std::vector<PointwiseTensor> inputs;
    PointwiseTensor output;
};
EpiloguePlan epiloguePlan(const Problem& problem);
/// Whether SimdPointwise can apply the problem's epilogue; yes when there is none.
Support supportsEpilogue(const Problem& problem);

/// The epilogue of a kernel that makes its output piece by piece in FP32.
class TileEpilogue {
public:
    /// Requires a program and supportsEpilogue().
    explicit TileEpilogue(const Problem& problem);
    size_t scratchBytes() const { return m_chain->scratchBytes(); }
    /// Finishes stored elements [begin, end) of output 0 from `tile`.
    void apply(const RunArguments& arguments, const float* tile, int64_t begin, int64_t end, void* scratch) const;

private:
    std::unique_ptr<SimdPointwise> m_chain;
    size_t m_firstExtra = 0, m_extras = 0;
};

}  // namespace strobe
