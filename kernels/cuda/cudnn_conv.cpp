// The only file that includes cudnn_frontend: it takes half a minute to compile.
#include <cudnn_frontend.h>

#include <exception>

#include "kernels/cuda/conv_plan.h"
#include "kernels/cuda/pointwise_kernel.h"

namespace strobe {
namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

enum Uid : int64_t { kX = 1, kW = 2, kY = 3, kBias = 4, kFirstOperand = 10 };  // + the problem's input

fe::DataType_t cudnnType(DataType type) {
    return type == DataType::BFloat16  ? fe::DataType_t::BFLOAT16
           : type == DataType::Float16 ? fe::DataType_t::HALF
                                       : fe::DataType_t::FLOAT;
}

/// Unsupported, where cuDNN is asked whether it can. cuDNN's message begins with what is wrong and goes on with the whole graph as JSON.
Status cudnnStatus(fe::error_t error, const char* what, ErrorCode code = ErrorCode::Unsupported) {
    if (error.is_good()) return Status::ok();
    std::string message = error.get_message();
    message.resize(std::min(message.find_first_of("\n{"), std::min<size_t>(message.size(), 160)));
    while (!message.empty() && (message.back() == ' ' || message.back() == '_')) message.pop_back();
    return Status(code, std::string("cuDNN, ") + what + ": " + message);
}

struct BuiltConv {
    std::shared_ptr<fe::graph::Graph> graph;
    int64_t workspace = 0;
    std::vector<std::pair<int64_t, size_t>> operands;  // uid and the problem's input
    bool fused = true;                                 // bias and epilogue are in the graph
    std::string note;                                  // which engine, and why no more is in the graph
};

/// For the inspector; empty when cuDNN does not tell.
std::string planName(const BuiltConv& built) {
    std::string name;
    return built.graph->get_plan_name(name).is_good() ? name : std::string();
}

class GraphWriter {
public:
    GraphWriter(const Problem& problem, const ConvPlan& plan, bool fused)
        : m_problem(problem), m_plan(plan), m_fused(fused), m_graph(std::make_shared<fe::graph::Graph>()) {}

    Result<BuiltConv> build(cudnnHandle_t handle, bool allowTf32) {
        m_graph->set_io_data_type(cudnnType(m_plan.type))
            .set_intermediate_data_type(fe::DataType_t::FLOAT)
            .set_compute_data_type(fe::DataType_t::FLOAT);
        Tensor current = convolution();
        if (m_fused && m_plan.hasBias)
            current = binary(fe::PointwiseMode_t::ADD, current, channelTensor(2, kBias), false);
        for (size_t n = 0; m_fused && n < m_plan.epilogue.size(); ++n) current = node(m_plan.epilogue[n], current);
        current->set_output(true)
            .set_data_type(cudnnType(m_plan.type))
            .set_uid(kY)
            .set_dim(m_plan.y)
            .set_stride(cudnnStrides(m_plan.y, m_plan.layout));
        STROBE_RETURN_IF_ERROR(cudnnStatus(m_graph->validate(), "the graph"));
        STROBE_RETURN_IF_ERROR(cudnnStatus(m_graph->build_operation_graph(handle), "the graph"));
        STROBE_RETURN_IF_ERROR(
            cudnnStatus(m_graph->create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}), "its engines"));
        if (m_plan.type == DataType::Float32 && !allowTf32)
            m_graph->deselect_numeric_notes({fe::NumericalNote_t::TENSOR_CORE});
        STROBE_RETURN_IF_ERROR(cudnnStatus(m_graph->check_support(), "its engines"));
        STROBE_RETURN_IF_ERROR(cudnnStatus(m_graph->build_plans(), "compiling"));
        BuiltConv built{m_graph, 0, m_operands, m_fused};
        STROBE_RETURN_IF_ERROR(cudnnStatus(m_graph->get_workspace_size(built.workspace), "its workspace"));
        return built;
    }

