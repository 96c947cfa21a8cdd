#include <algorithm>
#include <cstring>

#include "engine_core/ops/compute_shapes.h"
#include "kernels/cpu/epilogue_pass.h"
#include "kernels/cpu/onednn_post_ops.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

using dnnl::deconvolution_forward;
using dnnl::memory;

struct DeconvGeometry {
    memory::dims strides, dilations, padsBegin, padsEnd;
    Dims weights;          // groups? × output × input × kernel
    memory::dims storage;  // strides of ONNX's [input, output, kernel] in that order
};

void placeWeightsDims(const Dims& w, int64_t group, DeconvGeometry& geometry) {
    memory::dims strides(w.size(), 1);
    for (size_t i = w.size(); i-- > 1;) strides[i - 1] = strides[i] * w[i];
    geometry.weights = {w[1], w[0] / group};
    geometry.storage = {strides[1], strides[0]};
    geometry.weights.insert(geometry.weights.end(), w.begin() + 2, w.end());
    geometry.storage.insert(geometry.storage.end(), strides.begin() + 2, strides.end());
    if (group == 1) return;
    geometry.weights.insert(geometry.weights.begin(), group);
    geometry.storage.insert(geometry.storage.begin(), strides[0] * (w[0] / group));
}

Result<DeconvGeometry> geometryOf(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims, &y = problem.outputs[0].dims;
    STROBE_ASSIGN(const TransposedWindow transposed,
                  transposedWindow(*problem.attributes, toShape(x), Dims(w.begin() + 2, w.end())));
    DeconvGeometry geometry;
    geometry.strides = transposed.window.strides;
    geometry.dilations = transposed.window.dilations;
    geometry.padsBegin = toDims(transposed.window.padsBegin);
    for (size_t i = 0; i < geometry.strides.size(); ++i) {
        const int64_t full = geometry.strides[i] * (x[i + 2] - 1) + geometry.dilations[i] * (w[i + 2] - 1) + 1;
        geometry.padsEnd.push_back(full - y[i + 2] - geometry.padsBegin[i]);
        --geometry.dilations[i];
    }
    placeWeightsDims(w, problem.attributes->getInt("group", 1), geometry);
    return geometry;
}

/// Each input pixel makes output pixels of its own.
bool windowsTouch(const DeconvGeometry& geometry) {
    const size_t spatial = geometry.strides.size(), first = geometry.weights.size() - spatial;
    return std::equal(geometry.strides.begin(), geometry.strides.end(), geometry.weights.begin() + static_cast<std::ptrdiff_t>(first));
}

struct DeconvPlan {
    memory::desc x, y, bias, storedWeights;
    bool hasBias = false;
    PostOps postOps;
    deconvolution_forward::primitive_desc pd;
};

Support checkDeconv(const Problem& problem) {
    if (const Support floats = checkFloatTensors(problem); !floats.supported) return floats;
    const Dims& dims = problem.inputs[0].dims;
    if (dims.size() < 3 || dims.size() > 5)
        return Support::no("oneDNN deconvolves 1 to 3 spatial dims, the input is " + toString(dims));
    if (elementCount(dims) == 0 || elementCount(problem.inputs[1].dims) == 0)
        return Support::no("an input has no elements");
    return Support::yes();
}

