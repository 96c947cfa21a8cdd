#include <gtest/gtest.h>

#include "tests/support/inference_test.h"

namespace strobe {
namespace {

struct Refused {
    const char* op;
    std::vector<Shape> inputs;
    Attributes given;
    const char* message;
    DataType type = DataType::Float32;
};

class RefusedTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, SaysWhy) {
    InferenceGraph g;
    std::vector<TensorId> inputs;
    for (const Shape& shape : GetParam().inputs) inputs.push_back(g.input(GetParam().type, shape));
    g.add(GetParam().op, inputs, GetParam().given);
    EXPECT_FALSE(g.status.isOk());
    EXPECT_NE(g.status.message().find(GetParam().message), std::string::npos) << g.status.message();
    EXPECT_NE(g.status.message().find(GetParam().op), std::string::npos) << g.status.message();
}

INSTANTIATE_TEST_SUITE_P(
    Ops, RefusedTest,
    testing::Values(
        Refused{"Add", {{2}, {3}}, {}, "do not broadcast"},
        Refused{"Sqrt", {{2}}, {}, "has type int64", DataType::Int64}, Refused{"Not", {{2}}, {}, "allowed: bool"},
        Refused{"Cast", {{2}}, {}, "'to' is missing"},
        Refused{"Cast", {{2}}, attributes({{"to", int64_t{14}}}), "element type 14"},
        Refused{"BitCast", {{2}}, attributes({{"to", int64_t{3}}}), "not as wide"},
        Refused{"Gelu", {{2}}, attributes({{"approximate", std::string("erf")}}), "'erf'"},
        Refused{"Transpose", {{2, 3}}, attributes({{"perm", std::vector<int64_t>{0}}}), "'perm' has 1"},
        Refused{"Transpose", {{2, 3}}, attributes({{"perm", std::vector<int64_t>{0, 0}}}), "needed once"},
        Refused{"Transpose", {{2, 3}}, attributes({{"perm", std::vector<int64_t>{0, 5}}}), "[0,5]"},
        Refused{"Transpose", {{2, 3}}, attributes({{"perm", std::vector<int64_t>{0, -1}}}), "[0,-1]"},
        Refused{"Concat", {{2, 3}, {2, 4}}, attributes({{"axis", int64_t{0}}}), "differ outside axis 0"},
        Refused{"Concat", {{2, 3}, {2}}, attributes({{"axis", int64_t{0}}}), "rank 1"},
        Refused{"Concat", {{2, 3}}, attributes({{"axis", int64_t{2}}}), "axis 2"},
        Refused{"Split", {{6}}, attributes({{"num_outputs", int64_t{4}}}), "'num_outputs' is 4"},
        Refused{"Flatten", {{6}}, attributes({{"axis", int64_t{3}}}), "'axis' is 3"},
        Refused{"Pad", {{6}, {2}}, attributes({{"mode", std::string("mirror")}}), "'mirror'"},
        Refused{"DepthToSpace", {{1, 6, 2, 2}}, attributes({{"blocksize", int64_t{2}}}), "not divisible by 4"},
        Refused{"DepthToSpace", {{1, 4, 2, 2}}, attributes({{"blocksize", int64_t{0}}}), "'blocksize' is 0"},
        Refused{"ChannelShuffle", {{1, 6, 2, 2}}, attributes({{"group", int64_t{4}}}), "not divisible by 4"},
        Refused{"ChannelShuffle", {{1, 6, 2, 2}}, attributes({{"group", int64_t{0}}}), "'group' is 0"},
        Refused{"Gather", {{6}, {2}}, {}, "has type fp32"}, Refused{"GatherND", {{6}, {2, 1}}, {}, "has type fp32"},
        Refused{"ReverseSequence", {{2, 2}, {2}}, {}, "has type fp32"},
        Refused{"Trilu", {{2, 2}, {}}, {}, "has type fp32"}, Refused{"Multinomial", {{6}}, {}, "rank 2 is needed"},
        Refused{"ScatterND", {{6}, {2, 1}, {2}}, attributes({{"reduction", std::string("sub")}}), "'sub'"},
        Refused{"RandomNormal", {}, attributes({{"shape", std::vector<int64_t>{-2}}}), "holds -2"},
        Refused{"LSTM",
                {{5, 2, 3}, {2, 16, 3}, {2, 16, 4}, {1, 32}},
                attributes({{"direction", std::string("bidirectional")}}),
                "the directions"},
        Refused{"LSTM", {{5, 2, 3}, {1, 16, 3}, {1, 16, 4}, {1, 16}}, {}, "two biases a gate"},
        Refused{"Conv",
                {{1, 6, 8, 8}, {4, 3, 3, 3}},
                attributes({{"group", INT64_MAX}}),
                "with group 9223372036854775807 need"},
        Refused{"Conv",
                {{1, 6, 8, 8}, {4, 6, 3, 3}},
                attributes({{"dilations", std::vector<int64_t>{INT64_MAX, 1}}}),
                "'dilations' holds 9223372036854775807, 1 to 2147483647"},
        Refused{"ConvTranspose",
                {{1, 6, 8, 8}, {6, 4, 3, 3}},
                attributes({{"group", INT64_MAX}}),
                "does not divide the 6 input channels"},
        Refused{"ConvTranspose",
                {{1, 6, 8, 8}, {6, 4, 3, 3}},
                attributes({{"output_padding", std::vector<int64_t>{INT64_MIN, 0}}}),
                "pads take away more"},
        Refused{"MaxPool",
                {{1, 6, 8, 8}},
                attributes({{"kernel_shape", std::vector<int64_t>{INT64_MAX, 1}}}),
                "the kernel's shape holds 9223372036854775807"},
        Refused{"MaxPool",
                {{1, 6, 8, 8}},
                attributes({{"kernel_shape", std::vector<int64_t>{2, 2}},
                            {"pads", std::vector<int64_t>{INT64_MIN, 0, 0, 0}}}),
                "'pads' holds"},
        Refused{"Conv", {{1, 6, 8, 8}, {4, 6, 3, 3}, {3}}, {}, "one bias an output channel"},
        Refused{"Conv", {{1, 6, 8, 8}, {4, 6, 3, 3}, {}}, {}, "rank 1 is needed"},
        Refused{"ConvInteger", {{1, 6, 8, 8}, {4, 6, 3, 3}, {}, {3}}, {}, "one an output channel"},
        Refused{"MatMul", {{2, 3, 4}, {4}, {3}}, {}, "one value a column"},
        Refused{"Attention", {{2, 4, 3, 8}, {1, 4, 3, 8}, {2, 4, 3, 8}}, {}, "Q has a batch of 2, K 1"},
        Refused{"Attention", {{2, 4, 3, 8}, {2, 4, 3, 8}, {2, 1, 3, 8}}, {}, "K has 4 heads, V 1"},
        Refused{"Attention", {{2, 4, 3, 8}, {2, 4, 3, 8}, {2, 4, 3, 8}, {}}, {}, "rank 1 to 4 is needed"},
        Refused{"Attention", {{2, 4, 3, 8}, {2, 4, 3, 8}, {2, 4, 3, 8}, {3, 1, 3, 3}}, {}, "what Q has there"},
        Refused{"Attention",
                {{2, 4, 3, 8}, {2, 4, 3, 8}, {2, 4, 3, 8}, {3, 3}, {2, 2, 5, 8}, {2, 4, 5, 8}},
                {},
                "the heads"},
        Refused{"RotaryEmbedding", {{2, 4, 3, 8}, {2, 3, 4}, {2, 1, 4}}, {}, "the shape of the cosines"},
        Refused{"RotaryEmbedding", {{2, 4, 3, 8}, {9, 4}, {9, 4}, {2, 2}}, {}, "the positions of input 0"},
        Refused{"QLinearMatMul", {{2, 3}, {0}, {}, {3, 2}, {}, {}, {}, {}}, {}, "(a scale) has no element"},
        Refused{"MaxUnpool",
                {{1, 2, 3, 3}, {1, 2, 3, 2}},
                attributes({{"kernel_shape", std::vector<int64_t>{2, 2}}}),
                "an index for each element"},
        Refused{"MaxUnpool",
                {{1, 2, 3, 3}, {1, 2, 3, 3}},
                attributes({{"kernel_shape", std::vector<int64_t>{2, 2}}, {"pads", std::vector<int64_t>{9, 9, 9, 9}}}),
                "leave less than nothing"},
        Refused{"Pointwise", {{2}}, attributes({{"output_types", std::vector<int64_t>{1000}}}), "holds 1000"},
        Refused{"Slice", {{6}, {1}, {1}}, {}, "has type fp32"}, Refused{"Pad", {{6}, {2}}, {}, "has type fp32"},
        Refused{"Reshape", {{6}, {2}}, {}, "has type fp32"}, Refused{"EyeLike", {{6}}, {}, "rank 2 is needed"},
        Refused{"Compress", {{6}, {6}}, {}, "allowed: bool"}));

TEST(OpErrors, ValuesOutsideAreNamed) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {4, 5});
    g.add("Gather", {x, g.ints({4})});
    EXPECT_NE(g.status.message().find("holds 4"), std::string::npos) << g.status.message();
    g.add("Slice", {x, g.ints({0}), g.ints({1}), g.ints({0}), g.ints({0})});
    EXPECT_NE(g.status.message().find("steps) holds 0"), std::string::npos) << g.status.message();
    g.add("Squeeze", {x, g.ints({0})});
    EXPECT_NE(g.status.message().find("only 1 can be squeezed"), std::string::npos) << g.status.message();
    g.add("Unsqueeze", {x, g.ints({0, 0})});
    EXPECT_NE(g.status.message().find("twice"), std::string::npos) << g.status.message();
    g.add("Pad", {x, g.ints({0, 0, -5, 0})});
    EXPECT_NE(g.status.message().find("take away more"), std::string::npos) << g.status.message();
    g.add("Expand", {x, g.ints({3, 5})});
    EXPECT_NE(g.status.message().find("do not broadcast"), std::string::npos) << g.status.message();
    const TensorId tuples = g.input(DataType::Int64, {3, 1});
    g.add("GatherND", {x, tuples}, attributes({{"batch_dims", int64_t{1}}}));
    EXPECT_NE(g.status.message().find("differ in batch dim 0"), std::string::npos) << g.status.message();
    g.add("Tile", {x, g.ints({2, -1})});
    EXPECT_NE(g.status.message().find("holds -1"), std::string::npos) << g.status.message();
}

