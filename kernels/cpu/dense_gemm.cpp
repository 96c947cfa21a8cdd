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
constexpr int64_t kAmxTile = 16, kStoreRows = 32, kStoreColumns = 32;
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

bool isStoredFloat(DataType type) {
    return type == DataType::Float32 || type == DataType::BFloat16;
}

/// Of [k][columns] in FP32; of 16 pairs of k by 16 columns a tile for AMX.
int64_t packedOffset(GemmCompute compute, int64_t width, int64_t k, int64_t column) {
    if (compute == GemmCompute::Float32) return k * width + column;
    return k / 32 * (32 * width) + column / 16 * 512 + k % 32 / 2 * 32 + column % 16 * 2 + k % 2;
}

/// A panel, zeros around the weights.
template <class From, class To>
void packPanel(const From* from, const DenseShape& shape, const WeightOrder& order, GemmCompute compute,
               const DensePanel& panel, To* to) {
    const int64_t blockColumns = shape.columns / shape.bands, blockDepth = shape.patch.depth() / shape.bands;
    for (int64_t n = 0; n < panel.columns; ++n) {
        const int64_t column = panel.column + n;
        const int64_t first = shape.bands > 1 ? column / blockColumns * blockDepth - panel.kBegin : 0;
        for (int64_t k = 0; k < blockDepth; ++k)
            to[packedOffset(compute, gemmPanelColumns(compute), first + k, n)] =
                static_cast<To>(from[column * order.columnStride + order.kOffsets[static_cast<size_t>(k)]]);
    }
}

void packPanelOf(const TensorDesc& weights, const DenseShape& shape, const WeightOrder& order, GemmCompute compute,
                 const DensePanel& panel, void* to) {
    const auto* halves = static_cast<const BFloat16*>(weights.constantData);
    if (weights.format.type == DataType::Float32)
        packPanel(static_cast<const float*>(weights.constantData), shape, order, compute, panel,
                  static_cast<float*>(to) + panel.offset);
    else if (compute == GemmCompute::Float32)
        packPanel(halves, shape, order, compute, panel, static_cast<float*>(to) + panel.offset);
    else
        packPanel(halves, shape, order, compute, panel, static_cast<BFloat16*>(to) + panel.offset);
}

DataType elementType(GemmCompute compute) {
    return compute == GemmCompute::Float32 ? DataType::Float32 : DataType::BFloat16;
}

int64_t packedElements(const std::vector<DensePanel>& panels, GemmCompute compute) {
    return panels.back().offset + panels.back().depth * gemmPanelColumns(compute);
}

}  // namespace

std::vector<DensePanel> densePanels(const DenseShape& shape, GemmCompute compute) {
    const int64_t width = gemmPanelColumns(compute), step = gemmKStep(compute);
    const int64_t blockColumns = shape.columns / shape.bands, blockDepth = shape.patch.depth() / shape.bands;
    std::vector<DensePanel> panels;
    int64_t offset = 0;
    for (int64_t group = 0; group < shape.groups; ++group)
        for (int64_t start = 0; start < shape.groupColumns(); start += width) {
            DensePanel panel;
            panel.group = group;
            panel.column = group * shape.groupColumns() + start;
            panel.columns = std::min(width, shape.groupColumns() - start);
            if (shape.bands > 1) panel.kBegin = panel.column / blockColumns * blockDepth / step * step;
            const int64_t lastBlock = (panel.column + panel.columns - 1) / blockColumns;
            panel.depth = roundUp(shape.bands > 1 ? (lastBlock + 1) * blockDepth : blockDepth, step) - panel.kBegin;
            panel.offset = offset;
            offset += panel.depth * width;
            panels.push_back(panel);
        }
    return panels;
}

