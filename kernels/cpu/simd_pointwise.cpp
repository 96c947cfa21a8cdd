#include "kernels/cpu/simd_pointwise.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "kernels/cpu/cpu_threads.h"

namespace strobe {
namespace {

constexpr int kMaxValues = 256;
constexpr int64_t kBufferBytesInCache = 24 << 10;
constexpr int64_t kElementsPerThread = 8192;  // below, handing work to another thread costs more than it saves

/// Instructions that a result needs, in order.
std::vector<bool> neededValues(const PointwiseProgram& program) {
    std::vector<bool> needed(static_cast<size_t>(program.valueCount()), false);
    for (int result : program.results) needed[static_cast<size_t>(result)] = true;
    for (size_t i = program.instructions.size(); i-- > 0;) {
        if (!needed[static_cast<size_t>(program.inputCount) + i]) continue;
        for (int operand : {program.instructions[i].a, program.instructions[i].b, program.instructions[i].c})
            if (operand >= 0) needed[static_cast<size_t>(operand)] = true;
    }
    return needed;
}

bool broadcastsTo(const Dims& dims, const Dims& target) {
    if (dims.size() > target.size()) return false;
    for (size_t i = 0; i < dims.size(); ++i)
        if (dims[i] != 1 && dims[i] != target[target.size() - dims.size() + i]) return false;
    return true;
}

}  // namespace

/// Where a tile's values lie, and which gathered operands are still good from the tile before.
struct SimdPointwise::Tile {
    int64_t begin = 0, rangeBegin = 0;
    size_t n = 0;
    float* buffers = nullptr;
    // Arrays, since small layers would spend their time on allocations; set before they are read.
    const float* values[kMaxValues];
    int64_t keys[kMaxValues];
    size_t keyLengths[kMaxValues];
};

Support SimdPointwise::supports(const PointwiseProgram& program, std::span<const PointwiseTensor> inputs,
                                std::span<const PointwiseTensor> outputs) {
    if (outputs.empty() || outputs.size() != program.results.size())
        return Support::no("the program's results are not the outputs");
    if (program.valueCount() > kMaxValues)
        return Support::no("more than " + std::to_string(kMaxValues) + " values in one chain");
    const PointwiseTensor& first = outputs.front();
    for (const PointwiseTensor& output : outputs) {
        if (output.dims != first.dims || output.format.layout != first.format.layout)
            return Support::no("outputs differ in shape or layout");
        if (!isTileType(output.format.type))
            return Support::no("no vector form for " + std::string(dataTypeName(output.format.type)) + " outputs");
    }
    for (const PointwiseTensor& input : inputs) {
        TensorAccess access;
        if (!isTileType(input.format.type))
            return Support::no("no vector form for " + std::string(dataTypeName(input.format.type)) + " inputs");
        if (!broadcastsTo(input.dims, first.dims)) return Support::no("an input does not broadcast to the output");
        if (!makeAccess(input.dims, input.format, first.dims, first.format.layout, access))
            return Support::no("an input in " + std::string(layoutName(input.format.layout)) +
                               " layout with an output in " + std::string(layoutName(first.format.layout)));
    }
    return Support::yes();
}

SimdPointwise::SimdPointwise(const PointwiseProgram& program, std::span<const PointwiseTensor> inputs,
                             std::span<const PointwiseTensor> outputs, bool tileInput0)
    : m_program(program), m_dims(outputs[0].dims) {
    for (const PointwiseTensor& output : outputs) m_outputs.push_back(output.format);
    m_count = storedElementCount(m_dims, m_outputs[0].layout);
    planChain(inputs, tileInput0);
    planSources(inputs, tileInput0);
    if (!m_chain)
        planSteps();
    else if (m_outputs[0].type != DataType::Float32 && m_outputs[0].type != DataType::BFloat16)
        m_chainBuffer = m_buffers++;
    chooseTile();
}

void SimdPointwise::planChain(std::span<const PointwiseTensor> inputs, bool tileInput0) {
    std::vector<bool> isFull;
    for (size_t i = 0; i < inputs.size(); ++i) {
        TensorAccess access;
        makeAccess(inputs[i].dims, inputs[i].format, m_dims, m_outputs[0].layout, access);
        const DataType type = inputs[i].format.type;
        isFull.push_back((tileInput0 && i == 0) ||
                         (access.contiguous && (type == DataType::Float32 || type == DataType::BFloat16)));
    }
    m_chain = chainForm(m_program, isFull);
}

void SimdPointwise::planSources(std::span<const PointwiseTensor> inputs, bool tileInput0) {
    const std::vector<bool> needed = neededValues(m_program);
    for (size_t i = 0; i < inputs.size(); ++i) {
        Source source;
        source.isTile = tileInput0 && i == 0;
        makeAccess(inputs[i].dims, inputs[i].format, m_dims, m_outputs[0].layout, source.access);
        const bool chained = m_chain && (m_chain->x == static_cast<int>(i) || m_chain->r == static_cast<int>(i));
        const bool inPlace =
            source.isTile || chained || (source.access.contiguous && inputs[i].format.type == DataType::Float32);
        if (needed[i] && !inPlace) source.buffer = m_buffers++;
        m_sources.push_back(std::move(source));
    }
}

/// Buffers are handed on to later results when a value was read for the last time; gathered operands keep theirs.
void SimdPointwise::planSteps() {
    const std::vector<bool> needed = neededValues(m_program);
    std::vector<size_t> lastUse(static_cast<size_t>(m_program.valueCount()), 0);
    for (size_t i = 0; i < m_program.instructions.size(); ++i)
        for (int operand : {m_program.instructions[i].a, m_program.instructions[i].b, m_program.instructions[i].c})
            if (operand >= 0 && needed[static_cast<size_t>(m_program.inputCount) + i])
                lastUse[static_cast<size_t>(operand)] = i;
    for (int result : m_program.results) lastUse[static_cast<size_t>(result)] = m_program.instructions.size();
    std::vector<int> bufferOf(static_cast<size_t>(m_program.valueCount()), -1), unused;
    for (size_t i = 0; i < m_program.instructions.size(); ++i) {
        const int value = m_program.inputCount + static_cast<int>(i);
        if (!needed[static_cast<size_t>(value)]) continue;
        Step step{m_program.instructions[i], tileFunction(m_program.instructions[i].op), value, -1, -1};
        const auto result = std::find(m_program.results.begin(), m_program.results.end(), value);
        if (result != m_program.results.end()) step.output = static_cast<int>(result - m_program.results.begin());
        const bool direct = step.output >= 0 && m_outputs[static_cast<size_t>(step.output)].type == DataType::Float32;
        for (int operand : {step.instruction.a, step.instruction.b, step.instruction.c})
            if (operand >= m_program.inputCount && lastUse[static_cast<size_t>(operand)] == i &&
                bufferOf[static_cast<size_t>(operand)] >= 0) {
                unused.push_back(bufferOf[static_cast<size_t>(operand)]);
                bufferOf[static_cast<size_t>(operand)] = -1;
            }
        if (!direct) {
            step.output = -1;
            if (unused.empty()) unused.push_back(m_buffers++);
            step.buffer = bufferOf[static_cast<size_t>(value)] = unused.back();
            unused.pop_back();
        }
        m_steps.push_back(step);
    }
}

/// As long as fits in the L1 cache; a multiple of the longest short period, so that gathered operands serve every tile.
void SimdPointwise::chooseTile() {
    m_tile = 1024;
    while (m_tile > 128 && m_tile * m_buffers * static_cast<int64_t>(sizeof(float)) > kBufferBytesInCache) m_tile /= 2;
    int64_t period = 1;
    for (const Source& source : m_sources)
        if (source.buffer >= 0 && source.access.period <= m_tile) period = std::max(period, source.access.period);
    m_tile = std::max<int64_t>(1, m_tile / period) * period;
}

size_t SimdPointwise::scratchBytes() const {
    return (static_cast<size_t>(m_tile * m_buffers) * sizeof(float) + 127) / 64 * 64;
}

void SimdPointwise::readSources(std::span<const void* const> inputs, Tile& tile) const {
    for (size_t i = 0; i < m_sources.size(); ++i) {
        const Source& source = m_sources[i];
        if (source.isTile) {
            tile.values[i] = static_cast<const float*>(inputs[i]) + (tile.begin - tile.rangeBegin);
        } else if (source.buffer < 0) {
            if (source.access.type == DataType::Float32)
                tile.values[i] = static_cast<const float*>(inputs[i]) + tile.begin;
        } else {
            float* buffer = tile.buffers + source.buffer * m_tile;
            tile.values[i] = buffer;
            const int64_t key = accessKey(source.access, tile.begin, tile.n);
            if (!source.access.contiguous && tile.keys[i] == key && tile.keyLengths[i] >= tile.n) continue;
            readAccess(source.access, inputs[i], tile.begin, tile.n, buffer);
            tile.keys[i] = key;
            tile.keyLengths[i] = tile.n;
        }
    }
}

/// A full-size input where it lies.
const void* SimdPointwise::elementsOf(int input, std::span<const void* const> inputs, const Tile& tile) const {
    const Source& source = m_sources[static_cast<size_t>(input)];
    const int64_t at = source.isTile ? tile.begin - tile.rangeBegin : tile.begin;
    const DataType type = source.isTile ? DataType::Float32 : source.access.type;
    return static_cast<const char*>(inputs[static_cast<size_t>(input)]) + dataTypeBytes(type, at);
}

void SimdPointwise::runChainTile(std::span<const void* const> inputs, void* output, Tile& tile) const {
    const auto typeOf = [&](int input) {
        const Source& source = m_sources[static_cast<size_t>(input)];
        return source.isTile ? DataType::Float32 : source.access.type;
    };
    const auto valuesOf = [&](const ChainForm::Term& term) {
        return term.input < 0 ? nullptr : tile.values[term.input];
    };
    ChainTile chain;
    chain.x = elementsOf(m_chain->x, inputs, tile);
    chain.xType = typeOf(m_chain->x);
    if (m_chain->r >= 0) {
        chain.r = elementsOf(m_chain->r, inputs, tile);
        chain.rType = typeOf(m_chain->r);
    }
    chain.scale1 = valuesOf(m_chain->scale1);
    chain.shift1 = valuesOf(m_chain->shift1);
    chain.scale2 = valuesOf(m_chain->scale2);
    chain.shift2 = valuesOf(m_chain->shift2);
    const DataType type = m_outputs[0].type;
    float* buffer = m_chainBuffer < 0 ? nullptr : tile.buffers + m_chainBuffer * m_tile;
    chain.outType = buffer ? DataType::Float32 : type;
    chain.out = buffer ? static_cast<void*>(buffer) : static_cast<char*>(output) + dataTypeBytes(type, tile.begin);
    chain.n = tile.n;
    runChain(*m_chain, chain);
    if (buffer) storeTile(type, buffer, output, tile.begin, tile.n);
    clearPadding(output, type, tile.begin, tile.begin + static_cast<int64_t>(tile.n));
}

void SimdPointwise::runTile(std::span<const void* const> inputs, std::span<void* const> outputs, Tile& tile) const {
    readSources(inputs, tile);
    if (m_chain) return runChainTile(inputs, outputs[0], tile);
    const auto value = [&](int number) { return number < 0 ? nullptr : tile.values[static_cast<size_t>(number)]; };
    for (const Step& step : m_steps) {
        float* to = step.output >= 0 ? static_cast<float*>(outputs[static_cast<size_t>(step.output)]) + tile.begin
                                     : tile.buffers + step.buffer * m_tile;
        step.function(step.instruction, value(step.instruction.a), value(step.instruction.b), value(step.instruction.c),
                      to, tile.n);
        tile.values[static_cast<size_t>(step.value)] = to;
    }
    for (size_t o = 0; o < outputs.size(); ++o) {
        const float* result = value(m_program.results[o]);
        const Format& format = m_outputs[o];
        if (format.type != DataType::Float32 || result != static_cast<const float*>(outputs[o]) + tile.begin)
            storeTile(format.type, result, outputs[o], tile.begin, tile.n);
        clearPadding(outputs[o], format.type, tile.begin, tile.begin + static_cast<int64_t>(tile.n));
    }
}

void SimdPointwise::clearPadding(void* output, DataType type, int64_t begin, int64_t end) const {
    const int64_t block = layoutBlock(m_outputs[0].layout);
    if (block == 1 || m_dims[1] % block == 0) return;
    const int64_t blocks = (m_dims[1] + block - 1) / block, used = m_dims[1] % block,
                  bytes = static_cast<int64_t>(dataTypeBytes(type, 1));
    const int64_t perBlock = m_count / m_dims[0] / blocks;
    for (int64_t at = begin; at < end;) {
        const int64_t number = at / perBlock;
        if (number % blocks != blocks - 1) {
            at = (number + 1) * perBlock;
            continue;
        }
        std::memset(static_cast<char*>(output) + (at + used) * bytes, 0, static_cast<size_t>((block - used) * bytes));
        at += block;
    }
}

void SimdPointwise::runRange(std::span<const void* const> inputs, std::span<void* const> outputs, int64_t begin,
                             int64_t end, void* scratch) const {
    Tile tile;
    tile.rangeBegin = begin;
    tile.buffers = static_cast<float*>(scratch);
    std::fill_n(tile.keyLengths, m_sources.size(), 0);
    for (int64_t at = begin; at < end; at += m_tile) {
        tile.begin = at;
        tile.n = static_cast<size_t>(std::min(m_tile, end - at));
        runTile(inputs, outputs, tile);
    }
}

void SimdPointwise::run(std::span<const void* const> inputs, std::span<void* const> outputs, void* scratch) const {
    const int64_t tiles = (m_count + m_tile - 1) / m_tile;
    const int64_t weight = 1 + static_cast<int64_t>(m_program.instructions.size()) / 4;
    parallelFor(0, tiles, kElementsPerThread / weight / m_tile, [&](int64_t first, int64_t last) {
        char* own = static_cast<char*>(scratch) + static_cast<size_t>(parallelThreadIndex()) * scratchBytes();
        runRange(inputs, outputs, first * m_tile, std::min(last * m_tile, m_count), own);
    });
}

}  // namespace strobe
