#include <limits>

#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

struct Net : NetworkBuilder {
    TensorId op(const std::string& name, const std::string& type, std::vector<TensorId> inputs) {
        return layer(name, type, std::move(inputs));
    }
    TensorId transpose(const std::string& name, TensorId x, std::vector<int64_t> perm) {
        return layer(name, "Transpose", {x}, attributes({{"perm", std::move(perm)}}));
    }
};

TEST(SoftmaxFusion, RecognisesBothForms) {
    for (const bool shifted : {true, false}) {
        Net b;
        TensorId x = b.input("x", {2, 3, 8});
        if (shifted) x = b.op("sub", "Sub", {x, b.op("max", "ReduceMax", {x, b.integers("axes", {1})})});
        const TensorId e = b.op("e", "Exp", {x});
        b.output(b.op("out", "Div", {e, b.op("sum", "ReduceSum", {e, b.integers("axes2", {1})})}));
        Network network = b.take();
        runPassesAndCompare(network, {"SoftmaxFusion"}, {data({2, 3, 8})});
        ASSERT_EQ(opsOf(network), "Softmax");
        EXPECT_EQ(onlyLayer(network, "Softmax").attributes.getInt("axis", -1), 1);
    }
}

/// Reduced along axis 1 without keepdims, then reshaped.
TensorId droppedAxis(Net& b, const std::string& name, const std::string& op, TensorId x, std::vector<int64_t> shape) {
    const TensorId reduced =
        b.layer(name, op, {x, b.integers(name + ".axes", {1})}, attributes({{"keepdims", int64_t{0}}}));
    return b.op(name + ".kept", "Reshape", {reduced, b.integers(name + ".shape", shape)});
}

TEST(SoftmaxFusion, RecognisesReducedAxesThatReshapesBringBack) {
    for (const Dim& batch : {Dim(8), Dim::symbol("N")}) {
        Net b;
        const TensorId x = b.input("x", {batch, 6});
        const TensorId low = b.scalar("low", -std::numeric_limits<float>::infinity());
        const TensorId floor = b.op("floor", "Max", {low, droppedAxis(b, "max", "ReduceMax", x, {-1, 1})});
        const TensorId e = b.op("e", "Exp", {b.op("sub", "Sub", {x, floor})});
        b.output(b.op("out", "Div", {e, droppedAxis(b, "sum", "ReduceSum", e, {-1, 1})}));
        Network network = b.take();
        runPassesAndCompare(network, {"SoftmaxFusion"}, {data({8, 6})});
        ASSERT_EQ(opsOf(network), "Softmax");
        EXPECT_EQ(onlyLayer(network, "Softmax").attributes.getInt("axis", -1), 1);
    }
}

