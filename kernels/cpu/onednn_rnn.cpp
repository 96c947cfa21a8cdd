#include <cstring>

#include "kernels/cpu/onednn_kernel.h"
#include "kernels/cpu/onednn_tactics.h"

namespace strobe {
namespace {

using dnnl::memory;

/// Input slots of ONNX's LSTM and GRU.
enum RnnInput : size_t { kX, kW, kR, kB, kSequenceLengths, kInitialH, kInitialC, kPeepholes };
/// Output slots.
enum RnnOutput : size_t { kY, kFinalH, kFinalC };

struct RnnExtents {
    bool isLstm = false, resetAfter = false;  // resetAfter: GRU's linear_before_reset
    int64_t steps = 0, batch = 0, inputs = 0, hidden = 0, directions = 1, gates = 4;
    dnnl::rnn_direction direction = dnnl::rnn_direction::unidirectional_left2right;
    int64_t biasGates() const { return resetAfter ? gates + 1 : gates; }
};

bool has(const std::vector<TensorDesc>& list, size_t index) {
    return index < list.size() && list[index].present;
}

Status checkAttributes(const Problem& problem, bool isLstm) {
    const Attributes& a = *problem.attributes;
    if (problem.program) return unsupported("oneDNN's recurrent layers take no epilogue");
    if (a.getInt("layout", 0) != 0)
        return unsupported("oneDNN's recurrent layers are time first, attribute layout is 1");
    if (a.has("clip")) return unsupported("oneDNN's recurrent layers do not clip");
    if (a.getInt("input_forget", 0) != 0) return unsupported("oneDNN's LSTM does not couple input and forget gates");
    const std::vector<std::string> usual =
        isLstm ? std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"} : std::vector<std::string>{"Sigmoid", "Tanh"};
    const AttributeValue* value = a.find("activations");
    const auto* activations = value ? std::get_if<std::vector<std::string>>(value) : nullptr;
    for (size_t i = 0; activations && i < activations->size(); ++i)
        if ((*activations)[i] != usual[i % usual.size()])
            return unsupported("oneDNN's recurrent layers have no activation " + (*activations)[i]);
    if (has(problem.inputs, kSequenceLengths)) return unsupported("oneDNN's recurrent layers take no sequence lengths");
    if (has(problem.inputs, kPeepholes)) return unsupported("peepholes are not used here");
    for (size_t index : {kW, kR, kB})
        if (has(problem.inputs, index) &&
            (!problem.inputs[index].constantData || problem.inputs[index].constantKey.empty()))
            return unsupported("recurrent weights must be constant, input " + std::to_string(index) + " is not");
    return Status::ok();
}

Result<RnnExtents> extentsOf(const Problem& problem) {
    RnnExtents e;
    e.isLstm = problem.op->name == "LSTM";
    if (const Support floats = checkFloatTensors(problem); !floats.supported) return unsupported(floats.reason);
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list)
            if (desc.present && desc.format.layout != Layout::Plain)
                return unsupported("recurrent layers take plain tensors");
    STROBE_RETURN_IF_ERROR(checkAttributes(problem, e.isLstm));
    const Dims &x = problem.inputs[kX].dims, &r = problem.inputs[kR].dims;
    e.steps = x[0];
    e.batch = x[1];
    e.inputs = x[2];
    e.directions = r[0];
    e.hidden = r[2];
    e.gates = e.isLstm ? 4 : 3;
    e.resetAfter = !e.isLstm && problem.attributes->getInt("linear_before_reset", 0) != 0;
    if (elementCount(x) == 0 || elementCount(r) == 0) return unsupported("an extent is 0");
    const Dims w{e.directions, e.gates * e.hidden, e.inputs}, b{e.directions, 2 * e.gates * e.hidden};
    if (problem.inputs[kW].dims != w || r[1] != w[1] || (has(problem.inputs, kB) && problem.inputs[kB].dims != b))
        return unsupported("the weights' shapes " + toString(problem.inputs[kW].dims) + " and " + toString(r) +
                           " do not fit each other");
    const std::string direction = problem.attributes->getString("direction", "forward");
    if (direction == "reverse") e.direction = dnnl::rnn_direction::unidirectional_right2left;
    if (direction == "bidirectional") e.direction = dnnl::rnn_direction::bidirectional_concat;
    return e;
}

/// ONNX orders LSTM gates input, output, forget, cell; oneDNN input, forget, cell, output. Both order GRU gates alike.
int64_t onnxGate(const RnnExtents& e, int64_t gate) {
    static constexpr int64_t kLstm[] = {0, 2, 3, 1};
    return e.isLstm ? kLstm[gate] : gate;
}

std::vector<float> constantFloats(const TensorDesc& desc) {
    const Weights view = borrowedWeights(desc.format.type, desc.dims, desc.constantData);
    return toFloats(view);
}

/// [direction, gate·hidden, width] → oneDNN's direction × width × gate × hidden.
Result<std::vector<float>> gatesLast(const RnnExtents& e, const std::vector<float>& weights, int64_t width,
                                     const CancelToken* cancel) {
    std::vector<float> out(weights.size());
    size_t next = 0;
    for (int64_t d = 0; d < e.directions; ++d)
        for (int64_t i = 0; i < width; ++i) {
            if (isCancelled(cancel)) return cancelled();
            for (int64_t g = 0; g < e.gates; ++g)
                for (int64_t h = 0; h < e.hidden; ++h)
                    out[next++] =
                        weights[static_cast<size_t>(((d * e.gates + onnxGate(e, g)) * e.hidden + h) * width + i)];
        }
    return out;
}

/// Input and recurrent biases joined; the last gate of a GRU that resets after the product keeps both.
std::vector<float> joinBiases(const RnnExtents& e, const std::vector<float>& b) {
    std::vector<float> out(static_cast<size_t>(e.directions * e.biasGates() * e.hidden), 0.0f);
    if (b.empty()) return out;
    for (int64_t d = 0; d < e.directions; ++d)
        for (int64_t g = 0; g < e.biasGates(); ++g)
            for (int64_t h = 0; h < e.hidden; ++h) {
                const float* row = b.data() + d * 2 * e.gates * e.hidden + h;
                const float* recurrent = row + e.gates * e.hidden;
                float& value = out[static_cast<size_t>((d * e.biasGates() + g) * e.hidden + h)];
                if (e.resetAfter && g == 3)
                    value = recurrent[2 * e.hidden];
                else if (e.resetAfter && g == 2)
                    value = row[2 * e.hidden];
                else
                    value = row[onnxGate(e, g) * e.hidden] + recurrent[onnxGate(e, g) * e.hidden];
            }
    return out;
}

struct RnnDescs {
    memory::desc x, y, h, c, finalH, finalC, wx, wh, bias;
};

RnnDescs describe(const Problem& problem, const RnnExtents& e) {
    const auto type = *onednnType(problem.inputs[kX].format.type),
               yType = *onednnType(problem.outputs[kY].present ? problem.outputs[kY].format.type
                                                               : problem.inputs[kX].format.type);
    RnnDescs d;
    d.x = onednnPlainDesc({e.steps, e.batch, e.inputs}, type);
    d.y = onednnPlainDesc({e.steps, e.batch, e.directions * e.hidden}, yType);
    const Dims state{1, e.directions, e.batch, e.hidden};
    // Absent states are zeros of ours: without them oneDNN declines some types of the final states.
    d.h = onednnPlainDesc(state,
                          has(problem.inputs, kInitialH) ? *onednnType(problem.inputs[kInitialH].format.type) : type);
    d.c = onednnPlainDesc(state,
                          has(problem.inputs, kInitialC) ? *onednnType(problem.inputs[kInitialC].format.type) : type);
    if (has(problem.outputs, kFinalH))
        d.finalH = onednnPlainDesc(state, *onednnType(problem.outputs[kFinalH].format.type));
    if (has(problem.outputs, kFinalC))
        d.finalC = onednnPlainDesc(state, *onednnType(problem.outputs[kFinalC].format.type));
    d.wx = onednnAnyDesc({1, e.directions, e.inputs, e.gates, e.hidden}, type);
    d.wh = onednnAnyDesc({1, e.directions, e.hidden, e.gates, e.hidden}, type);
    d.bias = onednnPlainDesc({1, e.directions, e.biasGates(), e.hidden}, memory::data_type::f32);
    return d;
}

/// A created primitive with what its arguments look like, the same for the three cells.
struct RnnPlan {
    RnnDescs descs;
    memory::desc wx, wh, scratchpad;
    dnnl::primitive primitive;
    std::string description;
};

template <class Primitive>
void finishPlan(RnnPlan& plan, const typename Primitive::primitive_desc& pd) {
    plan.wx = pd.weights_layer_desc();
    plan.wh = pd.weights_iter_desc();
    plan.scratchpad = pd.scratchpad_desc();
    plan.primitive = Primitive(pd);
    plan.description = pd.impl_info_str();
}

Result<RnnPlan> planRnn(const Problem& problem, const RnnExtents& e) {
    RnnPlan plan;
    plan.descs = describe(problem, e);
    const RnnDescs& d = plan.descs;
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    const Status made =
        guardOnednn(summary(problem), [&] {
            const dnnl::primitive_attr attributes = onednnAttributes();
            const dnnl::engine& engine = onednnEngine();
            if (e.isLstm)
                finishPlan<dnnl::lstm_forward>(
                    plan, {{kind, e.direction, d.x, d.h, d.c, d.wx, d.wh, d.bias, d.y, d.finalH, d.finalC},
                           attributes,
                           engine});
            else if (e.resetAfter)
                finishPlan<dnnl::lbr_gru_forward>(
                    plan, {{kind, e.direction, d.x, d.h, d.wx, d.wh, d.bias, d.y, d.finalH}, attributes, engine});
            else
                finishPlan<dnnl::gru_forward>(
                    plan, {{kind, e.direction, d.x, d.h, d.wx, d.wh, d.bias, d.y, d.finalH}, attributes, engine});
            return true;
        }).status();
    STROBE_RETURN_IF_ERROR(made);
    return plan;
}

class OnednnRnnTactic final : public OnednnTactic {
public:
    explicit OnednnRnnTactic(std::string name) : m_name(std::move(name)) {}
    std::string_view name() const override { return m_name; }

