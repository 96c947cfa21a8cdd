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
    // Nothing is timed: on a busy machine other formats may win, with reformats between.
    BuilderConfig config = test::quickConfig();
    config.optimizationLevel = 0;
    return test::buildEngine(b.take(), config);
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
    expect("(MaxPool) lacks output 0",
           [](CompiledGraph& g) { g.network.setOutput(g.network.findLayer("pool"), 0, kNone); });
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

TEST(UnsoundEngineFile, FormatsThatDoNotFitAreRefused) {
    const auto engine = twoLayers();
    ASSERT_TRUE(engine);
    const auto expectRefused = [&](const char* part, const std::function<void(CompiledGraph&)>& spoil) {
        const std::string message = refusal(*engine, spoil);
        EXPECT_NE(message.find(part), std::string::npos) << part << ": " << message;
    };
    expectRefused("tensor 'x' as fp64 plain, fp32 plain is needed",
                  [](CompiledGraph& g) { g.layers.front().inputs[0].type = DataType::Float64; });
    expectRefused("as fp32 nChw16c, fp32 plain is needed",
                  [](CompiledGraph& g) { g.layers.front().inputs[0].layout = Layout::Blocked16; });
    expectRefused("@device", [](CompiledGraph& g) { g.layers.front().inputs[0].memory = MemoryKind::Device; });
    // Between layers: the reader believes in something else than the writer.
    expectRefused("layer 'norm'", [](CompiledGraph& g) { g.layers.back().inputs[0].layout = Layout::ChannelsLast; });
    // Made as something else than the network's tensor is, so that memory is too small.
    expectRefused("fp64", [](CompiledGraph& g) {
        g.layers.front().outputs[0].type = g.layers.back().inputs[0].type = DataType::Float64;
    });
    expectRefused("layer 'norm'", [](CompiledGraph& g) { g.layers.back().outputs[0].layout = Layout::ChannelsLast; });
}

/// A branch of an If with one input "x" of `type`.
std::shared_ptr<const Network> branch(const std::string& op, DataType type = DataType::Float32) {
    NetworkBuilder b;
    b.network().setName(op);
    b.network().setSymbolPrefix("b7u");
    const TensorId x = b.input("x", {2, 3}, type);
    b.output(b.layer("inner", op, {x}));
    return std::make_shared<const Network>(b.take());
}

/// An If that captures x[2,3].
std::shared_ptr<const Engine> branching() {
    NetworkBuilder b;
    const TensorId condition = b.input("condition", {}, DataType::Bool), x = b.input("x", {2, 3});
    Network& network = b.network();
    const TensorId y = network.addTensor("y");
    const LayerId id = network.addLayer("if", OpRegistry::instance().get("If"), attributes({{"captures", int64_t{1}}}),
                                        {condition, x}, {y});
    network.layer(id).subgraphs = {branch("Relu"), branch("Neg")};
    const Status inferred = inferLayer(network, id);
    EXPECT_TRUE(inferred.isOk()) << inferred.message();
    b.output(y);
    return test::buildEngine(b.take(), test::quickConfig());
}

/// A Loop that carries x and gathers it.
std::shared_ptr<const Engine> looping() {
    NetworkBuilder inner;
    inner.network().setName("turn");
    inner.network().setSymbolPrefix("turn_u");
    inner.input("i", {}, DataType::Int64);
    const TensorId go = inner.input("go", {}, DataType::Bool), v = inner.input("v", {3});
    inner.output(inner.layer("kept", "Identity", {go}));
    inner.output(inner.layer("next", "Relu", {v}));
    inner.output(inner.layer("slice", "Neg", {v}));
    NetworkBuilder b;
    Network& network = b.network();
    const TensorId x = b.input("x", {3}), last = network.addTensor("last"), all = network.addTensor("all");
    const TensorId trips = network.addConstant("trips", makeInt64Weights({}, std::vector<int64_t>{4}));
    const LayerId id =
        network.addLayer("loop", OpRegistry::instance().get("Loop"), {}, {trips, kNone, x}, {last, all});
    network.layer(id).subgraphs = {std::make_shared<const Network>(inner.take())};
    const Status inferred = inferLayer(network, id);
    EXPECT_TRUE(inferred.isOk()) << inferred.message();
    b.output(last);
    b.output(all);
    return test::buildEngine(b.take(), test::quickConfig());
}

