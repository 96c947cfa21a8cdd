#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

struct Net : NetworkBuilder {
    TensorId op(const std::string& name, const std::string& type, std::vector<TensorId> inputs) {
        return layer(name, type, std::move(inputs));
    }
    TensorId batchNorm(const std::string& name, TensorId x, int64_t channels) {
        std::vector<float> variance(static_cast<size_t>(channels));
        for (size_t i = 0; i < variance.size(); ++i) variance[i] = 0.5f + 0.25f * static_cast<float>(i);
        return op(name, "BatchNormalization",
                  {x, wave(name + ".g", {channels}), wave(name + ".b", {channels}, 2), wave(name + ".m", {channels}, 3),
                   floats(name + ".v", {channels}, variance)});
    }
};

TEST(ConvBatchNormFusion, FoldsBatchNormScaleAndShiftIntoWeights) {
    for (const bool transposed : {false, true}) {
        Net b;
        const TensorId x = b.input("x", {1, 4, 5, 5});
        const Dims weights = transposed ? Dims{4, 3, 3, 3} : Dims{6, 2, 3, 3};
        const TensorId conv = b.layer("conv", transposed ? "ConvTranspose" : "Conv", {x, b.wave("w", weights)},
                                      attributes({{"group", int64_t{2}}}));
        const TensorId scaled = b.op("scaled", "Mul", {b.scalar("two", 2.0f), b.batchNorm("bn", conv, 6)});
        b.output(b.op("out", "Add", {scaled, b.wave("shift", {1, 6, 1, 1}, 5)}));
        Network network = b.take();
        const PassReport report = runPassesAndCompare(network, {"ConvBatchNormFusion"}, {data({1, 4, 5, 5})});
        ASSERT_EQ(opsOf(network), transposed ? "ConvTranspose" : "Conv");
        EXPECT_EQ(report.rewrites.size(), 3u);
        EXPECT_EQ(network.layer(network.topologicalOrder()[0]).provenance, (std::vector<int>{0, 1, 2, 3}));
    }
}

TEST(ConvBatchNormFusion, MatMulTakesAnAdditionAsBiasEvenWithComputedWeights) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4}), w = b.input("w", {4, 5});
    b.output(b.op("out", "Add", {b.wave("bias", {5}), b.op("product", "MatMul", {x, w})}));
    Network network = b.take();
    runPassesAndCompare(network, {"ConvBatchNormFusion"}, {data({2, 3, 4}), data({4, 5}, 2.0f)});
    ASSERT_EQ(opsOf(network), "MatMul");
    EXPECT_EQ(onlyLayer(network, "MatMul").inputs.size(), 3u);
}

TEST(ConvBatchNormFusion, DoesNotFireOnAProductWithAVector) {
    NetworkBuilder b;
    const TensorId rows = b.layer("rows", "MatMul", {b.input("x", {2, 3, 4}), b.wave("w", {4})});
    b.output(b.layer("sum", "Add", {rows, b.wave("addend", {3}, 2.0f)}));
    Network network = b.take();
    runPassesAndCompare(network, {"ConvBatchNormFusion"}, {data({2, 3, 4})});
    EXPECT_EQ(opsOf(network), "MatMul Add");
}

TEST(ConvBatchNormFusion, DoesNotFireOnComputedWeightsSharedResultsOrOutputs) {
    Net b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.input("w", {2, 2, 1, 1});
    b.output(b.batchNorm("bn1", b.op("computed", "Conv", {x, w}), 2));
    const TensorId shared = b.op("shared", "Conv", {x, b.wave("w2", {2, 2, 1, 1})});
    b.output(b.batchNorm("bn2", shared, 2));
    b.output(b.op("tanh", "Tanh", {shared}));
    const TensorId visible = b.op("visible", "Conv", {x, b.wave("w3", {2, 2, 1, 1}, 3)});
    b.output(visible);
    b.output(b.batchNorm("bn3", visible, 2));
    Network network = b.take();
    const PassReport report = runPasses(network, {"ConvBatchNormFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    const std::string why = reasons(report, "ConvBatchNormFusion");
    EXPECT_NE(why.find("computed: its weights 'w' are not constant"), std::string::npos) << why;
    EXPECT_NE(why.find("shared: its output 'shared' is also read by 'tanh'"), std::string::npos) << why;
    EXPECT_NE(why.find("visible: its output 'visible' is a network output"), std::string::npos) << why;
}

TEST(BatchNormLowering, TakesTheScalesThatFollow) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4, 4});
    const TensorId scaled = b.op("scaled", "Mul", {b.batchNorm("bn", x, 3), b.wave("s", {3, 1, 1})});
    b.output(b.op("out", "Relu", {b.op("shifted", "Add", {scaled, b.wave("h", {3, 1, 1}, 2)})}));
    Network network = b.take();
    runPassesAndCompare(network, {"BatchNormLowering", "PointwiseFusion"}, {data({2, 3, 4, 4})});
    ASSERT_EQ(opsOf(network), "Pointwise");
    EXPECT_EQ(onlyLayer(network, "Pointwise").program->toString(), "v3=Mul(v0,v1); v4=Add(v3,v2); v5=Relu(v4); -> v5");
}

