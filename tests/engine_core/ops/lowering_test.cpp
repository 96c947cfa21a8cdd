#include <gtest/gtest.h>

#include "tests/support/inference_test.h"

namespace strobe {
namespace {

/// Program of the last layer of `g` over its inputs in order, or "none".
std::string lowered(InferenceGraph& g) {
    const Layer& layer = g.network.layer(g.layer);
    PointwiseProgram program;
    std::vector<int> values;
    for (TensorId input : layer.inputs) values.push_back(input == kNone ? -1 : program.inputCount++);
    if (!layer.op->toPointwise) return "none";
    const auto result = layer.op->toPointwise(layer, g.network, values, program);
    if (!result) return "none";
    program.results = {*result};
    EXPECT_TRUE(program.isValid());
    return program.toString();
}

TEST(Lowering, FloatsHaveAProgramIntegersHaveNone) {
    for (const DataType type : {DataType::Float32, DataType::Float16, DataType::BFloat16}) {
        InferenceGraph g;
        const TensorId x = g.input(type, {4});
        g.add("Add", {x, x});
        EXPECT_EQ(lowered(g), "v2=Add(v0,v1); -> v2");
    }
    for (const DataType type : {DataType::Int32, DataType::Int64, DataType::Float64}) {
        InferenceGraph g;
        const TensorId x = g.input(type, {4});
        for (const char* op : {"Add", "Mul", "Equal", "Less"}) {
            g.add(op, {x, x});
            EXPECT_EQ(lowered(g), "none") << op;
        }
        g.add("Abs", {x});
        EXPECT_EQ(lowered(g), "none");
    }
}

TEST(Lowering, AttributesBecomeConstants) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {4});
    g.add("HardSigmoid", {x}, attributes({{"alpha", 0.25f}}));
    EXPECT_EQ(lowered(g), "v1=HardSigmoid(v0;0.25,0.5); -> v1");
    g.add("Gelu", {x}, attributes({{"approximate", std::string("tanh")}}));
    EXPECT_EQ(lowered(g), "v1=GeluTanh(v0); -> v1");
    g.add("Swish", {x});
    EXPECT_EQ(lowered(g), "v1=Silu(v0); -> v1");
    const TensorId six = g.network.addConstant("six", makeFloatWeights({}, std::vector<float>{6.0f}));
    g.add("Clip", {x, kNone, six});
    EXPECT_EQ(lowered(g), "v2=Clip(v0;-inf,6); -> v2");
    g.add("Clip", {x, g.input(DataType::Float32, {})});
    EXPECT_EQ(lowered(g), "v2=Max(v0,v1); -> v2");
}

TEST(Lowering, CastsAndSelections) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {4}), flag = g.input(DataType::Bool, {4});
    g.add("Cast", {x}, attributes({{"to", onnxTypeNumber(DataType::BFloat16)}}));
    EXPECT_EQ(lowered(g), "-> v0");
    g.add("Cast", {x}, attributes({{"to", onnxTypeNumber(DataType::Int32)}}));
    EXPECT_EQ(lowered(g), "none");
    g.add("Where", {flag, x, x});
    EXPECT_EQ(lowered(g), "v3=Where(v0,v1,v2); -> v3");
    const TensorId whole = g.input(DataType::Int64, {4});
    g.add("Where", {flag, whole, whole});
    EXPECT_EQ(lowered(g), "none");
    g.add("Mean", {x, x, x});
    EXPECT_EQ(lowered(g), "v3=Add(v0,v1); v4=Add(v3,v2); v5=Constant(;3,0); v6=Div(v4,v5); -> v6");
}

}  // namespace
}  // namespace strobe