Result<std::shared_ptr<const void>> packDenseWeights(const Problem& problem, const DenseShape& shape,
                                                     const WeightOrder& order, GemmCompute compute,
                                                     const PrepareContext& context, const std::string& name) {
    const TensorDesc& weights = problem.inputs[1];
    const std::vector<DensePanel> panels = densePanels(shape, compute);
    const size_t bytes = dataTypeBytes(elementType(compute), packedElements(panels, compute));
    const auto fill = [&](void* to) {
        const DataType type = elementType(compute);
        const ThreadScope scope(problem.threads);
        parallelFor(0, static_cast<int64_t>(panels.size()), 1, [&](int64_t first, int64_t last) {
            for (int64_t p = first; p < last && !isCancelled(context.cancel); ++p) {
                const DensePanel& panel = panels[static_cast<size_t>(p)];
                std::memset(static_cast<char*>(to) + dataTypeBytes(type, panel.offset), 0,
                            dataTypeBytes(type, panel.depth * gemmPanelColumns(compute)));
                packPanelOf(weights, shape, order, compute, panel, to);
            }
        });
        return isCancelled(context.cancel) ? cancelled() : Status::ok();
    };
    PackedWeightsCache own;
    const bool shared = context.packedWeights && !weights.constantKey.empty();
    return (shared ? context.packedWeights : &own)
        ->get(name + " " + weights.constantKey + " " + std::to_string(gemmPanelColumns(compute)) + " x " +
                  std::to_string(shape.patch.depth()) + " groups " + std::to_string(shape.groups) + " bands " +
                  std::to_string(shape.bands),
              bytes, fill);
}

/// Sums that wait to be finished. Two buffers, since memory that a tile register was stored to can be read only after
/// a long while: the tile before is finished while the next one is in work.
struct DenseGemmKernel::Waiting {
    alignas(64) float sums[2][kStoreRows * kStoreColumns];
    int next = 0;
    int64_t rows = 0, columns = 0;  // of the waiting ones; no rows: none wait
    int64_t begin = 0;              // their first output element
};

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
      m_panels(densePanels(shape, compute)),
      m_weights(std::move(weights)),
      m_inType(problem.inputs[0].format.type),
      m_elementType(elementType(compute)),
      m_outType(problem.outputs[0].format.type),
      m_threads(std::max(1, problem.threads)) {
    if (problem.program) m_epilogue.emplace(problem);
    const int64_t width = gemmPanelColumns(compute);
    m_bias.assign(m_panels.size() * static_cast<size_t>(width), 0.0f);
    for (size_t p = 0; p < m_panels.size() && !bias.empty(); ++p)
        std::copy_n(bias.begin() + m_panels[p].column, m_panels[p].columns,
                    m_bias.begin() + static_cast<int64_t>(p) * width);
    chooseBlocks();
    planStore(problem);
}

/// AMX leaves sums in memory anyway. Where one pass over the depth makes them and the epilogue is a chain, each tile is
/// finished as soon as it is there.
void DenseGemmKernel::planStore(const Problem& problem) {
    if (m_compute == GemmCompute::Float32 || m_chunk < m_kPadded) return;
    m_store.emplace();
    m_store->x = 0;
    if (problem.program) {
        const TensorDesc& y = problem.outputs[0];
        const auto first = static_cast<size_t>(problem.op->maxInputs);
        std::vector<bool> isFull{true};
        for (size_t i = first; i < problem.inputs.size(); ++i)
            isFull.push_back(problem.inputs[i].dims == y.dims && problem.inputs[i].format.layout == y.format.layout &&
                             isStoredFloat(problem.inputs[i].format.type));
        m_store = chainForm(*problem.program, isFull);
        if (!m_store || (m_store->x != 0 && m_store->r != 0)) return m_store.reset();
        for (const ChainForm::Term& term : {m_store->scale1, m_store->shift1, m_store->scale2, m_store->shift2})
            if (term.input >= 0) return m_store.reset();
        if (const int other = std::max(m_store->x, m_store->r); other > 0) {
            m_residual = static_cast<int>(first) + other - 1;
            m_residualType = problem.inputs[static_cast<size_t>(m_residual)].format.type;
        }
    }
    m_epilogue.reset();
}

