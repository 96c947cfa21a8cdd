#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "kernels/cpu/gemm_block.h"
#include "kernels/cpu/patch_gather.h"
#include "kernels/cpu/simd_epilogue.h"

namespace strobe {

/// Convolutions and matrix products with constant weights as one form, an implicit matrix product (Chellapilla et al.,
/// 2006; Goto and van de Geijn, 2008): rows are output pixels, gathered piece by piece from the input; columns are
/// output channels in packed panels. Output and epilogue tensors lie with channels innermost.
struct DenseShape {
    PatchShape patch;
    int64_t rows = 0;     // output pixels of all images
    int64_t columns = 0;  // output channels of all groups
    int64_t groups = 1;
    int64_t groupOffset = 0;  // elements of the input from one group to the next
    /// Groups too narrow for whole tiles, taken as one product whose weights are zero but for so many blocks on the
    /// diagonal. Each panel multiplies the depth that its columns' blocks need, and zeros around them: what is not
    /// finite in one group may show in the next.
    int64_t bands = 1;
    int64_t groupColumns() const { return columns / groups; }
};

/// Columns that are packed together, and the windows' elements [kBegin, kBegin + depth) that they need.
struct DensePanel {
    int64_t group = 0, column = 0, columns = 0;
    int64_t kBegin = 0, depth = 0;  // multiples of gemmKStep()
    int64_t offset = 0;             // of the packed weights, in elements
};
std::vector<DensePanel> densePanels(const DenseShape& shape, GemmCompute compute);

/// Where weight (k, column) of a group lies in the constant, in elements.
struct WeightOrder {
    std::vector<int64_t> kOffsets;  // of each k
    int64_t columnStride = 0;
};

/// The weights as every kernel of this shape wants them; shared by all plans of an engine.
Result<std::shared_ptr<const void>> packDenseWeights(const Problem& problem, const DenseShape& shape,
                                                     const WeightOrder& order, GemmCompute compute,
                                                     const PrepareContext& context, const std::string& name);

class DenseGemmKernel final : public Kernel {
public:
    /// `bias` has a value a column or none.
    DenseGemmKernel(const Problem& problem, const DenseShape& shape, GemmCompute compute,
                    std::shared_ptr<const void> weights, const std::vector<float>& bias);

    size_t workspaceBytes() const override { return threadBytes() * static_cast<size_t>(m_threads); }
    Status run(const RunArguments& arguments) const override;
    std::string description() const override;

private:
    struct Share;
    struct Waiting;

    void chooseBlocks();
    bool isDirect() const;
    size_t gatherBytes() const;
    size_t sumBytes() const;
    size_t threadBytes() const;
    void runShare(const RunArguments& arguments, const Share& share) const;
    int64_t multiplyChunk(const RunArguments& arguments, const Share& share, int64_t firstPanel, int64_t kBegin) const;
    void planStore(const Problem& problem);
    void multiplyBlock(const RunArguments& arguments, const GemmBlock& block, int64_t firstRow, int64_t column,
                       Waiting& waiting) const;
    void storeSums(const RunArguments& arguments, Waiting& waiting) const;
    void finish(const RunArguments& arguments, const Share& share) const;

    DenseShape m_shape;
    GemmCompute m_compute;
    std::vector<DensePanel> m_panels;
    std::shared_ptr<const void> m_weights;
    std::vector<float> m_bias;  // of every panel, padded
    DataType m_inType, m_elementType, m_outType;
    int m_threads;
    std::optional<TileEpilogue> m_epilogue;
    std::optional<ChainForm> m_store;  // in its place: each tile of sums is finished while it lies in L1
    int m_residual = -1;               // the input that m_store adds
    DataType m_residualType = DataType::Float32;
    int64_t m_kPadded = 0, m_chunk = 0;  // depth of the product, and of one pass over a panel
    int64_t m_gatherStride = 0;
    int64_t m_blockRows = 0;      // rows whose windows are gathered at once
    bool m_splitColumns = false;  // threads share columns instead of rows
};

}  // namespace strobe