TEST(GemmLowering, KeepsAlphaBetaAndTransposition) {
    for (const Dims& c : {Dims{5}, Dims{1, 5}, Dims{1}}) {
        Net b;
        const TensorId x = b.input("x", {4, 3});
        b.output(
            b.layer("gemm", "Gemm", {x, b.wave("w", {5, 4}), b.wave("c", c)},
                    attributes({{"alpha", 0.5f}, {"beta", 2.0f}, {"transA", int64_t{1}}, {"transB", int64_t{1}}})));
        Network network = b.take();
        runPassesAndCompare(network, {"GemmLowering"}, {data({4, 3})});
        ASSERT_EQ(opsOf(network), "MatMul");
        EXPECT_EQ(onlyLayer(network, "MatMul").name, "gemm");
    }
}

TEST(GemmLowering, AMatrixIsAddedAfterwardsAndAComputedScaledOneStays) {
    Net b;
    const TensorId x = b.input("x", {3, 4}), c = b.input("c", {3, 5}), w = b.wave("w", {4, 5});
    b.output(b.op("added", "Gemm", {x, w, c}));
    b.output(b.layer("kept", "Gemm", {x, w, c}, attributes({{"beta", 2.0f}})));
    Network network = b.take();
    const PassReport report = runPassesAndCompare(network, {"GemmLowering"}, {data({3, 4}), data({3, 5}, 2.0f)});
    EXPECT_EQ(opsOf(network), "Gemm MatMul Add");
    EXPECT_NE(reasons(report, "GemmLowering").find("kept: input C is scaled by beta"), std::string::npos);
}

struct OneHot : Net {
    TensorId build(const std::string& n, TensorId index, const std::vector<int32_t>& codes) {
        const TensorId counting = network().addConstant(
            n + "codes",
            makeWeights<int32_t>(DataType::Int32, {1, static_cast<int64_t>(codes.size())}, std::span(codes)));
        const TensorId flag = op(n + "equal", "Equal", {index, counting});
        const TensorId hot = layer(n + "cast", "Cast", {flag}, attributes({{"to", int64_t{1}}}));
        return op(n, "MatMul", {hot, wave(n + "w", {static_cast<int64_t>(codes.size()), 3}), wave(n + "b", {3}, 2)});
    }
};

TEST(OneHotFusion, LooksUpRowsAndKeepsCodesThatMatchNothing) {
    OneHot b;
    b.output(b.build("out", b.input("x", {6, 1}, DataType::Int32), {0, 1, 2, 3}));
    Network network = b.take();
    const std::vector<int32_t> index = {2, 0, 3, 4, -1, -2000000000};
    runPassesAndCompare(network, {"OneHotFusion"}, {makeWeights<int32_t>(DataType::Int32, {6, 1}, std::span(index))});
    EXPECT_EQ(opsOf(network), "Squeeze Clip Gather");
    EXPECT_EQ(onlyLayer(network, "Gather").provenance, (std::vector<int>{0, 1, 2}));
}

TEST(OneHotFusion, DoesNotFireOnOtherCodesVisibleCodesOrWideIndices) {
    OneHot b;
    b.output(b.build("others", b.input("x", {6, 1}, DataType::Int32), {0, 2, 1, 3}));
    b.output(b.build("visible", b.input("y", {6, 1}, DataType::Int32), {0, 1, 2, 3}));
    b.output(b.network().findTensor("visiblecast"));
    b.output(b.build("wide", b.input("z", {6, 4}, DataType::Int32), {0, 1, 2, 3}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"OneHotFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "OneHotFusion").find("visible: it looks up rows"), std::string::npos);
}

TEST(HorizontalFusion, JoinsProductsAndPointwiseConvolutions) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4}), image = b.input("image", {1, 4, 2, 2});
    b.output(b.op("q", "MatMul", {x, b.wave("wq", {4, 5}), b.wave("bq", {5})}));
    b.output(b.op("k", "MatMul", {x, b.wave("wk", {4, 3}, 2)}));
    b.output(b.op("c1", "Conv", {image, b.wave("w1", {2, 4, 1, 1}, 3)}));
    b.output(b.op("c2", "Conv", {image, b.wave("w2", {3, 4, 1, 1}, 4)}));
    Network network = b.take();
    const PassReport report =
        runPassesAndCompare(network, {"HorizontalFusion"}, {data({2, 3, 4}), data({1, 4, 2, 2}, 2.0f)});
    EXPECT_EQ(network.layerCount(), 4) << network.toString();
    ASSERT_EQ(report.rewrites.size(), 2u);
    EXPECT_EQ(report.rewrites[0].replaced, (std::vector<std::string>{"q", "k"}));
    EXPECT_EQ(onlyLayer(network, "MatMul").provenance, (std::vector<int>{0, 1}));
    EXPECT_EQ(onlyLayer(network, "Split").outputs,
              (std::vector<TensorId>{network.findTensor("q"), network.findTensor("k")}));
}

TEST(HorizontalFusion, DoesNotFireOnComputedWeightsOtherWindowsOrManyRows) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4}), w = b.input("w", {4, 5}), image = b.input("image", {1, 4, 4, 4}),
                   tall = b.input("tall", {100, 4});
    b.output(b.op("q", "MatMul", {x, w}));
    b.output(b.op("k", "MatMul", {x, b.wave("wk", {4, 3}, 2)}));
    b.output(b.op("c1", "Conv", {image, b.wave("w1", {2, 4, 3, 3}, 3)}));
    b.output(b.op("c2", "Conv", {image, b.wave("w2", {3, 4, 1, 1}, 4)}));
    b.output(b.op("t1", "MatMul", {tall, b.wave("wt1", {4, 3}, 5)}));
    b.output(b.op("t2", "MatMul", {tall, b.wave("wt2", {4, 3}, 6)}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"HorizontalFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "HorizontalFusion").find("t1: with 100 rows"), std::string::npos);
}

}  // namespace
}  // namespace strobe::test
