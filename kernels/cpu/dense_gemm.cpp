#include "kernels/cpu/dense_gemm.h"

#include <algorithm>
#include <cstring>

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/cpu_threads.h"
#include "kernels/cpu/simd_axes.h"
#include "kernels/cpu/simd_tile.h"

namespace strobe {
namespace {

// Weights that stay in L2: each tile of windows waits in L1 while all of them pass. Larger ones: as many windows as L2
// holds, so that weights come from memory seldom.
constexpr int64_t kResidentWeightBytes = 1280 << 10;
constexpr int64_t kFloatChunk = 512, kAmxChunk = 1024;
constexpr int64_t kTileBytes = 28 << 10;           // of windows in L1
constexpr int64_t kBlockBytes = 512 << 10;         // of windows and sums in L2
constexpr int64_t kConflictBytes = 2048;           // rows so far apart fall into few sets of the L1 cache
constexpr int64_t kSharedWeightBytes = 256 << 10;  // more are worth reading once instead of once a thread

int64_t roundUp(int64_t value, int64_t step) {
    return (value + step - 1) / step * step;
}
size_t alignedBytes(int64_t bytes) {
    return static_cast<size_t>(roundUp(bytes, 64));
}

/// Of [k][columns] in FP32; of 16 pairs of k by 16 columns a tile for AMX.
int64_t packedOffset(GemmCompute compute, int64_t width, int64_t k, int64_t column) {
    if (compute == GemmCompute::Float32) return k * width + column;
    return k / 32 * (32 * width) + column / 16 * 512 + k % 32 / 2 * 32 + column % 16 * 2 + k % 2;
}

template <class From, class To>
void packPanel(const From* from, const WeightOrder& order, GemmCompute compute, int64_t width, int64_t columns,
               To* to) {
    for (int64_t n = 0; n < columns; ++n)
        for (size_t k = 0; k < order.kOffsets.size(); ++k)
            to[packedOffset(compute, width, static_cast<int64_t>(k), n)] =
                static_cast<To>(from[n * order.columnStride + order.kOffsets[k]]);
}

}  // namespace

Result<std::shared_ptr<const void>> packDenseWeights(const Problem& problem, const DenseShape& shape,
                                                     const WeightOrder& order, GemmCompute compute,
                                                     const PrepareContext& context, const std::string& name) {
    const TensorDesc& weights = problem.inputs[1];
    const int64_t width = gemmPanelColumns(compute), depth = roundUp(shape.patch.depth(), gemmKStep(compute));
    const int64_t panels = (shape.groupColumns() + width - 1) / width;
    const DataType type = compute == GemmCompute::Float32 ? DataType::Float32 : DataType::BFloat16;
    const size_t panelBytes = dataTypeBytes(type, width * depth);
    const size_t bytes = panelBytes * static_cast<size_t>(panels * shape.groups);
    const auto fill = [&](void* to) {
        std::memset(to, 0, bytes);
        parallelFor(0, panels * shape.groups, 1, [&](int64_t first, int64_t last) {
            for (int64_t p = first; p < last; ++p) {
                const int64_t start = p % panels * width, columns = std::min(width, shape.groupColumns() - start);
                const int64_t offset = (p / panels * shape.groupColumns() + start) * order.columnStride;
                void* panel = static_cast<char*>(to) + static_cast<size_t>(p) * panelBytes;
                if (weights.format.type == DataType::Float32)
                    packPanel(static_cast<const float*>(weights.constantData) + offset, order, compute, width, columns,
                              static_cast<float*>(panel));
                else if (type == DataType::Float32)
                    packPanel(static_cast<const BFloat16*>(weights.constantData) + offset, order, compute, width,
                              columns, static_cast<float*>(panel));
                else
                    packPanel(static_cast<const BFloat16*>(weights.constantData) + offset, order, compute, width,
                              columns, static_cast<BFloat16*>(panel));
            }
        });
        return Status::ok();
    };
    PackedWeightsCache own;
    const bool shared = context.packedWeights && !weights.constantKey.empty();
    return (shared ? context.packedWeights : &own)
        ->get(name + " " + weights.constantKey + " " + std::to_string(width) + " x " + std::to_string(depth) +
                  " groups " + std::to_string(shape.groups),
              bytes, fill);
}

/// A thread's part: rows [firstRow, lastRow) of panels [firstPanel, lastPanel), of which `row` … are in work.
struct DenseGemmKernel::Share {
    int64_t firstRow = 0, lastRow = 0, firstPanel = 0, lastPanel = 0;
    int64_t row = 0, rows = 0;
    int64_t columnBegin = 0, columnEnd = 0;
    char* windows = nullptr;
    float* sums = nullptr;  // element (row, columnBegin)
    int64_t sumStride = 0;
    void* scratch = nullptr;
};

DenseGemmKernel::DenseGemmKernel(const Problem& problem, const DenseShape& shape, GemmCompute compute,
                                 std::shared_ptr<const void> weights, const std::vector<float>& bias)
    : m_shape(shape),
      m_compute(compute),
      m_weights(std::move(weights)),
      m_inType(problem.inputs[0].format.type),
      m_elementType(compute == GemmCompute::Float32 ? DataType::Float32 : DataType::BFloat16),
      m_outType(problem.outputs[0].format.type),
      m_threads(std::max(1, problem.threads)),
      m_panelColumns(gemmPanelColumns(compute)) {
    if (problem.program) m_epilogue.emplace(problem);
    m_bias.assign(static_cast<size_t>(panelsOfGroup() * shape.groups * m_panelColumns), 0.0f);
    for (int64_t n = 0; n < shape.columns && !bias.empty(); ++n) {
        const int64_t group = n / shape.groupColumns(), column = n % shape.groupColumns();
        m_bias[static_cast<size_t>(group * panelsOfGroup() * m_panelColumns + column)] = bias[static_cast<size_t>(n)];
    }
    chooseBlocks();
}

int64_t DenseGemmKernel::firstColumn(int64_t panel) const {
    const int64_t group = panel / panelsOfGroup(), number = panel % panelsOfGroup();
    return group * m_shape.groupColumns() + number * m_panelColumns;
}

void DenseGemmKernel::chooseBlocks() {
    const int64_t step = gemmKStep(m_compute), most = m_compute == GemmCompute::Float32 ? kFloatChunk : kAmxChunk;
    m_kPadded = roundUp(m_shape.patch.depth(), step);
    const int64_t chunks = (m_kPadded + most - 1) / most;
    m_chunk = roundUp((m_kPadded + chunks - 1) / chunks, step);
    const int64_t element = static_cast<int64_t>(dataTypeBytes(m_elementType, 1));
    m_gatherStride = m_chunk;
    if (m_gatherStride * element % kConflictBytes == 0) m_gatherStride += 64 / element;
    const int64_t panels = panelsOfGroup() * m_shape.groups,
                  weightBytes = panels * m_panelColumns * m_kPadded * element;
    const int64_t tile = gemmRows(m_compute), tiles = (m_shape.rows + tile - 1) / tile;
    const int64_t perRow = m_chunk * element + m_shape.columns * static_cast<int64_t>(sizeof(float));
    const int64_t fitting = std::max<int64_t>(1, kBlockBytes / perRow / tile);
    // Weights that no cache keeps: every thread reads its own columns, once.
    const bool onePass = tiles <= fitting * m_threads;
    m_splitColumns =
        m_threads > 1 && panels >= m_threads && (tiles < m_threads || (onePass && weightBytes > kSharedWeightBytes));
    const bool resident = weightBytes / (m_splitColumns ? m_threads : 1) <= kResidentWeightBytes;
    const int64_t inTile = std::max<int64_t>(1, kTileBytes / (m_chunk * element) / tile);
    const int64_t tilesOfBlock = resident ? std::min(inTile, fitting) : fitting;
    const int64_t tilesOfShare = m_splitColumns ? tiles : (tiles + m_threads - 1) / m_threads;
    const int64_t blocks = (tilesOfShare + tilesOfBlock - 1) / tilesOfBlock;
    m_blockRows = (tilesOfShare + blocks - 1) / blocks * tile;
}

size_t DenseGemmKernel::gatherBytes() const {
    return alignedBytes(roundUp(m_blockRows, 16) * m_gatherStride *
                        static_cast<int64_t>(dataTypeBytes(m_elementType, 1)));
}
/// FP32 outputs are their own sums.
size_t DenseGemmKernel::sumBytes() const {
    return m_outType == DataType::Float32
               ? 0
               : alignedBytes(m_blockRows * m_shape.columns * static_cast<int64_t>(sizeof(float)));
}
size_t DenseGemmKernel::threadBytes() const {
    return gatherBytes() + sumBytes() +
           (m_epilogue ? alignedBytes(static_cast<int64_t>(m_epilogue->scratchBytes())) : 0);
}

std::string DenseGemmKernel::description() const {
    return std::to_string(m_blockRows) + " rows by " + std::to_string(m_chunk) + " deep, threads share " +
           (m_splitColumns ? "columns" : "rows");
}

Status DenseGemmKernel::run(const RunArguments& arguments) const {
    const ThreadScope scope(m_threads);
    const int64_t panels = panelsOfGroup() * m_shape.groups, tile = gemmRows(m_compute);
    const int64_t jobs = m_splitColumns ? panels : (m_shape.rows + tile - 1) / tile;
    parallelFor(0, jobs, 1, [&](int64_t first, int64_t last) {
        Share share;
        share.windows =
            static_cast<char*>(arguments.workspace) + static_cast<size_t>(parallelThreadIndex()) * threadBytes();
        share.scratch = share.windows + gatherBytes() + sumBytes();
        share.lastRow = m_shape.rows;
        share.lastPanel = panels;
        if (m_splitColumns) {
            share.firstPanel = first;
            share.lastPanel = last;
        } else {
            share.firstRow = first * tile;
            share.lastRow = std::min(m_shape.rows, last * tile);
        }
        share.columnBegin = firstColumn(share.firstPanel);
        share.columnEnd = share.lastPanel == panels ? m_shape.columns : firstColumn(share.lastPanel);
        const AmxScope tiles(m_compute);
        runShare(arguments, share);
    });
    return Status::ok();
}

void DenseGemmKernel::runShare(const RunArguments& arguments, const Share& whole) const {
    Share share = whole;
    const bool inOutput = m_outType == DataType::Float32;
    for (share.row = share.firstRow; share.row < share.lastRow; share.row += m_blockRows) {
        share.rows = std::min(m_blockRows, share.lastRow - share.row);
        share.sumStride = inOutput ? m_shape.columns : share.columnEnd - share.columnBegin;
        share.sums = inOutput ? arguments.outputs[0].as<float>() + share.row * m_shape.columns + share.columnBegin
                              : reinterpret_cast<float*>(share.windows + gatherBytes());
        const int64_t perGroup = panelsOfGroup();
        for (int64_t group = share.firstPanel / perGroup; group * perGroup < share.lastPanel; ++group)
            for (int64_t k = 0; k < m_kPadded; k += m_chunk) multiplyChunk(arguments, share, group, k);
        finish(arguments, share);
    }
}

/// Whether windows are rows of the input that the microkernel reads where they lie.
bool DenseGemmKernel::isDirect() const {
    const PatchShape& patch = m_shape.patch;
    return patch.isDirect() && m_inType == m_elementType && m_kPadded == patch.depth() &&
           patch.pixelStride * static_cast<int64_t>(dataTypeBytes(m_elementType, 1)) % kConflictBytes != 0;
}

void DenseGemmKernel::multiplyChunk(const RunArguments& arguments, const Share& share, int64_t group,
                                    int64_t kBegin) const {
    const PatchShape& patch = m_shape.patch;
    const int64_t depth = std::min(m_chunk, m_kPadded - kBegin),
                  element = static_cast<int64_t>(dataTypeBytes(m_elementType, 1));
    const int64_t tile = gemmRows(m_compute);
    const char* input = arguments.inputs[0].as<const char>() + dataTypeBytes(m_inType, group * m_shape.groupOffset);
    // A last tile that is not full may not be read past the input's end.
    const int64_t directRows = !isDirect()                         ? 0
                               : m_compute == GemmCompute::Float32 ? share.rows
                                                                   : share.rows / tile * tile;
    if (directRows < share.rows)
        gatherPatches({&patch, input, m_inType, share.row + directRows, share.rows - directRows, kBegin,
                       std::min(kBegin + depth, patch.depth()), depth, m_elementType, share.windows, m_gatherStride});
    const int64_t perGroup = panelsOfGroup();
    const int64_t firstPanel = std::max(share.firstPanel, group * perGroup),
                  lastPanel = std::min(share.lastPanel, (group + 1) * perGroup);
    for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
        GemmBlock block;
        block.b = static_cast<const char*>(m_weights.get()) + (panel * m_kPadded + kBegin) * m_panelColumns * element;
        block.bias = m_bias.data() + panel * m_panelColumns;
        block.cStride = share.sumStride;
        block.columns = std::min(m_panelColumns, (group + 1) * m_shape.groupColumns() - firstColumn(panel));
        block.k = depth;
        block.accumulate = kBegin > 0;
        block.c = share.sums + firstColumn(panel) - share.columnBegin;
        if (directRows > 0) {
            block.a = input + (share.row * patch.pixelStride + kBegin) * element;
            block.aStride = patch.pixelStride;
            block.rows = directRows;
            gemmBlock(m_compute, block);
            block.c += directRows * share.sumStride;
        }
        if (directRows < share.rows) {
            block.a = share.windows;
            block.aStride = m_gatherStride;
            block.rows = share.rows - directRows;
            gemmBlock(m_compute, block);
        }
    }
}

/// Epilogue and storage, for all rows at once where they lie in one piece.
void DenseGemmKernel::finish(const RunArguments& arguments, const Share& share) const {
    const bool inOutput = m_outType == DataType::Float32;
    if (!m_epilogue && inOutput) return;
    const int64_t width = share.columnEnd - share.columnBegin;
    const bool onePiece = width == m_shape.columns;
    for (int64_t r = 0; r < (onePiece ? 1 : share.rows); ++r) {
        const int64_t begin = (share.row + r) * m_shape.columns + share.columnBegin,
                      count = onePiece ? share.rows * width : width;
        const float* sums = share.sums + r * share.sumStride;
        if (m_epilogue)
            m_epilogue->apply(arguments, sums, begin, begin + count, share.scratch);
        else
            storeTile(m_outType, sums, arguments.outputs[0].data, begin, static_cast<size_t>(count));
    }
}

}  // namespace strobe
