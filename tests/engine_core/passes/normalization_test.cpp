#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

struct Net : NetworkBuilder {
    TensorId op(const std::string& name, const std::string& type, std::vector<TensorId> inputs) {
        return layer(name, type, std::move(inputs));
    }
    TensorId mean(const std::string& name, TensorId x, std::vector<int64_t> axes = {-1}) {
        return op(name, "ReduceMean", {x, integers(name + ".axes", axes)});
    }
    /// (x − mean)/√(var + ε), the last step being Div or Mul by the inverse.
    TensorId normalized(const std::string& n, TensorId x, bool divide = true, const std::vector<int64_t>& axes = {-1}) {
        const TensorId centred = op(n + "sub", "Sub", {x, mean(n + "mean", x, axes)});
        const TensorId square =
            divide ? op(n + "pow", "Pow", {centred, scalar(n + "two", 2)}) : op(n + "sq", "Mul", {centred, centred});
        const TensorId root =
            op(n + "sqrt", "Sqrt", {op(n + "eps", "Add", {mean(n + "var", square, axes), scalar(n + "e", 1e-5f)})});
        return divide ? op(n + "norm", "Div", {centred, root})
                      : op(n + "norm", "Mul", {op(n + "inv", "Reciprocal", {root}), centred});
    }
};

/// As flax writes it, over axis 1 of three: var = max(0, mean x² − mean²) from sums without keepdims, and γ before x.
struct FastVariance : Net {
    float share = 1.0f / 6;  // of each sum
    Shape dims = {2, 6, 5};
    std::vector<int64_t> kept = {2, 1, 5};  // shape in which means meet x
    std::vector<int64_t> scaleDims = {1, 6, 1};
    bool showsSum = false, otherMean = false, scaleFirst = false;

    TensorId average(const std::string& n, TensorId x) {
        const TensorId sum =
            layer(n + ".sum", "ReduceSum", {x, integers(n + ".axes", {1})}, attributes({{"keepdims", int64_t{0}}}));
        if (showsSum && n == "mean") output(sum);
        return op(n, "Mul", {sum, scalar(n + ".share", share)});
    }
    TensorId build() {
        const TensorId x = input("x", dims);
        const TensorId mean = average("mean", x), meanSquare = average("square", op("x2", "Mul", {x, x}));
        const TensorId m = otherMean ? op("m", "Neg", {mean}) : mean;
        TensorId variance = op("variance", "Sub", {meanSquare, op("mean2", "Mul", {m, m})});
        variance = op("clamped", "Max", {scalar("zero", 0), variance});
        variance = op("var", "Reshape", {variance, integers("var.shape", kept)});
        const TensorId inverse =
            op("inv", "Reciprocal", {op("root", "Sqrt", {op("eps", "Add", {variance, scalar("e", 1e-3f)})})});
        const TensorId centred =
            op("centred", "Sub", {x, op("mean.kept", "Reshape", {mean, integers("mean.shape", kept)})});
        const TensorId gamma = wave("g", scaleDims);
        const TensorId factor = op("factor", "Mul", scaleFirst ? std::vector{gamma, inverse} : std::vector{inverse, gamma});
        const TensorId product = op("norm", "Mul", scaleFirst ? std::vector{factor, centred} : std::vector{centred, factor});
        return op("out", "Add", {product, wave("b", scaleDims, 2)});
    }
};

TEST(NormalizationFusion, RecognisesLayerNorm) {
    for (const bool divide : {true, false}) {
        Net b;
        const TensorId x = b.input("x", {2, 3, 8}), scale = b.wave("g", {8}), shift = b.wave("b", {8}, 2);
        b.output(b.op("out", "Add", {b.op("mul", "Mul", {scale, b.normalized("", x, divide)}), shift}));
        Network network = b.take();
        runPassesAndCompare(network, {"NormalizationFusion"}, {data({2, 3, 8})});
        ASSERT_EQ(opsOf(network), "LayerNormalization");
        const Layer& layer = onlyLayer(network, "LayerNormalization");
        EXPECT_EQ(layer.inputs, (std::vector<TensorId>{x, scale, shift}));
        EXPECT_EQ(layer.attributes.toString(), "{axis=2, epsilon=1e-05}");
    }
}

TEST(NormalizationFusion, RecognisesItWithoutScale) {
    Net b;
    b.output(b.normalized("", b.input("x", {2, 3, 8})));
    Network network = b.take();
    runPassesAndCompare(network, {"NormalizationFusion"}, {data({2, 3, 8})});
    EXPECT_EQ(opsOf(network), "LayerNormalization");
}

