#include <string>

#include "kernels/reference/element_access.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

/// Both ops are a transpose of a six-dimensional view of the image.
struct BlockView {
    int64_t n = 0, channels = 0, height = 0, width = 0, block = 1;  // of the deep, small image
    bool depthFirst = true;  // DCR: the block's position is outside of the channel
};

/// Offset in the deep image of (n, c, row, column inside the block, y, x).
int64_t deepOffset(const BlockView& v, int64_t n, int64_t c, int64_t row, int64_t column, int64_t y, int64_t x) {
    const int64_t inBlock = row * v.block + column;
    const int64_t channel = v.depthFirst ? inBlock * v.channels + c : c * v.block * v.block + inBlock;
    return ((n * v.channels * v.block * v.block + channel) * v.height + y) * v.width + x;
}
int64_t wideOffset(const BlockView& v, int64_t n, int64_t c, int64_t row, int64_t column, int64_t y, int64_t x) {
    return ((n * v.channels + c) * v.height * v.block + y * v.block + row) * v.width * v.block + x * v.block + column;
}

Status runBlocks(const Problem& problem, const RunArguments& arguments) {
    const bool toSpace = problem.op->name == "DepthToSpace";
    const Dims& deep = toSpace ? *arguments.inputs[0].dims : *arguments.outputs[0].dims;
    BlockView v;
    v.block = problem.attributes->getInt("blocksize", 1);
    v.n = deep[0];
    v.channels = deep[1] / (v.block * v.block);
    v.height = deep[2];
    v.width = deep[3];
    v.depthFirst = problem.attributes->getString("mode", "DCR") == "DCR";
    const Dims box = {v.n, v.channels, v.block, v.block, v.height, v.width};
    if (elementCount(box) == 0) return Status::ok();
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    Dims i(6, 0);
    do {
        const int64_t inDeep = deepOffset(v, i[0], i[1], i[2], i[3], i[4], i[5]),
                      inWide = wideOffset(v, i[0], i[1], i[2], i[3], i[4], i[5]);
        copy(arguments.outputs[0].data, toSpace ? inWide : inDeep, arguments.inputs[0].data, toSpace ? inDeep : inWide);
    } while (advance(i, box));
    return Status::ok();
}

Status runChannelShuffle(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    if (elementCount(x) == 0) return Status::ok();
    const int64_t group = problem.attributes->getInt("group", 1), each = x[1] / group;
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    const int64_t inner = elementCount(Dims(x.begin() + 2, x.end()));
    for (int64_t i = 0; i < elementCount(x); ++i) {
        const int64_t channel = i / inner % x[1], from = channel % group * each + channel / group;
        copy(arguments.outputs[0].data, i, arguments.inputs[0].data, i + (from - channel) * inner);
    }
    return Status::ok();
}

Status runReverseSequence(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    if (elementCount(x) == 0) return Status::ok();
    const auto batch = static_cast<size_t>(problem.attributes->getInt("batch_axis", 1)), time = 1 - batch;
    const auto lengths = readIntegers(problem, arguments, 1);
    for (int64_t length : lengths)
        if (length < 0 || length > x[time])
            return outOfRange("sequence length " + std::to_string(length) + " is outside [0, " +
                              std::to_string(x[time]) + "]");
    const auto strides = rowMajorStrides(x);
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    Dims index(x.size(), 0);
    int64_t position = 0;
    do {
        const int64_t length = lengths[static_cast<size_t>(index[batch])], at = index[time];
        const int64_t from = position + (at < length ? length - 1 - 2 * at : 0) * strides[time];
        copy(arguments.outputs[0].data, position++, arguments.inputs[0].data, from);
    } while (advance(index, x));
    return Status::ok();
}

Status runTrilu(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    if (elementCount(x) == 0) return Status::ok();
    const bool upper = problem.attributes->getBool("upper", true);
    const auto given = readIntegers(problem, arguments, 1);
    const int64_t k = given.empty() ? 0 : given.front(), zero = 0;
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    Dims index(x.size(), 0);
    int64_t position = 0;
    do {
        const int64_t row = index[x.size() - 2], column = index[x.size() - 1];
        const bool kept = upper ? column - row >= k : column - row <= k;
        copy(arguments.outputs[0].data, position, kept ? arguments.inputs[0].data : &zero, kept ? position : 0);
        ++position;
    } while (advance(index, x));
    return Status::ok();
}

Support noStrings(const Problem& problem) {
    return problem.inputs[0].format.type == DataType::String ? Support::no("strings have no zero") : Support::yes();
}

}  // namespace

STROBE_REFERENCE(rearrange) {
    addReference(registry, {"DepthToSpace", runBlocks, nullptr, true});
    addReference(registry, {"SpaceToDepth", runBlocks, nullptr, true});
    addReference(registry, {"ChannelShuffle", runChannelShuffle, nullptr, true});
    addReference(registry, {"ReverseSequence", runReverseSequence, nullptr, true});
    addReference(registry, {"Trilu", runTrilu, noStrings, true});
}

}  // namespace strobe
