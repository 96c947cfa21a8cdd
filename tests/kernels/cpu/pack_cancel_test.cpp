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
    const std::vector<TensorView> inputs = {{input.get(), &x.dims}, {const_cast<void*>(problem.inputs[1].constantData), &problem.inputs[1].dims}, {}};
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
            if (stopped) continue;  // reads the weights as they lie
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

TEST(PackCancel, ReferenceKernelsStopWhileTheyRun) {
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const Dims square = {64, 64}, two = {2};
    const std::vector<float> data(64 * 64, 0.5f);
    const std::vector<int64_t> shape = {64, 64};
    for (const char* op : {"Transpose", "MatMul", "Add", "Cast", "ConstantOfShape", "Gather"}) {
        const bool takesShape = std::string_view(op) == "ConstantOfShape", takesOne = takesShape || std::string_view(op) == "Transpose" || std::string_view(op) == "Cast";
        const bool takesIndices = std::string_view(op) == "Gather";
        Attributes attributes;
        if (std::string_view(op) == "Cast") attributes.set("to", int64_t{11});
        Problem problem;
        problem.op = OpRegistry::instance().get(op);
        problem.attributes = &attributes;
        problem.inputs.push_back(LargeLayer::desc(takesShape ? two : square));
        if (takesShape) problem.inputs[0].format.type = DataType::Int64;
        if (!takesOne) problem.inputs.push_back(LargeLayer::desc(takesIndices ? two : square));
        if (takesIndices) problem.inputs[1].format.type = DataType::Int64;
        const std::vector<int64_t> indices = {0, 1};
        const Dims made = takesIndices ? Dims{2, 64} : square;
        problem.outputs = {LargeLayer::desc(made)};
        if (std::string_view(op) == "Cast") problem.outputs[0].format.type = DataType::Float64;
        std::vector<double> result(64 * 64);
        std::vector<TensorView> inputs = {{const_cast<void*>(takesShape ? static_cast<const void*>(shape.data()) : data.data()), &problem.inputs[0].dims}};
        if (!takesOne) inputs.push_back({const_cast<void*>(takesIndices ? static_cast<const void*>(indices.data()) : data.data()), &problem.inputs[1].dims});
        const std::vector<TensorView> outputs = {{result.data(), &made}};
        const auto kernel = kernels.findByName(std::string("reference.") + op)->prepare(problem, {});
        ASSERT_TRUE(kernel) << op;
        RunArguments arguments;
        arguments.inputs = inputs;
        arguments.outputs = outputs;
        const CancelToken cancel;
        arguments.cancel = &cancel;
        EXPECT_TRUE((*kernel)->run(arguments).isOk()) << op;
        cancel.cancel();
        EXPECT_EQ((*kernel)->run(arguments).code(), ErrorCode::Cancelled) << op;
        arguments.cancel = nullptr;
        EXPECT_TRUE((*kernel)->run(arguments).isOk()) << op;
    }
}

}  // namespace
}  // namespace strobe