void DenseGemmKernel::chooseBlocks() {
    const int64_t step = gemmKStep(m_compute), most = m_compute == GemmCompute::Float32 ? kFloatChunk : kAmxChunk;
    m_kPadded = roundUp(m_shape.patch.depth(), step);
    const int64_t chunks = (m_kPadded + most - 1) / most;
    m_chunk = roundUp((m_kPadded + chunks - 1) / chunks, step);
    const int64_t element = static_cast<int64_t>(dataTypeBytes(m_elementType, 1));
    m_gatherStride = m_chunk;
    if (m_gatherStride * element % kConflictBytes == 0) m_gatherStride += 64 / element;
    const auto panels = static_cast<int64_t>(m_panels.size());
    const int64_t weightBytes = packedElements(m_panels, m_compute) * element;
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
/// FP32 outputs are their own sums; tiles that are finished at once need none.
size_t DenseGemmKernel::sumBytes() const {
    return m_outType == DataType::Float32 || m_store
               ? 0
               : alignedBytes(m_blockRows * m_shape.columns * static_cast<int64_t>(sizeof(float)));
}
size_t DenseGemmKernel::threadBytes() const {
    return gatherBytes() + sumBytes() +
           (m_epilogue ? alignedBytes(static_cast<int64_t>(m_epilogue->scratchBytes())) : 0);
}

std::string DenseGemmKernel::description() const {
    return std::to_string(m_blockRows) + " rows by " + std::to_string(m_chunk) + " deep, threads share " +
           (m_splitColumns ? "columns" : "rows") +
           (m_shape.bands > 1 ? ", " + std::to_string(m_shape.bands) +
                                    " groups in one product: Inf and NaN of one may show in its neighbours"
                              : std::string());
}

Status DenseGemmKernel::run(const RunArguments& arguments) const {
    const ThreadScope scope(m_threads);
    const auto panels = static_cast<int64_t>(m_panels.size());
    // Tiles that are stored by themselves need not be whole: threads get as many rows each, as other kernels share
    // them.
    const int64_t unit = m_store ? 1 : gemmRows(m_compute), grain = m_splitColumns || !m_store ? 1 : kAmxTile;
    const int64_t jobs = m_splitColumns ? panels : (m_shape.rows + unit - 1) / unit;
    parallelFor(0, jobs, grain, [&](int64_t first, int64_t last) {
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
            share.firstRow = first * unit;
            share.lastRow = std::min(m_shape.rows, last * unit);
        }
        const DensePanel& lastPanel = m_panels[static_cast<size_t>(share.lastPanel) - 1];
        share.columnBegin = m_panels[static_cast<size_t>(share.firstPanel)].column;
        share.columnEnd = lastPanel.column + lastPanel.columns;
        const AmxScope tiles(m_compute);
        runShare(arguments, share);
    });
    return isCancelled(arguments.cancel) ? cancelled() : Status::ok();
}

void DenseGemmKernel::runShare(const RunArguments& arguments, const Share& whole) const {
    Share share = whole;
    const bool inOutput = m_outType == DataType::Float32;
    for (share.row = share.firstRow; share.row < share.lastRow; share.row += m_blockRows) {
        if (isCancelled(arguments.cancel)) return;
        share.rows = std::min(m_blockRows, share.lastRow - share.row);
        share.sumStride = inOutput ? m_shape.columns : share.columnEnd - share.columnBegin;
        share.sums = inOutput ? arguments.outputs[0].as<float>() + share.row * m_shape.columns + share.columnBegin
                              : reinterpret_cast<float*>(share.windows + gatherBytes());
        for (int64_t panel = share.firstPanel, next = panel; panel < share.lastPanel; panel = next)
            for (int64_t k = 0; k < m_kPadded; k += m_chunk) next = multiplyChunk(arguments, share, panel, k);
        finish(arguments, share);
    }
}

/// Whether windows are rows of the input that the microkernel reads where they lie.
bool DenseGemmKernel::isDirect() const {
    const PatchShape& patch = m_shape.patch;
    return patch.isDirect() && m_inType == m_elementType && m_kPadded == patch.depth() &&
           patch.pixelStride * static_cast<int64_t>(dataTypeBytes(m_elementType, 1)) % kConflictBytes != 0;
}

