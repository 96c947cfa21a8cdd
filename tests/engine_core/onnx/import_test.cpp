#include <gtest/gtest.h>

#include "engine_core/ops/op_definition.h"
#include "engine_core/ops/resize.h"
#include "tests/support/onnx_builder.h"
#include "tests/support/run_reference.h"

namespace strobe {
namespace {

Network imported(const OnnxBuilder& builder) {
    auto model = builder.import();
    EXPECT_TRUE(model.hasValue()) << model.status().message();
    if (!model) return {};
    const Status valid = verify(model->network);
    EXPECT_TRUE(valid.isOk()) << valid.message();
    return std::move(model->network);
}

std::vector<float> runFloats(const Network& network, const std::vector<WeightsPtr>& inputs) {
    const auto outputs = runReference(network, inputs);
    EXPECT_TRUE(outputs.hasValue()) << outputs.status().message();
    return outputs ? toFloats(*(*outputs)[0]) : std::vector<float>();
}

TEST(Import, KeepsNamesProvenanceAndSymbols) {
    OnnxBuilder b;
    b.input("x", {-1, 4});
    b.node("Relu", {"x"}, {"h"}, "same");
    b.node("Relu", {"h"}, {"g"}, "same");
    b.node("Relu", {"g"}, {"y"});
    b.output("y");
    const Network network = imported(b);
    EXPECT_EQ(toString(network.tensor(network.findTensor("y")).shape), "[x_d0,4]");
    EXPECT_NE(network.findLayer("same"), kNone);
    EXPECT_NE(network.findLayer("same.1"), kNone);
    const LayerId unnamed = network.findLayer("Relu_2");
    ASSERT_NE(unnamed, kNone);
    EXPECT_EQ(network.layer(unnamed).provenance, std::vector<int>{2});
    EXPECT_EQ(network.sourceNodes()[2].inputs, std::vector<std::string>{"g"});
}

TEST(Import, SortsNodes) {
    OnnxBuilder b;
    b.input("x", {2});
    b.node("Relu", {"h"}, {"y"});
    b.node("Neg", {"x"}, {"h"});
    b.output("y");
    EXPECT_EQ(runFloats(imported(b), {makeFloatWeights({2}, std::vector<float>{-3, 4})}), (std::vector<float>{3, 0}));
}

TEST(Lifting, SoftmaxBefore13FlattensAtItsAxis) {
    OnnxBuilder b(11);
    b.input("x", {1, 2, 2});
    setInt(b.node("Softmax", {"x"}, {"y"}), "axis", 1);
    b.output("y");
    const auto y = runFloats(imported(b), {makeFloatWeights({1, 2, 2}, std::vector<float>{0, 0, 0, 0})});
    EXPECT_EQ(y, std::vector<float>(4, 0.25f));
}

TEST(Lifting, AttributesBecomeInputs) {
    OnnxBuilder b(9);
    b.input("x", {1, 4});
    auto& slice = b.node("Slice", {"x"}, {"s"});
    setInts(slice, "starts", {1});
    setInts(slice, "ends", {3});
    setInts(slice, "axes", {1});
    auto& clip = b.node("Clip", {"s"}, {"c"});
    setFloat(clip, "min", 0.0f);
    setFloat(clip, "max", 6.0f);
    auto& pad = b.node("Pad", {"c"}, {"p"});
    setInts(pad, "pads", {0, 1, 0, 0});
    setFloat(pad, "value", 2.0f);
    setInts(b.node("Squeeze", {"p"}, {"y"}), "axes", {0});
    b.output("y");
    EXPECT_EQ(runFloats(imported(b), {makeFloatWeights({1, 4}, std::vector<float>{9, -1, 8, 9})}),
              (std::vector<float>{2, 0, 6}));
}

TEST(Lifting, CastLikeOfKnownTypeIsACast) {
    OnnxBuilder b(19);
    b.input("x", {2});
    b.ints("alpha", {}, {3});
    b.node("CastLike", {"alpha", "x"}, {"cast"});
    b.node("Mul", {"x", "cast"}, {"y"});
    b.output("y");
    const Network network = imported(b);
    EXPECT_EQ(network.toString().find("CastLike("), std::string::npos);
    EXPECT_EQ(runFloats(network, {makeFloatWeights({2}, std::vector<float>{1, 2})}), (std::vector<float>{3, 6}));
}

TEST(Lifting, UpsampleBecomesResize) {
    OnnxBuilder b(9);
    b.input("x", {1, 1, 1, 2});
    b.floats("scales", {4}, {1, 1, 1, 2});
    b.node("Upsample", {"x", "scales"}, {"y"});
    b.output("y");
    EXPECT_EQ(runFloats(imported(b), {makeFloatWeights({1, 1, 1, 2}, std::vector<float>{1, 2})}),
              (std::vector<float>{1, 1, 2, 2}));
}

/// 0, 1, 2 … in a tensor of that shape.
WeightsPtr counting(const Dims& dims) {
    std::vector<float> values(static_cast<size_t>(elementCount(dims)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    return makeFloatWeights(dims, values);
}

/// What onnxruntime 1.32 gives: a Resize before opset 11 takes the pixel above along an axis that shrinks, that below
/// along one that grows.
TEST(Lifting, NearestResizeBefore11) {
    const auto resized = [](const Dims& dims, std::vector<float> scales) {
        OnnxBuilder b(10);
        b.input("x", dims);
        b.floats("scales", {4}, std::move(scales));
        b.node("Resize", {"x", "scales"}, {"y"});
        b.output("y");
        return runFloats(imported(b), {counting(dims)});
    };
    const Dims line = {1, 1, 1, 10};
    EXPECT_EQ(resized(line, {1, 1, 1, 0.6f}), (std::vector<float>{0, 2, 4, 5, 7, 9}));
    EXPECT_EQ(resized(line, {1, 1, 1, 0.7f}), (std::vector<float>{0, 2, 3, 5, 6, 8, 9}));
    EXPECT_EQ(resized(line, {1, 1, 1, 1.4f}), (std::vector<float>{0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9}));
    EXPECT_EQ(resized({1, 1, 2, 5}, {1, 1, 2, 0.5f}), (std::vector<float>{0, 2, 0, 2, 5, 7, 5, 7}));
    EXPECT_EQ(resized({1, 1, 4, 5}, {1, 1, 0.6f, 1.4f}),
              (std::vector<float>{0, 0, 1, 2, 2, 3, 4, 10, 10, 11, 12, 12, 13, 14}));
}

TEST(Lifting, NearestResizeBefore11ByComputedScales) {
    OnnxBuilder b(10);
    b.input("x", {1, 1, 1, 10});
    b.floats("batch", {2}, {1, 1});
    b.floats("spatial", {2}, {1, 0.6f});
    setInt(b.node("Concat", {"batch", "spatial"}, {"scales"}), "axis", 0);
    b.node("Resize", {"x", "scales"}, {"y"});
    b.output("y");
    EXPECT_EQ(runFloats(imported(b), {counting({1, 1, 1, 10})}), (std::vector<float>{0, 2, 4, 5, 7, 9}));
}

TEST(Lifting, NoFileMayNameTheModeOfResizeBefore11) {
    OnnxBuilder b(13);
    b.input("x", {1, 1, 1, 10});
    b.floats("scales", {4}, {1, 1, 1, 0.6f});
    setString(b.node("Resize", {"x", "", "scales"}, {"y"}), "nearest_mode", kNearestByScale);
    b.output("y");
    const auto refused = b.import();
    ASSERT_FALSE(refused.hasValue());
    EXPECT_NE(refused.status().message().find("allowed: round_prefer_floor"), std::string::npos)
        << refused.status().message();
}

/// A mode that only opsets 11 and 12 have; the numbers are onnxruntime's.
TEST(Lifting, ResizeByTheHalfPixelsOfTensorFlow) {
    const auto resized = [](const char* nearest, float scale) {
        OnnxBuilder b(11);
        b.input("x", {1, 1, 1, 10});
        b.floats("roi", {0}, {});
        b.floats("scales", {4}, {1, 1, 1, scale});
        auto& node = b.node("Resize", {"x", "roi", "scales"}, {"y"});
        setString(node, "coordinate_transformation_mode", "tf_half_pixel_for_nn");
        setString(node, "nearest_mode", nearest);
        b.output("y");
        return runFloats(imported(b), {counting({1, 1, 1, 10})});
    };
    EXPECT_EQ(resized("floor", 0.6f), (std::vector<float>{0, 2, 4, 5, 7, 9}));
    EXPECT_EQ(resized("ceil", 0.6f), (std::vector<float>{1, 3, 5, 6, 8, 9}));
    EXPECT_EQ(resized("floor", 1.4f), (std::vector<float>{0, 1, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8, 9}));
    EXPECT_EQ(resized("round_prefer_floor", 1.4f), (std::vector<float>{0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9}));
}

TEST(Lifting, ASplitCountsOutputsWithoutAName) {
    OnnxBuilder b(13);
    b.input("x", {6});
    b.node("Split", {"x"}, {"a", "b", ""});
    b.output("a");
    b.output("b");
    const Network network = imported(b);
    EXPECT_EQ(toString(network.tensor(network.findTensor("a")).shape), "[2]");
    const auto y = runReference(network, {makeFloatWeights({6}, std::vector<float>{0, 1, 2, 3, 4, 5})});
    ASSERT_TRUE(y.hasValue()) << y.status().message();
    EXPECT_EQ(toFloats(*(*y)[1]), (std::vector<float>{2, 3}));
}

TEST(Lifting, BroadcastFromAnAxis) {
    OnnxBuilder b(6);
    b.input("x", {1, 2, 2});
    b.floats("c", {2}, {10, 20});
    auto& add = b.node("Add", {"x", "c"}, {"y"});
    setInt(add, "broadcast", 1);
    setInt(add, "axis", 1);
    b.output("y");
    EXPECT_EQ(runFloats(imported(b), {makeFloatWeights({1, 2, 2}, std::vector<float>{1, 2, 3, 4})}),
              (std::vector<float>{11, 12, 23, 24}));
}

TEST(Lifting, MicrosoftFusedMatMul) {
    OnnxBuilder b;
    auto& entry = *b.model.add_opset_import();
    entry.set_domain("com.microsoft");
    entry.set_version(1);
    b.input("x", {1, 2});
    b.floats("w", {1, 2}, {3, 4});
    auto& node = b.node("FusedMatMul", {"x", "w"}, {"y"});
    node.set_domain("com.microsoft");
    setInt(node, "transB", 1);
    setFloat(node, "alpha", 0.5f);
    b.output("y");
    EXPECT_EQ(runFloats(imported(b), {makeFloatWeights({1, 2}, std::vector<float>{1, 2})}), (std::vector<float>{5.5f}));
}

TEST(Import, FunctionsAreWrittenOut) {
    OnnxBuilder b;
    b.input("x", {2});
    auto& entry = *b.model.add_opset_import();
    entry.set_domain("my");
    entry.set_version(1);
    auto& function = *b.model.add_functions();
    function.set_name("Double");
    function.set_domain("my");
    function.add_input("a");
    function.add_output("r");
    auto& add = *function.add_node();
    add.set_op_type("Add");
    add.add_input("a");
    add.add_input("a");
    add.add_output("r");
    b.node("Double", {"x"}, {"h"}, "one").set_domain("my");
    b.node("Double", {"h"}, {"y"}, "two").set_domain("my");
    b.output("y");
    const Network network = imported(b);
    EXPECT_NE(network.findLayer("one/Add_0"), kNone);
    EXPECT_EQ(network.tensor(network.outputs()[0]).name, "y");
    EXPECT_EQ(runFloats(network, {makeFloatWeights({2}, std::vector<float>{1, -2})}), (std::vector<float>{4, -8}));

    auto& self = *b.model.mutable_functions(0)->add_node();
    self.set_op_type("Double");
    self.set_domain("my");
    self.add_input("r");
    self.add_output("s");
    EXPECT_NE(b.import().status().message().find("calls itself"), std::string::npos);
}

/// sum over iterations of (x·w), with x captured from outside and w a constant of the outer graph.
TEST(Import, LoopBodiesGetTheirCapturesAsInputs) {
    OnnxBuilder b;
    b.input("x", {1});
    b.input("n", {}, DataType::Int64);
    b.floats("w", {1}, {2.0f});
    b.floats("zero", {1}, {0.0f});
    auto& loop = b.node("Loop", {"n", "", "zero"}, {"sum", "steps"}, "loop");
    auto& body = setGraph(loop, "body");
    addValue(*body.mutable_input(), "i", DataType::Int64, {});
    addValue(*body.mutable_input(), "go", DataType::Bool, {});
    addValue(*body.mutable_input(), "acc", DataType::Float32, {1});
    addNode(body, "Mul", {"x", "w"}, {"term"});
    addNode(body, "Add", {"acc", "term"}, {"next"});
    addNode(body, "Identity", {"go"}, {"goOn"});
    for (const char* name : {"goOn", "next", "next"}) body.add_output()->set_name(name);
    b.output("sum");
    b.output("steps");
    const Network network = imported(b);
    const Layer& layer = network.layer(network.findLayer("loop"));
    EXPECT_EQ(layer.attributes.getInt("captures", -1), 1);
    ASSERT_EQ(layer.inputs.size(), 4u);
    EXPECT_EQ(network.tensor(layer.inputs[3]).name, "x");
    EXPECT_EQ(layer.subgraphs[0]->inputs().size(), 4u);
    const auto outputs = runReference(
        network, {makeFloatWeights({1}, std::vector<float>{3}), makeInt64Weights({}, std::vector<int64_t>{3})});
    ASSERT_TRUE(outputs) << outputs.status().message();
    EXPECT_EQ(toFloats(*(*outputs)[0]), std::vector<float>{18});
    EXPECT_EQ(toFloats(*(*outputs)[1]), (std::vector<float>{6, 12, 18}));
}

TEST(Import, InitializersAreNotCopied) {
    OnnxBuilder b;
    b.input("x", {1});
    b.floats("w", {1}, {42.0f});
    b.node("Add", {"x", "w"}, {"y"});
    b.output("y");
    auto owner = std::make_shared<std::string>(b.bytes());
    const auto* begin = reinterpret_cast<const uint8_t*>(owner->data());
    const auto model = importOnnxBytes({begin, owner->size()}, owner, "mapped", "");
    ASSERT_TRUE(model) << model.status().message();
    const auto* data =
        static_cast<const uint8_t*>(model->network.tensor(model->network.findTensor("w")).constant->data.get());
    EXPECT_TRUE(data >= begin && data < begin + owner->size());
}

}  // namespace
}  // namespace strobe