    Support check(const Problem& problem) const override {
        const auto extents = extentsOf(problem);
        if (!extents) return Support::no(extents.status().message());
        return supportOf(planRnn(problem, *extents));
    }

    Result<std::unique_ptr<Kernel>> makeKernel(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(const RnnExtents e, extentsOf(problem));
        STROBE_ASSIGN(const RnnPlan plan, planRnn(problem, e));
        auto kernel = std::make_unique<OnednnKernel>(problem);
        STROBE_ASSIGN(auto wx, pack(problem, kW, e, e.inputs, plan.wx, context));
        STROBE_ASSIGN(auto wh, pack(problem, kR, e, e.hidden, plan.wh, context));
        STROBE_ASSIGN(auto bias, packBias(problem, e));
        std::vector<OnednnArgument> arguments = {{DNNL_ARG_SRC_LAYER, plan.descs.x, OnednnBuffer::input(kX)},
                                                 {DNNL_ARG_WEIGHTS_LAYER, plan.wx, std::move(wx)},
                                                 {DNNL_ARG_WEIGHTS_ITER, plan.wh, std::move(wh)},
                                                 {DNNL_ARG_BIAS, plan.descs.bias, std::move(bias)}};
        arguments.push_back({DNNL_ARG_SRC_ITER, plan.descs.h, initialState(problem, kInitialH, plan.descs.h)});
        if (e.isLstm)
            arguments.push_back({DNNL_ARG_SRC_ITER_C, plan.descs.c, initialState(problem, kInitialC, plan.descs.c)});
        if (has(problem.outputs, kFinalH))
            arguments.push_back({DNNL_ARG_DST_ITER, plan.descs.finalH, OnednnBuffer::output(kFinalH)});
        if (has(problem.outputs, kFinalC))
            arguments.push_back({DNNL_ARG_DST_ITER_C, plan.descs.finalC, OnednnBuffer::output(kFinalC)});
        const bool wantsY = has(problem.outputs, kY), isDirect = wantsY && e.directions == 1;
        const OnednnBuffer y = isDirect ? OnednnBuffer::output(kY) : kernel->reserve(plan.descs.y.get_size());
        arguments.push_back({DNNL_ARG_DST_LAYER, plan.descs.y, y});
        kernel->addStep(plan.primitive, std::move(arguments), plan.scratchpad, plan.description);
        if (wantsY && !isDirect) STROBE_RETURN_IF_ERROR(splitDirections(problem, e, y, *kernel));
        return std::unique_ptr<Kernel>(std::move(kernel));
    }

private:
    static OnednnBuffer initialState(const Problem& problem, size_t index, const memory::desc& desc) {
        if (has(problem.inputs, index)) return OnednnBuffer::input(index);
        auto zeros = std::make_shared<std::vector<std::byte>>(desc.get_size());
        return OnednnBuffer::packed(std::shared_ptr<const void>(zeros, zeros->data()));
    }

