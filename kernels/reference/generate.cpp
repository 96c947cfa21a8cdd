#include <algorithm>

#include "engine_core/ir/weights.h"
#include "kernels/reference/element_access.h"
#include "kernels/reference/numbers.h"

namespace strobe {
namespace {

Status runRange(const Problem& problem, const RunArguments& arguments) {
    const int64_t count = elementCount(*arguments.outputs[0].dims);
    withNumberType(problem.outputs[0].format.type, [&](auto zero) {
        using T = decltype(zero);
        const T start = *arguments.inputs[0].as<const T>(), delta = *arguments.inputs[2].as<const T>();
        T* out = arguments.outputs[0].as<T>();
        for (int64_t i = 0; i < count; ++i) {
            pollCancel(1);
            if constexpr (std::is_integral_v<T>)
                out[i] = static_cast<T>(static_cast<uint64_t>(start) +
                                        static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
            else
                out[i] = start + static_cast<T>(i) * delta;
        }
    });
    return Status::ok();
}

Status runOneHot(const Problem& problem, const RunArguments& arguments) {
    const Dims &indices = *arguments.inputs[0].dims, &y = *arguments.outputs[0].dims;
    const int64_t axis = wrapAxis(problem.attributes->getInt("axis", -1), y);
    const int64_t depth = y[static_cast<size_t>(axis)];
    const int64_t outer = elementCount(Dims(indices.begin(), indices.begin() + axis)),
                  inner = elementCount(Dims(indices.begin() + axis, indices.end()));
    const CopyElement copy = elementCopier(problem.outputs[0].format.type);
    const std::vector<double> numbers = readNumbers(problem, arguments, 0);
    int64_t position = 0;
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t d = 0; d < depth; ++d)
            for (int64_t i = 0; i < inner; ++i) {
                pollCancel(1);
                const double index = numbers[static_cast<size_t>(o * inner + i)];
                const bool hot =
                    index == static_cast<double>(d) || index + static_cast<double>(depth) == static_cast<double>(d);
                copy(arguments.outputs[0].data, position++, arguments.inputs[2].data, hot ? 1 : 0);
            }
    return Status::ok();
}

Status runEyeLike(const Problem& problem, const RunArguments& arguments) {
    const Dims& y = *arguments.outputs[0].dims;
    const int64_t k = problem.attributes->getInt("k", 0);
    const DataType type = problem.outputs[0].format.type;
    const auto fill = [&](auto zero) {
        auto* out = arguments.outputs[0].as<decltype(zero)>();
        for (int64_t i = 0; i < elementCount(y); ++i) {
            pollCancel(1);
            out[i] = static_cast<decltype(zero)>(i % y[1] - i / y[1] == k ? 1 : 0);
        }
    };
    if (type == DataType::Bool)
        fill(uint8_t());
    else
        withNumberType(type, fill);
    return Status::ok();
}

Support supportsEyeLike(const Problem& problem) {
    const DataType type = problem.outputs[0].format.type;
    if (type == DataType::Bool || withNumberType(type, [](auto) {})) return Support::yes();
    return Support::no("no identity matrix of " + std::string(dataTypeName(type)));
}

}  // namespace

STROBE_REFERENCE(generate) {
    addReference(registry, {"Range", runRange});
    addReference(registry, {"OneHot", runOneHot, nullptr, true});
    addReference(registry, {"EyeLike", runEyeLike, supportsEyeLike});
}

}  // namespace strobe
