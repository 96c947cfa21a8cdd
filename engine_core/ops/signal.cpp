#include "engine_core/ops/compute_shapes.h"
#include "engine_core/ops/value_inference.h"

namespace strobe {
namespace {

/// size → that many samples of the window.
Status inferWindow(InferenceContext& context) {
    STROBE_ASSIGN(const DataType type, typeAttribute(context.attributes(), "output_datatype", DataType::Float32));
    const auto size = scalarValue(context, 0);
    if (size && size->isConstant() && size->constant() < 0)
        return invalidModel("input 0 (size) is " + size->toString() + ", 0 or more is needed");
    context.setOutput(0, type, {size ? *size : context.freshSymbol()});
    return Status::ok();
}

/// X[…,1 or 2] (real or complex), length?, axis? → complex; the half from 0 to the Nyquist frequency with onesided.
Status inferDft(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    Shape y = context.inputShape(0);
    const auto rank = static_cast<int64_t>(y.size());
    const bool oneSided = context.attributes().getBool("onesided", false),
               inverse = context.attributes().getBool("inverse", false);
    const auto axisValue = constantValues(context, 2);
    if (context.hasInput(2) && !axisValue) {
        for (size_t i = 0; i + 1 < y.size(); ++i) y[i] = context.freshSymbol();
    } else {
        STROBE_ASSIGN(const int64_t axis,
                      normalizeAxis(axisValue && !axisValue->empty() ? axisValue->front() : -2, rank));
        if (axis == rank - 1)
            return invalidModel("input 2 (axis) names the last dim, which holds real and imaginary parts");
        Dim& extent = y[static_cast<size_t>(axis)];
        if (context.hasInput(1))
            extent = scalarValue(context, 1).value_or(context.freshSymbol());
        else if (oneSided && inverse)
            extent = (extent - Dim(1)) * Dim(2);
        if (extent.isConstant() && extent.constant() < 1)
            return invalidModel("a transform of length " + extent.toString() + ", 1 or more is needed");
        if (oneSided && !inverse) extent = Dim::floorDiv(extent, Dim(2)) + Dim(1);
    }
    if (y.back().isConstant() && y.back().constant() != 1 && y.back().constant() != 2)
        return invalidModel("input 0 has shape " + toString(context.inputShape(0)) +
                            ", a last extent of 1 (real) or 2 (complex) is needed");
    // The inverse of one half of a spectrum is real.
    y.back() = oneSided && inverse ? Dim(1) : Dim(2);
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

/// X[…,M,M] → […].
Status inferDet(InferenceContext& context) {
    STROBE_RETURN_IF_ERROR(requireRankAtLeast(context, 0, 2));
    Shape y = context.inputShape(0);
    STROBE_RETURN_IF_ERROR(requireDim(context, 0, y.size() - 1, y[y.size() - 2], "the matrices must be square"));
    y.resize(y.size() - 2);
    context.setOutput(0, context.inputType(0), std::move(y));
    return Status::ok();
}

}  // namespace

STROBE_OPS(signal) {
    for (const char* name : {"HannWindow", "HammingWindow", "BlackmanWindow"}) {
        OpDefinition op;
        op.name = name;
        op.family = OpFamily::Pointwise;
        op.minInputs = op.maxInputs = 1;
        op.attributes = {{"output_datatype", AttributeKind::Int}, {"periodic", AttributeKind::Int}};
        op.valueInputs = 1u << 0;
        op.infer = inferWindow;
        registry.add(std::move(op));
    }
    OpDefinition dft;
    dft.name = "DFT";
    dft.family = OpFamily::MatMul;
    dft.minInputs = 1;
    dft.maxInputs = 3;
    dft.attributes = {{"inverse", AttributeKind::Int}, {"onesided", AttributeKind::Int}};
    dft.valueInputs = 1u << 1 | 1u << 2;
    dft.infer = inferDft;
    registry.add(std::move(dft));
    OpDefinition det;
    det.name = "Det";
    det.family = OpFamily::MatMul;
    det.minInputs = det.maxInputs = 1;
    det.infer = inferDet;
    registry.add(std::move(det));
}

}  // namespace strobe
