#include "kernels/reference/reference_kernel.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "engine_core/base/float_formats.h"

namespace strobe {
namespace {

/// Leaves a run that is cancelled.
struct RunCancelled {};

/// Who may cancel the run of this thread, and how much work is left before it is asked again.
struct CancelWatch {
    const CancelToken* token = nullptr;
    int64_t operationsLeft = 0;
};
thread_local CancelWatch t_watch;
constexpr int64_t kOperationsPerPoll = 1 << 20;  // some milliseconds

class CancelScope {
public:
    explicit CancelScope(const CancelToken* token) : m_outer(t_watch) { t_watch = {token, 0}; }
    ~CancelScope() { t_watch = m_outer; }
    CancelScope(const CancelScope&) = delete;
    CancelScope& operator=(const CancelScope&) = delete;

private:
    CancelWatch m_outer;
};

template <class T, class Convert>
std::vector<T> readInParts(const Weights& weights, Convert convert) {
    constexpr int64_t kPart = 1 << 20;
    std::vector<T> values;
    values.reserve(static_cast<size_t>(weights.count()));
    Weights part;
    part.type = weights.type;
    for (int64_t first = 0; first < weights.count(); first += kPart) {
        pollCancel(kPart);
        part.dims = {std::min(kPart, weights.count() - first)};
        part.data = std::shared_ptr<const void>(weights.data, static_cast<const char*>(weights.data.get()) + dataTypeBytes(weights.type, first));
        const std::vector<T> converted = convert(part);
        values.insert(values.end(), converted.begin(), converted.end());
    }
    return values;
}

bool isNarrowFloat(DataType type) { return isFloatingPoint(type) && type != DataType::Float32 && type != DataType::Float64; }

void widen(DataType type, const void* source, float* destination, int64_t count) {
    const Weights view = borrowedWeights(type, {count}, source);
    const std::vector<float> values = readFloats(view);
    std::copy(values.begin(), values.end(), destination);
}

template <class Stored, class Convert>
void narrowAll(const float* source, void* destination, int64_t count, Convert convert) {
    auto* stored = static_cast<Stored*>(destination);
    for (int64_t i = 0; i < count; ++i) {
        pollCancel(1);
        stored[i] = convert(source[i]);
    }
}

void narrow(DataType type, const float* source, void* destination, int64_t count) {
    switch (type) {
        case DataType::BFloat16: return narrowAll<uint16_t>(source, destination, count, floatToBFloat16);
        case DataType::Float16: return narrowAll<uint16_t>(source, destination, count, floatToFloat16);
        case DataType::Float8E4M3FN: return narrowAll<uint8_t>(source, destination, count, [](float v) { return floatToFloat8E4M3FN(v); });
        default: return narrowAll<uint8_t>(source, destination, count, [](float v) { return floatToFloat8E5M2(v); });
    }
}

/// The same problem with narrow floats as FP32; `run` of a kernel never meets them.
Problem widenedProblem(const Problem& problem) {
    Problem wide = problem;
    for (auto* list : {&wide.inputs, &wide.outputs})
        for (TensorDesc& desc : *list)
            if (isNarrowFloat(desc.format.type)) {
                desc.format.type = DataType::Float32;
                desc.constantData = nullptr;  // stored narrow; run() reads the widened copy from its arguments
            }
    return wide;
}

class ReferenceRun final : public Kernel {
public:
    ReferenceRun(const ReferenceKernel& kernel, const Problem& problem)
        : m_kernel(kernel), m_problem(problem), m_wide(kernel.keepsNarrowTypes ? problem : widenedProblem(problem)) {}

    Status run(const RunArguments& arguments) const override {
        const CancelScope scope(arguments.cancel);
        try {
            return runWidened(arguments);
        } catch (const RunCancelled&) {
            return cancelled();
        } catch (const std::bad_alloc&) {
            return tooLarge();
        } catch (const std::length_error&) {
            return tooLarge();
        }
    }

private:
    Status tooLarge() const {
        return Status(ErrorCode::OutOfMemory, "the reference kernel of " + m_kernel.op +
                                                  " needs more memory than can be had; use smaller shapes");
    }

    Status runWidened(const RunArguments& arguments) const {
        std::vector<TensorView> inputs(arguments.inputs.begin(), arguments.inputs.end());
        std::vector<TensorView> outputs(arguments.outputs.begin(), arguments.outputs.end());
        std::vector<std::vector<float>> copies;
        copies.reserve(inputs.size() + outputs.size());
        const auto widenView = [&](const TensorDesc& desc, TensorView& view, bool read) {
            if (m_kernel.keepsNarrowTypes || !view.data || !isNarrowFloat(desc.format.type)) return;
            copies.emplace_back(static_cast<size_t>(elementCount(*view.dims)));
            if (read) widen(desc.format.type, view.data, copies.back().data(), elementCount(*view.dims));
            view.data = copies.back().data();
        };
        for (size_t i = 0; i < inputs.size(); ++i) widenView(m_problem.inputs[i], inputs[i], true);
        for (size_t i = 0; i < outputs.size(); ++i) widenView(m_problem.outputs[i], outputs[i], false);
        RunArguments wide = arguments;
        wide.inputs = inputs;
        wide.outputs = outputs;
        STROBE_RETURN_IF_ERROR(m_kernel.run(m_wide, wide));
        if (m_problem.program && m_problem.op->name != "Pointwise") applyEpilogue(wide);
        for (size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].data != arguments.outputs[i].data)
                narrow(m_problem.outputs[i].format.type, static_cast<float*>(outputs[i].data), arguments.outputs[i].data, elementCount(*outputs[i].dims));
        return Status::ok();
    }