private:
    Tensor tensor(int64_t uid, const std::vector<int64_t>& dims, Layout layout, DataType type) {
        return m_graph->tensor(fe::graph::Tensor_attributes()
                                   .set_uid(uid)
                                   .set_dim(dims)
                                   .set_stride(cudnnStrides(dims, layout))
                                   .set_data_type(cudnnType(type)));
    }

    Tensor convolution() {
        const Tensor x = tensor(kX, m_plan.x, m_plan.layout, m_plan.type),
                     w = tensor(kW, m_plan.w, m_plan.layout, m_plan.type);
        Tensor y = m_plan.transposed
                       ? m_graph->conv_dgrad(x, w, withWindow(fe::graph::Conv_dgrad_attributes()))
                       : m_graph->conv_fprop(x, w, withWindow(fe::graph::Conv_fprop_attributes()));
        y->set_dim(m_plan.y).set_stride(cudnnStrides(m_plan.y, m_plan.layout));
        return y;
    }

    template <class Attributes>
    Attributes withWindow(Attributes attributes) {
        attributes.set_pre_padding(m_plan.padsBegin)
            .set_post_padding(m_plan.padsEnd)
            .set_stride(m_plan.strides)
            .set_dilation(m_plan.dilations)
            .set_compute_data_type(fe::DataType_t::FLOAT);
        return attributes;
    }

    /// One value a channel.
    Tensor channelTensor(size_t input, int64_t uid) {
        std::vector<int64_t> dims(m_plan.y.size(), 1);
        dims[1] = m_plan.y[1];
        m_operands.push_back({uid, input});
        return tensor(uid, dims, m_plan.layout, m_problem.inputs[input].format.type);
    }

    Tensor operand(const ConvNode& node) {
        if (node.scalar) {
            const std::vector<int64_t> ones(m_plan.y.size(), 1);
            return m_graph->tensor(fe::graph::Tensor_attributes(*node.scalar).set_dim(ones).set_stride(ones));
        }
        const auto input = static_cast<size_t>(node.operand);
        const int64_t uid = kFirstOperand + node.operand;
        if (m_problem.inputs[input].dims != m_problem.outputs[0].dims) return channelTensor(input, uid);
        m_operands.push_back({uid, input});
        return tensor(uid, m_plan.y, m_plan.layout, m_plan.type);
    }

    Tensor binary(fe::PointwiseMode_t mode, const Tensor& current, const Tensor& other, bool swapped) {
        const auto attributes =
            fe::graph::Pointwise_attributes().set_mode(mode).set_compute_data_type(fe::DataType_t::FLOAT);
        return swapped ? m_graph->pointwise(other, current, attributes)
                       : m_graph->pointwise(current, other, attributes);
    }

    Tensor node(const ConvNode& node, const Tensor& current) {
        using fe::PointwiseMode_t;
        // In the order of ConvNode::Mode.
        static constexpr PointwiseMode_t kModes[] = {
            PointwiseMode_t::ADD,          PointwiseMode_t::SUB,       PointwiseMode_t::MUL,
            PointwiseMode_t::DIV,          PointwiseMode_t::MAX,       PointwiseMode_t::MIN,
            PointwiseMode_t::RELU_FWD,     PointwiseMode_t::ELU_FWD,   PointwiseMode_t::TANH_FWD,
            PointwiseMode_t::SIGMOID_FWD,  PointwiseMode_t::GELU_FWD,  PointwiseMode_t::GELU_APPROX_TANH_FWD,
            PointwiseMode_t::SOFTPLUS_FWD, PointwiseMode_t::SWISH_FWD, PointwiseMode_t::EXP,
            PointwiseMode_t::LOG,          PointwiseMode_t::ABS,       PointwiseMode_t::NEG,
            PointwiseMode_t::SQRT,         PointwiseMode_t::RSQRT};
        const PointwiseMode_t mode = kModes[static_cast<size_t>(node.mode)];
        if (node.scalar || node.operand >= 0) return binary(mode, current, operand(node), node.swapped);
        auto attributes = fe::graph::Pointwise_attributes().set_mode(mode).set_compute_data_type(fe::DataType_t::FLOAT);
        if (node.slope != 0.0f) attributes.set_relu_lower_clip_slope(node.slope);
        if (node.lower) attributes.set_relu_lower_clip(*node.lower);
        if (node.upper) attributes.set_relu_upper_clip(*node.upper);
        if (node.mode == ConvNode::Mode::Elu) attributes.set_elu_alpha(node.alpha);
        return m_graph->pointwise(current, attributes);
    }

    const Problem& m_problem;
    const ConvPlan& m_plan;
    bool m_fused;
    std::shared_ptr<fe::graph::Graph> m_graph;
    std::vector<std::pair<int64_t, size_t>> m_operands;
};

