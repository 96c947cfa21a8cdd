#include "tests/support/kernel_test.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/register.h"
#include "kernels/reference/reference_kernel.h"
#include "tests/support/guarded_buffer.h"

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

/// Calls fn(position in plain order, offset in `layout`) for every element.
template <class Fn>
void forEachElement(const Dims& dims, Layout layout, Fn fn) {
    if (elementCount(dims) == 0) return;
    const int64_t block = layoutBlock(layout), channels = dims.size() > 1 ? dims[1] : 1;
    const int64_t groups = (channels + block - 1) / block;
    int64_t spatial = 1, position = 0;
    for (size_t i = 2; i < dims.size(); ++i) spatial *= dims[i];
    for (int64_t n = 0; n < (dims.empty() ? 1 : dims[0]); ++n)
        for (int64_t c = 0; c < channels; ++c)
            for (int64_t s = 0; s < spatial; ++s, ++position) {
                if (layout == Layout::Plain)
                    fn(position, position);
                else if (layout == Layout::ChannelsLast)
                    fn(position, (n * spatial + s) * channels + c);
                else
                    fn(position, ((n * groups + c / block) * spatial + s) * block + c % block);
            }
}

struct CaseData {
    const OpDefinition* op = nullptr;
    std::optional<PointwiseProgram> program;
    std::vector<Values> inputs;  // rounded to the element type
    std::vector<Values> expected;
    Problem problem;  // at the case's own types, plain
    std::vector<std::vector<std::byte>> constants;
};

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

/// A call's buffers, guarded, in the formats of a problem.
struct Call {
    std::vector<GuardedBuffer> inputs, outputs;
    GuardedBuffer workspace{0, 0};
    std::vector<TensorView> inputViews, outputViews;
};

struct CallOptions {
    bool unaligned = false;
    int inPlaceInput = -1, inPlaceOutput = -1;
};

Call makeCall(const Problem& problem, const std::vector<Values>& values, const Kernel& kernel,
              const CallOptions& options) {
    Call call;
    const auto offset = [&](const TensorDesc& desc) {
        return options.unaligned ? dataTypeBytes(desc.format.type, 1) : size_t{0};
    };
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const TensorDesc& desc = problem.inputs[i];
        const auto bytes = desc.present ? toFormat(values[i], desc.dims, desc.format) : std::vector<std::byte>();
        call.inputs.emplace_back(bytes.size(), desc.present ? offset(desc) : 0);
        if (!bytes.empty()) std::memcpy(call.inputs.back().data(), bytes.data(), bytes.size());
        call.inputViews.push_back({desc.present ? call.inputs.back().data() : nullptr, &desc.dims});
    }
    for (const TensorDesc& desc : problem.outputs) {
        call.outputs.emplace_back(storedBytes(desc.dims, desc.format), offset(desc));
        call.outputViews.push_back({call.outputs.back().data(), &desc.dims});
    }
    if (options.inPlaceInput >= 0)
        call.outputViews[static_cast<size_t>(options.inPlaceOutput)].data =
            call.inputViews[static_cast<size_t>(options.inPlaceInput)].data;
    call.workspace = GuardedBuffer(kernel.workspaceBytes(), 0);
    return call;
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

void expectZeroPadding(const void* data, const TensorDesc& desc, const std::string& what) {
    const int64_t stored = storedElementCount(desc.dims, desc.format.layout);
    if (stored == elementCount(desc.dims)) return;
    const Values all = readElements(desc.format.type, data, stored);
    std::vector<bool> isElement(all.size(), false);
    forEachElement(desc.dims, desc.format.layout,
                   [&](int64_t, int64_t offset) { isElement[static_cast<size_t>(offset)] = true; });
    for (size_t i = 0; i < all.size(); ++i) {
        if (isElement[i]) continue;
        ASSERT_EQ(all[i], 0.0) << what << ": padding at stored element " << i;
    }
}

void runAndCompare(const KernelCase& kernelCase, const CaseData& data, const Problem& problem, const Kernel& kernel,
                   const CallOptions& options, const std::string& what) {
    Call call = makeCall(problem, data.inputs, kernel, options);
    RunArguments arguments;
    arguments.inputs = call.inputViews;
    arguments.outputs = call.outputViews;
    arguments.workspace = call.workspace.data();
    const Status status = kernel.run(arguments);
    ASSERT_TRUE(status.isOk()) << what << ": " << status.message();
    for (const auto* buffers : {&call.inputs, &call.outputs})
        for (const GuardedBuffer& buffer : *buffers)
            EXPECT_TRUE(buffer.isIntact()) << what << ": wrote outside a tensor";
    EXPECT_TRUE(call.workspace.isIntact())
        << what << ": wrote outside the workspace of " << kernel.workspaceBytes() << " bytes";
    for (size_t o = 0; o < problem.outputs.size(); ++o) {
        const TensorDesc& desc = problem.outputs[o];
        const std::string name = what + ", output " + std::to_string(o);
        expectClose(data.expected[o], fromFormat(call.outputViews[o].data, desc.dims, desc.format), desc.format.type,
                    toleranceFor(kernelCase, problem), name);
        expectZeroPadding(call.outputViews[o].data, desc, name);
    }
}

