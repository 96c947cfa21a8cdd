#include "engine_core/ops/control_flow.h"

#include <gtest/gtest.h>

#include "tests/support/inference_test.h"

namespace strobe {
namespace {

const Dim N = Dim::symbol("N");

std::shared_ptr<Network> body(const char* name) {
    auto network = std::make_shared<Network>();
    network->setName(name);
    network->setSymbolPrefix(std::string(name) + "_u");
    return network;
}

/// A body that reads one FP32 capture of `shape` and returns `op` of it.
std::shared_ptr<const Network> branch(const char* name, const char* op, const Shape& shape,
                                      DataType type = DataType::Float32) {
    auto network = body(name);
    const TensorId x = network->addInput("x", type, shape), y = network->addTensor("y");
    const LayerId layer = network->addLayer("", OpRegistry::instance().get(op), {}, {x}, {y});
    EXPECT_TRUE(inferLayer(*network, layer).isOk());
    network->markOutput(y);
    return network;
}

struct ControlGraph : InferenceGraph {
    /// Adds the layer with its bodies in place before inference.
    void addControl(const std::string& op, const std::vector<TensorId>& inputs, Attributes given,
                    std::vector<std::shared_ptr<const Network>> bodies, int outputs) {
        results.clear();
        for (int i = 0; i < outputs; ++i) results.push_back(network.addTensor("r"));
        layer = network.addLayer("", OpRegistry::instance().get(op), std::move(given), inputs, results);
        network.layer(layer).subgraphs = std::move(bodies);
        status = inferLayer(network, layer);
    }
    std::vector<TensorId> results;
};

TEST(ControlFlow, IfKeepsWhatBranchesAgreeOn) {
    ControlGraph g;
    const TensorId condition = g.input(DataType::Bool, {}), x = g.input(DataType::Float32, {N, 4});
    const Attributes one = attributes({{"captures", int64_t{1}}});
    g.addControl("If", {condition, x}, one, {branch("a", "Relu", {N, 4}), branch("b", "Neg", {N, 4})}, 1);
    EXPECT_TRUE(g.status.isOk()) << g.status.message();
    EXPECT_EQ(g.shape(g.results[0]), "[N,4]");
    g.addControl("If", {condition, x}, one, {branch("a", "Relu", {N, 4}), branch("b", "Transpose", {N, 4})}, 1);
    ASSERT_EQ(g.network.tensor(g.results[0]).shape.size(), 2u);
    EXPECT_NE(g.network.tensor(g.results[0]).shape[0], N);
    g.addControl("If", {condition, x}, one, {branch("a", "Relu", {N, 4}), branch("b", "Size", {N, 4})}, 1);
    EXPECT_NE(g.status.message().find("in one branch"), std::string::npos) << g.status.message();
    g.addControl("If", {condition, x}, {}, {branch("a", "Relu", {N, 4}), branch("b", "Neg", {N, 4})}, 1);
    EXPECT_FALSE(g.status.isOk());
    g.addControl("If", {condition, x}, one, {branch("a", "Relu", {N, 4})}, 1);
    EXPECT_FALSE(g.status.isOk());
}

/// iteration, cond, v → cond, `op`(v), v.
std::shared_ptr<const Network> loopBody(const char* op) {
    auto network = body("turn");
    network->addInput("i", DataType::Int64, {});
    const TensorId condition = network->addInput("cond", DataType::Bool, {}),
                   v = network->addInput("v", DataType::Float32, {N, 2});
    const TensorId next = network->addTensor("next"), kept = network->addTensor("kept"),
                   slice = network->addTensor("slice");
    const auto& ops = OpRegistry::instance();
    const auto add = [&](const char* name, std::vector<TensorId> in, TensorId out, Attributes given = {}) {
        EXPECT_TRUE(
            inferLayer(*network, network->addLayer("", ops.get(name), std::move(given), std::move(in), {out})).isOk());
    };
    add("Identity", {condition}, kept);
    if (std::string(op) == "Concat")
        add("Concat", {v, v}, next, attributes({{"axis", int64_t{0}}}));
    else
        add(op, {v}, next);
    add("Identity", {v}, slice);
    for (TensorId output : {kept, next, slice}) network->markOutput(output);
    return network;
}

TEST(ControlFlow, LoopCarriesStableShapes) {
    ControlGraph g;
    const TensorId v = g.input(DataType::Float32, {N, 2});
    g.addControl("Loop", {g.scalar(5), kNone, v}, {}, {loopBody("Relu")}, 2);
    EXPECT_TRUE(g.status.isOk()) << g.status.message();
    EXPECT_EQ(g.shape(g.results[0]), "[N,2]");
    const Shape& stacked = g.network.tensor(g.results[1]).shape;
    ASSERT_EQ(stacked.size(), 3u);
    EXPECT_TRUE(stacked[0].symbolName().has_value());
    EXPECT_EQ(stacked[1], N);
    g.addControl("Loop", {g.scalar(5), kNone, v}, {}, {loopBody("Concat")}, 2);
    EXPECT_NE(g.network.tensor(g.results[0]).shape[0], N);
    EXPECT_EQ(g.network.tensor(g.results[0]).shape[1], Dim(2));
    g.addControl("Loop", {g.scalar(5), kNone, v, v}, {}, {loopBody("Relu")}, 2);
    EXPECT_NE(g.status.message().find("has 3 inputs, 4 are needed"), std::string::npos) << g.status.message();
}

TEST(ControlFlow, ScanStacksAsManySlicesAsItReads) {
    auto step = body("step");
    const TensorId state = step->addInput("s", DataType::Float32, {2}),
                   slice = step->addInput("x", DataType::Float32, {2});
    const TensorId sum = step->addTensor("sum"), out = step->addTensor("out");
    const auto& ops = OpRegistry::instance();
    ASSERT_TRUE(inferLayer(*step, step->addLayer("", ops.get("Add"), {}, {state, slice}, {sum})).isOk());
    ASSERT_TRUE(inferLayer(*step, step->addLayer("", ops.get("Identity"), {}, {sum}, {out})).isOk());
    step->markOutput(sum);
    step->markOutput(out);
    ControlGraph g;
    const TensorId s = g.input(DataType::Float32, {2}), x = g.input(DataType::Float32, {2, N});
    const Attributes given = attributes({{"num_scan_inputs", int64_t{1}},
                                         {"scan_input_axes", std::vector<int64_t>{1}},
                                         {"scan_output_axes", std::vector<int64_t>{-1}}});
    g.addControl("Scan", {s, x}, given, {step}, 2);
    EXPECT_TRUE(g.status.isOk()) << g.status.message();
    EXPECT_EQ(g.shape(g.results[0]), "[2]");
    EXPECT_EQ(g.shape(g.results[1]), "[2,N]");
    g.addControl("Scan", {s, x}, attributes({{"num_scan_inputs", int64_t{3}}}), {step}, 2);
    EXPECT_FALSE(g.status.isOk());
}

/// iteration, cond, v → cond, v, v, all v's of `type`.
std::shared_ptr<const Network> passingBody(DataType type) {
    auto network = body("pass");
    network->addInput("i", DataType::Int64, {});
    const TensorId condition = network->addInput("cond", DataType::Bool, {}), v = network->addInput("v", type, {3});
    for (TensorId from : {condition, v, v}) {
        const TensorId to = network->addTensor("out");
        EXPECT_TRUE(
            inferLayer(*network, network->addLayer("", OpRegistry::instance().get("Identity"), {}, {from}, {to}))
                .isOk());
        network->markOutput(to);
    }
    return network;
}

/// The runtime moves bytes: not the strings behind them, nor elements that share one.
TEST(ControlFlow, RefusesTypesThatItCannotMove) {
    ControlGraph g;
    const auto expectRefused = [&](const char* part) {
        EXPECT_EQ(g.status.code(), ErrorCode::Unsupported);
        EXPECT_NE(g.status.message().find(part), std::string::npos) << g.status.message();
    };
    for (DataType type : {DataType::Int4, DataType::UInt4}) {
        const TensorId v = g.input(type, {3});
        g.addControl("Loop", {g.scalar(5), kNone, v}, {}, {passingBody(type)}, 1);
        EXPECT_TRUE(g.status.isOk()) << "carried whole: " << g.status.message();
        g.addControl("Loop", {g.scalar(5), kNone, v}, {}, {passingBody(type)}, 2);
        expectRefused("scan output 1 is");
        g.addControl("Scan", {v}, attributes({{"num_scan_inputs", int64_t{1}}}), {branch("s", "Identity", {}, type)},
                     1);
        expectRefused("scan input 0 is");
    }
    const TensorId text = g.input(DataType::String, {3}), condition = g.input(DataType::Bool, {});
    g.addControl("Loop", {g.scalar(5), kNone, text}, {}, {passingBody(DataType::String)}, 1);
    expectRefused("carried value 0 is string");
    const auto same = branch("a", "Identity", {3}, DataType::String);
    g.addControl("If", {condition, text}, attributes({{"captures", int64_t{1}}}), {same, same}, 1);
    expectRefused("output 0 is string");
}

}  // namespace
}  // namespace strobe
