// Outputs that a model does not name: whatever reads the others gets the same as if all had names.
#include <functional>

#include "engine_core/runtime/execution_context.h"
#include "tests/engine_core/runtime/engine_test_support.h"
#include "tests/support/onnx_builder.h"

namespace strobe {
namespace {

using Attribute = std::function<void(strobe_onnx::NodeProto&)>;

/// One node on x (and constants c0 …); the outputs that are named are cast and returned.
struct OneNode {
    std::string op;
    std::vector<int64_t> x;
    std::vector<std::string> outputs;  // "" for one without a name
    std::vector<std::vector<int64_t>> floats = {}, ints = {};
    Attribute attribute = [](strobe_onnx::NodeProto&) {};
    bool xIsConstant = false;
};

std::vector<float> values(int64_t count) {
    std::vector<float> result(static_cast<size_t>(count));
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<float>(i * 37 % 23) - 9.0f;
    return result;
}

/// What the outputs in `wanted` come to.
std::vector<std::vector<float>> run(const OneNode& node, const std::vector<std::string>& outputs,
                                    const std::vector<std::string>& wanted, int level) {
    OnnxBuilder b(node.op == "Split" ? 13 : kNewestOpset);
    const std::vector<float> x = values(elementCount(Dims(node.x)));
    b.input("z", {1});
    if (node.xIsConstant)
        b.floats("x", node.x, x);
    else
        b.input("x", node.x);
    std::vector<std::string> inputs = {"x"};
    for (const auto& dims : node.floats) {
        inputs.push_back("c" + std::to_string(inputs.size()));
        b.floats(inputs.back(), dims, values(elementCount(Dims(dims))));
    }
    for (const auto& list : node.ints) {
        inputs.push_back("c" + std::to_string(inputs.size()));
        b.ints(inputs.back(), {static_cast<int64_t>(list.size())}, list);
    }
    node.attribute(b.node(node.op, inputs, outputs, "node"));
    for (const std::string& name : wanted) {
        setInt(b.node("Cast", {name}, {name + "_cast"}), "to", 1);
        b.node("Add", {name + "_cast", "z"}, {name + "_out"});
        b.output(name + "_out");
    }
    auto model = b.import();
    EXPECT_TRUE(model) << node.op << ": " << model.status().message();
    if (!model) return {};
    BuilderConfig config = test::quickConfig();
    config.optimizationLevel = level;
    const auto engine = test::buildEngine(std::move(model->network), config);
    if (!engine) return {};
    auto context = engine->createContext();
    const float zero = 0.0f;
    EXPECT_TRUE((*context)->setInput(0, &zero, {1}).isOk());
    const Status bound = node.xIsConstant ? Status::ok() : (*context)->setInput(1, x.data(), Dims(node.x));
    EXPECT_TRUE(bound.isOk()) << bound.message();
    const Status status = (*context)->run();
    EXPECT_TRUE(status.isOk()) << node.op << ": " << status.message();
    std::vector<std::vector<float>> results;
    for (int i = 0; status.isOk() && i < static_cast<int>(wanted.size()); ++i) {
        const auto* data = static_cast<const float*>((*context)->outputData(i));
        results.emplace_back(data, data + elementCount(*(*context)->outputDims(i)));
    }
    return results;
}

void expectSameAsNamed(const OneNode& node) {
    std::vector<std::string> wanted, named = node.outputs;
    for (size_t i = 0; i < named.size(); ++i) {
        if (!named[i].empty()) wanted.push_back(named[i]);
        if (named[i].empty()) named[i] = "named" + std::to_string(i);
    }
    for (int level : {0, 2}) {
        const auto without = run(node, node.outputs, wanted, level);
        EXPECT_EQ(without.size(), wanted.size()) << node.op;
        EXPECT_EQ(without, run(node, named, wanted, level)) << node.op << " at level " << level;
    }
}

TEST(OptionalOutputs, PartsOfASplitNeedNoName) {
    for (const bool constant : {false, true})
        for (const auto& outputs : {std::vector<std::string>{"a", "b", ""}, {"a", "", "c"}, {"", "b", ""}})
            expectSameAsNamed({"Split", {6, 2}, outputs, {}, {}, [](auto& n) { setInt(n, "axis", 0); }, constant});
}

TEST(OptionalOutputs, OfOtherOpsMayBeAbsent) {
    const auto kernel = [](auto& n) { setInts(n, "kernel_shape", {2, 2}); };
    const auto hidden = [](auto& n) { setInt(n, "hidden_size", 3); };
    const std::vector<std::string> last = {"", "b"};
    for (const bool constant : {false, true}) {
        expectSameAsNamed({"MaxPool", {1, 2, 4, 4}, last, {}, {}, kernel, constant});
        expectSameAsNamed({"TopK", {3, 8}, last, {}, {{2}}, [](auto&) {}, constant});
        expectSameAsNamed({"TopK", {3, 8}, {"a", ""}, {}, {{2}}, [](auto&) {}, constant});
        expectSameAsNamed({"Unique", {12}, last, {}, {}, [](auto&) {}, constant});
        expectSameAsNamed({"Unique", {12}, {"", "", "c"}, {}, {}, [](auto&) {}, constant});
        expectSameAsNamed({"Dropout", {3, 4}, last, {}, {}, [](auto&) {}, constant});
        expectSameAsNamed({"LayerNormalization", {3, 4}, last, {{4}}, {}, [](auto&) {}, constant});
        expectSameAsNamed({"DynamicQuantizeLinear", {3, 4}, {"", "b", ""}, {}, {}, [](auto&) {}, constant});
        expectSameAsNamed({"GRU", {5, 1, 2}, last, {{1, 9, 2}, {1, 9, 3}}, {}, hidden, constant});
        expectSameAsNamed({"RNN", {5, 1, 2}, last, {{1, 3, 2}, {1, 3, 3}}, {}, hidden, constant});
        expectSameAsNamed({"LSTM", {5, 1, 2}, last, {{1, 12, 2}, {1, 12, 3}}, {}, hidden, constant});
        expectSameAsNamed({"LSTM", {5, 1, 2}, {"", "", "c"}, {{1, 12, 2}, {1, 12, 3}}, {}, hidden, constant});
    }
}

}  // namespace
}  // namespace strobe
