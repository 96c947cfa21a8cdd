#include "tests/engine_core/passes/pass_test_support.h"

namespace strobe::test {
namespace {

struct Net : NetworkBuilder {
    TensorId op(const std::string& name, const std::string& type, std::vector<TensorId> inputs) {
        return layer(name, type, std::move(inputs));
    }
};

TEST(PointwiseFusion, JoinsAChainWithBroadcastAndNumbers) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4}), y = b.input("y", {3, 1});
    const TensorId sum = b.op("sum", "Add", {x, y}), half = b.op("half", "Mul", {sum, b.scalar("c", 0.5f)});
    b.output(b.op("out", "Tanh", {half}));
    Network network = b.take();
    const PassReport report = runPassesAndCompare(network, {"PointwiseFusion"}, {data({2, 3, 4}), data({3, 1}, 2.0f)});
    ASSERT_EQ(opsOf(network), "Pointwise");
    const Layer& layer = onlyLayer(network, "Pointwise");
    EXPECT_EQ(layer.name, "out");
    EXPECT_EQ(layer.inputs, (std::vector<TensorId>{x, y}));
    EXPECT_EQ(layer.program->toString(), "v2=Add(v0,v1); v3=Constant(;0.5,0); v4=Mul(v2,v3); v5=Tanh(v4); -> v5");
    EXPECT_EQ(layer.provenance, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(report.rewrites.back().savedBytes, 2 * 24 * 4);
}

TEST(PointwiseFusion, LeavesWhatReadsOnlyNumbers) {
    Net b;
    const TensorId x = b.input("x", {2, 3}), like = b.op("like", "CastLike", {b.scalar("c", 0.5f), x});
    b.output(b.op("a", "Mul", {x, like}));
    b.output(b.op("b", "Div", {x, like}));
    Network network = b.take();
    runPasses(network, {"PointwiseFusion", "PointwiseLowering"});
    EXPECT_NE(opsOf(network).find("CastLike"), std::string::npos);
}

TEST(PointwiseFusion, JoinsADiamond) {
    Net b;
    const TensorId x = b.input("x", {2, 8}), e = b.op("e", "Exp", {x});
    b.output(b.op("out", "Mul", {b.op("s", "Sin", {e}), b.op("c", "Cos", {e})}));
    Network network = b.take();
    runPassesAndCompare(network, {"PointwiseFusion"}, {data({2, 8})});
    EXPECT_EQ(opsOf(network), "Pointwise");
}

TEST(PointwiseFusion, LeavesASmallTensorToItsOwnLayer) {
    Net b;
    const TensorId x = b.input("x", {2, 3, 4}), y = b.input("y", {3, 1});
    b.output(b.op("out", "Add", {x, b.op("small", "Exp", {y})}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"PointwiseFusion"});
    EXPECT_EQ(network.layerCount(), 2);
    EXPECT_NE(reasons(report, "PointwiseFusion").find("computed again for every element"), std::string::npos);
}

TEST(PointwiseFusion, LeavesTensorsThatOthersSee) {
    Net b;
    const TensorId x = b.input("x", {2, 8}), e = b.op("e", "Exp", {x}), s = b.op("s", "Sin", {e});
    b.output(e);
    b.output(s);
    b.output(b.layer("t", "Transpose", {s}, attributes({{"perm", std::vector<int64_t>{1, 0}}})));
    Network network = b.take();
    const PassReport report = runPasses(network, {"PointwiseFusion"});
    EXPECT_EQ(network.layerCount(), 3);
    EXPECT_NE(reasons(report, "PointwiseFusion").find("e: its output 'e' is a network output"), std::string::npos);
}

TEST(PointwiseFusion, LeavesIntegersAndDoubles) {
    Net b;
    const TensorId x = b.input("x", {4}, DataType::Int64), y = b.input("y", {4}, DataType::Float64);
    b.output(b.op("i", "Mul", {b.op("i0", "Add", {x, x}), x}));
    b.output(b.op("d", "Mul", {b.op("d0", "Add", {y, y}), y}));
    Network network = b.take();
    runPasses(network, {"PointwiseFusion", "PointwiseLowering"});
    EXPECT_EQ(network.layerCount(), 4);
}

