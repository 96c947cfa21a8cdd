#include <algorithm>

#include "engine_core/ops/inference_helpers.h"
#include "kernels/cpu/epilogue_pass.h"
#include "kernels/cpu/onednn_post_ops.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

using dnnl::convolution_forward;
using dnnl::memory;

/// ONNX attributes in oneDNN's terms: a dilation of 1 is 0 there, weights of a grouped convolution have a dim of groups
/// in front.
struct ConvGeometry {
    memory::dims strides, dilations, padsBegin, padsEnd;
    Dims weights;
};

struct ConvPlan {
    convolution_forward::primitive_desc pd;
    memory::desc source, storedWeights, bias, destination;
    bool hasBias = false;
    PostOps postOps;
};

Result<ConvGeometry> geometryOf(const Problem& problem) {
    const Dims& w = problem.inputs[1].dims;
    STROBE_ASSIGN(const WindowAttributes window,
                  windowAttributes(*problem.attributes, toShape(problem.inputs[0].dims), Dims(w.begin() + 2, w.end())));
    ConvGeometry geometry{window.strides, window.dilations, toDims(window.padsBegin), toDims(window.padsEnd), w};
    for (auto& dilation : geometry.dilations) --dilation;
    const int64_t group = problem.attributes->getInt("group", 1);
    if (group > 1) {
        geometry.weights[0] /= group;
        geometry.weights.insert(geometry.weights.begin(), group);
    }
    return geometry;
}

/// A convolution as it is told to oneDNN.
struct LaidConv {
    Problem problem;
    ConvGeometry geometry;
};

/// An image one pixel wide, as exporters make of a sequence. oneDNN works along W, and in every layout the same memory
/// is as well an image one pixel high.
bool isColumn(const Problem& problem, const ConvGeometry& geometry) {
    const auto fits = [](const TensorDesc& t) {
        return t.dims.size() == 4 || std::all_of(t.dims.end() - std::min<std::ptrdiff_t>(2, std::ssize(t.dims)),
                                                 t.dims.end(), [](int64_t extent) { return extent == 1; });
    };
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims, &y = problem.outputs[0].dims;
    if (x.size() != 4 || x[3] != 1 || w[3] != 1 || y[3] != 1 || x[2] == 1) return false;
    return geometry.padsBegin[1] == 0 && geometry.padsEnd[1] == 0 &&
           std::all_of(problem.inputs.begin() + std::min<std::ptrdiff_t>(3, std::ssize(problem.inputs)),
                       problem.inputs.end(), fits);
}

Result<LaidConv> layOut(const Problem& problem) {
    STROBE_ASSIGN(ConvGeometry geometry, geometryOf(problem));
    LaidConv laid{problem, std::move(geometry)};
    if (!isColumn(problem, laid.geometry)) return laid;
    const auto turn = [](auto& dims) { std::swap(dims[dims.size() - 2], dims[dims.size() - 1]); };
    for (auto* dims : {&laid.geometry.strides, &laid.geometry.dilations, &laid.geometry.padsBegin,
                       &laid.geometry.padsEnd, &laid.geometry.weights})
        turn(*dims);
    for (auto* tensors : {&laid.problem.inputs, &laid.problem.outputs})
        for (TensorDesc& tensor : *tensors)
            if (tensor.dims.size() == 4) turn(tensor.dims);
    return laid;
}

/// What is asked of oneDNN: our layouts, or `any` to learn its preference.
struct ConvDescs {
    memory::desc source, weights, bias, destination;
};

Result<ConvDescs> describe(const LaidConv& conv, bool any) {
    const auto& [problem, geometry] = conv;
    ConvDescs descs;
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    const memory::data_type xType = *onednnType(x.format.type), yType = *onednnType(y.format.type);
    STROBE_ASSIGN(descs.source, any ? onednnAnyDesc(x.dims, xType) : onednnDesc(x.dims, x.format));
    STROBE_ASSIGN(descs.destination, any ? onednnAnyDesc(y.dims, yType) : onednnDesc(y.dims, y.format));
    descs.weights = onednnAnyDesc(geometry.weights, xType);
    if (problem.inputs.size() > 2 && problem.inputs[2].present)
        descs.bias = onednnPlainDesc(problem.inputs[2].dims, *onednnType(problem.inputs[2].format.type));
    return descs;
}