Result<DeconvPlan> planDeconv(const Problem& problem, bool anyLayout = false) {
    if (const Support support = checkDeconv(problem); !support.supported) return unsupported(support.reason);
    STROBE_ASSIGN(const DeconvGeometry geometry, geometryOf(problem));
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    const auto type = *onednnType(x.format.type);
    DeconvPlan plan;
    STROBE_ASSIGN(plan.x, anyLayout ? onednnAnyDesc(x.dims, type) : onednnDesc(x.dims, x.format));
    STROBE_ASSIGN(plan.y, anyLayout ? onednnAnyDesc(y.dims, *onednnType(y.format.type)) : onednnDesc(y.dims, y.format));
    plan.storedWeights = memory::desc(geometry.weights, *onednnType(problem.inputs[1].format.type), geometry.storage);
    plan.hasBias = problem.inputs.size() > 2 && problem.inputs[2].present;
    if (plan.hasBias) plan.bias = onednnPlainDesc(problem.inputs[2].dims, *onednnType(problem.inputs[2].format.type));
    if (!anyLayout) {
        STROBE_ASSIGN(plan.postOps, translateEpilogue(problem));
    }
    STROBE_ASSIGN(plan.pd, guardOnednn(summary(problem), [&] {
                      dnnl::primitive_attr attributes = onednnAttributes();
                      attributes.set_post_ops(plan.postOps.ops);
                      constexpr auto kind = dnnl::prop_kind::forward_inference;
                      constexpr auto algorithm = dnnl::algorithm::deconvolution_direct;
                      const auto w = onednnAnyDesc(geometry.weights, type);
                      const auto desc =
                          plan.hasBias
                              ? deconvolution_forward::desc(kind, algorithm, plan.x, w, plan.bias, plan.y,
                                                            geometry.strides, geometry.dilations, geometry.padsBegin,
                                                            geometry.padsEnd)
                              : deconvolution_forward::desc(kind, algorithm, plan.x, w, plan.y, geometry.strides,
                                                            geometry.dilations, geometry.padsBegin, geometry.padsEnd);
                      return deconvolution_forward::primitive_desc(desc, attributes, onednnEngine());
                  }));
    const bool isPlain = x.format.layout == Layout::Plain && y.format.layout == Layout::Plain;
    if (isNaiveImplementation(plan.pd.impl_info_str()) && !isPlain)
        return unsupported("oneDNN has only its naive loop for " + summary(problem));
    // Measured here: 60 ms where simd.deconv and oneDNN's brgemm take 0.5 to 1.
    if (windowsTouch(geometry) && std::strncmp(plan.pd.impl_info_str(), "jit", 3) == 0 && !isPlain)
        return unsupported("oneDNN's kernel for this layout is slow where windows touch without overlap");
    return plan;
}

class OnednnDeconvTactic final : public OnednnTactic {
public:
    std::string_view name() const override { return "onednn.deconv"; }

    Support check(const Problem& problem) const override { return supportOf(planDeconv(problem)); }

    std::vector<Formats> formatsToTry(const Problem& problem) const override {
        if (!checkDeconv(problem).supported) return Tactic::candidateFormats(problem);
        const Layout blocked = onednnBlockedLayout();
        std::vector<std::pair<Layout, Layout>> layouts = {
            {Layout::ChannelsLast, Layout::ChannelsLast}, {blocked, blocked}, {Layout::Plain, Layout::Plain}};
        if (const auto free = planDeconv(problem, true)) {
            const auto source = layoutOf(free->pd.src_desc(), problem.inputs[0].dims),
                       destination = layoutOf(free->pd.dst_desc(), problem.outputs[0].dims);
            if (source && destination) layouts.insert(layouts.begin(), {*source, *destination});
        }
        return formatsForLayouts(problem, layouts);
    }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const DeconvPlan plan, planDeconv(problem));
        auto kernel = std::make_unique<OnednnKernel>(problem);
        STROBE_ASSIGN(OnednnBuffer weights,
                      placeWeights(problem, 1, plan.storedWeights, plan.pd.weights_desc(), context, *kernel));
        std::vector<OnednnArgument> arguments = plan.postOps.arguments;
        arguments.push_back({DNNL_ARG_SRC, plan.x, OnednnBuffer::input(0)});
        arguments.push_back({DNNL_ARG_WEIGHTS, plan.pd.weights_desc(), std::move(weights)});
        if (plan.hasBias) arguments.push_back({DNNL_ARG_BIAS, plan.bias, OnednnBuffer::input(2)});
        arguments.push_back({DNNL_ARG_DST, plan.y, OnednnBuffer::output(0)});
        auto primitive = deconvolution_forward(plan.pd);
        kernel->addStep(std::move(primitive), std::move(arguments), plan.pd.scratchpad_desc(), plan.pd.impl_info_str());
        return std::unique_ptr<Kernel>(std::move(kernel));
    }
};

}  // namespace

void registerOnednnDeconv(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "ConvTranspose", std::make_unique<OnednnDeconvTactic>());
    registry.add(DeviceKind::Cpu, "ConvTranspose", makeEpiloguePassTactic(std::make_unique<OnednnDeconvTactic>()));
}

}  // namespace strobe
