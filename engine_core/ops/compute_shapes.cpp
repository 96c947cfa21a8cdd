#include "engine_core/ops/compute_shapes.h"

#include <algorithm>

namespace strobe {

Result<Shape> matMulShape(const Shape& a, const Shape& b, bool transA, bool transB) {
    if (a.empty() || b.empty())
        return invalidModel("a matrix product of shapes " + toString(a) + " and " + toString(b) +
                            ": rank 1 or more is needed");
    Shape left = a, right = b;
    if (a.size() == 1) left.insert(left.begin(), Dim(1));
    if (b.size() == 1) right.push_back(Dim(1));
    if (transA && a.size() > 1) std::swap(left[left.size() - 1], left[left.size() - 2]);
    if (transB && b.size() > 1) std::swap(right[right.size() - 1], right[right.size() - 2]);
    const Dim& inner = left.back();
    const Dim& other = right[right.size() - 2];
    if (inner.isConstant() && other.isConstant() && inner != other)
        return invalidModel("a matrix product of shapes " + toString(a) + " and " + toString(b) + ": inner extents " +
                            inner.toString() + " and " + other.toString() + " differ");
    STROBE_ASSIGN(Shape result,
                  broadcastShapes(Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2)));
    if (a.size() > 1) result.push_back(left[left.size() - 2]);
    if (b.size() > 1) result.push_back(right.back());
    return result;
}

Result<std::vector<int64_t>> normalizeAxes(std::vector<int64_t> axes, int64_t rank) {
    for (int64_t& axis : axes) {
        STROBE_ASSIGN(axis, normalizeAxis(axis, rank));
    }
    std::sort(axes.begin(), axes.end());
    const auto twice = std::adjacent_find(axes.begin(), axes.end());
    if (twice != axes.end()) return invalidModel("axis " + std::to_string(*twice) + " is given twice");
    return axes;
}

Status requireDim(const InferenceContext& context, int input, size_t axis, const Dim& expected,
                  const std::string& why) {
    const Shape& shape = context.inputShape(input);
    if (axis >= shape.size()) return requireRankAtLeast(context, input, static_cast<int>(axis) + 1);
    if (!expected.isConstant() || !shape[axis].isConstant() || shape[axis] == expected) return Status::ok();
    return invalidModel("input " + std::to_string(input) + " has shape " + toString(shape) + ", extent " +
                        expected.toString() + " is needed in dim " + std::to_string(axis) + ": " + why);
}

Status requireAtLeast(const Attributes& attributes, const char* name, int64_t fallback, int64_t minimum) {
    const int64_t value = attributes.getInt(name, fallback);
    if (value >= minimum) return Status::ok();
    return invalidModel(std::string("attribute '") + name + "' is " + std::to_string(value) + ", " +
                        std::to_string(minimum) + " or more is needed");
}

Status requireWithin(const Attributes& attributes, const char* name, int64_t fallback, int64_t minimum,
                     int64_t maximum) {
    const int64_t value = attributes.getInt(name, fallback);
    if (value >= minimum && value <= maximum) return Status::ok();
    return invalidModel(std::string("attribute '") + name + "' is " + std::to_string(value) + ", " +
                        std::to_string(minimum) + " to " + std::to_string(maximum) + " is allowed");
}

Status requireOneOf(const Attributes& attributes, const char* name, const std::string& fallback,
                    std::initializer_list<const char*> allowed) {
    const std::string value = attributes.getString(name, fallback);
    std::string list;
    for (const char* option : allowed) {
        if (value == option) return Status::ok();
        list += (list.empty() ? "" : ", ") + std::string(option);
    }
    return invalidModel(std::string("attribute '") + name + "' is '" + value + "'; allowed: " + list);
}

}  // namespace strobe
