// Large weights are packed in parts that a cancelled build does not wait long for: to the same bytes, or to an error and nothing kept.
#include <gtest/gtest.h>

#include <cstring>

#include "engine_core/base/memory.h"
#include "engine_core/ir/weights.h"
#include "engine_core/ops/op_definition.h"
#include "kernels/cpu/register.h"

namespace strobe {
namespace {

/// One layer with weights of some 40 MiB, which no kernel packs in one part.
struct LargeLayer {
    LargeLayer(const std::string& op, const Dims& x, const Dims& w, const Dims& y) : weights(allocateWeights(DataType::Float32, w).first) {
        auto* values = static_cast<float*>(const_cast<void*>(weights->data.get()));
        for (int64_t i = 0; i < weights->count(); ++i) values[i] = static_cast<float>(i * 7919 % 4001 - 2000) * 1e-4f;
        problem.op = OpRegistry::instance().get(op);
        problem.attributes = &attributes;
        problem.inputs = {desc(x), desc(w), {}};
        problem.inputs[1].constantData = weights->data.get();
        problem.inputs[1].constantKey = "large";
        problem.outputs = {desc(y)};
        problem.threads = 2;
    }
    LargeLayer(const LargeLayer&) = delete;  // the problem refers to the attributes
    LargeLayer& operator=(const LargeLayer&) = delete;
    /// The same weights as input 2 too.
    void repeatWeights() { problem.inputs[2] = problem.inputs[1]; }
    static TensorDesc desc(const Dims& dims) { return {true, {DataType::Float32, Layout::Plain, MemoryKind::Host}, dims, nullptr, {}}; }

    WeightsPtr weights;
    Attributes attributes;
    Problem problem;
};

/// What the tactic makes of one input, with weights packed under `cancel`.
std::vector<char> run(const Tactic& tactic, const Problem& problem, const CancelToken* cancel) {
    PackedWeightsCache cache;
    const auto kernel = tactic.prepare(problem, {&cache, nullptr, cancel});
    EXPECT_TRUE(kernel) << tactic.name() << ": " << kernel.status().message();
    if (!kernel) return {};
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    const auto input = allocateZeroed(storedBytes(x.dims, x.format)), output = allocateZeroed(storedBytes(y.dims, y.format));
    const auto workspace = allocateZeroed((*kernel)->workspaceBytes());
    for (int64_t i = 0; i < storedElementCount(x.dims, x.format.layout); ++i) static_cast<float*>(input.get())[i] = static_cast<float>(i % 13 - 6) * 0.1f;
    std::vector<TensorView> inputs = {{input.get(), &x.dims}};
    for (size_t i = 1; i < problem.inputs.size(); ++i)
        inputs.push_back(problem.inputs[i].present
                             ? TensorView{const_cast<void*>(problem.inputs[i].constantData), &problem.inputs[i].dims}
                             : TensorView{});
    const std::vector<TensorView> outputs = {{output.get(), &y.dims}};
    RunArguments arguments;
    arguments.inputs = inputs;
    arguments.outputs = outputs;
    arguments.workspace = workspace.get();
    EXPECT_TRUE((*kernel)->run(arguments).isOk()) << tactic.name();
    const char* bytes = static_cast<const char*>(output.get());
    return {bytes, bytes + storedBytes(y.dims, y.format)};
}

/// How many kernels of `op` packed the weights in parts and could be stopped.
int expectCancellable(const LargeLayer& layer) {
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const CancelToken never, now;
    now.cancel();
    int cancelled = 0;
    for (const Tactic* tactic : kernels.tactics(DeviceKind::Cpu, layer.problem.op->name)) {
        if (tactic->isReference()) continue;
        for (const Tactic::Formats& formats : tactic->candidateFormats(layer.problem)) {
            Problem problem = layer.problem;
            problem.inputs[0].format = formats.inputs[0];
            problem.outputs[0].format = formats.outputs[0];
            if (!tactic->supports(problem).supported) continue;
            EXPECT_EQ(run(*tactic, problem, nullptr), run(*tactic, problem, &never)) << tactic->name();
            PackedWeightsCache cache;
            const auto stopped = tactic->prepare(problem, {&cache, nullptr, &now});
            if (stopped) {  // reads the weights as they lie
                EXPECT_EQ(cache.totalBytes(), 0u) << tactic->name() << " packs without asking";
                continue;
            }
            EXPECT_EQ(stopped.status().code(), ErrorCode::Cancelled) << tactic->name();
            EXPECT_EQ(cache.totalBytes(), 0u) << tactic->name();
            EXPECT_TRUE(tactic->prepare(problem, {&cache, nullptr, &never})) << tactic->name();
            ++cancelled;
        }
    }
    return cancelled;
}

TEST(PackCancel, MatrixProduct) {
    EXPECT_GE(expectCancellable({"MatMul", {1, 4096}, {4096, 2560}, {1, 2560}}), 3);  // oneDNN, gemv, dense
}

TEST(PackCancel, Convolution) {
    LargeLayer layer("Conv", {1, 1088, 3, 3}, {1024, 1088, 3, 3}, {1, 1024, 3, 3});
    layer.attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    EXPECT_GE(expectCancellable(layer), 2);  // oneDNN in blocks, dense
}

TEST(PackCancel, Depthwise) {
    LargeLayer layer("Conv", {1, 65536, 3, 3}, {65536, 1, 3, 3}, {1, 65536, 3, 3});
    layer.attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    layer.attributes.set("group", int64_t{65536});
    EXPECT_GE(expectCancellable(layer), 2);  // oneDNN, ours
}

TEST(PackCancel, TransposedConvolution) {
    LargeLayer layer("ConvTranspose", {1, 512, 3, 3}, {512, 1024, 4, 4}, {1, 1024, 12, 12});
    layer.attributes.set("strides", std::vector<int64_t>{4, 4});
    EXPECT_GE(expectCancellable(layer), 1);  // ours
}

TEST(PackCancel, RecurrentLayers) {
    for (const auto& [op, gates] : {std::pair{"LSTM", 4}, {"GRU", 3}}) {
        const int64_t hidden = 1024;
        LargeLayer layer(op, {2, 1, hidden}, {1, gates * hidden, hidden}, {2, 1, 1, hidden});
        layer.attributes.set("hidden_size", hidden);
        layer.repeatWeights();
        EXPECT_GE(expectCancellable(layer), gates == 4 ? 2 : 1) << op;  // oneDNN, ours for LSTM
    }
}

}  // namespace
}  // namespace strobe
