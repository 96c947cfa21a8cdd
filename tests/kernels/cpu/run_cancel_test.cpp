// Kernels that may run for seconds end with Cancelled once they are asked to.
#include <gtest/gtest.h>

#include <functional>

#include "engine_core/base/memory.h"
#include "kernels/cpu/gemm_block.h"
#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

/// Runs the tactic in each of its formats, under a token of its own each time: one counts the looks of one run. How the
/// runs ended.
std::vector<ErrorCode> runUnder(const std::function<CancelToken()>& makeToken, const KernelCase& kernelCase,
                                const std::string& name) {
    std::vector<ErrorCode> ends;
    runInSupportedFormats(
        cpuKernels(), kernelCase, name, [&](const Tactic& tactic, const CaseData& data, const Problem& problem) {
            PackedWeightsCache cache;
            const auto kernel = tactic.prepare(problem, {&cache, nullptr, nullptr});
            if (!kernel) return false;
            std::vector<std::vector<std::byte>> buffers;
            std::vector<TensorView> inputs, outputs;
            buffers.reserve(problem.inputs.size() + problem.outputs.size());
            for (size_t i = 0; i < problem.inputs.size(); ++i) {
                const TensorDesc& desc = problem.inputs[i];
                if (desc.present) buffers.push_back(toFormat(data.inputs[i], desc.dims, desc.format));
                inputs.push_back(desc.present ? TensorView{buffers.back().data(), &desc.dims} : TensorView{});
            }
            for (const TensorDesc& desc : problem.outputs) {
                buffers.emplace_back(storedBytes(desc.dims, desc.format));
                outputs.push_back({buffers.back().data(), &desc.dims});
            }
            const auto workspace = allocateZeroed((*kernel)->workspaceBytes());
            RunArguments arguments;
            arguments.inputs = inputs;
            arguments.outputs = outputs;
            arguments.workspace = workspace.get();
            const CancelToken cancel = makeToken();
            arguments.cancel = &cancel;
            ends.push_back((*kernel)->run(arguments).code());
            return true;
        });
    return ends;
}

/// Stops at its first and at a later look, and runs to its end without a request.
void expectStops(const KernelCase& kernelCase, const std::string& tactic) {
    const auto fromTheStart = [] {
        CancelToken token;
        token.cancel();
        return token;
    };
    const auto midway = [](int64_t looks) { return [looks] { return CancelToken::atLook(looks); }; };
    for (const std::function<CancelToken()>& makeToken : {std::function<CancelToken()>(fromTheStart),
                                                          std::function<CancelToken()>(midway(2)),
                                                          std::function<CancelToken()>(midway(3))}) {
        const std::vector<ErrorCode> ends = runUnder(makeToken, kernelCase, tactic);
        EXPECT_FALSE(ends.empty()) << tactic;
        for (ErrorCode end : ends) EXPECT_EQ(end, ErrorCode::Cancelled) << tactic;
    }
    for (ErrorCode end : runUnder([] { return CancelToken(); }, kernelCase, tactic))
        EXPECT_EQ(end, ErrorCode::Ok) << tactic;
}

TEST(RunCancel, Lstm) {
    KernelCase c;
    c.op = "LSTM";
    c.attributes.set("hidden_size", int64_t{16});
    c.inputs = {{{40, 2, 8}}, KernelInput::weights({1, 64, 8}), KernelInput::weights({1, 64, 16})};
    expectStops(c, "simd.lstm");
}

TEST(RunCancel, Attention) {
    KernelCase c;
    c.op = "Attention";
    c.inputs = {{{1, 2, 200, 8}}, {{1, 2, 50, 8}}, {{1, 2, 50, 8}}};
    expectStops(c, "simd.attention");
}

TEST(RunCancel, DenseProducts) {
    KernelCase c;
    c.op = "MatMul";
    c.inputs = {{{4000, 512}}, KernelInput::weights({512, 256})};
    expectStops(c, "simd.matmul");
    c.floatType = DataType::BFloat16;
    if (amxAvailable()) expectStops(c, "amx.matmul");
}

}  // namespace
}  // namespace strobe
