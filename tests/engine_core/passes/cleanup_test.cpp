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