TEST(SoftmaxFusion, DoesNotFireOnVisiblePartsOtherSumsOrDroppedAxes) {
    Net b;
    const TensorId x = b.input("x", {8, 8}), y = b.input("y", {8, 8});
    const TensorId e = b.op("e", "Exp", {x}), f = b.op("f", "Exp", {y});
    b.output(e);
    b.output(b.op("visible", "Div", {e, b.op("s1", "ReduceSum", {e, b.integers("a1", {1})})}));
    b.output(b.op("otherSum", "Div", {f, b.op("s2", "ReduceSum", {e, b.integers("a2", {1})})}));
    const TensorId g = b.op("g", "Exp", {b.op("n", "Neg", {y})});
    b.output(b.op("dropped", "Div",
                  {g, b.layer("s3", "ReduceSum", {g, b.integers("a3", {1})}, attributes({{"keepdims", int64_t{0}}}))}));
    const TensorId h = b.op("h", "Exp", {b.op("abs", "Abs", {y})});
    b.output(b.op("otherAxis", "Div", {h, droppedAxis(b, "s4", "ReduceSum", h, {1, 8})}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"SoftmaxFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "SoftmaxFusion").find("visible: Softmax: inside its output 'e' is a network output"),
              std::string::npos);
}

/// x as N×group×C/group×H×W, axes 1 and 2 swapped by `perm`, and `back`.
TensorId shuffled(Net& b, TensorId x, std::vector<int64_t> middle, std::vector<int64_t> perm, std::vector<int64_t> back) {
    const TensorId split = b.op("split", "Reshape", {x, b.integers("middle", middle)});
    return b.op("joined", "Reshape", {b.transpose("swap", split, std::move(perm)), b.integers("back", back)});
}

TEST(ChannelShuffleFusion, ThreeLayersAreOne) {
    for (const Dim& batch : {Dim(2), Dim::symbol("N")}) {
        Net b;
        const TensorId x = b.input("x", {batch, 12, 2, 3});
        b.output(b.op("out", "Exp", {shuffled(b, x, {0, 3, 4, 2, 3}, {0, 2, 1, 3, 4}, {0, 12, 2, 3})}));
        Network network = b.take();
        runPassesAndCompare(network, {"ChannelShuffleFusion"}, {data({2, 12, 2, 3})});
        ASSERT_EQ(opsOf(network), "ChannelShuffle Exp");
        EXPECT_EQ(onlyLayer(network, "ChannelShuffle").attributes.toString(), "{group=3}");
    }
}

TEST(ChannelShuffleFusion, LeavesWhatIsNoShuffle) {
    const auto rewrites = [](std::vector<int64_t> middle, std::vector<int64_t> perm, std::vector<int64_t> back, const std::string& device = "cpu") {
        Net b;
        b.output(shuffled(b, b.input("x", {2, 12, 4, 4}), std::move(middle), std::move(perm), std::move(back)));
        Network network = b.take();
        BuilderConfig config;
        config.device = device;
        return runPasses(network, {"ChannelShuffleFusion"}, config).rewrites.size();
    };
    EXPECT_EQ(rewrites({2, 3, 4, 4, 4}, {0, 2, 1, 3, 4}, {2, 12, 4, 4}), 1u);
    EXPECT_EQ(rewrites({2, 3, 4, 4, 4}, {0, 2, 1, 4, 3}, {2, 12, 4, 4}), 0u);     // rows and columns too
    EXPECT_EQ(rewrites({2, 3, 4, 4, 4}, {0, 2, 1, 3, 4}, {2, 4, 12, 4}), 0u);     // another shape comes out
    EXPECT_EQ(rewrites({2, 3, 16, 2, 2}, {0, 2, 1, 3, 4}, {2, 12, 4, 4}), 0u);    // groups reach into the image
    EXPECT_EQ(rewrites({2, 3, 4, 16}, {0, 2, 1, 3}, {2, 12, 4, 4}), 0u);          // rows and columns merged
    EXPECT_EQ(rewrites({2, 3, 4, 4, 4}, {0, 2, 1, 3, 4}, {2, 12, 4, 4}, "cuda:0"), 0u);
    Net b;
    const TensorId x = b.input("x", {2, 12, 4, 4});
    b.output(shuffled(b, x, {2, 3, 4, 4, 4}, {0, 2, 1, 3, 4}, {2, 12, 4, 4}));
    b.output(b.network().findTensor("swap"));
    Network network = b.take();
    const PassReport report = runPasses(network, {"ChannelShuffleFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "ChannelShuffleFusion").find("'swap' is a network output"), std::string::npos);
}

TEST(TransposeMotion, CancelsMergesMovesAndFolds) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4}), y = b.input("y", {2, 4, 5});
    const TensorId there = b.op("tanh", "Tanh", {b.transpose("t1", x, {0, 2, 1})});
    b.output(b.op("cancelled", "Exp", {b.transpose("t2", there, {0, 2, 1})}));
    b.output(b.transpose("t4", b.transpose("t3", x, {1, 0, 2}), {2, 1, 0}));
    b.output(b.op("product", "MatMul", {b.transpose("t5", y, {0, 2, 1}), b.transpose("t6", x, {0, 2, 1})}));
    Network network = b.take();
    runPassesAndCompare(network, {"TransposeMotion"}, {data({2, 3, 4}), data({2, 4, 5}, 2.0f)});
    int transposes = 0;
    for (LayerId id : network.topologicalOrder()) transposes += network.layer(id).op->name == "Transpose" ? 1 : 0;
    EXPECT_EQ(transposes, 1) << network.toString();
    EXPECT_EQ(onlyLayer(network, "MatMul").attributes.toString(), "{transA=1, transB=1}");
    EXPECT_EQ(onlyLayer(network, "Transpose").attributes.getInts("perm"), (std::vector<int64_t>{2, 0, 1}));
}