    /// oneDNN gives steps × batch × (direction, hidden), ONNX wants steps × direction × batch × hidden.
    static Status splitDirections(const Problem& problem, const RnnExtents& e, const OnednnBuffer& y,
                                  OnednnKernel& kernel) {
        const auto type = *onednnType(problem.outputs[kY].format.type);
        const Dims dims{e.steps, e.directions, e.batch, e.hidden};
        const memory::desc joined(
            dims, type, memory::dims{e.batch * e.directions * e.hidden, e.hidden, e.directions * e.hidden, 1});
        return kernel.addReorder(joined, y, onednnPlainDesc(dims, type), OnednnBuffer::output(kY));
    }

    static Result<OnednnBuffer> pack(const Problem& problem, size_t index, const RnnExtents& e, int64_t width,
                                     const memory::desc& wanted, const PrepareContext& context) {
        const TensorDesc& tensor = problem.inputs[index];
        const auto fill = [&](void* destination) -> Status {
            STROBE_ASSIGN(const std::vector<float> ordered,
                          gatesLast(e, constantFloats(tensor), width, context.cancel));
            const memory::desc stored =
                onednnPlainDesc({1, e.directions, width, e.gates, e.hidden}, memory::data_type::f32);
            return reorder("packing recurrent weights", stored, ordered.data(), wanted, destination, context.cancel);
        };
        if (!context.packedWeights) return internalError("recurrent weights need a cache to be packed into");
        STROBE_ASSIGN(auto data,
                      context.packedWeights->get(tensor.constantKey + "|onednn.rnn|" + onednnFingerprint(wanted),
                                                 wanted.get_size(), fill));
        return OnednnBuffer::packed(std::move(data));
    }

    static Result<OnednnBuffer> packBias(const Problem& problem, const RnnExtents& e) {
        auto bias = std::make_shared<std::vector<float>>(
            joinBiases(e, has(problem.inputs, kB) ? constantFloats(problem.inputs[kB]) : std::vector<float>()));
        return OnednnBuffer::packed(std::shared_ptr<const void>(bias, bias->data()));
    }

    std::string m_name;
};

}  // namespace

void registerOnednnRnn(KernelRegistry& registry) {
    registry.add(DeviceKind::Cpu, "LSTM", std::make_unique<OnednnRnnTactic>("onednn.lstm"));
    registry.add(DeviceKind::Cpu, "GRU", std::make_unique<OnednnRnnTactic>("onednn.gru"));
}

}  // namespace strobe