Result<convolution_forward::primitive_desc> createDescriptor(const LaidConv& conv, const ConvDescs& descs,
                                                             const dnnl::post_ops& postOps) {
    const ConvGeometry& geometry = conv.geometry;
    return guardOnednn(summary(conv.problem), [&] {
        dnnl::primitive_attr attributes = onednnAttributes();
        attributes.set_post_ops(postOps);
        constexpr auto kind = dnnl::prop_kind::forward_inference;
        constexpr auto algorithm = dnnl::algorithm::convolution_direct;
        const auto desc =
            descs.bias.get_size() > 0
                ? convolution_forward::desc(kind, algorithm, descs.source, descs.weights, descs.bias, descs.destination,
                                            geometry.strides, geometry.dilations, geometry.padsBegin, geometry.padsEnd)
                : convolution_forward::desc(kind, algorithm, descs.source, descs.weights, descs.destination,
                                            geometry.strides, geometry.dilations, geometry.padsBegin, geometry.padsEnd);
        return convolution_forward::primitive_desc(desc, attributes, onednnEngine());
    });
}

bool isDepthwise(const Problem& problem) {
    const Dims &x = problem.inputs[0].dims, &w = problem.inputs[1].dims;
    return w[1] == 1 && x[1] > 1 && w[0] == x[1] && problem.attributes->getInt("group", 1) == x[1];
}

Support checkConv(const Problem& problem) {
    if (const Support floats = checkFloatTensors(problem); !floats.supported) return floats;
    const bool hasOwnKernel = problem.inputs[0].dims.size() <= 4 && problem.inputs[1].constantData;
    if (isDepthwise(problem) && hasOwnKernel && problem.inputs[0].format.type == DataType::BFloat16)
        return Support::no("depthwise products are no faster in BF16: simd.depthwise takes the weights unrounded");
    if (problem.inputs[0].dims.size() > 5)
        return Support::no("oneDNN convolves 1 to 3 spatial dims, the input is " + toString(problem.inputs[0].dims));
    if (elementCount(problem.inputs[0].dims) == 0 || elementCount(problem.inputs[1].dims) == 0) {
        if (elementCount(problem.outputs[0].dims) > 0) return Support::no("an input has no elements");
    }
    return Support::yes();
}

/// oneDNN 2.6's channels-last kernels skip the post-ops of outputs whose window lies wholly in padding.
bool hasWindowInPadding(const ConvGeometry& geometry) {
    const size_t spatial = geometry.strides.size(), first = geometry.weights.size() - spatial;
    for (size_t i = 0; i < spatial; ++i) {
        const int64_t extent = (geometry.dilations[i] + 1) * (geometry.weights[first + i] - 1) + 1;
        if (geometry.padsBegin[i] >= extent || geometry.padsEnd[i] >= extent) return true;
    }
    return false;
}

Result<ConvPlan> planConv(const Problem& problem, Residual residual) {
    if (const Support support = checkConv(problem); !support.supported) return unsupported(support.reason);
    STROBE_ASSIGN(const LaidConv conv, layOut(problem));
    if (problem.program && hasWindowInPadding(conv.geometry))
        return unsupported("oneDNN applies no epilogue where a window lies wholly in padding");
    STROBE_ASSIGN(const ConvDescs descs, describe(conv, false));
    ConvPlan plan;
    plan.source = descs.source;
    plan.destination = descs.destination;
    plan.bias = descs.bias;
    plan.hasBias = descs.bias.get_size() > 0;
    plan.storedWeights = onednnPlainDesc(conv.geometry.weights, *onednnType(problem.inputs[1].format.type));
    STROBE_ASSIGN(plan.postOps, translateEpilogue(conv.problem, {residual, {}, {}}));
    if (residual == Residual::Sum && plan.postOps.sumInput < 0)
        return unsupported("there is no residual of the output's format to add in place");
    STROBE_ASSIGN(plan.pd, createDescriptor(conv, descs, plan.postOps.ops));
    const bool isPlain =
        problem.inputs[0].format.layout == Layout::Plain && problem.outputs[0].format.layout == Layout::Plain;
    // Plain tensors have the naive loop as a last resort, but one such tactic is enough.
    if (isNaiveImplementation(plan.pd.impl_info_str()) && (!isPlain || residual == Residual::Sum))
        return unsupported("oneDNN has only its naive loop for " + summary(problem));
    return plan;
}