TEST(TransposeMotion, LeavesVisibleAndOtherPermutations) {
    Net b;
    const TensorId x = b.input("x", {3, 4, 4});
    const TensorId seen = b.transpose("seen", x, {0, 2, 1});
    b.output(seen);
    b.output(b.op("product", "MatMul", {x, seen}));
    b.output(
        b.op("batched", "MatMul", {b.transpose("batch", b.op("tanh", "Tanh", {x}), {1, 0, 2}), b.wave("w", {4, 2})}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"TransposeMotion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "TransposeMotion").find("seen: its output 'seen' is a network output"),
              std::string::npos);
}

TEST(TransposeMotion, MovesThroughUnsqueezeTowardsAnother) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4});
    const auto unsqueezed = [&](const std::string& n, const std::vector<int64_t>& axes) {
        return b.op(n, "Unsqueeze", {b.transpose(n + ".first", x, {0, 2, 1}), b.integers(n + ".axes", axes)});
    };
    b.output(b.op("undone", "Neg", {b.transpose("back", unsqueezed("u", {3}), {0, 2, 1, 3})}));
    b.output(b.transpose("merged", unsqueezed("v", {-1, 1}), {2, 0, 1, 4, 3}));
    const TensorId seen = unsqueezed("seen", {0});
    b.output(seen);
    b.output(b.transpose("kept", seen, {0, 1, 3, 2}));
    Network network = b.take();
    runPassesAndCompare(network, {"TransposeMotion"}, {data({2, 3, 4})});
    EXPECT_EQ(opsOf(network), "Unsqueeze Neg Unsqueeze Transpose Unsqueeze Transpose Transpose") << network.toString();
}

TEST(TransposeMotion, MovesSqueezeBehindWhatTheConvolutionTakesIn) {
    for (const Dims& bias : {Dims{1, 5, 1}, Dims{5, 1}, Dims{1}, Dims{}, Dims{6}}) {
        Net b;
        const TensorId conv = b.op("conv", "Conv", {b.input("x", {2, 3, 8, 1}), b.wave("w", {5, 3, 3, 1})});
        const TensorId squeezed = b.op("squeezed", "Squeeze", {conv, b.integers("axes", {-1})});
        b.output(b.op("relu", "Relu", {b.op("biased", "Add", {b.wave("bias", bias), squeezed})}));
        Network network = b.take();
        runPassesAndCompare(network, {"TransposeMotion"}, {data({2, 3, 8, 1})});
        EXPECT_EQ(opsOf(network), "Conv Add Relu Squeeze") << toString(bias);
    }
    Net b;  // a second time, when what stood in the way has become one layer
    const TensorId conv = b.op("conv", "Conv", {b.input("x", {2, 3, 8, 1}), b.wave("w", {5, 3, 3, 1})});
    const TensorId biased = b.op("biased", "Add", {conv, b.wave("bias", {5, 1, 1})});
    const TensorId x = b.op("squeezed", "Squeeze", {biased, b.integers("axes", {3})});
    b.output(b.op("silu", "Mul", {x, b.op("sigmoid", "Sigmoid", {x})}));
    Network network = b.take();
    runPassesAndCompare(network, {"TransposeMotion", "ActivationFusion"}, {data({2, 3, 8, 1})});
    EXPECT_EQ(opsOf(network), "Conv Add Pointwise Squeeze");
}

TEST(TransposeMotion, LeavesSqueezesThatOthersReadOrThatWiden) {
    Net b;
    const auto squeezed = [&](const std::string& n) {
        const TensorId conv = b.op(n + ".conv", "Conv", {b.input(n + ".x", {1, 3, 8, 1}), b.wave(n + ".w", {5, 3, 3, 1})});
        return b.op(n, "Squeeze", {conv, b.integers(n + ".axes", {3})});
    };
    const TensorId seen = squeezed("seen");
    b.output(seen);
    b.output(b.op("relu", "Relu", {seen}));
    b.output(b.op("wide", "Add", {squeezed("narrow"), b.wave("samples", {4, 1, 1})}));
    b.output(b.op("sum", "Add", {squeezed("left"), b.input("computed", {5, 6})}));
    Network network = b.take();
    EXPECT_TRUE(runPasses(network, {"TransposeMotion"}).rewrites.empty());
}

TEST(SymbolicConstantFolding, LeavesNoShapeArithmetic) {
    Net b;
    const TensorId x = b.input("x", {Dim::symbol("N"), Dim::symbol("S"), 8});
    const TensorId shape = b.op("shape", "Shape", {x});
    const auto at = [&](const std::string& name, int64_t index) {
        return b.op(name, "Gather", {shape, b.integers(name + ".i", {index})});
    };
    const TensorId target = b.layer("target", "Concat", {at("n", 0), at("s", 1), b.integers("tail", {2, 4})},
                                    attributes({{"axis", int64_t{0}}}));
    b.output(b.op("out", "Reshape", {b.op("tanh", "Tanh", {x}), target}));
    Network network = b.take();
    runPassesAndCompare(network, {"SymbolicConstantFolding"}, {data({3, 5, 8})});
    EXPECT_EQ(opsOf(network), "Tanh Reshape");
    EXPECT_TRUE(network.tensor(target).isSymbolicConstant());
    EXPECT_EQ(toString(Shape(*network.tensor(target).values)), "[N,S,2,4]");
}

