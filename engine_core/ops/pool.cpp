#include "engine_core/ops/compute_shapes.h"

namespace strobe {
namespace {

/// X[N,C,spatial…] → Y[N,C,windows…], and MaxPool's Indices of the same shape (flat positions in X).
Status inferPool(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 3));
    const Attributes& attributes = context.attributes();
    STROBE_RETURN_IF_ERROR(requireAtLeast(attributes, "p", 2, 1));
    const Shape& x = context.inputShape(0);
    STROBE_ASSIGN(const WindowAttributes window, windowAttributes(attributes, x, attributes.getInts("kernel_shape")));
    const bool ceilMode = attributes.getBool("ceil_mode", false);
    Shape y = {x[0], x[1]};
    for (size_t i = 0; i + 2 < x.size(); ++i) {
        for (const Dim* pad : {&window.padsBegin[i], &window.padsEnd[i]})
            if (pad->isConstant() && pad->constant() < 0)
                return invalidModel("attribute 'pads' holds " + pad->toString() + ", 0 or more is needed");
        y.push_back(windowExtent(x[i + 2], window.kernel[i], window.strides[i], window.dilations[i],
                                 window.padsBegin[i], window.padsEnd[i], ceilMode));
        if (y.back().isConstant() && y.back().constant() < 0)
            return invalidModel("input " + toString(x) + " is smaller than the window " +
                                toString(Dims(window.kernel)));
    }
    context.setOutput(1, DataType::Int64, y);
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

Status inferGlobalPool(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    STROBE_RETURN_IF_ERROR(requireAtLeast(context.attributes(), "p", 2, 1));
    Shape y = context.inputShape(0);
    for (size_t i = 2; i < y.size(); ++i) y[i] = Dim(1);
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

double poolFlops(const CostContext& cost) {
    double flops = static_cast<double>(elementCount(cost.outputs[0]));
    for (int64_t extent : cost.attributes.getInts("kernel_shape")) flops *= static_cast<double>(extent);
    return flops;
}

OpDefinition pool(const char* name, std::vector<AttributeSpec> extra) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::PoolingReduction;
    op.minInputs = op.maxInputs = 1;
    op.attributes = std::move(extra);
    op.attributes.insert(op.attributes.end(), {{"auto_pad", AttributeKind::String},
                                               {"ceil_mode", AttributeKind::Int},
                                               {"dilations", AttributeKind::Ints},
                                               {"kernel_shape", AttributeKind::Ints, true},
                                               {"pads", AttributeKind::Ints},
                                               {"strides", AttributeKind::Ints}});
    op.infer = inferPool;
    op.flops = poolFlops;
    return op;
}

OpDefinition globalPool(const char* name, std::vector<AttributeSpec> attributes) {
    OpDefinition op;
    op.name = name;
    op.family = OpFamily::PoolingReduction;
    op.minInputs = op.maxInputs = 1;
    op.attributes = std::move(attributes);
    op.infer = inferGlobalPool;
    op.flops = flopsPerInput<1>;
    return op;
}

}  // namespace

STROBE_OPS(pool) {
    OpDefinition maxPool = pool("MaxPool", {{"storage_order", AttributeKind::Int}});
    maxPool.maxOutputs = 2;
    registry.add(std::move(maxPool));
    registry.add(pool("AveragePool", {{"count_include_pad", AttributeKind::Int}}));
    registry.add(pool("LpPool", {{"p", AttributeKind::Int}}));
    registry.add(globalPool("GlobalAveragePool", {}));
    registry.add(globalPool("GlobalMaxPool", {}));
    registry.add(globalPool("GlobalLpPool", {{"p", AttributeKind::Int}}));
}

}  // namespace strobe
