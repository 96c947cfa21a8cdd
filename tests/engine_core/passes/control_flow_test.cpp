#include "engine_core/ops/control_flow.h"

#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

const Dim N = Dim::symbol("N");

/// A body with one capture "x" of `shape`, returning what `fill` makes of it.
template <class Fill>
std::shared_ptr<const Network> branch(const std::string& name, Shape shape, Fill fill) {
    NetworkBuilder b;
    b.network().setName(name);
    b.network().setSymbolPrefix("b7u");
    const TensorId x = b.input("x", std::move(shape));
    b.output(fill(b, x));
    return std::make_shared<const Network>(b.take());
}

std::shared_ptr<const Network> unary(const std::string& op, Shape shape) {
    return branch(op, std::move(shape), [&](NetworkBuilder& b, TensorId x) { return b.layer("inner_" + op, op, {x}); });
}

/// An If over one capture, whose output "y" is not a network output yet.
TensorId addIf(NetworkBuilder& b, TensorId condition, TensorId capture, std::shared_ptr<const Network> then,
               std::shared_ptr<const Network> otherwise) {
    Network& network = b.network();
    const TensorId y = network.addTensor("y");
    const LayerId id = network.addLayer("branching", OpRegistry::instance().get("If"),
                                        attributes({{"captures", int64_t{1}}}), {condition, capture}, {y});
    network.layer(id).subgraphs = {std::move(then), std::move(otherwise)};
    network.layer(id).provenance = {0};
    const Status status = inferLayer(network, id);
    EXPECT_TRUE(status) << status.message();
    return y;
}

TensorId flag(NetworkBuilder& b, bool value) {
    return b.network().addConstant("flag", makeWeights<uint8_t>(DataType::Bool, {}, std::vector<uint8_t>{value}));
}

TEST(ConstantIfInlining, PutsTheBranchThatTheConditionNamesInPlace) {
    for (const bool value : {true, false}) {
        NetworkBuilder b;
        const TensorId x = b.input("x", {2, 3});
        b.output(addIf(b, flag(b, value), x, unary("Relu", {2, 3}), unary("Neg", {2, 3})));
        Network network = b.take();
        const PassReport report = runPasses(network, {"ConstantIfInlining"});
        EXPECT_EQ(opsOf(network), value ? "Relu" : "Neg");
        EXPECT_EQ(network.tensor(network.outputs()[0]).name, "y");
        ASSERT_EQ(report.rewrites.size(), 1u);
        EXPECT_EQ(report.rewrites[0].replaced, std::vector<std::string>{"branching"});
        EXPECT_EQ(report.rewrites[0].result, "y");
        const auto y = evaluate(network, {data({2, 3})});
        const std::vector<float> in = toFloats(*data({2, 3}));
        for (size_t i = 0; i < in.size(); ++i) EXPECT_FLOAT_EQ(y[0][i], value ? std::max(0.0f, in[i]) : -in[i]);
    }
}

TEST(ConstantIfInlining, ShapeArithmeticDecides) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {2, 1});
    const TensorId last = b.layer(
        "last", "Gather", {b.layer("shape", "Shape", {x}), b.network().addConstant("one", makeInt64Weights({}, std::vector<int64_t>{1}))});
    const TensorId isOne =
        b.layer("is_one", "Equal", {last, b.network().addConstant("wanted", makeInt64Weights({}, std::vector<int64_t>{1}))});
    const auto squeeze = branch("squeeze", {2, 1}, [](NetworkBuilder& inner, TensorId t) {
        return inner.layer("sq", "Squeeze", {t, inner.integers("axes", {1})});
    });
    const TensorId y = addIf(b, isOne, x, squeeze, unary("Identity", {2, 1}));
    EXPECT_FALSE(b.network().tensor(y).rankKnown);
    b.output(b.layer("z", "Relu", {y}));
    Network network = b.take();
    runPasses(network, {"ConstantIfInlining"});
    EXPECT_EQ(toString(network.tensor(network.outputs()[0]).shape), "[2]");
}

TEST(ConstantIfInlining, ABranchThatOnlyPassesItsInputOnKeepsTheOutputsName) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {2});
    const auto pass = branch("pass", {2}, [](NetworkBuilder&, TensorId t) { return t; });
    b.output(addIf(b, flag(b, true), x, pass, unary("Neg", {2})));
    Network network = b.take();
    runPasses(network, {"ConstantIfInlining"});
    EXPECT_EQ(opsOf(network), "Identity");
    EXPECT_EQ(network.tensor(network.outputs()[0]).name, "y");
}

TEST(ConstantIfInlining, KeepsAnIfWhoseConditionIsAnInput) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {2}), c = b.input("c", {}, DataType::Bool);
    b.output(addIf(b, c, x, unary("Relu", {2}), unary("Neg", {2})));
    Network network = b.take();
    const PassReport report = runPasses(network, {"ConstantIfInlining"});
    EXPECT_EQ(opsOf(network), "If");
    EXPECT_NE(reasons(report, "ConstantIfInlining").find("only when the model runs"), std::string::npos);
}

TEST(ConstantIfInlining, KeepsABranchThatDoesNotFit) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {2, 3});
    // The branch was made for any N; what follows needs three columns of it.
    const auto flip = branch("flip", {Dim::symbol("R"), Dim::symbol("C")},
                             [](NetworkBuilder& inner, TensorId t) { return inner.layer("turn", "Transpose", {t}); });
    const TensorId y = addIf(b, flag(b, true), x, flip, unary("Identity", {Dim::symbol("R"), Dim::symbol("C")}));
    b.output(b.layer("z", "Add", {y, b.wave("w", {2, 3})}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"ConstantIfInlining"});
    EXPECT_NE(opsOf(network).find("If"), std::string::npos);
    EXPECT_NE(reasons(report, "ConstantIfInlining").find("does not fit"), std::string::npos);
}

TEST(BodySpecialization, ConstantsAndShapesReachTheBodies) {
    NetworkBuilder b;
    const TensorId c = b.input("c", {}, DataType::Bool), x = b.input("x", {2, 3});
    b.output(addIf(b, c, x, unary("Relu", {N, 3}), unary("Neg", {N, 3})));
    Network network = b.take();
    runPasses(network, {"BodySpecialization"});
    const Layer& layer = onlyLayer(network, "If");
    for (const auto& body : layer.subgraphs) EXPECT_EQ(toString(body->tensor(body->outputs()[0]).shape), "[2,3]");
    EXPECT_EQ(toString(network.tensor(network.outputs()[0]).shape), "[2,3]");
}

TEST(BodySpecialization, AConstantCaptureMovesInside) {
    NetworkBuilder b;
    const TensorId c = b.input("c", {}, DataType::Bool), w = b.floats("w", {2}, {1.0f, -2.0f});
    b.output(addIf(b, c, w, unary("Relu", {2}), unary("Neg", {2})));
    Network network = b.take();
    const PassReport report = runPasses(network, {"BodySpecialization"});
    const Layer& layer = onlyLayer(network, "If");
    EXPECT_EQ(layer.inputs, std::vector<TensorId>{c});
    EXPECT_EQ(layer.attributes.getInt("captures", -1), 0);
    for (const auto& body : layer.subgraphs) EXPECT_TRUE(body->inputs().empty());
    ASSERT_FALSE(report.rewrites.empty());
    EXPECT_NE(report.rewrites[0].description.find("'w' is constant"), std::string::npos);
}

}  // namespace
}  // namespace strobe::test