    void applyEpilogue(const RunArguments& arguments) const {
        float* result = arguments.outputs[0].as<float>();
        std::vector<const float*> inputs = {result};
        std::vector<Dims> dims = {*arguments.outputs[0].dims};
        for (size_t i = static_cast<size_t>(m_problem.op->maxInputs); i < arguments.inputs.size(); ++i) {
            inputs.push_back(arguments.inputs[i].as<const float>());
            dims.push_back(*arguments.inputs[i].dims);
        }
        runPointwiseReference(*m_problem.program, inputs, dims, std::vector<float*>{result}, *arguments.outputs[0].dims);
    }

    const ReferenceKernel& m_kernel;
    Problem m_problem, m_wide;
};

class ReferenceTactic final : public Tactic {
public:
    explicit ReferenceTactic(ReferenceKernel kernel) : m_kernel(std::move(kernel)), m_name("reference." + m_kernel.op) {}
    std::string_view name() const override { return m_name; }
    bool isReference() const override { return true; }
    Support supports(const Problem& problem) const override {
        for (const auto* list : {&problem.inputs, &problem.outputs})
            for (const TensorDesc& desc : *list)
                if (desc.present && (desc.format.layout != Layout::Plain || desc.format.memory != MemoryKind::Host))
                    return Support::no("reference kernels take plain host tensors, " + desc.format.toString() + " was asked");
        if (problem.program && problem.op->name != "Pointwise")
            for (size_t i = static_cast<size_t>(problem.op->maxInputs); i < problem.inputs.size(); ++i)
                if (!isFloatingPoint(problem.inputs[i].format.type)) return Support::no("an epilogue input is not floating point");
        return m_kernel.supports ? m_kernel.supports(m_kernel.keepsNarrowTypes ? problem : widenedProblem(problem)) : Support::yes();
    }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<ReferenceRun>(m_kernel, problem));
    }

private:
    ReferenceKernel m_kernel;
    std::string m_name;
};

}  // namespace

void addReference(KernelRegistry& registry, ReferenceKernel kernel) {
    std::string op = kernel.op;
    registry.add(DeviceKind::Cpu, std::move(op), std::make_unique<ReferenceTactic>(std::move(kernel)));
}

std::vector<int64_t> rowMajorStrides(const Dims& dims) {
    // An empty tensor is never walked; its other extents may be too large to multiply.
    if (elementCount(dims) == 0) return std::vector<int64_t>(dims.size(), 0);
    std::vector<int64_t> strides(dims.size(), 1);
    for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
    return strides;
}

std::vector<int64_t> broadcastStrides(const Dims& dims, const Dims& target) {
    std::vector<int64_t> strides(target.size(), 0);
    const std::vector<int64_t> own = rowMajorStrides(dims);
    for (size_t i = 0; i < dims.size(); ++i)
        if (dims[i] != 1) strides[target.size() - dims.size() + i] = own[i];
    return strides;
}

void pollCancel(int64_t operations) {
    t_watch.operationsLeft -= operations;
    if (t_watch.operationsLeft > 0) return;
    t_watch.operationsLeft = kOperationsPerPoll;
    if (isCancelled(t_watch.token)) throw RunCancelled{};
}

std::vector<float> readFloats(const Weights& weights) { return readInParts<float>(weights, toFloats); }
std::vector<double> readDoubles(const Weights& weights) { return readInParts<double>(weights, toDoubles); }

bool advance(Dims& index, const Dims& dims) {
    pollCancel(1);
    for (size_t i = dims.size(); i-- > 0;) {
        if (++index[i] < dims[i]) return true;
        index[i] = 0;
    }
    return false;
}

std::vector<int64_t> readIntegers(const Problem& problem, const RunArguments& arguments, int input) {
    const auto i = static_cast<size_t>(input);
    if (i >= problem.inputs.size() || !problem.inputs[i].present) return {};
    const void* data = i < arguments.inputs.size() && arguments.inputs[i].data ? arguments.inputs[i].data : problem.inputs[i].constantData;
    const Weights view = borrowedWeights(problem.inputs[i].format.type, problem.inputs[i].dims, data);
    return toInt64s(view).value_or(std::vector<int64_t>());
}

void runPointwiseReference(const PointwiseProgram& program, std::span<const float* const> inputs, std::span<const Dims> inputDims,
                           std::span<float* const> outputs, const Dims& dims) {
    if (elementCount(dims) == 0) return;
    std::vector<std::vector<int64_t>> strides;
    for (const Dims& d : inputDims) strides.push_back(broadcastStrides(d, dims));
    std::vector<float> values(static_cast<size_t>(program.valueCount()));
    const auto value = [&](int number) { return number < 0 ? 0.0f : values[static_cast<size_t>(number)]; };
    Dims index(dims.size(), 0);
    int64_t position = 0;
    do {
        for (size_t i = 0; i < inputs.size(); ++i) {
            int64_t offset = 0;
            for (size_t d = 0; d < dims.size(); ++d) offset += index[d] * strides[i][d];
            values[i] = inputs[i][offset];
        }
        size_t next = inputs.size();
        for (const PointwiseInstruction& in : program.instructions) values[next++] = evaluatePointwise(in, value(in.a), value(in.b), value(in.c));
        for (size_t o = 0; o < outputs.size(); ++o) outputs[o][position] = value(program.results[o]);
        ++position;
    } while (advance(index, dims));
}

}  // namespace strobe
