#pragma once
#include <span>
#include <vector>

#include "engine_core/builder/tactic.h"
#include "kernels/cpu/simd_access.h"
#include "kernels/cpu/simd_chain.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {

/// A tensor that a pointwise program reads or writes, as it lies in memory.
struct PointwiseTensor {
    Format format;
    Dims dims;
};

/// A pointwise program made ready for tensors of known shapes and layouts. It runs in tiles that stay in the L1 cache:
/// each tile passes through all instructions before the next one is read. Immutable; run from any thread, with scratch
/// of its own.
///
/// Outputs share dims and layout. An input has the output's layout (then blocked padding may hold anything finite), or
/// is plain or channels-last, and broadcasts to the output's dims. The padding of blocked outputs is written as zero.
/// An output may be an input of the same dims, type and layout when there is only one output.
class SimdPointwise {
public:
    static Support supports(const PointwiseProgram& program, std::span<const PointwiseTensor> inputs,
                            std::span<const PointwiseTensor> outputs);
    /// Requires supports(). With `tileInput0`, input 0 of a runRange call is a contiguous FP32 tile that begins at
    /// element `begin`: how a layer that computed a piece of its output applies its epilogue to it.
    SimdPointwise(const PointwiseProgram& program, std::span<const PointwiseTensor> inputs,
                  std::span<const PointwiseTensor> outputs, bool tileInput0 = false);
    /// Bytes that one thread needs while it works.
    size_t scratchBytes() const;
    /// The whole tensor with parallelFor; `scratch` holds scratchBytes() for each of parallelThreads().
    void run(std::span<const void* const> inputs, std::span<void* const> outputs, void* scratch) const;
    /// Stored elements [begin, end) of the outputs, in the calling thread. Both are multiples of the channel block in
    /// blocked layouts.
    void runRange(std::span<const void* const> inputs, std::span<void* const> outputs, int64_t begin, int64_t end,
                  void* scratch) const;

private:
    struct Source {
        TensorAccess access;
        int buffer = -1;      // tile buffer where elements are gathered; −1: read in place
        bool isTile = false;  // the caller's tile
    };
    struct Step {
        PointwiseInstruction instruction;
        TileFunction function = nullptr;
        int value = 0;    // value number of the result
        int buffer = -1;  // tile buffer of the result; −1: straight into output `output`
        int output = -1;
    };
    struct Tile;

    void planChain(std::span<const PointwiseTensor> inputs, bool tileInput0);
    void planSources(std::span<const PointwiseTensor> inputs, bool tileInput0);
    void planSteps();
    void chooseTile();
    void readSources(std::span<const void* const> inputs, Tile& tile) const;
    const void* elementsOf(int input, std::span<const void* const> inputs, const Tile& tile) const;
    void runChainTile(std::span<const void* const> inputs, void* output, Tile& tile) const;
    void runTile(std::span<const void* const> inputs, std::span<void* const> outputs, Tile& tile) const;
    void clearPadding(void* output, DataType type, int64_t begin, int64_t end) const;

    PointwiseProgram m_program;
    std::optional<ChainForm> m_chain;  // in place of the steps
    int m_chainBuffer = -1;            // its result, where that is stored as neither FP32 nor BF16
    std::vector<Source> m_sources;
    std::vector<Step> m_steps;
    std::vector<Format> m_outputs;
    Dims m_dims;
    int64_t m_count = 0;  // stored elements
    int64_t m_tile = 0;   // elements a tile
    int m_buffers = 0;
};

}  // namespace strobe
