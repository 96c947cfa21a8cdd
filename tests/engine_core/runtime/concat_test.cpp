#include <gtest/gtest.h>

#include <cmath>

#include "engine_core/runtime/execution_context.h"
#include "engine_core/runtime/plan.h"
#include "tests/engine_core/runtime/engine_test_support.h"

namespace strobe {
namespace {

/// first = [exp x, sin x], y = |first, its pool|; with `later` exp x is read again after the first Concat.
struct DenseBlock {
    Network network;
    DenseBlock(int64_t batch, bool later, int64_t side = 4) {
        const OpRegistry& ops = OpRegistry::instance();
        const TensorId x = network.addInput("x", DataType::Float32, {batch, 16, side, side});
        const auto add = [&](const char* name, const char* op, std::vector<TensorId> inputs, Attributes attributes = {}) {
            const TensorId output = network.addTensor(name);
            network.addLayer(name, ops.get(op), std::move(attributes), std::move(inputs), {output});
            return output;
        };
        Attributes axis, window;
        axis.set("axis", int64_t{1});
        window.set("kernel_shape", std::vector<int64_t>{3, 3});
        window.set("pads", std::vector<int64_t>{1, 1, 1, 1});
        const TensorId exp = add("exp", "Exp", {x}), sin = add("sin", "Sin", {x});
        const TensorId first = add("first", "Concat", {exp, sin}, axis);
        const TensorId second = add("second", "Concat", {first, add("pool", "MaxPool", {first}, window)}, axis);
        network.markOutput(add("y", "Abs", {second}));
        if (later) network.markOutput(add("again", "Sqrt", {add("pooled", "MaxPool", {exp}, window)}));
        EXPECT_TRUE(inferNetwork(network).isOk());
    }
};

std::shared_ptr<const Engine> build(const Network& network) {
    return test::buildEngine(network, test::quickConfig());
}

void expectRight(const Engine& engine, int64_t batch) {
    auto context = engine.createContext();
    ASSERT_TRUE(context.hasValue());
    std::vector<float> x(static_cast<size_t>(batch) * 256);
    for (size_t i = 0; i < x.size(); ++i) x[i] = 0.1f * static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
    ASSERT_TRUE((*context)->setInput(0, x.data(), {batch, 16, 4, 4}).isOk());
    // Twice: what one run leaves in the arena must not matter to the next.
    ASSERT_TRUE((*context)->run().isOk());
    ASSERT_TRUE((*context)->run().isOk());
    const auto* y = static_cast<const float*>((*context)->outputData(0));
    const auto value = [&](int64_t n, int64_t c, int64_t at) {
        const float v = x[static_cast<size_t>((n * 16 + c % 16) * 16 + at)];
        return c < 16 ? std::exp(v) : std::sin(v);
    };
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t c = 0; c < 64; ++c)
            for (int64_t at = 0; at < 16; ++at) {
                float want = value(n, c % 32, at);
                for (int64_t near = 0; c >= 32 && near < 16; ++near)
                    if (std::abs(near / 4 - at / 4) <= 1 && std::abs(near % 4 - at % 4) <= 1) want = std::max(want, value(n, c - 32, near));
                ASSERT_NEAR(y[(n * 64 + c) * 16 + at], std::abs(want), 1e-5f) << n << ' ' << c << ' ' << at;
            }
}

TEST(ConcatInPlace, EveryPlacementGivesTheSameNumbers) {
    for (const bool later : {false, true})
        for (const int64_t batch : {int64_t{1}, int64_t{2}}) {
            const auto engine = build(DenseBlock(batch, later).network);
            ASSERT_TRUE(engine);
            expectRight(*engine, batch);
        }
}

TEST(ConcatInPlace, PartsThatDieThereAreMadeThere) {
    // One pixel high and wide: the parts are whole in every layout.
    const auto engine = build(DenseBlock(1, false, 1).network);
    ASSERT_TRUE(engine);
    const Network& network = engine->graph().network;
    PackedWeightsCache packed;
    const auto plan = makePlan(engine->graph(), {{1, 16, 1, 1}}, {}, 2, {&test::cpuKernels(), &packed, nullptr});
    ASSERT_TRUE(plan) << plan.status().message();
    for (const EngineLayer& chosen : engine->graph().layers) {
        const Layer& layer = network.layer(chosen.layer);
        if (layer.op->name != "Concat") continue;
        const TensorPlace& whole = (*plan)->tensors[static_cast<size_t>(layer.outputs[0])];
        size_t offset = whole.offset;
        for (const TensorId input : layer.inputs) {
            const TensorPlace& part = (*plan)->tensors[static_cast<size_t>(input)];
            EXPECT_EQ(part.offset, offset) << network.tensor(input).name;
            offset += part.bytes;
        }
    }
}

}  // namespace
}  // namespace strobe
