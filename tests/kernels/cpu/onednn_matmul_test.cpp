#include "kernels/cpu/onednn_support.h"
#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

struct Product {
    const char* name;
    Dims a, b;
    bool transA = false, transB = false;
    float alpha = 1.0f;
    bool bias = false;
};

KernelCase makeProduct(const Product& p, bool constantB) {
    KernelCase c;
    c.op = "MatMul";
    if (p.transA) c.attributes.set("transA", int64_t{1});
    if (p.transB) c.attributes.set("transB", int64_t{1});
    if (p.alpha != 1.0f) c.attributes.set("alpha", p.alpha);
    const int64_t columns = p.b.size() < 2 ? 1 : p.b[p.b.size() - (p.transB ? 2 : 1)];
    c.inputs = {
        {p.a}, {p.b, DataType::Float32, constantB}, p.bias ? KernelInput::weights({columns}) : KernelInput::absent()};
    return c;
}

const Product kProducts[] = {
    {"square", {16, 16}, {16, 16}},
    {"odd", {7, 13}, {13, 5}},
    {"oneRow", {1, 64}, {64, 33}, false, false, 1.0f, true},
    {"transposedA", {13, 7}, {13, 5}, true},
    {"transposedB", {7, 13}, {5, 13}, false, true, 0.125f, true},
    {"transposedBoth", {13, 7}, {5, 13}, true, true},
    {"batchBySharedB", {3, 4, 6, 8}, {8, 10}, false, false, 0.5f, true},
    {"batch", {3, 6, 8}, {3, 8, 10}},
    {"heads", {2, 3, 6, 8}, {2, 3, 6, 8}, false, true, 0.35f},
    {"broadcastB", {2, 3, 6, 8}, {1, 3, 8, 4}},
    {"broadcastA", {1, 6, 8}, {4, 8, 4}},
    {"broadcastBothWays", {2, 1, 6, 8}, {1, 3, 8, 4}},
    {"lowerRankA", {6, 8}, {3, 8, 4}},
    {"batchedTransposedA", {3, 8, 6}, {8, 10}, true},
    {"vectorB", {4, 6, 8}, {8}},
    {"vectorA", {8}, {8, 5}},
    {"dot", {9}, {9}},
    {"outer", {5, 1}, {1, 6}},
};

class OnednnMatMul : public testing::TestWithParam<Product> {};

TEST_P(OnednnMatMul, VariableAndConstantB) {
    expectMatchesReference(makeProduct(GetParam(), false), "onednn.matmul");
    expectMatchesReference(makeProduct(GetParam(), true), "onednn.matmul");
}

TEST_P(OnednnMatMul, Bf16) {
    if (!onednnHasBf16()) GTEST_SKIP() << "this CPU has no BF16 arithmetic";
    for (bool constant : {false, true}) {
        KernelCase c = makeProduct(GetParam(), constant);
        c.floatType = DataType::BFloat16;
        expectMatchesReference(c, "onednn.matmul");
    }
}

TEST_P(OnednnMatMul, ResidualAndActivation) {
    if (GetParam().a.size() < 2 || GetParam().b.size() < 2) return;
    KernelCase c = makeProduct(GetParam(), true);
    const auto y = inferConcrete(
        *OpRegistry::instance().get("MatMul"), c.attributes, {},
        std::vector<ConcreteInput>{{true, DataType::Float32, GetParam().a}, {true, DataType::Float32, GetParam().b}},
        1);
    ASSERT_TRUE(y.hasValue());
    const Dims dims = y->at(0).dims;
    c.program = "v2=Gelu(v0); v3=Add(v2,v1); -> v3";
    for (const Dims& extra : {dims, Dims{dims.back()}, Dims{1}}) {
        c.inputs.resize(3);
        c.inputs.push_back({extra});
        expectMatchesReference(c, "onednn.matmul");
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, OnednnMatMul, testing::ValuesIn(kProducts),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(OnednnMatMulEpilogue, AttentionMaskBroadcastsOverHeads) {
    KernelCase c = makeProduct({"", {2, 3, 6, 8}, {2, 3, 8, 10}, false, false, 0.5f}, false);
    c.inputs.push_back({{2, 1, 1, 10}});
    c.program = "v2=Add(v0,v1); -> v2";
    expectMatchesReference(c, "onednn.matmul");
    c.program = "v2=Sin(v0); v3=Add(v2,v1); -> v3";
    expectMatchesReference(c, "onednn.matmul+epilogue");
}

TEST(OnednnInnerProduct, FewRowsAndMany) {
    for (const Product& p :
         {Product{"", {1, 64}, {64, 33}, false, false, 1.0f, true},
          Product{"", {5, 37}, {20, 37}, false, true, 2.0f, true}, Product{"", {2, 9, 32}, {32, 48}}}) {
        expectMatchesReference(makeProduct(p, true), "onednn.innerproduct");
        KernelCase c = makeProduct(p, true);
        c.floatType = DataType::BFloat16;
        if (onednnHasBf16()) expectMatchesReference(c, "onednn.innerproduct");
    }
    expectDeclines(makeProduct({"", {1, 64}, {64, 33}}, false), "onednn.innerproduct", "constant weights");
    expectDeclines(makeProduct({"", {2, 4, 8}, {2, 8, 3}}, true), "onednn.innerproduct", "batch of weights");
    expectDeclines(makeProduct({"", {8, 4}, {8, 3}, true}, true), "onednn.innerproduct", "transpose");
}

TEST(OnednnGemm, AlphaBetaAndEveryBroadcastOfC) {
    for (const Dims& dims : {Dims{}, Dims{1}, Dims{5}, Dims{1, 5}, Dims{7, 1}, Dims{7, 5}})
        for (const auto& [alpha, beta] : {std::pair(1.0f, 1.0f), std::pair(0.5f, 1.0f), std::pair(1.0f, 2.0f),
                                          std::pair(0.25f, -0.5f), std::pair(2.0f, 0.0f)}) {
            KernelCase c;
            c.op = "Gemm";
            c.attributes.set("alpha", alpha);
            c.attributes.set("beta", beta);
            c.attributes.set("transB", int64_t{1});
            c.inputs = {{{7, 12}}, KernelInput::weights({5, 12}), {dims, DataType::Float32, true}};
            expectMatchesReference(c, "onednn.matmul");
            if (dims != Dims{7, 1} && (beta == 1.0f || beta == 0.0f)) expectMatchesReference(c, "onednn.innerproduct");
        }
}

TEST(OnednnMatMulLimits, EmptyOnesAndOtherTypes) {
    expectMatchesReference(makeProduct({"", {0, 4}, {4, 3}}, false), "onednn.matmul");
    expectDeclines(makeProduct({"", {2, 0}, {0, 3}}, false), "onednn.matmul", "inner extent");
    KernelCase c = makeProduct(kProducts[0], false);
    c.floatType = DataType::Float64;
    expectDeclines(c, "onednn.matmul", "fp64");
}

}  // namespace
}  // namespace strobe
