#include <chrono>
#include <iostream>

#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

TensorId conv(NetworkBuilder& b, const std::string& name, TensorId x, TensorId w) {
    return b.layer(name, "Conv", {x, w});
}

TEST(DeadLayerElimination, SweepsChainsThatNoOutputNeeds) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1});
    b.output(conv(b, "kept", x, w));
    conv(b, "dead2", conv(b, "dead1", x, w), w);
    Network network = b.take();
    const PassReport report = runPasses(network, {"DeadLayerElimination"});
    EXPECT_EQ(network.layerCount(), 1);
    EXPECT_NE(network.findLayer("kept"), kNone);
    ASSERT_EQ(report.rewrites.size(), 2u);
    EXPECT_EQ(report.rewrites[0].replaced, std::vector<std::string>{"dead2"});
    EXPECT_EQ(report.rewrites[0].provenance, std::vector<int>{2});
}

TEST(DuplicateElimination, ComputesEqualLayersOnce) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1}), same = b.wave("same", {2, 2, 1, 1});
    b.output(conv(b, "y1", conv(b, "a", x, w), w));
    b.output(conv(b, "y2", conv(b, "b", x, same), b.wave("other", {2, 2, 1, 1}, 2.0f)));
    Network network = b.take();
    const PassReport report = runPasses(network, {"DuplicateElimination"});
    EXPECT_EQ(network.layerCount(), 3);
    ASSERT_EQ(report.rewrites.size(), 1u);
    EXPECT_EQ(report.rewrites[0].result, "a");
    EXPECT_EQ(network.layer(network.findLayer("a")).provenance, (std::vector<int>{0, 2}));
}

TEST(DuplicateElimination, KeepsTwoNetworkOutputs) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1});
    b.output(conv(b, "a", x, w));
    b.output(conv(b, "b", x, w));
    Network network = b.take();
    const PassReport report = runPasses(network, {"DuplicateElimination"});
    EXPECT_EQ(network.layerCount(), 2);
    EXPECT_NE(reasons(report, "DuplicateElimination").find("network outputs"), std::string::npos);
}

TEST(DuplicateElimination, KeepsLayersWithOtherAttributesOrWeights) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1});
    b.output(b.layer("a", "Conv", {x, w}, attributes({{"strides", std::vector<int64_t>{2, 2}}})));
    b.output(conv(b, "b", x, w));
    b.output(conv(b, "c", x, b.wave("w2", {2, 2, 1, 1}, 3.0f)));
    Network network = b.take();
    runPasses(network, {"DuplicateElimination"});
    EXPECT_EQ(network.layerCount(), 3);
}

TEST(ConstantFolding, RunsTheReferenceKernelWithinTheBudget) {
    for (const size_t budget : {size_t{64}, size_t{63}}) {
        NetworkBuilder b;
        const TensorId x = b.input("x", {1, 1, 4, 4}), c = b.floats("c", {1, 1, 4, 4}, std::vector<float>(16, 2.0f));
        const TensorId w = b.floats("w", {1, 1, 1, 1}, {3.0f}), folded = conv(b, "folded", c, w);
        b.output(b.layer("y", "Conv", {x, folded}, attributes({{"pads", std::vector<int64_t>{1, 1, 1, 1}}})));
        Network network = b.take();
        BuilderConfig config;
        config.constantFoldingBudget = budget;
        const PassReport report = runPasses(network, {"ConstantFolding"}, config);
        if (budget == 64) {
            EXPECT_EQ(network.layerCount(), 1);
            EXPECT_EQ(toFloats(*network.tensor(folded).constant), std::vector<float>(16, 6.0f));
        } else {
            EXPECT_EQ(network.layerCount(), 2);
            EXPECT_NE(reasons(report, "ConstantFolding").find("64 bytes, 63 are allowed"), std::string::npos);
        }
    }
}

/// A few bytes that ask for megabytes of constants, `count` of them after one another or side by side.
Network constantBomb(int64_t floats, int count, bool chained) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1});
    TensorId big = b.layer("big", "ConstantOfShape", {b.integers("shape", {floats})});
    for (int i = 0; i < count; ++i) {
        const TensorId sum = b.layer("sum" + std::to_string(i), "Add", {big, b.scalar("c" + std::to_string(i), 1.0f)});
        if (chained) big = sum;
        if (!chained || i + 1 == count) b.output(b.layer("out" + std::to_string(i), "Add", {sum, x}));
    }
    return b.take();
}