TEST(PointwiseFusion, KeepsFlagsInside) {
    Net b;
    const TensorId x = b.input("x", {2, 8}), y = b.input("y", {2, 8});
    b.output(b.op("out", "Where", {b.op("flag", "Greater", {x, y}), x, y}));
    Network network = b.take();
    runPassesAndCompare(network, {"PointwiseFusion"}, {data({2, 8}), data({2, 8}, 3.0f)});
    EXPECT_EQ(opsOf(network), "Pointwise");
}

TEST(EpilogueFusion, TakesActivationResidualAndScale) {
    Net b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), r = b.input("r", {1, 3, 4, 4});
    const TensorId conv = b.op("conv", "Conv", {x, b.wave("w", {3, 2, 1, 1})});
    const TensorId sum = b.op("sum", "Add", {r, b.op("act", "Relu", {conv})});
    b.output(b.op("out", "Mul", {sum, b.wave("perChannel", {3, 1, 1})}));
    Network network = b.take();
    const PassReport report =
        runPassesAndCompare(network, {"EpilogueFusion"}, {data({1, 2, 4, 4}), data({1, 3, 4, 4}, 2.0f)});
    ASSERT_EQ(opsOf(network), "Conv");
    const Layer& layer = onlyLayer(network, "Conv");
    EXPECT_EQ(layer.name, "conv");
    EXPECT_EQ(network.tensor(layer.outputs[0]).name, "out");
    ASSERT_EQ(layer.inputs.size(), 5u);
    EXPECT_EQ(layer.inputs[2], kNone);
    EXPECT_EQ(layer.inputs[3], r);
    EXPECT_EQ(layer.program->toString(), "v3=Relu(v0); v4=Add(v1,v3); v5=Mul(v4,v2); -> v5");
    EXPECT_EQ(report.rewrites.size(), 3u);
    EXPECT_EQ(layer.provenance, (std::vector<int>{0, 1, 2, 3}));
}

TEST(EpilogueFusion, TheLaterConvolutionTakesTheAddition) {
    Net b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1});
    const TensorId first = b.op("first", "Conv", {x, w}),
                   second = b.op("second", "Conv", {b.op("s", "Sin", {first}), w});
    b.output(b.op("out", "Add", {b.op("shortcut", "Conv", {x, b.wave("w2", {2, 2, 1, 1}, 2.0f)}), second}));
    Network network = b.take();
    runPassesAndCompare(network, {"EpilogueFusion"}, {data({1, 2, 4, 4})});
    int withProgram = 0;
    for (LayerId id : network.topologicalOrder()) withProgram += network.layer(id).program ? 1 : 0;
    EXPECT_EQ(withProgram, 1);
    EXPECT_EQ(opsOf(network), "Conv Sin Conv Conv");
}

