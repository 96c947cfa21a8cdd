#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

/// A tensor whose rank only the run tells: a Squeeze of whatever extents turn out to be 1.
TensorId ofUnknownRank(NetworkBuilder& b, Shape shape) {
    return b.layer("squeezed", "Squeeze", {b.input("x", std::move(shape))});
}

const Dim N = Dim::symbol("N");

TEST(UnknownRank, GemmKeepsItsPlace) {
    NetworkBuilder b;
    b.output(b.layer("y", "Gemm", {ofUnknownRank(b, {N, 8, 1, 1}), b.wave("w", {8, 3}), b.wave("bias", {3})}));
    Network network = b.take();
    const PassReport report = runPassesAndCompare(network, {}, {data({2, 8, 1, 1})});
    EXPECT_EQ(opsOf(network), "Squeeze Gemm");
    EXPECT_NE(reasons(report, "GemmLowering").find("is known only when the model runs"), std::string::npos);
}

TEST(UnknownRank, ConvolutionsAndProductsStayApart) {
    for (const char* op : {"Conv", "MatMul"}) {
        const bool conv = op == std::string("Conv");
        NetworkBuilder b;
        const TensorId x = ofUnknownRank(b, conv ? Shape{2, 4, N, N, 1} : Shape{N, 4, 1});
        const Dims weights = conv ? Dims{3, 4, 1, 1} : Dims{4, 3};
        b.output(b.layer("a", op, {x, b.wave("wa", weights)}));
        b.output(b.layer("b", op, {x, b.wave("wb", weights, 2)}));
        Network network = b.take();
        const PassReport report = runPassesAndCompare(network, {}, {data(conv ? Dims{2, 4, 2, 2, 1} : Dims{2, 4, 1})});
        EXPECT_EQ(opsOf(network), "Squeeze " + std::string(op) + " " + op);
        EXPECT_NE(reasons(report, "HorizontalFusion").find("is known only when the model runs"), std::string::npos);
    }
}

/// Nothing was checked of a layer behind such a tensor: what its operands say may contradict each other.
TEST(UnknownRank, ContradictionsAreLeftToTheRun) {
    NetworkBuilder b;
    const TensorId x = ofUnknownRank(b, {N, 4, 1, 1});
    const auto perm = [](std::vector<int64_t> axes) { return attributes({{"perm", std::move(axes)}}); };
    b.output(b.layer("second", "Transpose", {b.layer("first", "Transpose", {x}, perm({1, 0}))}, perm({1, 77})));
    b.output(b.layer("norm", "BatchNormalization",
                     {x, b.wave("scale", {4}), b.wave("shift", {2}), b.wave("mean", {1}), b.wave("var", {3})}));
    b.output(b.layer("vector", "Conv", {x, b.wave("v", {4})}));
    b.output(b.layer("vector2", "Conv", {x, b.wave("v2", {4})}));
    Network network = b.take();
    const PassReport report = runPasses(network, {});
    EXPECT_EQ(network.layerCount(), 6);
    EXPECT_NE(reasons(report, "BatchNormLowering").find("is known only when the model runs"), std::string::npos);
}

/// x + c may raise the rank, and then the Transpose that would move behind it has too few axes.
TEST(UnknownRank, TransposesDoNotSinkThroughAWideningAddition) {
    NetworkBuilder b;
    const auto perm = [](std::vector<int64_t> axes) { return attributes({{"perm", std::move(axes)}}); };
    const TensorId moved = b.layer("moved", "Transpose", {ofUnknownRank(b, {N, 4, 1})}, perm({1, 0}));
    const TensorId wide = b.layer("wide", "Add", {moved, b.floats("c", {1, 1, 1}, {2})});
    b.output(b.layer("y", "Transpose", {wide}, perm({0, 2, 1})));
    Network network = b.take();
    runPassesAndCompare(network, {}, {data({2, 4, 1})});
    EXPECT_EQ(opsOf(network), "Squeeze Transpose Add Transpose");
}

}  // namespace
}  // namespace strobe::test