Status runReference(const KernelCase& kernelCase, CaseData& data) {
    std::vector<DataType> wide;
    for (const TensorDesc& desc : data.problem.inputs)
        wide.push_back(isNarrowFloat(desc.format.type) ? DataType::Float32 : desc.format.type);
    std::vector<std::vector<std::byte>> storage;
    STROBE_ASSIGN(const Problem problem, makeProblem(kernelCase, data, wide, storage));
    const Tactic* reference = cpuKernels().findByName("reference." + kernelCase.op);
    if (!reference) return notFound("no reference kernel for " + kernelCase.op);
    if (const Support support = reference->supports(problem); !support.supported)
        return unsupported("the reference declines: " + support.reason);
    STROBE_ASSIGN(const auto kernel, reference->prepare(problem, {}));
    Call call = makeCall(problem, data.inputs, *kernel, {});
    RunArguments arguments;
    arguments.inputs = call.inputViews;
    arguments.outputs = call.outputViews;
    arguments.workspace = call.workspace.data();
    STROBE_RETURN_IF_ERROR(kernel->run(arguments));
    for (size_t o = 0; o < problem.outputs.size(); ++o)
        data.expected.push_back(
            fromFormat(call.outputViews[o].data, problem.outputs[o].dims, problem.outputs[o].format));
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

void runInPlaceWhereAllowed(const KernelCase& kernelCase, const CaseData& data, const Problem& problem,
                            const Tactic& tactic, const Kernel& kernel) {
    for (size_t i = 0; i < problem.inputs.size(); ++i)
        for (size_t o = 0; o < problem.outputs.size(); ++o) {
            const TensorDesc& in = problem.inputs[i];
            const TensorDesc& out = problem.outputs[o];
            if (!in.present || in.constantData || storedBytes(in.dims, in.format) != storedBytes(out.dims, out.format))
                continue;
            if (!tactic.canRunInPlace(problem, static_cast<int>(i), static_cast<int>(o))) continue;
            const CallOptions options{false, static_cast<int>(i), static_cast<int>(o)};
            runAndCompare(kernelCase, data, problem, kernel, options,
                          "output in the place of input " + std::to_string(i));
        }
}

}  // namespace

KernelInput KernelInput::integers(const std::vector<int64_t>& values) {
    KernelInput input{{static_cast<int64_t>(values.size())}, DataType::Int64, true};
    input.values.assign(values.begin(), values.end());
    return input;
}

const KernelRegistry& cpuKernels() {
    static const std::unique_ptr<KernelRegistry> registry = [] {
        auto r = std::make_unique<KernelRegistry>();
        registerCpuKernels(*r);
        return r;
    }();
    return *registry;
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

int expectMatchesReference(const KernelCase& kernelCase, const std::string& tacticName) {
    const Tactic* tactic = cpuKernels().findByName(tacticName);
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
        if (const Support support = tactic->supports(problem); !support.supported) {
            EXPECT_FALSE(support.reason.empty());
            reasons += "\n  " + support.reason;
            continue;
        }
        PackedWeightsCache cache;
        auto kernel = tactic->prepare(problem, {&cache, nullptr});
        EXPECT_TRUE(kernel.hasValue()) << kernel.status().message();
        if (!kernel.hasValue()) continue;
        runAndCompare(kernelCase, data, problem, **kernel, {}, "first run");
        runAndCompare(kernelCase, data, problem, **kernel, {true}, "unaligned");
        runInPlaceWhereAllowed(kernelCase, data, problem, *tactic, **kernel);
        ++ran;
    }
    EXPECT_GT(ran, 0) << tacticName << " supports no format of " << describe(data.problem) << reasons;
    return ran;
}

void expectDeclines(const KernelCase& kernelCase, const std::string& tacticName, const std::string& reason) {
    const Tactic* tactic = cpuKernels().findByName(tacticName);
    CaseData data;
    const Status status = tactic ? prepareCase(kernelCase, data) : notFound("no tactic " + tacticName);
    ASSERT_TRUE(status.isOk()) << status.message();
    for (const Tactic::Formats& formats :
         kernelCase.formats.empty() ? tactic->candidateFormats(data.problem) : kernelCase.formats) {
        const Problem problem = withFormats(data.problem, formats);
        const Support support = tactic->supports(problem);
        EXPECT_FALSE(support.supported) << describe(problem);
        EXPECT_FALSE(support.reason.empty()) << describe(problem);
        EXPECT_NE(support.reason.find(reason), std::string::npos) << support.reason;
    }
}

}  // namespace strobe