TEST(EpilogueFusion, DoesNotFireOnSharedWidenedOrVisibleResults) {
    Net b;
    const TensorId x = b.input("x", {1, 2, 4, 4}), wide = b.input("wide", {5, 2, 4, 4}), w = b.wave("w", {2, 2, 1, 1});
    const TensorId shared = b.op("shared", "Conv", {x, w});
    b.output(b.op("s1", "Relu", {shared}));
    b.output(b.op("s2", "Tanh", {shared}));
    b.output(b.op("widened", "Add", {b.op("c2", "Conv", {x, b.wave("w2", {2, 2, 1, 1}, 2.0f)}), wide}));
    const TensorId visible = b.op("visible", "Conv", {x, b.wave("w3", {2, 2, 1, 1}, 3.0f)});
    b.output(visible);
    b.output(b.op("v1", "Relu", {visible}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"EpilogueFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    const std::string why = reasons(report, "EpilogueFusion");
    EXPECT_NE(why.find("shared: its output 'shared' is also read by 's2'"), std::string::npos) << why;
    EXPECT_NE(why.find("c2: 'widened' widens"), std::string::npos) << why;
    EXPECT_NE(why.find("visible: its output 'visible' is a network output"), std::string::npos) << why;
}

TEST(EpilogueFusion, LeavesWhatIsNoChain) {
    Net b;
    const TensorId x = b.input("x", {1, 2, 4, 4});
    const TensorId conv = b.op("conv", "Conv", {x, b.wave("w", {2, 2, 1, 1})});
    b.output(b.op("out", "Mul", {conv, conv}));
    Network network = b.take();
    const PassReport report = runPasses(network, {"EpilogueFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "EpilogueFusion").find("does not combine"), std::string::npos);
}

TEST(ActivationFusion, RecognisesEveryWayOfWriting) {
    using Make = TensorId (*)(Net&, TensorId);
    const std::vector<std::pair<std::string, Make>> cases = {
        {"Silu",
         [](Net& b, TensorId x) {
             return b.op("out", "Mul", {x, b.op("s", "Sigmoid", {x})});
         }},
        {"HardSwish",
         [](Net& b, TensorId x) {
             const TensorId clip =
                 b.op("clip", "Clip",
                      {b.op("a", "Add", {x, b.scalar("three", 3)}), b.scalar("zero", 0), b.scalar("six", 6)});
             return b.op("out", "Div", {b.op("m", "Mul", {x, clip}), b.scalar("six2", 6)});
         }},
        {"HardSwish",
         [](Net& b, TensorId x) {
             const TensorId hs = b.layer("h", "HardSigmoid", {x}, attributes({{"alpha", 1.0f / 6.0f}, {"beta", 0.5f}}));
             return b.op("out", "Mul", {hs, x});
         }},
        {"HardSigmoid",
         [](Net& b, TensorId x) {
             const TensorId clip =
                 b.op("clip", "Clip",
                      {b.op("a", "Add", {x, b.scalar("three", 3)}), b.scalar("zero", 0), b.scalar("six", 6)});
             return b.op("out", "Mul", {clip, b.scalar("sixth", 1.0f / 6.0f)});
         }},
        {"Gelu",
         [](Net& b, TensorId x) {
             const TensorId erf = b.op("erf", "Erf", {b.op("d", "Div", {x, b.scalar("root2", 1.41421356f)})});
             return b.op("out", "Mul",
                         {b.op("m", "Mul", {x, b.op("a", "Add", {erf, b.scalar("one", 1)})}), b.scalar("half", 0.5f)});
         }},
        {"Gelu",
         [](Net& b, TensorId x) {
             const TensorId erf = b.op("erf", "Erf", {b.op("d", "Mul", {x, b.scalar("root", 0.70710678f)})});
             return b.op("out", "Mul",
                         {b.op("h", "Mul", {b.scalar("half", 0.5f), x}), b.op("a", "Add", {b.scalar("one", 1), erf})});
         }},
        {"GeluTanh",
         [](Net& b, TensorId x) {
             const TensorId cube =
                 b.op("c", "Mul", {b.op("p", "Pow", {x, b.scalar("three", 3)}), b.scalar("k", 0.044715f)});
             const TensorId tanh =
                 b.op("t", "Tanh", {b.op("s", "Mul", {b.op("i", "Add", {x, cube}), b.scalar("r", 0.7978845608f)})});
             return b.op("out", "Mul",
                         {b.op("h", "Mul", {x, b.scalar("half", 0.5f)}), b.op("a", "Add", {tanh, b.scalar("one", 1)})});
         }},
        {"Mish",
         [](Net& b, TensorId x) {
             return b.op("out", "Mul", {x, b.op("t", "Tanh", {b.op("sp", "Softplus", {x})})});
         }},
    };
    for (const auto& [name, make] : cases) {
        Net b;
        b.output(make(b, b.input("x", {3, 7})));
        Network network = b.take();
        runPassesAndCompare(network, {"ActivationFusion"}, {data({3, 7})});
        ASSERT_EQ(opsOf(network), "Pointwise") << name;
        EXPECT_EQ(onlyLayer(network, "Pointwise").program->toString(),
                  "v1=" + name + "(v0" + (name == "HardSigmoid" ? ";0.16666667,0.5" : "") + "); -> v1");
    }
}

TEST(ActivationFusion, DoesNotFireOnOtherNumbersOtherTensorsOrVisibleParts) {
    Net b;
    const TensorId x = b.input("x", {3, 7}), y = b.input("y", {3, 7});
    const TensorId clip =
        b.op("clip", "Clip", {b.op("a", "Add", {x, b.scalar("three", 3)}), b.scalar("zero", 0), b.scalar("five", 5)});
    b.output(b.op("wrongClip", "Div", {b.op("m", "Mul", {x, clip}), b.scalar("six", 6)}));
    b.output(b.op("wrongTensor", "Mul", {y, b.op("s", "Sigmoid", {x})}));
    const TensorId seen = b.op("seen", "Sigmoid", {y});
    b.output(seen);
    b.output(b.op("visible", "Mul", {y, seen}));
    Network network = b.take();
    const int before = network.layerCount();
    const PassReport report = runPasses(network, {"ActivationFusion"});
    EXPECT_EQ(network.layerCount(), before);
    EXPECT_NE(reasons(report, "ActivationFusion").find("ends a Silu, but inside its output 'seen' is a network output"),
              std::string::npos);
}

/// Limits far from zero are limits too: an activation that a clamp follows is not that activation alone.
TEST(ActivationFusion, KeepsClampsWhateverTheirLimits) {
    for (const float limit : {50.0f, 1000.0f, 65504.0f})
        for (const char* clamp : {"Clip", "Min", "Max"}) {
            Net b;
            const TensorId x = b.input("x", {2, 3});
            const TensorId silu = b.op("silu", "Mul", {x, b.op("s", "Sigmoid", {x})});
            const TensorId high = b.scalar("high", limit), low = b.scalar("low", -limit);
            b.output(clamp == std::string("Clip")  ? b.op("out", "Clip", {silu, low, high})
                     : clamp == std::string("Min") ? b.op("out", "Min", {silu, high})
                                                   : b.op("out", "Max", {b.op("neg", "Neg", {silu}), low}));
            Network network = b.take();
            const WeightsPtr far =
                makeFloatWeights({2, 3}, std::vector<float>{-3, 0.5f, 2 * limit, -2 * limit, 40, 1e6f});
            runPassesAndCompare(network, {"ActivationFusion"}, {far});
            EXPECT_EQ(opsOf(network).find("Pointwise ") != std::string::npos, true) << "the Silu inside is still one";
        }
}

/// What bends far from the samples: other kinds of function, and smooth ones on a shifted operand.
TEST(ActivationFusion, KeepsFunctionsThatBendFarAway) {
    using Make = TensorId (*)(Net&, TensorId, TensorId);
    const std::vector<std::pair<const char*, Make>> cases = {
        {"Mod",
         [](Net& b, TensorId, TensorId swish) {
             return b.layer("out", "Mod", {swish, b.scalar("k", 1000)}, attributes({{"fmod", int64_t{1}}}));
         }},
        {"Less",
         [](Net& b, TensorId x, TensorId swish) {
             const TensorId less = b.op("less", "Less", {x, b.scalar("k", 1000)});
             return b.op("out", "Mul", {swish, b.layer("cast", "Cast", {less}, attributes({{"to", int64_t{1}}}))});
         }},
        {"Sign",
         [](Net& b, TensorId x, TensorId swish) {
             return b.op("out", "Mul", {swish, b.op("sign", "Sign", {b.op("s", "Sub", {b.scalar("k", 1000), x})})});
         }},
        {"Sigmoid",
         [](Net& b, TensorId x, TensorId swish) {
             return b.op("out", "Mul", {swish, b.op("sign", "Sigmoid", {b.op("s", "Sub", {b.scalar("k", 1000), x})})});
         }},
        {"Exp",
         [](Net& b, TensorId x, TensorId swish) {
             return b.op("out", "Add", {swish, b.op("e", "Exp", {b.op("s", "Sub", {x, b.scalar("k", 1450)})})});
         }},
    };
    for (const auto& [name, make] : cases) {
        Net b;
        const TensorId x = b.input("x", {2, 3});
        b.output(make(b, x, b.layer("swish", "HardSwish", {x})));
        Network network = b.take();
        const std::string before = opsOf(network);
        const WeightsPtr far = makeFloatWeights({2, 3}, std::vector<float>{-3, 0.5f, 1500, -1500, 999, 1001});
        runPassesAndCompare(network, {"ActivationFusion"}, {far});
        EXPECT_EQ(opsOf(network), before) << name;
    }
}

TEST(ActivationFusion, KeepsTheLimitBehindAWholeActivation) {
    Net b;
    const TensorId x = b.input("x", {2, 3});
    const TensorId swish = b.layer("swish", "HardSwish", {x});
    b.output(b.op("out", "Clip", {swish, kNone, b.scalar("high", 50)}));
    b.output(b.op("gelu6", "Min", {b.layer("gelu", "Gelu", {x}), b.scalar("hundred", 100)}));
    b.output(b.op("soft", "Clip", {b.layer("plus", "Softplus", {x}), kNone, b.scalar("limit", 1000)}));
    Network network = b.take();
    const WeightsPtr far = makeFloatWeights({2, 3}, std::vector<float>{-3, 0.5f, 60, 2000, -2000, 120});
    runPassesAndCompare(network, {"ActivationFusion"}, {far});
}

}  // namespace
}  // namespace strobe::test
