#include <algorithm>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/epilogue_pass.h"
#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

using dnnl::memory;
using dnnl::pooling_v2_forward;

struct PoolGeometry {
    memory::dims kernel, strides, dilations, padsBegin, padsEnd;
    dnnl::algorithm algorithm = dnnl::algorithm::pooling_max;
};

Result<PoolGeometry> globalGeometry(const Problem& problem) {
    const Dims& x = problem.inputs[0].dims;
    const size_t spatial = x.size() - 2;
    PoolGeometry geometry{Dims(x.begin() + 2, x.end()), memory::dims(spatial, 1), memory::dims(spatial, 0),
                          memory::dims(spatial, 0), memory::dims(spatial, 0)};
    if (problem.op->name == "GlobalAveragePool") geometry.algorithm = dnnl::algorithm::pooling_avg_exclude_padding;
    return geometry;
}

Result<PoolGeometry> geometryOf(const Problem& problem) {
    if (problem.op->name.rfind("Global", 0) == 0) return globalGeometry(problem);
    const Dims &x = problem.inputs[0].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(*problem.attributes, toShape(x), problem.attributes->getInts("kernel_shape")));
    PoolGeometry geometry{window.kernel, window.strides, window.dilations, toDims(window.padsBegin),
                          toDims(window.padsEnd)};
    const bool isAverage = problem.op->name == "AveragePool",
               includesPadding = problem.attributes->getBool("count_include_pad", false);
    if (isAverage)
        geometry.algorithm = includesPadding ? dnnl::algorithm::pooling_avg_include_padding
                                             : dnnl::algorithm::pooling_avg_exclude_padding;
    for (size_t i = 0; i < geometry.kernel.size(); ++i) {
        const int64_t extent = geometry.dilations[i] * (geometry.kernel[i] - 1) + 1;
        const int64_t needed = (y[i + 2] - 1) * geometry.strides[i] + extent - x[i + 2] - geometry.padsBegin[i];
        if (needed > geometry.padsEnd[i]) {  // ceil_mode
            if (isAverage && includesPadding) return unsupported("oneDNN counts what ceil_mode adds as padding");
            geometry.padsEnd[i] = needed;
        }
        --geometry.dilations[i];
    }
    return geometry;
}

bool isOnePosition(const Dims& dims) {
    return std::all_of(dims.begin() + 2, dims.end(), [](int64_t extent) { return extent == 1; });
}

struct PoolPlan {
    memory::desc x, y;
    pooling_v2_forward::primitive_desc pd;
};

/// An output of one position lies alike in plain, channels-last and unpadded blocked form: oneDNN is told the input's
/// layout.
Format outputFormat(const Problem& problem) {
    Format format = problem.outputs[0].format;
    const Layout source = problem.inputs[0].format.layout;
    const bool fits = problem.outputs[0].dims[1] % layoutBlock(source) == 0;
    if (isOnePosition(problem.outputs[0].dims) && fits && layoutBlock(format.layout) == 1) format.layout = source;
    return format;
}

Result<PoolPlan> planPool(const Problem& problem) {
    if (const Support floats = checkFloatTensors(problem); !floats.supported) return unsupported(floats.reason);
    if (problem.program) return unsupported("oneDNN pools without an epilogue");
    if (problem.outputs.size() > 1 && problem.outputs[1].present) return unsupported("oneDNN gives no ONNX indices");
    const Dims& dims = problem.inputs[0].dims;
    if (dims.size() < 3 || dims.size() > 5)
        return unsupported("oneDNN pools 1 to 3 spatial dims, the input is " + toString(dims));
    if (elementCount(dims) == 0) return unsupported("the input has no elements");
    STROBE_ASSIGN(const PoolGeometry geometry, geometryOf(problem));
    PoolPlan plan;
    STROBE_ASSIGN(plan.x, onednnDesc(dims, problem.inputs[0].format));
    STROBE_ASSIGN(plan.y, onednnDesc(problem.outputs[0].dims, outputFormat(problem)));
    const pooling_v2_forward::desc desc(dnnl::prop_kind::forward_inference, geometry.algorithm, plan.x, plan.y,
                                        geometry.strides, geometry.kernel, geometry.dilations, geometry.padsBegin,
                                        geometry.padsEnd);
    plan.pd = pooling_v2_forward::primitive_desc(desc, onednnAttributes(), onednnEngine());
    if (isNaiveImplementation(plan.pd.impl_info_str()) && problem.inputs[0].format.layout != Layout::Plain)
        return unsupported("oneDNN has only its naive loop for " + summary(problem));
    return plan;
}

class OnednnPoolTactic final : public OnednnTactic {
public:
    std::string_view name() const override { return "onednn.pool"; }

    Support check(const Problem& problem) const override { return supportOf(planPool(problem)); }

    std::vector<Formats> formatsToTry(const Problem& problem) const override {
        std::vector<Formats> candidates = Tactic::candidateFormats(problem);
        if (problem.inputs[0].dims.size() < 3) return candidates;
        const Formats plain = candidates[0];
        for (Layout layout : {onednnBlockedLayout(), Layout::ChannelsLast})
            for (Layout output : {layout, Layout::Plain}) {
                if (output == Layout::Plain && !isOnePosition(problem.outputs[0].dims)) continue;
                Formats formats = plain;
                formats.inputs[0].layout = layout;
                formats.outputs[0].layout = output;
                candidates.insert(candidates.begin(), std::move(formats));
            }
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext&) const override {
        STROBE_ASSIGN(const PoolPlan plan, planPool(problem));
        return makeUnaryKernel<pooling_v2_forward>(problem, plan);
    }
};

}  // namespace

void registerOnednnPool(KernelRegistry& registry) {
    for (const char* op : {"MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"}) {
        registry.add(DeviceKind::Cpu, op, std::make_unique<OnednnPoolTactic>());
        registry.add(DeviceKind::Cpu, op, makeEpiloguePassTactic(std::make_unique<OnednnPoolTactic>()));
    }
}

}  // namespace strobe
