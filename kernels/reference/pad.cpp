#include <string>

#include "kernels/reference/element_access.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

enum class PadMode { Constant, Reflect, Edge, Wrap };

PadMode modeOf(const Problem& problem) {
    const std::string mode = problem.attributes->getString("mode", "constant");
    return mode == "reflect" ? PadMode::Reflect
           : mode == "edge"  ? PadMode::Edge
           : mode == "wrap"  ? PadMode::Wrap
                             : PadMode::Constant;
}

/// Where position `at` (relative to the input) reads from; −1: the pad value.
int64_t sourceOf(int64_t at, int64_t extent, PadMode mode) {
    if (at >= 0 && at < extent) return at;
    if (extent == 0 || mode == PadMode::Constant) return -1;
    if (mode == PadMode::Edge) return at < 0 ? 0 : extent - 1;
    if (mode == PadMode::Wrap) return ((at % extent) + extent) % extent;
    if (extent == 1) return 0;
    // Reflection without repeating the border has period 2·(extent − 1).
    const int64_t period = 2 * (extent - 1), phase = ((at % period) + period) % period;
    return phase < extent ? phase : period - phase;
}

Status runPad(const Problem& problem, const RunArguments& arguments) {
    const Dims &x = *arguments.inputs[0].dims, &y = *arguments.outputs[0].dims;
    if (elementCount(y) == 0) return Status::ok();
    const auto pads = readIntegers(problem, arguments, 1), axes = readIntegers(problem, arguments, 3);
    const bool someAxes = problem.inputs.size() > 3 && problem.inputs[3].present;
    Dims begin(x.size(), 0);
    for (size_t i = 0; i < pads.size() / 2; ++i) {
        const int64_t axis = someAxes ? axes[i] : static_cast<int64_t>(i);
        begin[static_cast<size_t>(wrapAxis(axis, x))] = pads[i];
    }
    const PadMode mode = modeOf(problem);
    const auto strides = rowMajorStrides(x);
    const DataType type = problem.outputs[0].format.type;
    const CopyElement copy = elementCopier(type);
    const void* value = arguments.inputs.size() > 2 ? arguments.inputs[2].data : nullptr;
    const uint64_t zero = 0;
    const std::string empty;
    if (!value) value = type == DataType::String ? static_cast<const void*>(&empty) : &zero;
    Dims index(y.size(), 0);
    int64_t position = 0;
    do {
        int64_t from = 0;
        for (size_t d = 0; d < y.size() && from >= 0; ++d) {
            const int64_t at = sourceOf(index[d] - begin[d], x[d], mode);
            from = at < 0 ? -1 : from + at * strides[d];
        }
        copy(arguments.outputs[0].data, position++, from < 0 ? value : arguments.inputs[0].data, from < 0 ? 0 : from);
    } while (advance(index, y));
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(pad) {
    addReference(registry, {"Pad", runPad, nullptr, true});
}

}  // namespace strobe