/// Extents of a shape tensor that is itself too long to be one: nothing of that size may be made while inferring.
TEST(OpErrors, ShapesOfAbsurdRankAreRefused) {
    InferenceGraph g;
    const TensorId x = g.input(DataType::Float32, {4, 5}), many = g.input(DataType::Int64, {int64_t{1} << 40});
    for (const char* op : {"Reshape", "Expand"}) {
        g.add(op, {x, many});
        EXPECT_NE(g.status.message().find("1099511627776 extents"), std::string::npos) << g.status.message();
    }
    g.add("ConstantOfShape", {many});
    EXPECT_NE(g.status.message().find("1099511627776 extents"), std::string::npos) << g.status.message();
    g.add("Slice", {x, many, many});
    EXPECT_NE(g.status.message().find("has 1099511627776 elements"), std::string::npos) << g.status.message();
}

TEST(OpErrors, NoOpCrashesOnScalarsOrNothing) {
    for (const OpDefinition* op : OpRegistry::instance().all()) {
        if (op->name == "Pointwise") continue;
        for (int inputs = op->minInputs; inputs <= std::min(op->minInputs + 2, op->maxInputs); ++inputs) {
            InferenceGraph g;
            std::vector<TensorId> tensors;
            for (int i = 0; i < inputs; ++i) tensors.push_back(g.input(DataType::Int64, {}));
            g.add(op->name, tensors, {}, std::max(1, op->minOutputs));  // any outcome, but an orderly one
        }
    }
}

}  // namespace
}  // namespace strobe
