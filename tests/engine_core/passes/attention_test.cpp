#include <tuple>

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

struct AttentionNet : Net {
    TensorId x = kNone, mask = kNone;
    TensorId heads(const std::string& name, std::vector<int64_t> perm) {
        const TensorId projected = op(name + "p", "MatMul", {x, wave(name + "w", {8, 8}, static_cast<float>(name[0]))});
        return transpose(name + "t", op(name + "r", "Reshape", {projected, integers(name + "shape", {2, 5, 2, 4})}),
                         std::move(perm));
    }
    TensorId build(bool withMask, bool showScores = false) {
        x = input("x", {2, 5, 8});
        mask = input("mask", {2, 1, 1, 5});
        TensorId scores = op("scores", "MatMul", {heads("q", {0, 2, 1, 3}), heads("k", {0, 2, 3, 1})});
        if (showScores) output(scores);
        scores = op("scaled", "Div", {scores, scalar("root", 2.0f)});
        if (withMask) scores = op("masked", "Add", {scores, mask});
        const TensorId out = op("attention", "MatMul", {op("softmax", "Softmax", {scores}), heads("v", {0, 2, 1, 3})});
        return op("merged", "Reshape", {transpose("back", out, {0, 2, 1, 3}), integers("flat", {2, 5, 8})});
    }
};

TEST(AttentionFusion, RecognisesItAndTakesTheHeadsIn) {
    for (const bool withMask : {true, false}) {
        AttentionNet b;
        b.output(b.build(withMask));
        Network network = b.take();
        runPassesAndCompare(network, {"AttentionFusion", "AttentionHeadFusion", "TransposeMotion"},
                            {data({2, 5, 8}), data({2, 1, 1, 5}, 2.0f)});
        EXPECT_EQ(opsOf(network), "MatMul MatMul MatMul Attention");
        const Layer& layer = onlyLayer(network, "Attention");
        EXPECT_EQ(layer.name, "attention");
        EXPECT_EQ(layer.attributes.toString(), "{kv_num_heads=2, q_num_heads=2, scale=0.5}");
        EXPECT_EQ(layer.inputs.size(), withMask ? 4u : 3u);
    }
}

TEST(AttentionHeadFusion, TakesThePartsOfOneProductForQKV) {
    Net b;
    const TensorId x = b.input("x", {2, 5, 24});
    const TensorId packed =
        b.transpose("packed", b.op("r", "Reshape", {x, b.integers("shape", {2, 5, 3, 2, 4})}), {2, 0, 3, 1, 4});
    TensorId part[3] = {};
    for (int64_t i = 0; i < 3; ++i) {
        const std::string n(1, static_cast<char>('a' + i));
        const TensorId slice =
            b.op(n + "slice", "Slice",
                 {packed, b.integers(n + "b", {i}), b.integers(n + "e", {i + 1}), b.integers(n + "x", {0})});
        part[i] = b.op(n + "squeeze", "Squeeze", {slice, b.integers(n + "q", {0})});
    }
    const TensorId scores = b.op("scores", "MatMul", {part[0], b.transpose("kt", part[1], {0, 1, 3, 2})});
    const TensorId out = b.op("attention", "MatMul", {b.op("softmax", "Softmax", {scores}), part[2]});
    b.output(b.op("merged", "Reshape", {b.transpose("back", out, {0, 2, 1, 3}), b.integers("flat", {2, 5, 8})}));
    Network network = b.take();
    runPassesAndCompare(network, {"TransposeMotion", "AttentionFusion", "AttentionHeadFusion"}, {data({2, 5, 24})});
    EXPECT_EQ(opsOf(network), "Slice Slice Slice Attention") << network.toString();
}

TEST(AttentionFusion, DoesNotFireWhenScoresAreVisible) {
    AttentionNet b;
    b.output(b.build(true, true));
    Network network = b.take();
    const PassReport report = runPasses(network, {"AttentionFusion", "AttentionHeadFusion"});
    EXPECT_TRUE(report.rewrites.empty());
    EXPECT_NE(reasons(report, "AttentionFusion").find("'scores' is a network output"), std::string::npos);
}

TEST(AttentionFusion, DoesNotFireOnAnotherSoftmaxAxisOrAnUntransposedKey) {
    Net b;
    const TensorId q = b.input("q", {1, 2, 4, 4}), k = b.input("k", {1, 2, 4, 4}), v = b.input("v", {1, 2, 4, 4});
    const TensorId axis = b.layer("s1", "Softmax", {b.op("p1", "MatMul", {q, b.transpose("kt", k, {0, 1, 3, 2})})},
                                  attributes({{"axis", int64_t{2}}}));
    b.output(b.op("otherAxis", "MatMul", {axis, v}));
    b.output(b.op("untransposed", "MatMul", {b.op("s2", "Softmax", {b.op("p2", "MatMul", {q, k})}), v}));
    Network network = b.take();
    EXPECT_TRUE(runPasses(network, {"AttentionFusion"}).rewrites.empty());
}

/// softmax(q·kᵀ [+ mask])·v with the given extents.
Network plainAttention(Dims q, Dims k, Dims v, const Dims* mask) {
    Net b;
    const TensorId query = b.input("q", toShape(q)), key = b.input("k", toShape(k)), value = b.input("v", toShape(v));
    TensorId scores = b.op("scores", "MatMul", {query, b.transpose("kt", key, {0, 1, 3, 2})});
    if (mask) scores = b.op("masked", "Add", {scores, b.wave("mask", *mask)});
    b.output(b.op("out", "MatMul", {b.op("softmax", "Softmax", {scores}), value}));
    return b.take();
}

TEST(AttentionFusion, DoesNotFireWhereTheProductsBroadcast) {
    const Dims full = {2, 4, 3, 8};
    for (const auto& [q, k, v] : {std::tuple<Dims, Dims, Dims>{full, {1, 4, 3, 8}, full},
                                  {full, full, {1, 4, 3, 8}},
                                  {full, full, {2, 1, 3, 8}},
                                  {{2, 1, 3, 8}, full, full}}) {
        Network network = plainAttention(q, k, v, nullptr);
        runPassesAndCompare(network, {"AttentionFusion"}, {data(q), data(k, 2.0f), data(v, 3.0f)});
        EXPECT_EQ(opsOf(network).find("Attention"), std::string::npos) << toString(q) << toString(k) << toString(v);
    }
}

TEST(AttentionFusion, OneKeyHeadMayServeAllQueryHeads) {
    const Dims q = {2, 4, 3, 8}, shared = {2, 1, 3, 8};
    Network network = plainAttention(q, shared, shared, nullptr);
    runPassesAndCompare(network, {"AttentionFusion"}, {data(q), data(shared, 2.0f), data(shared, 3.0f)});
    EXPECT_NE(opsOf(network).find("Attention"), std::string::npos);
}

TEST(AttentionFusion, DoesNotFireOnAMaskThatDoesNotReachAllKeys) {
    const Dims all = {2, 4, 3, 8};
    for (const Dims& mask : {Dims{}, Dims{1}, Dims{2, 1, 3, 1}}) {
        Network network = plainAttention(all, all, all, &mask);
        runPassesAndCompare(network, {"AttentionFusion"}, {data(all), data(all, 2.0f), data(all, 3.0f)});
        EXPECT_EQ(opsOf(network).find("Attention"), std::string::npos) << toString(mask);
    }
}

}  // namespace
}  // namespace strobe::test