TEST(NormalizationFusion, RecognisesRmsNorm) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 8});
    const TensorId root =
        b.op("sqrt", "Sqrt",
             {b.op("eps", "Add", {b.mean("ms", b.op("pow", "Pow", {x, b.scalar("two", 2)})), b.scalar("e", 1e-6f)})});
    b.output(b.op("out", "Mul", {b.wave("g", {8}), b.op("n", "Mul", {x, b.op("inv", "Reciprocal", {root})})}));
    Network network = b.take();
    runPassesAndCompare(network, {"NormalizationFusion"}, {data({2, 3, 8})});
    EXPECT_EQ(opsOf(network), "RMSNormalization");
}

TEST(NormalizationFusion, RecognisesItOverTwoAxesAndOverThoseThatAreNotTheLast) {
    Net b;
    b.output(b.normalized("two", b.input("x", {2, 3, 8}), true, {1, 2}));
    b.output(b.normalized("outer", b.input("y", {4, 3, 8}), false, {0, 1}));
    Network network = b.take();
    runPassesAndCompare(network, {"NormalizationFusion"}, {data({2, 3, 8}), data({4, 3, 8}, 2.0f)});
    EXPECT_EQ(opsOf(network), "LayerNormalization Transpose LayerNormalization Transpose");
    EXPECT_EQ(onlyLayer(network, "LayerNormalization").attributes.getInt("axis", 0), 1);
    EXPECT_EQ(onlyLayer(network, "Transpose").attributes.getInts("perm"), (std::vector<int64_t>{2, 0, 1}));
}

TEST(NormalizationFusion, RecognisesTheFastVariance) {
    FastVariance b;
    b.output(b.build());
    Network network = b.take();
    runPassesAndCompare(network, {"NormalizationFusion"}, {data({2, 6, 5})});
    ASSERT_EQ(opsOf(network), "Transpose LayerNormalization Transpose");
    const Layer& layer = onlyLayer(network, "LayerNormalization");
    EXPECT_EQ(layer.name, "norm");
    EXPECT_EQ(layer.provenance.size(), 17u) << "every node belongs to it";
    ASSERT_EQ(layer.inputs.size(), 3u);
    EXPECT_EQ(network.tensor(layer.inputs[1]).shape, Shape({6}));
    EXPECT_EQ(layer.attributes.toString(), "{axis=2, epsilon=0.001}");
}

TEST(NormalizationFusion, RecognisesTheFastVarianceOfAnyBatchAndWithTheScaleFirst) {
    FastVariance b;
    b.dims = {Dim::symbol("N"), 6, 5};
    b.kept = {-1, 1, 5};
    b.scaleFirst = true;
    b.output(b.build());
    Network network = b.take();
    runPassesAndCompare(network, {"NormalizationFusion"}, {data({3, 6, 5})});
    EXPECT_EQ(opsOf(network), "Transpose LayerNormalization Transpose");
}

TEST(NormalizationFusion, DoesNotTakeOtherSumsForMeans) {
    const std::pair<const char*, void (*)(FastVariance&)> cases[] = {
        {"unbiased share", [](FastVariance& b) { b.share = 1.0f / 5; }},
        {"means that meet x along another axis",
         [](FastVariance& b) {
             b.dims = {6, 6, 5};
             b.kept = {1, 6, 5};
         }},
        {"scale along another axis",
         [](FastVariance& b) {
             b.scaleDims = {1, 1, 5};
         }},
        {"another tensor's square", [](FastVariance& b) { b.otherMean = true; }},
    };
    for (const auto& [what, change] : cases) {
        FastVariance b;
        change(b);
        b.output(b.build());
        Network network = b.take();
        EXPECT_TRUE(runPasses(network, {"NormalizationFusion"}).rewrites.empty()) << what;
    }
}

TEST(NormalizationFusion, DoesNotFireOnVisibleParts) {
    Net b;
    b.output(b.normalized("a", b.input("x", {2, 3, 8})));
    b.output(b.network().findTensor("avar"));
    Network network = b.take();
    const int before = network.layerCount();
    const PassReport report = runPasses(network, {"NormalizationFusion"});
    EXPECT_EQ(network.layerCount(), before);
    EXPECT_NE(reasons(report, "NormalizationFusion").find("'avar' is a network output"), std::string::npos);

    FastVariance fast;
    fast.showsSum = true;
    fast.output(fast.build());
    Network second = fast.take();
    const PassReport fastReport = runPasses(second, {"NormalizationFusion"});
    EXPECT_TRUE(fastReport.rewrites.empty());
    EXPECT_NE(reasons(fastReport, "NormalizationFusion").find("'mean.sum' is a network output"), std::string::npos);
}

}  // namespace
}  // namespace strobe::test
