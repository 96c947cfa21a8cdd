#include "tests/support/kernel_case.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "engine_core/base/float_formats.h"
#include "kernels/reference/reference_kernel.h"

namespace strobe {
namespace {

using Values = std::vector<double>;

bool isNarrowFloat(DataType type) {
    return isFloatingPoint(type) && type != DataType::Float32 && type != DataType::Float64;
}

template <class T>
void putAs(void* data, int64_t at, T value) {
    std::memcpy(static_cast<T*>(data) + at, &value, sizeof value);
}

void putElement(DataType type, void* data, int64_t at, double value) {
    const auto f = static_cast<float>(value);
    switch (type) {
        case DataType::Float32:
            return putAs(data, at, f);
        case DataType::Float64:
            return putAs(data, at, value);
        case DataType::Float16:
            return putAs(data, at, floatToFloat16(f));
        case DataType::BFloat16:
            return putAs(data, at, floatToBFloat16(f));
        case DataType::Float8E4M3FN:
            return putAs(data, at, floatToFloat8E4M3FN(f));
        case DataType::Float8E5M2:
            return putAs(data, at, floatToFloat8E5M2(f));
        case DataType::Int8:
            return putAs(data, at, static_cast<int8_t>(value));
        case DataType::UInt8:
            return putAs(data, at, static_cast<uint8_t>(value));
        case DataType::Bool:
            return putAs(data, at, static_cast<uint8_t>(value != 0.0));
        case DataType::Int16:
            return putAs(data, at, static_cast<int16_t>(value));
        case DataType::UInt16:
            return putAs(data, at, static_cast<uint16_t>(value));
        case DataType::Int32:
            return putAs(data, at, static_cast<int32_t>(value));
        case DataType::UInt32:
            return putAs(data, at, static_cast<uint32_t>(value));
        case DataType::Int64:
            return putAs(data, at, static_cast<int64_t>(value));
        case DataType::UInt64:
            return putAs(data, at, static_cast<uint64_t>(value));
        default:
            FAIL() << "the harness cannot write " << dataTypeName(type);
    }
}

/// Reads `count` stored elements as numbers, whatever their alignment.
Values readElements(DataType type, const void* data, int64_t count) {
    Weights view;
    view.type = type;
    view.dims = {count};
    view.data = std::shared_ptr<const void>(data, [](const void*) {});
    return toDoubles(view);
}

Values randomValues(const KernelInput& input, DataType type, std::mt19937& generator) {
    Values values(static_cast<size_t>(elementCount(input.dims)));
    std::uniform_real_distribution<double> real(input.low, input.high);
    std::uniform_int_distribution<int64_t> whole(std::llround(input.low), std::llround(input.high));
    for (double& value : values)
        value = isFloatingPoint(type) ? real(generator) : static_cast<double>(whole(generator));
    if (!input.values.empty()) values = input.values;
    const auto rounded = toFormat(values, input.dims, {type});
    return readElements(type, rounded.data(), elementCount(input.dims));
}

/// The problem with inputs of `types`; output types and dims by inference. Data of constants and shape values is laid
/// into `storage`.
Result<Problem> makeProblem(const KernelCase& kernelCase, const CaseData& data, const std::vector<DataType>& types,
                            std::vector<std::vector<std::byte>>& storage) {
    Problem problem;
    problem.op = data.op;
    problem.attributes = &kernelCase.attributes;
    problem.program = data.program ? &*data.program : nullptr;
    problem.threads = kernelCase.threads;
    std::vector<ConcreteInput> concrete;
    storage.resize(kernelCase.inputs.size());
    for (size_t i = 0; i < kernelCase.inputs.size(); ++i) {
        const KernelInput& input = kernelCase.inputs[i];
        TensorDesc desc{input.present, {types[i]}, input.dims, nullptr, {}};
        const bool isValue = i < 32 && (data.op->valueInputs >> i & 1u);
        if (input.present && (input.constant || isValue)) {
            storage[i] = toFormat(data.inputs[i], input.dims, desc.format);
            storage[i].resize(storage[i].size() + 1);  // a tensor of no elements still has an address
            desc.constantData = storage[i].data();
            if (input.constant) desc.constantKey = "input" + std::to_string(i);
        }
        concrete.push_back({input.present, types[i], input.dims, desc.constantData});
        problem.inputs.push_back(std::move(desc));
    }
    STROBE_ASSIGN(const auto outputs, inferConcrete(*data.op, kernelCase.attributes, {}, concrete, kernelCase.outputs));
    for (const ConcreteOutput& output : outputs)
        problem.outputs.push_back({true, {output.type}, output.dims, nullptr, {}});
    return problem;
}

const KernelRegistry& references() {
    static const std::unique_ptr<KernelRegistry> registry = [] {
        auto r = std::make_unique<KernelRegistry>();
        registerReferenceKernels(*r);
        return r;
    }();
    return *registry;
}

}  // namespace

KernelInput KernelInput::integers(const std::vector<int64_t>& values) {
    KernelInput input{{static_cast<int64_t>(values.size())}, DataType::Int64, true};
    input.values.assign(values.begin(), values.end());
    return input;
}

std::vector<std::byte> toFormat(const std::vector<double>& plain, const Dims& dims, const Format& format) {
    std::vector<std::byte> stored(storedBytes(dims, format));
    forEachElement(dims, format.layout, [&](int64_t position, int64_t offset) {
        putElement(format.type, stored.data(), offset, plain[static_cast<size_t>(position)]);
    });
    return stored;
}

std::vector<double> fromFormat(const void* data, const Dims& dims, const Format& format) {
    const Values stored = readElements(format.type, data, storedElementCount(dims, format.layout));
    Values plain(static_cast<size_t>(elementCount(dims)));
    forEachElement(dims, format.layout, [&](int64_t position, int64_t offset) {
        plain[static_cast<size_t>(position)] = stored[static_cast<size_t>(offset)];
    });
    return plain;
}

double toleranceFor(const KernelCase& kernelCase, const Problem& problem) {
    if (kernelCase.tolerance > 0.0) return kernelCase.tolerance;
    double tolerance = 1e-4;
    for (const auto* list : {&problem.inputs, &problem.outputs})
        for (const TensorDesc& desc : *list) {
            if (desc.format.type == DataType::BFloat16) tolerance = std::max(tolerance, 1e-2);
            if (desc.format.type == DataType::Float16) tolerance = std::max(tolerance, 2e-3);
            if (desc.format.type == DataType::Float8E4M3FN || desc.format.type == DataType::Float8E5M2)
                tolerance = std::max(tolerance, 0.2);
        }
    return tolerance;
}

void expectClose(const Values& expected, const Values& actual, DataType type, double tolerance,
                 const std::string& what) {
    ASSERT_EQ(expected.size(), actual.size()) << what;
    double squares = 0.0;
    for (double value : expected) squares += std::isfinite(value) ? value * value : 0.0;
    const double rms = expected.empty() ? 0.0 : std::sqrt(squares / static_cast<double>(expected.size()));
    size_t wrong = 0, first = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        const double allowed = isFloatingPoint(type) ? tolerance * (std::fabs(expected[i]) + rms) : 0.0;
        const bool same = (std::isnan(expected[i]) && std::isnan(actual[i])) || expected[i] == actual[i] ||
                          std::fabs(expected[i] - actual[i]) <= allowed;
        if (!same && wrong++ == 0) first = i;
    }
    EXPECT_EQ(wrong, 0u) << what << ": of " << expected.size() << " elements; the first is " << first << ", expected "
                         << expected[first] << ", found " << actual[first];
}

