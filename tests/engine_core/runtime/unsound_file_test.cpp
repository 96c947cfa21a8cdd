#include <functional>

#include "engine_core/runtime/engine_file.h"
#include "engine_core/runtime/execution_context.h"
#include "tests/engine_core/runtime/engine_test_support.h"
#include "tests/support/network_builder.h"

namespace strobe {
namespace {

using test::attributes;
using test::NetworkBuilder;

/// What reading says of an engine file whose checksums are right and whose graph `spoil` has changed.
std::string refusal(const Engine& engine, const std::function<void(CompiledGraph&)>& spoil) {
    Engine::Parts parts = engine.parts();
    auto graph = std::make_shared<CompiledGraph>(engine.graph());
    spoil(*graph);
    parts.graph = graph;
    const auto bytes = EngineFile::write(parts);
    if (!bytes) return "not written: " + bytes.status().message();
    auto [memory, data] = allocateWeights(DataType::UInt8, {static_cast<int64_t>(bytes->size())});
    std::memcpy(data, bytes->data(), bytes->size());
    const auto read = EngineFile::read(memory->data, {static_cast<const uint8_t*>(data), bytes->size()}, "memory");
    return read ? "sound" : read.status().message();
}

std::shared_ptr<const Engine> twoLayers() {
    NetworkBuilder b;
    const TensorId pooled = b.layer("pool", "MaxPool", {b.input("x", {1, 4, 8, 8})},
                                    attributes({{"kernel_shape", std::vector<int64_t>{2, 2}}}));
    b.output(b.layer("norm", "Softmax", {pooled}));
    return test::buildEngine(b.take(), test::quickConfig());
}

TEST(UnsoundEngineFile, IsRefusedAndNamesWhat) {
    const auto engine = twoLayers();
    ASSERT_TRUE(engine);
    EXPECT_EQ(refusal(*engine, [](CompiledGraph&) {}), "sound");
    const auto expect = [&](const char* part, const std::function<void(CompiledGraph&)>& spoil) {
        const std::string message = refusal(*engine, spoil);
        EXPECT_NE(message.find(part), std::string::npos) << part << ": " << message;
    };
    expect("before it is made", [](CompiledGraph& g) { std::swap(g.layers.front(), g.layers.back()); });
    expect("runs twice", [](CompiledGraph& g) { g.layers.back() = g.layers.front(); });
    expect("0 inputs", [](CompiledGraph& g) {
        g.network.setInputs(g.layers.front().layer, {});
        g.layers.front().inputs.clear();
    });
    expect("'kernel_shape' of layer 'pool' is missing",
           [](CompiledGraph& g) { g.network.layer(g.network.findLayer("pool")).attributes.erase("kernel_shape"); });
    expect("'axis' of layer 'norm' is string", [](CompiledGraph& g) {
        g.network.layer(g.network.findLayer("norm")).attributes.set("axis", std::string("last"));
    });
    expect("known elements", [](CompiledGraph& g) {
        g.network.addSymbolicConstant("s", {Dim(1)}), g.network.tensor(g.network.tensorCount() - 1).shape = {Dim(9)};
    });
    expect("type string", [](CompiledGraph& g) {
        g.network.addConstant("words",
                              makeWeights<std::string>(DataType::String, {1}, std::vector<std::string>{"word"}));
    });
}

/// A tactic of another op must not be handed this layer's problem.
TEST(UnsoundEngineFile, ATacticOfAnotherOpIsNotUsed) {
    const auto engine = twoLayers();
    ASSERT_TRUE(engine);
    Engine::Parts parts = engine->parts();
    auto graph = std::make_shared<CompiledGraph>(engine->graph());
    std::swap(graph->layers.front().tactic, graph->layers.back().tactic);
    parts.graph = graph;
    const auto changed = Engine::create(parts, test::cpuKernels());
    ASSERT_TRUE(changed);
    auto context = (*changed)->createContext();
    const std::vector<float> x(256, 1.0f);
    ASSERT_TRUE((*context)->setInput(0, x.data(), {1, 4, 8, 8}).isOk());
    const Status status = (*context)->run();
    ASSERT_TRUE(status.isOk()) << status.message();
    EXPECT_NEAR(static_cast<const float*>((*context)->outputData(0))[5], 1.0f / 7.0f, 1e-6f);
}

/// Shape arithmetic that stays open until the shapes are bound keeps its element type.
TEST(SymbolicConstants, OfInt32AreInt32) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {Dim::symbol("N"), Dim::symbol("M")});
    const TensorId narrow = b.layer("narrow", "Cast", {b.layer("shape", "Shape", {x})},
                                    attributes({{"to", onnxTypeNumber(DataType::Int32)}}));
    b.output(b.layer("real", "Cast", {narrow}, attributes({{"to", onnxTypeNumber(DataType::Float32)}})));
    BuilderConfig config = test::quickConfig();
    config.profiles = {{{{"x", {{1, 1}, {2, 2}, {9, 9}}}}}};
    const auto engine = test::buildEngine(b.take(), config);
    ASSERT_TRUE(engine);
    auto context = engine->createContext();
    const std::vector<float> values(21);
    ASSERT_TRUE((*context)->setInput(0, values.data(), {3, 7}).isOk());
    ASSERT_TRUE((*context)->run().isOk());
    const auto* y = static_cast<const float*>((*context)->outputData(0));
    EXPECT_EQ(y[0], 3.0f);
    EXPECT_EQ(y[1], 7.0f);
}

}  // namespace
}  // namespace strobe