TEST(ConstantFolding, AllTogetherStayWithinTheBudget) {
    BuilderConfig config;
    config.constantFoldingBudget = size_t{1} << 20;
    // Each of the constants would fit alone: of 24 that are read to the end, three of 300 kB do.
    Network wide = constantBomb(75'000, 24, false);
    const PassReport report = runPasses(wide, {"ConstantFolding"}, config);
    EXPECT_EQ(report.rewrites.size(), 3u);
    EXPECT_LE(wide.constantBytes(), (1 << 20) + 4096);
    EXPECT_NE(reasons(report, "ConstantFolding").find("all folded constants together would take 1200000 bytes, 104"),
              std::string::npos)
        << reasons(report, "ConstantFolding");
    // In a chain each goes once the next is there.
    Network chain = constantBomb(75'000, 24, true);
    EXPECT_EQ(runPasses(chain, {"ConstantFolding"}, config).rewrites.size(), 25u);
    EXPECT_EQ(toFloats(*chain.tensor(chain.findTensor("sum23")).constant), std::vector<float>(75'000, 24.0f));
    Network two = constantBomb(262'144, 24, true);
    EXPECT_EQ(runPasses(two, {"ConstantFolding"}, config).rewrites.size(), 1u);
}

/// The model's own constants may all be turned into others: transposed weights are no bomb.
TEST(ConstantFolding, WeightsMayBeRewrittenWhateverTheirNumber) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 100});
    for (int i = 0; i < 8; ++i) {
        const std::string n = std::to_string(i);
        const TensorId turned =
            b.layer("turned" + n, "Transpose", {b.wave("w" + n, {100, 100}, static_cast<float>(i))});
        b.output(b.layer("y" + n, "MatMul", {x, turned}));
    }
    Network network = b.take();
    BuilderConfig config;
    config.constantFoldingBudget = 50'000;
    EXPECT_EQ(runPasses(network, {"ConstantFolding"}, config).rewrites.size(), 8u);
}

TEST(ConstantFolding, LongComputationsAreLeftToFastKernels) {
    NetworkBuilder b;
    const int64_t n = 3000;
    const TensorId a = b.floats("a", {n, n}, std::vector<float>(static_cast<size_t>(n * n), 1.0f));
    b.output(b.layer("y", "Add", {b.input("x", {1}), b.layer("product", "MatMul", {a, a})}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"ConstantFolding"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "ConstantFolding").find("54000 million operations, 20000 are left"), std::string::npos)
        << reasons(report, "ConstantFolding");
}

/// Copies compute nothing, but move elements: many of them take as long as a product.
TEST(ConstantFolding, CopiesCountWhatTheyMove) {
    NetworkBuilder b;
    b.output(b.layer("y", "Add", {b.input("x", {1}), b.layer("turned", "Transpose", {b.wave("a", {10, 20})})}));
    Network network = b.take();
    const BuilderConfig config;
    PassReport report;
    PassContext context{config, referenceKernels(), {}, report, "test"};
    context.foldedFlops = 2e10 - 399;
    EXPECT_TRUE(makeConstantFolding()->run(network, context).isOk());
    EXPECT_EQ(network.layerCount(), 2) << "200 elements are read and written";
    context.foldedFlops = 2e10 - 400;
    EXPECT_TRUE(makeConstantFolding()->run(network, context).isOk());
    EXPECT_EQ(network.layerCount(), 1);
    EXPECT_EQ(context.foldedFlops, 2e10);
}

TEST(DeadLayerElimination, KeepsEveryPartOfASplit) {
    NetworkBuilder b;
    b.layer("parts", "Split", {b.input("x", {6})}, attributes({{"num_outputs", int64_t{3}}}), 3);
    b.output(b.layer("y", "Relu", {b.network().findTensor("parts_1")}));
    Network network = b.take();
    runPasses(network, {"DeadLayerElimination"});
    for (TensorId part : network.layer(network.findLayer("parts")).outputs) EXPECT_NE(part, kNone);
}

TEST(PassManager, SkipsDisabledPassesAndStopsWhenCancelled) {
    NetworkBuilder b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1});
    b.output(conv(b, "kept", x, w));
    conv(b, "dead", x, w);
    Network network = b.take();
    BuilderConfig config;
    for (const auto& pass : PassManager::standardPasses()) config.disabledPasses.insert(std::string(pass->name()));
    const auto report = PassManager::run(network, config, referenceKernels());
    ASSERT_TRUE(report);
    EXPECT_EQ(network.layerCount(), 2);
    for (const PassRun& run : report->runs) EXPECT_TRUE(run.disabled) << run.name;
    CancelToken cancel;
    cancel.cancel();
    EXPECT_EQ(PassManager::run(network, {}, referenceKernels(), cancel).status().code(), ErrorCode::Cancelled);
}

TEST(PassManager, TenThousandLayersTakeSeconds) {
    NetworkBuilder b;
    const TensorId w = b.wave("w", {2, 2, 1, 1});
    TensorId x = b.input("x", {Dim::symbol("N"), 2, 4, 4});
    for (int i = 0; i < 2500; ++i) {
        const std::string n = std::to_string(i);
        const TensorId y = b.layer("c" + n, "Conv", {x, w}), s = b.layer("s" + n, "Sigmoid", {y});
        x = b.layer("a" + n, "Add", {x, b.layer("m" + n, "Mul", {y, s})});
        if (i % 50 == 0) b.output(y);
    }
    b.output(x);
    Network network = b.take();
    const auto start = std::chrono::steady_clock::now();
    const auto report = PassManager::run(network, {}, referenceKernels());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ASSERT_TRUE(report) << report.status().message();
    EXPECT_EQ(network.layerCount(), 2500 + 50);
    EXPECT_LT(seconds, 20.0);
    RecordProperty("seconds", std::to_string(seconds));
    std::cout << seconds << " s for 10,000 layers\n";
}

}  // namespace
}  // namespace strobe::test