/// cudnn_frontend reports by value, but its JSON and containers may throw.
template <class Fn>
auto guarded(Fn fn) -> decltype(fn()) {
    try {
        return fn();
    } catch (const std::exception& error) {
        return internalError(std::string("cuDNN: ") + error.what());
    }
}

constexpr size_t kAlignment = 256;

class ConvKernel final : public Kernel {
public:
    std::shared_ptr<const BuiltConv> built;
    std::vector<std::shared_ptr<const void>> constants;  // by input; 1: the weights, packed
    std::optional<PointwiseRunner> pass;                 // bias and epilogue, when cuDNN does not do them
    std::vector<size_t> passSources;
    std::shared_ptr<CudaDevice> device;

    size_t workspaceBytes() const override {
        return built->workspace > 0 ? static_cast<size_t>(built->workspace) + kAlignment : 0;
    }
    std::string description() const override { return built->note; }

    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(device->makeCurrent());
        CudaStream& stream = cudaStream(arguments);
        STROBE_ASSIGN(cudnnHandle_t handle, stream.cudnn());
        void* output = arguments.outputs[0].data;
        const auto address = [&](size_t input) { return const_cast<void*>(inputAddress(constants, arguments, input)); };
        std::unordered_map<int64_t, void*> pointers = {{kX, address(0)}, {kW, address(1)}, {kY, output}};
        for (const auto& [uid, input] : built->operands) pointers[uid] = address(input);
        void* workspace = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(arguments.workspace) + kAlignment - 1) /
                                                  kAlignment * kAlignment);
        STROBE_RETURN_IF_ERROR(guarded([&] {
            return cudnnStatus(built->graph->execute(handle, pointers, workspace), "running", ErrorCode::Internal);
        }));
        if (!pass) return Status::ok();
        std::vector<const void*> inputs = {output};
        for (size_t input : passSources) inputs.push_back(address(input));
        return pass->run(inputs, {output}, stream.get());
    }
};

Result<std::shared_ptr<const void>> placeWeights(const Problem& problem, const ConvPlan& plan, CudaDevice& device) {
    const TensorDesc& desc = problem.inputs[1];
    const size_t element = dataTypeBytes(desc.format.type, 1),
                 bytes = element * static_cast<size_t>(elementCount(desc.dims));
    if (plan.layout == Layout::Plain) return device.constant(desc.constantKey, desc.constantData, bytes);
    std::vector<char> packed(bytes);
    channelsLastWeights(desc.constantData, packed.data(), plan.w, element);
    return device.constant(desc.constantKey.empty() ? std::string() : desc.constantKey + "|krsc", packed.data(), bytes);
}

/// Conv or ConvTranspose. FP32 is exact unless m_tf32.
class CudnnConvTactic final : public Tactic {
public:
    CudnnConvTactic(std::string name, bool tf32) : m_name(std::move(name)), m_tf32(tf32) {}
    std::string_view name() const override { return m_name; }

    DataType roundsFactorsTo() const override { return m_tf32 ? DataType::Float16 : DataType::Undefined; }

