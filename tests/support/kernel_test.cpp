#include "tests/support/kernel_test.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/cpu/register.h"
#include "tests/support/guarded_buffer.h"

namespace strobe {
namespace {

using Values = std::vector<double>;

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

void expectZeroPadding(const void* data, const TensorDesc& desc, const std::string& what) {
    const int64_t stored = storedElementCount(desc.dims, desc.format.layout);
    if (stored == elementCount(desc.dims)) return;
    const Values all = fromFormat(data, {stored}, {desc.format.type});
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

const KernelRegistry& cpuKernels() {
    static const std::unique_ptr<KernelRegistry> registry = [] {
        auto r = std::make_unique<KernelRegistry>();
        registerCpuKernels(*r);
        return r;
    }();
    return *registry;
}

int expectMatchesReference(const KernelCase& kernelCase, const std::string& tacticName) {
    return runInSupportedFormats(cpuKernels(), kernelCase, tacticName,
                                 [&](const Tactic& tactic, const CaseData& data, const Problem& problem) {
                                     PackedWeightsCache cache;
                                     const auto kernel = tactic.prepare(problem, {&cache, nullptr});
                                     EXPECT_TRUE(kernel.hasValue()) << kernel.status().message();
                                     if (!kernel) return false;
                                     runAndCompare(kernelCase, data, problem, **kernel, {}, "first run");
                                     runAndCompare(kernelCase, data, problem, **kernel, {true}, "unaligned");
                                     runInPlaceWhereAllowed(kernelCase, data, problem, tactic, **kernel);
                                     return true;
                                 });
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

bool supportsAnyFormat(const KernelCase& kernelCase, const std::string& tacticName) {
    const Tactic* tactic = cpuKernels().findByName(tacticName);
    CaseData data;
    if (!tactic || !prepareCase(kernelCase, data).isOk()) return false;
    const auto formats = kernelCase.formats.empty() ? tactic->candidateFormats(data.problem) : kernelCase.formats;
    return std::any_of(formats.begin(), formats.end(), [&](const Tactic::Formats& each) {
        return tactic->supports(withFormats(data.problem, each)).supported;
    });
}

}  // namespace strobe