/// oneDNN's own choice of layouts for this convolution, if we have them too.
std::optional<std::pair<Layout, Layout>> preferredLayouts(const Problem& problem) {
    const auto conv = layOut(problem);
    if (!conv) return std::nullopt;
    const auto descs = describe(*conv, true);
    if (!descs) return std::nullopt;
    const auto pd = createDescriptor(*conv, *descs, {});
    if (!pd) return std::nullopt;
    const auto source = layoutOf(pd->src_desc(), conv->problem.inputs[0].dims),
               destination = layoutOf(pd->dst_desc(), conv->problem.outputs[0].dims);
    if (!source || !destination) return std::nullopt;
    return std::pair(*source, *destination);
}

/// With Residual::Sum the layer adds onto a residual that already lies in the output's memory: fewer kernels of oneDNN
/// read a second tensor fast than add in place, but unless the planner lets the two share memory the residual is copied
/// first.
class OnednnConvTactic final : public OnednnTactic {
public:
    explicit OnednnConvTactic(Residual residual = Residual::Binary) : m_residual(residual) {}
    std::string_view name() const override { return m_residual == Residual::Sum ? "onednn.conv.sum" : "onednn.conv"; }

    Support check(const Problem& problem) const override { return supportOf(planConv(problem, m_residual)); }

    std::vector<Formats> formatsToTry(const Problem& problem) const override {
        if (!checkConv(problem).supported) return Tactic::candidateFormats(problem);
        const Layout blocked = onednnBlockedLayout();
        std::vector<std::pair<Layout, Layout>> layouts;
        if (const auto preferred = preferredLayouts(problem)) layouts.push_back(*preferred);
        layouts.emplace_back(Layout::ChannelsLast, Layout::ChannelsLast);
        layouts.emplace_back(blocked, blocked);
        constexpr int64_t kFewChannels = 4;  // an image: kernels exist that read it plain
        if (problem.inputs[0].dims[1] <= kFewChannels) {
            layouts.emplace_back(Layout::Plain, blocked);
            layouts.emplace_back(Layout::Plain, Layout::ChannelsLast);
        }
        layouts.emplace_back(Layout::Plain, Layout::Plain);
        return formatsForLayouts(problem, layouts);
    }

    bool overwritesInput(const Problem& problem, int input, int) const override {
        if (m_residual != Residual::Sum) return false;
        const auto plan = planConv(problem, m_residual);
        return plan && plan->postOps.sumInput == input;
    }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const ConvPlan plan, planConv(problem, m_residual));
        auto kernel = std::make_unique<OnednnKernel>(problem);
        if (plan.postOps.sumInput >= 0)
            STROBE_RETURN_IF_ERROR(kernel->addReorder(plan.destination,
                                                      OnednnBuffer::input(static_cast<size_t>(plan.postOps.sumInput)),
                                                      plan.destination, OnednnBuffer::output(0)));
        STROBE_ASSIGN(OnednnBuffer weights,
                      placeWeights(problem, 1, plan.storedWeights, plan.pd.weights_desc(), context, *kernel));
        std::vector<OnednnArgument> arguments = plan.postOps.arguments;
        arguments.push_back({DNNL_ARG_SRC, plan.source, OnednnBuffer::input(0)});
        arguments.push_back({DNNL_ARG_WEIGHTS, plan.pd.weights_desc(), std::move(weights)});
        if (plan.hasBias) arguments.push_back({DNNL_ARG_BIAS, plan.bias, OnednnBuffer::input(2)});
        arguments.push_back({DNNL_ARG_DST, plan.destination, OnednnBuffer::output(0)});
        auto primitive = dnnl::convolution_forward(plan.pd);
        kernel->addStep(std::move(primitive), std::move(arguments), plan.pd.scratchpad_desc(), plan.pd.impl_info_str());
        return std::unique_ptr<Kernel>(std::move(kernel));
    }

private:
    Residual m_residual;
};

}  // namespace

void registerOnednnConv(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "Conv", std::make_unique<OnednnConvTactic>());
    registry.add(DeviceKind::Cpu, "Conv", std::make_unique<OnednnConvTactic>(Residual::Sum));
    registry.add(DeviceKind::Cpu, "Conv", makeEpiloguePassTactic(std::make_unique<OnednnConvTactic>()));
}

}  // namespace strobe