    Support supports(const Problem& problem) const override {
        if (m_tf32 && problem.inputs[0].format.type != DataType::Float32)
            return Support::no("TF32 is a way to multiply fp32");
        const auto plan = planConv(problem);
        return plan ? Support::yes() : Support::no(plan.status().message());
    }

    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates;
        for (Layout layout : {Layout::ChannelsLast, Layout::Plain}) {
            Formats formats = deviceFormats(problem);
            formats.inputs[0].layout = formats.outputs[0].layout = layout;
            for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
                if (!problem.inputs[i].constantData && problem.inputs[i].dims == problem.outputs[0].dims)
                    formats.inputs[i].layout = layout;
            candidates.push_back(std::move(formats));
        }
        return candidates;
    }

    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const ConvPlan plan, planConv(problem));
        auto kernel = std::make_unique<ConvKernel>();
        CudaDevice& device = cudaDevice(context);
        kernel->device = device.shared_from_this();
        STROBE_ASSIGN(kernel->constants, uploadOthers(problem, device));
        STROBE_ASSIGN(kernel->constants[1], placeWeights(problem, plan, device));
        // Compiling takes up to seconds; the builder prepares a layer when it times it and again for the engine.
        const std::string key = m_name + " " + problem.key();
        const auto make = [&]() -> Result<std::shared_ptr<const void>> {
            STROBE_ASSIGN(BuiltConv built, buildGraph(problem, plan, device));
            return std::shared_ptr<const void>(std::make_shared<const BuiltConv>(std::move(built)));
        };
        STROBE_ASSIGN(const std::shared_ptr<const void> built, device.builds().get(key, make));
        kernel->built = std::static_pointer_cast<const BuiltConv>(built);
        if (!kernel->built->fused && (plan.hasBias || problem.program)) {
            EpiloguePass pass = epiloguePass(problem, plan.hasBias ? 2 : -1, 1);
            STROBE_ASSIGN(PointwiseSource source, pointwiseSource(pass.program, pass.inputs, problem.outputs));
            STROBE_ASSIGN(kernel->pass, PointwiseRunner::make(std::move(source), device));
            kernel->passSources = std::move(pass.sources);
        }
        return std::unique_ptr<Kernel>(std::move(kernel));
    }

private:
    /// All constants but the weights, which are packed.
    static Result<std::vector<std::shared_ptr<const void>>> uploadOthers(const Problem& problem, CudaDevice& device) {
        Problem others = problem;
        others.inputs[1].present = false;
        return uploadConstants(others, device);
    }

    /// With the epilogue if cuDNN has an engine for that, else the bare convolution.
    Result<BuiltConv> buildGraph(const Problem& problem, const ConvPlan& plan, CudaDevice& device) const {
        STROBE_ASSIGN(const auto stream, device.createStream());
        STROBE_ASSIGN(cudnnHandle_t handle, static_cast<CudaStream&>(*stream).cudnn());
        std::string reason = plan.unfused;
        if (reason.empty()) {
            auto fused = guarded([&] { return GraphWriter(problem, plan, true).build(handle, m_tf32); });
            if (fused) {
                fused->note = planName(*fused);
                return fused;
            }
            reason = fused.status().message();
        }
        if (!plan.hasBias && !problem.program) return unsupported(reason);
        STROBE_ASSIGN(BuiltConv bare, guarded([&] { return GraphWriter(problem, plan, false).build(handle, m_tf32); }));
        bare.note = planName(bare) + " + pointwise pass (" + reason + ")";
        return bare;
    }

    std::string m_name;
    bool m_tf32;
};

}  // namespace

void registerCudnnConv(KernelRegistry& registry, bool allowTf32) {
    for (const auto& [op, name] : {std::pair{"Conv", "cudnn.conv"}, {"ConvTranspose", "cudnn.deconv"}}) {
        registry.add(DeviceKind::Cuda, op, std::make_unique<CudnnConvTactic>(name, false));
        if (allowTf32)
            registry.add(DeviceKind::Cuda, op, std::make_unique<CudnnConvTactic>(std::string(name) + ".tf32", true));
    }
}

}  // namespace strobe