Status runReference(const KernelCase& kernelCase, CaseData& data) {
    std::vector<DataType> wide;
    for (const TensorDesc& desc : data.problem.inputs)
        wide.push_back(isNarrowFloat(desc.format.type) ? DataType::Float32 : desc.format.type);
    std::vector<std::vector<std::byte>> storage;
    STROBE_ASSIGN(const Problem problem, makeProblem(kernelCase, data, wide, storage));
    const Tactic* reference = references().findByName("reference." + kernelCase.op);
    if (!reference) return notFound("no reference kernel for " + kernelCase.op);
    if (const Support support = reference->supports(problem); !support.supported)
        return unsupported("the reference declines: " + support.reason);
    STROBE_ASSIGN(const auto kernel, reference->prepare(problem, {}));
    std::vector<std::vector<std::byte>> buffers;
    buffers.reserve(problem.inputs.size() + problem.outputs.size());
    std::vector<TensorView> inputs, outputs;
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& desc = problem.inputs[i];
        if (desc.present) buffers.push_back(toFormat(data.inputs[i], desc.dims, desc.format));
        inputs.push_back({desc.present ? buffers.back().data() : nullptr, &desc.dims});
    }
    for (const TensorDesc& desc : problem.outputs) {
        buffers.emplace_back(storedBytes(desc.dims, desc.format));
        outputs.push_back({buffers.back().data(), &desc.dims});
    }
    std::vector<std::byte> workspace(kernel->workspaceBytes());
    RunArguments arguments;
    arguments.inputs = inputs;
    arguments.outputs = outputs;
    arguments.workspace = workspace.data();
    STROBE_RETURN_IF_ERROR(kernel->run(arguments));
    for (size_t o = 0; o < problem.outputs.size(); ++o)
        data.expected.push_back(fromFormat(outputs[o].data, problem.outputs[o].dims, problem.outputs[o].format));
    return Status::ok();
}

