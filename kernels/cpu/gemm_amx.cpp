#include "kernels/cpu/gemm_block.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#define STROBE_AMX __attribute__((target("amx-tile,amx-bf16,avx512f")))
#endif

namespace strobe {

#ifdef STROBE_AMX
namespace {

constexpr int64_t kTile = 16;                      // rows of a tile, and columns of a sum
constexpr int64_t kTileElements = 16 * 32;         // BF16 elements of a tile of A or B
constexpr int64_t kPanelStep = 2 * kTileElements;  // of a panel for 32 of k
constexpr int64_t kPrefetch = 4 * kPanelStep;

/// Tiles 0–3 hold 2 × 2 sums, 4 and 5 rows of A, 6 and 7 columns of B.
struct TileConfig {
    uint8_t palette = 1, startRow = 0, reserved[14] = {};
    uint16_t bytesPerRow[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// 16·MR rows by 16·NC columns of C. The tile numbers are literals of the instruction set, hence the repetition.
template <int MR, int NC>
STROBE_AMX inline void multiplyTiles(const GemmBlock& g, int64_t firstRow, float* c, int64_t cStride) {
    const size_t cBytes = static_cast<size_t>(cStride) * sizeof(float);
    const size_t aBytes = static_cast<size_t>(g.aStride) * sizeof(uint16_t);
    float* c1 = c + kTile * cStride;
    // Without sums so far the tiles begin with the bias: one row, loaded with a stride of 0.
    const float *from0 = g.accumulate ? c : g.bias, *from1 = g.accumulate ? c1 : g.bias;
    const size_t fromBytes = g.accumulate ? cBytes : 0;
    _tile_loadd(0, from0, fromBytes);
    if constexpr (NC > 1) _tile_loadd(1, from0 + kTile, fromBytes);
    if constexpr (MR > 1) _tile_loadd(2, from1, fromBytes);
    if constexpr (MR > 1 && NC > 1) _tile_loadd(3, from1 + kTile, fromBytes);
    const auto* a = static_cast<const uint16_t*>(g.a) + firstRow * g.aStride;
    const uint16_t* a1 = a + kTile * g.aStride;
    const auto* b = static_cast<const uint16_t*>(g.b);
    for (int64_t k = 0; k < g.k; k += 32, b += kPanelStep) {
        // Across the page ends at which the processor's own prefetching stops.
        for (int64_t line = 0; line < NC * kTile; ++line) _mm_prefetch(b + kPrefetch + line * 32, _MM_HINT_T0);
        _tile_loadd(4, a + k, aBytes);
        if constexpr (MR > 1) _tile_loadd(5, a1 + k, aBytes);
        _tile_loadd(6, b, 64);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (MR > 1) _tile_dpbf16ps(2, 5, 6);
        if constexpr (NC > 1) {
            _tile_loadd(7, b + kTileElements, 64);
            _tile_dpbf16ps(1, 4, 7);
            if constexpr (MR > 1) _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, c, cBytes);
    if constexpr (NC > 1) _tile_stored(1, c + kTile, cBytes);
    if constexpr (MR > 1) _tile_stored(2, c1, cBytes);
    if constexpr (MR > 1 && NC > 1) _tile_stored(3, c1 + kTile, cBytes);
}

template <int NC>
STROBE_AMX inline void multiplyRows(const GemmBlock& g, int64_t row, int64_t rows, float* c, int64_t cStride) {
    if (rows > kTile)
        multiplyTiles<2, NC>(g, row, c, cStride);
    else
        multiplyTiles<1, NC>(g, row, c, cStride);
}

/// A piece that fills no whole tiles goes through a buffer.
template <int NC>
STROBE_AMX void multiplyEdge(const GemmBlock& g, int64_t row, int64_t rows) {
    alignas(64) float buffer[2 * kTile * 2 * kTile];
    const size_t bytes = static_cast<size_t>(g.columns) * sizeof(float);
    float* c = g.c + row * g.cStride;
    if (g.accumulate)
        for (int64_t r = 0; r < rows; ++r) std::memcpy(buffer + r * NC * kTile, c + r * g.cStride, bytes);
    multiplyRows<NC>(g, row, rows, buffer, NC * kTile);
    for (int64_t r = 0; r < rows; ++r) std::memcpy(c + r * g.cStride, buffer + r * NC * kTile, bytes);
}

template <int NC>
STROBE_AMX void multiplyBlock(const GemmBlock& g) {
    for (int64_t row = 0; row < g.rows; row += 2 * kTile) {
        const int64_t rows = std::min(2 * kTile, g.rows - row);
        if (rows % kTile == 0 && g.columns == NC * kTile)
            multiplyRows<NC>(g, row, rows, g.c + row * g.cStride, g.cStride);
        else
            multiplyEdge<NC>(g, row, rows);
    }
}

bool requestAmx() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    constexpr unsigned kAvx512f = 1u << 16, kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
    if (!(b & kAvx512f) || !(d & kAmxBf16) || !(d & kAmxTile)) return false;
    constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

STROBE_AMX void loadConfig() {
    // Static: the compiler believes that the instruction reads 8 bytes.
    alignas(64) static const TileConfig config;
    _tile_loadconfig(&config);
}
STROBE_AMX void releaseTiles() {
    _tile_release();
}

}  // namespace

bool amxAvailable() {
    static const bool available = requestAmx();
    return available;
}

AmxScope::AmxScope(GemmCompute compute) : m_active(compute == GemmCompute::AmxBFloat16) {
    if (m_active) loadConfig();
}
AmxScope::~AmxScope() {
    if (m_active) releaseTiles();
}

void gemmBlockAmx(const GemmBlock& block) {
    block.columns > kTile ? multiplyBlock<2>(block) : multiplyBlock<1>(block);
}

#else

bool amxAvailable() {
    return false;
}
AmxScope::AmxScope(GemmCompute) : m_active(false) {}
AmxScope::~AmxScope() = default;
void gemmBlockAmx(const GemmBlock&) {}

#endif

}  // namespace strobe
