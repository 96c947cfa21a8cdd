#include <algorithm>

#include "kernels/reference/element_access.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

Status runShape(const Problem& problem, const RunArguments& arguments) {
    const Dims& x = *arguments.inputs[0].dims;
    const auto rank = static_cast<int64_t>(x.size());
    const int64_t given = problem.attributes->getInt("start", 0);
    const int64_t start = std::clamp<int64_t>(given < 0 ? given + rank : given, 0, rank);
    std::copy_n(x.begin() + start, elementCount(*arguments.outputs[0].dims), arguments.outputs[0].as<int64_t>());
    return Status::ok();
}

Status runSize(const Problem&, const RunArguments& arguments) {
    *arguments.outputs[0].as<int64_t>() = elementCount(*arguments.inputs[0].dims);
    return Status::ok();
}

Status runConstantOfShape(const Problem& problem, const RunArguments& arguments) {
    const WeightsPtr value = problem.attributes->getWeights("value");
    const float zero = 0.0f;
    const void* element = value ? value->data.get() : &zero;
    copyStrided(problem.outputs[0].format.type, {elementCount(*arguments.outputs[0].dims)}, arguments.outputs[0].data,
                {0, {1}}, element, {0, {0}});
    return Status::ok();
}

}  // namespace

STROBE_REFERENCE(shape_query) {
    addReference(registry, {"Shape", runShape, nullptr, true});
    addReference(registry, {"Size", runSize, nullptr, true});
    addReference(registry, {"ConstantOfShape", runConstantOfShape, nullptr, true});
}

}  // namespace strobe
