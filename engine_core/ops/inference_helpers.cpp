#include "engine_core/ops/inference_helpers.h"

#include <algorithm>
#include <limits>
#include <set>

namespace strobe {

Status requireRank(const InferenceContext& context, int input, int rank) {
    const auto found = static_cast<int>(context.inputShape(input).size());
    if (found == rank) return Status::ok();
    return invalidModel("input " + std::to_string(input) + " has rank " + std::to_string(found) + " " + toString(context.inputShape(input)) + ", rank " +
                        std::to_string(rank) + " is needed");
}

Status requireRankAtLeast(const InferenceContext& context, int input, int rank) {
    const auto found = static_cast<int>(context.inputShape(input).size());
    if (found >= rank) return Status::ok();
    return invalidModel("input " + std::to_string(input) + " has rank " + std::to_string(found) + ", rank " + std::to_string(rank) +
                        " or more is needed");
}

Result<int64_t> normalizeAxis(int64_t axis, int64_t rank) {
    if (axis < -rank || axis >= rank)
        return invalidModel("axis " + std::to_string(axis) + " is outside [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")");
    return axis < 0 ? axis + rank : axis;
}

namespace {

std::set<std::string> symbolsOf(const Dim& dim) {
    std::set<std::string> symbols;
    dim.collectSymbols(symbols);
    return symbols;
}

/// Neither is known to be 1 or to equal the other.
Dim broadcastExtents(const Dim& a, const Dim& b) {
    const bool isSameExtent = !a.isConstant() && symbolsOf(a) == symbolsOf(b);
    return isSameExtent ? a : Dim::broadcast(a, b);
}

}  // namespace

Result<Shape> broadcastShapes(const Shape& a, const Shape& b) {
    const size_t rank = std::max(a.size(), b.size());
    Shape result(rank);
    for (size_t i = 0; i < rank; ++i) {
        const Dim da = i + a.size() >= rank ? a[i + a.size() - rank] : Dim(1);
        const Dim db = i + b.size() >= rank ? b[i + b.size() - rank] : Dim(1);
        if (da == db || db.isConstant(1))
            result[i] = da;
        else if (da.isConstant(1))
            result[i] = db;
        else if (da.isConstant() && db.isConstant())
            return invalidModel("shapes " + toString(a) + " and " + toString(b) + " do not broadcast: " + da.toString() + " against " + db.toString());
        else
            result[i] = broadcastExtents(da, db);
    }
    return result;
}

Dim windowExtent(const Dim& input, int64_t kernel, int64_t stride, int64_t dilation, const Dim& padBegin, const Dim& padEnd, bool ceilMode) {
    const Dim span = input + padBegin + padEnd - Dim(dilation * (kernel - 1) + 1);
    if (!ceilMode) return Dim::floorDiv(span, Dim(stride)) + Dim(1);
    // ONNX: a window that would start in the end padding does not count.
    const Dim ceiled = Dim::ceilDiv(span, Dim(stride)) + Dim(1);
    const Dim lastStart = Dim::ceilDiv(input + padBegin, Dim(stride));
    return Dim::min(ceiled, lastStart);
}

namespace {

/// Far past any real window, and products of two still fit.
constexpr int64_t kMostInWindow = std::numeric_limits<int32_t>::max();

Status requireWithin(const char* what, int64_t value, int64_t least) {
    if (value >= least && value <= kMostInWindow) return Status::ok();
    return invalidModel(std::string(what) + " holds " + std::to_string(value) + ", " + std::to_string(least) + " to " + std::to_string(kMostInWindow) + " is allowed");
}

Result<std::vector<int64_t>> positiveInts(const Attributes& attributes, const char* name, size_t spatial) {
    std::vector<int64_t> values = attributes.getInts(name, std::vector<int64_t>(spatial, 1));
    if (values.size() != spatial)
        return invalidModel(std::string("attribute '") + name + "' has " + std::to_string(values.size()) + " values, " + std::to_string(spatial) +
                            " are needed (one a spatial dim)");
    const std::string what = std::string("attribute '") + name + "'";
    for (int64_t value : values) STROBE_RETURN_IF_ERROR(requireWithin(what.c_str(), value, 1));
    return values;
}

}  // namespace

Result<WindowAttributes> windowAttributes(const Attributes& attributes, const Shape& input, const std::vector<int64_t>& kernel) {
    const size_t spatial = input.size() - 2;
    WindowAttributes window;
    window.kernel = kernel;
    if (kernel.size() != spatial)
        return invalidModel("kernel has " + std::to_string(kernel.size()) + " spatial dims, the input has " + std::to_string(spatial));
    for (int64_t extent : kernel) STROBE_RETURN_IF_ERROR(requireWithin("the kernel's shape", extent, 1));
    STROBE_ASSIGN(window.strides, positiveInts(attributes, "strides", spatial));
    STROBE_ASSIGN(window.dilations, positiveInts(attributes, "dilations", spatial));
    const std::string autoPad = attributes.getString("auto_pad", "NOTSET");
    if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER") {
        for (size_t i = 0; i < spatial; ++i) {
            const Dim stride(window.strides[i]);
            const Dim out = Dim::ceilDiv(input[i + 2], stride);
            const Dim total = Dim::max(Dim(0), (out - Dim(1)) * stride + Dim(window.dilations[i] * (kernel[i] - 1) + 1) - input[i + 2]);
            const Dim small = Dim::floorDiv(total, Dim(2));
            window.padsBegin.push_back(autoPad == "SAME_UPPER" ? small : total - small);
            window.padsEnd.push_back(autoPad == "SAME_UPPER" ? total - small : small);
        }
        return window;
    }
    if (autoPad != "NOTSET" && autoPad != "VALID" && !autoPad.empty())
        return invalidModel("attribute 'auto_pad' is '" + autoPad + "'; NOTSET, VALID, SAME_UPPER or SAME_LOWER is allowed");
    std::vector<int64_t> pads(2 * spatial, 0);
    if (autoPad != "VALID") pads = attributes.getInts("pads", pads);
    if (pads.size() != 2 * spatial)
        return invalidModel("attribute 'pads' has " + std::to_string(pads.size()) + " values, " + std::to_string(2 * spatial) + " are needed");
    for (int64_t pad : pads) STROBE_RETURN_IF_ERROR(requireWithin("attribute 'pads'", pad, -kMostInWindow));
    window.padsBegin = Shape(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(spatial));
    window.padsEnd = Shape(pads.begin() + static_cast<std::ptrdiff_t>(spatial), pads.end());
    return window;
}

double noFlops(const CostContext&) { return 0.0; }

OpDefinition copyOp(const char* name, int inputs, Status (*infer)(InferenceContext&), std::vector<AttributeSpec> attributes) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::ShapeCopy;
    op.flops = noFlops;
    op.minInputs = op.maxInputs = inputs;
    op.attributes = std::move(attributes);
    op.infer = infer;
    return op;
}

Status inferLikeInput0(InferenceContext& context) {
    context.setOutput(0, context.inputType(0), context.inputShape(0));
    return Status::ok();
}

}  // namespace strobe