Status prepareCase(const KernelCase& kernelCase, CaseData& data) {
    data.op = OpRegistry::instance().find(kernelCase.op);
    if (!data.op) return notFound("no op " + kernelCase.op);
    const bool isChain = kernelCase.op == "Pointwise";
    if (!kernelCase.program.empty()) {
        const auto count = static_cast<int>(kernelCase.inputs.size());
        data.program = PointwiseProgram::parse(kernelCase.program, isChain ? count : count - data.op->maxInputs + 1);
        if (!data.program) return invalidArgument("program '" + kernelCase.program + "' does not parse");
    }
    std::mt19937 generator(kernelCase.seed);
    std::vector<DataType> types;
    for (const KernelInput& input : kernelCase.inputs) {
        types.push_back(input.type == DataType::Float32 && !input.keepType ? kernelCase.floatType : input.type);
        data.inputs.push_back(input.present ? randomValues(input, types.back(), generator) : Values());
    }
    STROBE_ASSIGN(data.problem, makeProblem(kernelCase, data, types, data.constants));
    if (kernelCase.fp32Result)
        for (TensorDesc& output : data.problem.outputs)
            if (isFloatingPoint(output.format.type)) output.format.type = DataType::Float32;
    return Status::ok();
}

Problem withFormats(Problem problem, const Tactic::Formats& formats) {
    for (size_t i = 0; i < problem.inputs.size() && i < formats.inputs.size(); ++i)
        problem.inputs[i].format = formats.inputs[i];
    for (size_t i = 0; i < problem.outputs.size() && i < formats.outputs.size(); ++i)
        problem.outputs[i].format = formats.outputs[i];
    return problem;
}

std::string describe(const Problem& problem) {
    std::string text = problem.key();
    return text.size() > 400 ? text.substr(0, 400) + " …" : text;
}

int runInSupportedFormats(const KernelRegistry& kernels, const KernelCase& kernelCase, const std::string& tacticName,
                          const CaseRun& run) {
    const Tactic* tactic = kernels.findByName(tacticName);
    CaseData data;
    Status status = tactic ? prepareCase(kernelCase, data) : notFound("no tactic " + tacticName);
    if (status.isOk()) status = runReference(kernelCase, data);
    EXPECT_TRUE(status.isOk()) << status.message();
    if (!status.isOk()) return 0;
    int ran = 0;
    std::string reasons;
    for (const Tactic::Formats& formats :
         kernelCase.formats.empty() ? tactic->candidateFormats(data.problem) : kernelCase.formats) {
        const Problem problem = withFormats(data.problem, formats);
        SCOPED_TRACE(tacticName + " on " + describe(problem));
        if (const Support support = tactic->supports(problem); support.supported) {
            ran += run(*tactic, data, problem) ? 1 : 0;
        } else {
            EXPECT_FALSE(support.reason.empty());
            reasons += "\n  " + support.reason;
        }
    }
    EXPECT_GT(ran, 0) << tacticName << " supports no format of " << describe(data.problem) << reasons;
    return ran;
}

}  // namespace strobe