TEST(SymbolicConstantFolding, KeepsOutputsAndWhatOnlyARunTells) {
    Net b;
    const TensorId x = b.input("x", {Dim::symbol("N"), 8});
    b.output(b.op("shape", "Shape", {x}));
    b.output(b.op("count", "Shape", {b.op("found", "NonZero", {x})}));
    const TensorId late = b.op("late", "Gather", {b.network().findTensor("count"), b.integers("one", {1})});
    b.output(b.op("expanded", "Expand", {b.scalar("s", 1.0f), late}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"SymbolicConstantFolding"});
    EXPECT_TRUE(report.rewrites.empty()) << network.toString();
    EXPECT_NE(reasons(report, "SymbolicConstantFolding").find("shape: its output 'shape' is a network output"),
              std::string::npos);
}

TEST(IdentityElimination, RemovesEveryKind) {
    Net b;
    TensorId t = b.input("x", {2, 3, 4});
    t = b.op("identity", "Identity", {t});
    t = b.op("reshape", "Reshape", {t, b.integers("s", {2, 3, 4})});
    t = b.transpose("transpose", t, {0, 1, 2});
    t = b.op("one", "Mul", {b.scalar("c1", 1.0f), t});
    t = b.op("zero", "Add", {t, b.scalar("c0", 0.0f)});
    t = b.op("slice", "Slice", {t, b.integers("b", {0}), b.integers("e", {1000}), b.integers("a", {1})});
    t = b.op("pad", "Pad", {t, b.integers("p", {0, 0, 0, 0, 0, 0})});
    t = b.op("expand", "Expand", {t, b.integers("es", {3, 1})});
    t = b.layer("concat", "Concat", {t}, attributes({{"axis", int64_t{0}}}));
    b.output(b.op("out", "Tanh", {t}));
    Network network = b.take();
    runPassesAndCompare(network, {"IdentityElimination"}, {data({2, 3, 4})});
    EXPECT_EQ(opsOf(network), "Tanh");
}

TEST(IdentityElimination, RemovesAnExpandBeforeBroadcastingReadersOnly) {
    for (const bool others : {false, true}) {
        Net b;
        const TensorId x = b.input("x", {2, 3, 4}), y = b.input("y", {3, 1});
        const TensorId wide = b.op("wide", "Expand", {y, b.integers("s", {2, 3, 4})});
        b.output(b.op("sum", "Add", {x, wide}));
        if (others) b.output(b.op("exp", "Exp", {wide}));
        Network network = b.take();
        runPassesAndCompare(network, {"IdentityElimination"}, {data({2, 3, 4}), data({3, 1}, 2.0f)});
        EXPECT_EQ(opsOf(network), others ? "Expand Add Exp" : "Add");
    }
}

TEST(IdentityElimination, KeepsAnExpandThatMayWiden) {
    const Dim N = Dim::symbol("N"), M = Dim::symbol("M");
    for (const bool own : {false, true}) {
        Net b;
        const TensorId x = b.input("x", {N, 4}), y = b.input("y", {M, 4});
        const TensorId target = b.op("shape", "Shape", {own ? x : y});
        b.output(b.op("out", "Relu", {b.op("wide", "Expand", {x, target})}));
        b.output(b.op("doubled", "Relu",
                      {b.op("wide2", "Expand", {x, b.op("twice", "Mul", {target, b.integers("two", {2, 1})})})}));
        b.output(b.op("sum", "Add", {x, b.op("wide3", "Expand", {b.wave("row", {1, 4}), target})}));
        b.output(y);
        Network network = b.take();
        runPassesAndCompare(network, {"IdentityElimination"}, {data({1, 4}), data({3, 4}, 2.0f)});
        EXPECT_EQ(opsOf(network),
                  own ? "Shape Relu Mul Expand Relu Add" : "Shape Expand Relu Mul Expand Relu Expand Add");
    }
}

TEST(IdentityElimination, KeepsWhatChangesShapeOrderOrNames) {
    Net b;
    const TensorId x = b.input("x", {4, 4});
    b.output(b.op("name", "Identity", {x}));
    b.output(b.transpose("transpose", x, {1, 0}));
    b.output(b.op("reversed", "Slice",
                  {x, b.integers("b", {-1}), b.integers("e", {-100}), b.integers("a", {0}), b.integers("st", {-1})}));
    b.output(b.op("widened", "Mul", {x, b.floats("ones", {1, 1, 1}, {1.0f})}));
    b.output(b.op("inverse", "Div", {b.scalar("c1", 1.0f), x}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"IdentityElimination"});
    EXPECT_TRUE(report.rewrites.empty()) << network.toString();
    EXPECT_NE(reasons(report, "IdentityElimination").find("name: its output 'name' is a network output"),
              std::string::npos);
}

}  // namespace
}  // namespace strobe::test
