#include "kernels/cuda/pointwise_kernel.h"

namespace strobe {
namespace {

class PointwiseKernel final : public Kernel {
public:
    PointwiseKernel(PointwiseRunner runner, std::vector<std::shared_ptr<const void>> constants,
                    std::shared_ptr<const CudaDevice> device)
        : m_runner(std::move(runner)), m_constants(std::move(constants)), m_device(std::move(device)) {}
    Status run(const RunArguments& arguments) const override {
        STROBE_RETURN_IF_ERROR(m_device->makeCurrent());
        std::vector<const void*> inputs;
        std::vector<void*> outputs;
        for (size_t i = 0; i < m_constants.size(); ++i) inputs.push_back(inputAddress(m_constants, arguments, i));
        for (const TensorView& view : arguments.outputs) outputs.push_back(view.data);
        return m_runner.run(inputs, outputs, cudaStream(arguments).get());
    }

private:
    PointwiseRunner m_runner;
    std::vector<std::shared_ptr<const void>> m_constants;
    std::shared_ptr<const CudaDevice> m_device;
};

Result<std::unique_ptr<Kernel>> makeKernel(PointwiseSource source, const Problem& problem, CudaDevice& device,
                                           size_t inputs) {
    STROBE_ASSIGN(PointwiseRunner runner, PointwiseRunner::make(std::move(source), device));
    STROBE_ASSIGN(auto constants, uploadConstants(problem, device));
    constants.resize(inputs);
    return std::unique_ptr<Kernel>(
        std::make_unique<PointwiseKernel>(std::move(runner), std::move(constants), device.shared_from_this()));
}

Support checkPlaces(const Problem& problem) {
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list) {
            if (!desc.present) return Support::no("a tensor is absent");
            if (!desc.constantData && desc.format.memory != MemoryKind::Device)
                return Support::no("runs on device memory");
        }
    return Support::yes();
}

class PointwiseTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.pointwise"; }
    Support supports(const Problem& problem) const override {
        if (!problem.program) return Support::no("no program");
        if (const Support places = checkPlaces(problem); !places.supported) return places;
        const auto source = pointwiseSource(*problem.program, problem.inputs, problem.outputs);
        return source ? Support::yes() : Support::no(source.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override {
        std::vector<Formats> candidates = {deviceFormats(problem)};
        if (problem.outputs[0].dims.size() < 3) return candidates;
        Formats channelsLast = deviceFormats(problem, Layout::ChannelsLast);
        // Operands that broadcast are small: they stay as they come.
        for (size_t i = 0; i < problem.inputs.size(); ++i)
            if (problem.inputs[i].dims != problem.outputs[0].dims) channelsLast.inputs[i].layout = Layout::Plain;
        candidates.push_back(std::move(channelsLast));
        return candidates;
    }
    bool canRunInPlace(const Problem& problem, int input, int output) const override {
        if (problem.outputs.size() != 1 || output != 0) return false;
        const TensorDesc& from = problem.inputs[static_cast<size_t>(input)];
        return !from.constantData && from.dims == problem.outputs[0].dims && from.format == problem.outputs[0].format;
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(PointwiseSource source, pointwiseSource(*problem.program, problem.inputs, problem.outputs));
        return makeKernel(std::move(source), problem, cudaDevice(context), problem.inputs.size());
    }
};

const PointwiseProgram& copyProgram() {
    static const PointwiseProgram program{1, {}, {0}};
    return program;
}

Result<PointwiseSource> transposeSource(const Problem& problem) {
    const Dims &from = problem.inputs[0].dims, &to = problem.outputs[0].dims;
    std::vector<int64_t> permutation = problem.attributes->getInts("perm");
    for (size_t d = from.size(); permutation.size() < from.size() && d-- > 0;)
        permutation.push_back(static_cast<int64_t>(d));
    const std::vector<int64_t> dense = elementStrides(from, Layout::Plain);
    StridedOperand operand{problem.inputs[0].format.type, {}};
    for (int64_t axis : permutation) operand.strides.push_back(dense[static_cast<size_t>(axis)]);
    return stridedSource(copyProgram(), to, {operand}, {problem.outputs[0].format.type});
}

class TransposeTactic final : public Tactic {
public:
    std::string_view name() const override { return "cuda.transpose"; }
    Support supports(const Problem& problem) const override {
        if (problem.program) return Support::no("transposes without an epilogue");
        if (const Support places = checkPlaces(problem); !places.supported) return places;
        for (const TensorDesc* desc : {&problem.inputs[0], &problem.outputs[0]})
            if (desc->format.layout != Layout::Plain) return Support::no("transposes plain tensors");
        const auto source = transposeSource(problem);
        return source ? Support::yes() : Support::no(source.status().message());
    }
    std::vector<Formats> candidateFormats(const Problem& problem) const override { return {deviceFormats(problem)}; }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        STROBE_ASSIGN(PointwiseSource source, transposeSource(problem));
        return makeKernel(std::move(source), problem, cudaDevice(context), 1);
    }
};

}  // namespace

EpiloguePass epiloguePass(const Problem& problem, int bias, size_t biasDim) {
    EpiloguePass pass;
    pass.inputs = {problem.outputs[0]};
    if (bias >= 0) {
        TensorDesc desc = problem.inputs[static_cast<size_t>(bias)];
        desc.format.layout = Layout::Plain;
        desc.dims.resize(problem.outputs[0].dims.size() - biasDim, 1);
        pass.inputs.push_back(std::move(desc));
        pass.sources.push_back(static_cast<size_t>(bias));
    }
    const int extras = problem.program ? problem.program->inputCount - 1 : 0, biases = bias >= 0 ? 1 : 0;
    for (int e = 0; e < extras; ++e) {
        pass.sources.push_back(static_cast<size_t>(problem.op->maxInputs + e));
        pass.inputs.push_back(problem.inputs[pass.sources.back()]);
    }
    // Values: the product, the bias, the extras, product + bias, then the layer's own instructions.
    PointwiseProgram& program = pass.program;
    program.inputCount = 1 + biases + extras;
    if (biases) program.instructions.push_back({PointwiseOp::Add, 0, 1});
    const int start = biases ? program.inputCount : 0;
    const auto renamed = [&](int value) {
        return value < 0 ? value : value == 0 ? start : value <= extras ? value + biases : value + 2 * biases;
    };
    for (int i = 0; problem.program && i < static_cast<int>(problem.program->instructions.size()); ++i) {
        PointwiseInstruction in = problem.program->instructions[static_cast<size_t>(i)];
        in.a = renamed(in.a);
        in.b = renamed(in.b);
        in.c = renamed(in.c);
        program.instructions.push_back(in);
    }
    program.results = {problem.program ? renamed(problem.program->results[0]) : start};
    return pass;
}

void registerCudaPointwise(KernelRegistry& registry) {
    registry.add(DeviceKind::Cuda, "Pointwise", std::make_unique<PointwiseTactic>());
    registry.add(DeviceKind::Cuda, "Transpose", std::make_unique<TransposeTactic>());
}

}  // namespace strobe