TEST(UnsoundEngineFile, BodiesThatDoNotFitTheirLayerAreRefused) {
    const auto engine = branching();
    ASSERT_TRUE(engine);
    EXPECT_EQ(refusal(*engine, [](CompiledGraph&) {}), "sound");
    // Gives the If a first body that is changed so.
    const auto expectRefused = [&](const char* part, const std::function<void(CompiledGraph&)>& spoil) {
        const std::string message = refusal(*engine, [&](CompiledGraph& g) {
            auto body = std::make_shared<CompiledGraph>(*g.layers.front().bodies.front());
            spoil(*body);
            g.layers.front().bodies.front() = body;
        });
        EXPECT_NE(message.find(part), std::string::npos) << part << ": " << message;
    };
    expectRefused("a body with 0 inputs, 1 are needed", [](CompiledGraph& body) {
        body = {};
        body.network.markOutput(body.network.addConstant("y", makeFloatWeights({2, 3}, std::vector<float>(6))));
    });
    expectRefused("a body with 0 outputs, 1 are needed", [](CompiledGraph& body) {
        body = {};
        body.network.addInput("x", DataType::Float32, {2, 3});
    });
    expectRefused("disagree on tensor 'x': fp32 found, fp64 is needed", [](CompiledGraph& body) {
        body = {};
        body.network.addInput("x", DataType::Float64, {2, 3});
        body.network.markOutput(body.network.addConstant("y", makeFloatWeights({2, 3}, std::vector<float>(6))));
    });
    expectRefused("disagree on tensor 'y': fp32 found, uint8 is needed", [](CompiledGraph& body) {
        body = {};
        body.network.addInput("x", DataType::Float32, {2, 3});
        const auto bytes = makeWeights<uint8_t>(DataType::UInt8, {2, 3}, std::vector<uint8_t>(6));
        body.network.markOutput(body.network.addConstant("y", bytes));
    });
}

/// The runtime copies, cuts and joins what passes between a layer and its bodies byte by byte.
TEST(UnsoundEngineFile, BodiesMoveBytesOnly) {
    const auto spoilTypes = [](CompiledGraph& g, DataType type, size_t bodies, size_t output, size_t bodyOutput) {
        EngineLayer& layer = g.layers.front();
        g.network.tensor(g.network.layer(layer.layer).outputs[output]).type = type;
        layer.outputs[output].type = type;
        for (size_t i = 0; i < bodies; ++i) {
            auto body = std::make_shared<CompiledGraph>(*layer.bodies[i]);
            Tensor& made = body->network.tensor(body->network.outputs()[bodyOutput]);
            made.type = type;
            for (EngineLayer& inside : body->layers)
                if (inside.layer == made.producer) inside.outputs[0].type = type;
            layer.bodies[i] = body;
        }
    };
    const auto branches = branching(), loop = looping();
    ASSERT_TRUE(branches && loop);
    EXPECT_EQ(refusal(*loop, [](CompiledGraph&) {}), "sound");
    const std::string text = refusal(*branches, [&](CompiledGraph& g) { spoilTypes(g, DataType::String, 2, 0, 0); }),
                      nibbles = refusal(*loop, [&](CompiledGraph& g) { spoilTypes(g, DataType::Int4, 1, 1, 2); });
    EXPECT_NE(text.find("layer 'if': output 0 is string"), std::string::npos) << text;
    EXPECT_NE(nibbles.find("layer 'loop': output 1 is int4"), std::string::npos) << nibbles;
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