/// The group's panels from `firstPanel` on, for the windows' elements from `kBegin` on; returns the next group's first
/// panel.
int64_t DenseGemmKernel::multiplyChunk(const RunArguments& arguments, const Share& share, int64_t firstPanel,
                                       int64_t kBegin) const {
    const PatchShape& patch = m_shape.patch;
    const int64_t depth = std::min(m_chunk, m_kPadded - kBegin),
                  element = static_cast<int64_t>(dataTypeBytes(m_elementType, 1));
    const int64_t tile = gemmRows(m_compute), group = m_panels[static_cast<size_t>(firstPanel)].group;
    const char* input = arguments.inputs[0].as<const char>() + dataTypeBytes(m_inType, group * m_shape.groupOffset);
    // A last tile that is not full may not be read past the input's end.
    const int64_t directRows = !isDirect()                         ? 0
                               : m_compute == GemmCompute::Float32 ? share.rows
                                                                   : share.rows / tile * tile;
    if (directRows < share.rows)
        gatherPatches({&patch, input, m_inType, share.row + directRows, share.rows - directRows, kBegin,
                       std::min(kBegin + depth, patch.depth()), depth, m_elementType, share.windows, m_gatherStride});
    Waiting waiting;
    int64_t number = firstPanel;
    for (; number < share.lastPanel && m_panels[static_cast<size_t>(number)].group == group; ++number) {
        const DensePanel& panel = m_panels[static_cast<size_t>(number)];
        GemmBlock block;
        block.b =
            static_cast<const char*>(m_weights.get()) + (panel.offset + kBegin * gemmPanelColumns(m_compute)) * element;
        block.bias = m_bias.data() + number * gemmPanelColumns(m_compute);
        block.cStride = share.sumStride;
        block.columns = panel.columns;
        block.k = std::min(depth, panel.depth);
        block.accumulate = kBegin > 0;
        block.c = share.sums + panel.column - share.columnBegin;
        if (directRows > 0) {
            block.a = input + (share.row * patch.pixelStride + kBegin + panel.kBegin) * element;
            block.aStride = patch.pixelStride;
            block.rows = directRows;
            multiplyBlock(arguments, block, share.row, panel.column, waiting);
            block.c += directRows * share.sumStride;
        }
        if (directRows < share.rows) {
            block.a = share.windows + panel.kBegin * element;
            block.aStride = m_gatherStride;
            block.rows = share.rows - directRows;
            multiplyBlock(arguments, block, share.row + directRows, panel.column, waiting);
        }
    }
    storeSums(arguments, waiting);
    return number;
}

/// A block of one panel; with m_store tile after tile goes to the output, else the sums stay in `block.c`.
void DenseGemmKernel::multiplyBlock(const RunArguments& arguments, const GemmBlock& block, int64_t firstRow,
                                    int64_t column, Waiting& waiting) const {
    if (!m_store) return gemmBlock(m_compute, block);
    const int64_t element = static_cast<int64_t>(dataTypeBytes(m_elementType, 1));
    GemmBlock piece = block;
    piece.cStride = kStoreColumns;
    piece.columns = roundUp(block.columns, kAmxTile);
    for (int64_t row = 0; row < block.rows; row += kStoreRows) {
        const int64_t rows = std::min(kStoreRows, block.rows - row);
        piece.a = static_cast<const char*>(block.a) + row * block.aStride * element;
        piece.rows = roundUp(rows, kAmxTile);
        piece.c = waiting.sums[waiting.next];
        gemmBlock(m_compute, piece);
        storeSums(arguments, waiting);
        waiting.rows = rows;
        waiting.columns = block.columns;
        waiting.begin = (firstRow + row) * m_shape.columns + column;
        waiting.next = 1 - waiting.next;
    }
}

void DenseGemmKernel::storeSums(const RunArguments& arguments, Waiting& waiting) const {
    if (waiting.rows == 0) return;
    ChainTile tile;
    const auto given = [&](int input, const void*& data, DataType& type, int64_t& stride) {
        data = input == 0 ? static_cast<const void*>(waiting.sums[1 - waiting.next])
                          : arguments.inputs[static_cast<size_t>(m_residual)].as<const char>() +
                                dataTypeBytes(m_residualType, waiting.begin);
        type = input == 0 ? DataType::Float32 : m_residualType;
        stride = input == 0 ? kStoreColumns : m_shape.columns;
    };
    given(m_store->x, tile.x, tile.xType, tile.xStride);
    if (m_store->r >= 0) given(m_store->r, tile.r, tile.rType, tile.rStride);
    tile.out = arguments.outputs[0].as<char>() + dataTypeBytes(m_outType, waiting.begin);
    tile.outType = m_outType;
    tile.outStride = m_shape.columns;
    tile.rows = waiting.rows;
    tile.n = static_cast<size_t>(waiting.columns);
    runChain(*m_store, tile);
    waiting.rows = 0;
}

/// Epilogue and storage, for all rows at once where they lie in one piece.
void DenseGemmKernel::finish(const RunArguments& arguments, const Share& share) const {
    const bool inOutput = m_outType == DataType::Float32;
    if (m_store || (!m_epilogue && inOutput)) return;
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
