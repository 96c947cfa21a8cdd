// What ends a reference kernel's run before its end: a cancel midway, and memory that cannot be had.
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "tests/support/inference_test.h"
#include "tests/support/reference_test.h"

namespace strobe {
namespace {

using Type = DataType;

WeightsPtr filled(Dims dims, Type type = Type::Float32) {
    std::vector<double> values;
    for (int64_t i = 0; i < elementCount(dims); ++i) values.push_back(static_cast<double>(i * 7919 % 4001) * 1e-3);
    return numbers(type, std::move(dims), values);
}
WeightsPtr whole(const std::vector<int64_t>& values) {
    return makeInt64Weights({static_cast<int64_t>(values.size())}, values);
}

/// Cancels at the look after so many, which a kernel that asks in its loops comes to, and one that asks only while it
/// reads its inputs does not.
void expectStops(const std::string& op, const std::vector<WeightsPtr>& inputs, const Attributes& given = {},
                 int outputs = 1, int64_t looks = 4) {
    const CancelToken midway = CancelToken::atLook(looks);
    const ReferenceOutcome outcome = runReference(op, inputs, given, outputs, nullptr, &midway);
    EXPECT_EQ(outcome.status.code(), ErrorCode::Cancelled) << op << ": " << outcome.status.message();
}

TEST(ReferenceCancel, OrderingStopsMidway) {
    const WeightsPtr line = filled({500000}), rows = filled({500, 10000});
    expectStops("TopK", {line, whole({10})}, {}, 2);
    expectStops("TopK", {rows, whole({10})}, {}, 2);
    expectStops("CumSum", {rows, whole({1})});
    expectStops("ArgMax", {rows}, attributes({{"axis", int64_t{1}}}));
    expectStops("ArgMin", {filled({10000, 500})}, attributes({{"axis", int64_t{0}}}));
    expectStops("Unique", {line});
}

TEST(ReferenceCancel, ElementsStopMidway) {
    const WeightsPtr large = filled({2000, 2500});
    expectStops("Transpose", {large});
    expectStops("Add", {large, large});
    expectStops("Cast", {large}, attributes({{"to", onnxTypeNumber(Type::Float64)}}));
    expectStops("ConstantOfShape", {whole({2000, 2500})});
    expectStops("Gather", {large, whole(std::vector<int64_t>(2000, 7))});
}

TEST(ReferenceCancel, BoxesStopMidway) {
    const int64_t count = 4000;
    std::vector<double> apart;
    for (int64_t i = 0; i < count; ++i) {
        const auto at = static_cast<double>(i);
        apart.insert(apart.end(), {2 * at, 2 * at, 2 * at + 1, 2 * at + 1});
    }
    expectStops("NonMaxSuppression",
                {numbers(Type::Float32, {1, count, 4}, apart), filled({1, 1, count}), whole({count})});
    const WeightsPtr box = numbers(Type::Float32, {1, 4}, {0, 0, 500, 500});
    expectStops(
        "RoiAlign", {filled({1, 1, 512, 512}), box, whole({0})},
        attributes({{"output_height", int64_t{2}}, {"output_width", int64_t{2}}, {"sampling_ratio", int64_t{400}}}));
}

TEST(ReferenceCancel, GeneratorsStopMidway) {
    const std::vector<int64_t> shape = {2000, 2500};
    for (const char* op : {"RandomNormal", "RandomUniform"}) expectStops(op, {}, attributes({{"shape", shape}}));
    expectStops("Bernoulli", {filled({2000, 2500})}, {}, 1, 8);
    expectStops("Multinomial", {filled({4, 5})}, attributes({{"sample_size", int64_t{1'000'000}}}));
    expectStops("Range", {makeWeights<int64_t>(Type::Int64, {}, std::vector<int64_t>{0}),
                          makeWeights<int64_t>(Type::Int64, {}, std::vector<int64_t>{20'000'000}),
                          makeWeights<int64_t>(Type::Int64, {}, std::vector<int64_t>{1})});
    expectStops("OneHot", {whole(std::vector<int64_t>(2000, 7)), whole({10000}), filled({2})});
}

TEST(ReferenceCancel, ResizeStopsMidway) {
    for (const char* mode : {"nearest", "linear", "cubic"})
        expectStops("Resize", {filled({1, 1, 10, 10}), nullptr, nullptr, whole({1, 1, 3000, 3000})},
                    attributes({{"mode", std::string(mode)}}));
}

TEST(ReferenceCancel, RecurrentLayersStopMidway) {
    const int64_t hidden = 64;
    const auto layer = [&](const std::string& op, int64_t gates) {
        expectStops(
            op, {filled({300, 1, hidden}), filled({1, gates * hidden, hidden}), filled({1, gates * hidden, hidden})},
            attributes({{"hidden_size", hidden}}));
    };
    layer("LSTM", 4);
    layer("GRU", 3);
    expectStops("RNN", {filled({900, 1, hidden}), filled({1, hidden, hidden}), filled({1, hidden, hidden})},
                attributes({{"hidden_size", hidden}}));
}

TEST(ReferenceCancel, SumsOfProductsStopMidway) {
    expectStops("DFT", {filled({1, 700, 1})});
    const WeightsPtr heads = filled({1, 1, 300, 64});
    expectStops("Attention", {heads, heads, heads}, {}, 1, 5);
    expectStops("MatMul", {filled({200, 200}), filled({200, 200})});
    expectStops("Det", {filled({400, 400})});
}

/// Scores that nobody asked for are not kept: they would be 8 bytes for each pair of 20,000 positions.
TEST(ReferenceMemory, AttentionKeepsOnlyTheScoresThatAreAskedFor) {
    const WeightsPtr few = filled({1, 1, 5, 3});
    const ReferenceOutcome without = runReference("Attention", {few, few, few}),
                           with = runReference("Attention", {few, few, few, nullptr, nullptr, nullptr, nullptr}, {}, 4);
    ASSERT_TRUE(without.status.isOk() && with.status.isOk()) << with.status.message();
    EXPECT_EQ(without.values[0], with.values[0]);
    EXPECT_EQ(with.values[3].size(), 25u);
}

Status lackMemory(const Problem&, const RunArguments&) {
    throw std::bad_alloc();
}
Status growTooLong(const Problem&, const RunArguments&) {
    throw std::length_error("too long");
}

TEST(ReferenceMemory, ExceptionsOfTheLibraryAreAStatus) {
    for (const auto run : {lackMemory, growTooLong}) {
        KernelRegistry kernels;
        addReference(kernels, {"Relu", run});
        Problem problem;
        const Attributes none;
        problem.op = OpRegistry::instance().get("Relu");
        problem.attributes = &none;
        const auto kernel = kernels.findByName("reference.Relu")->prepare(problem, {});
        ASSERT_TRUE(kernel);
        const Status status = (*kernel)->run({});
        EXPECT_EQ(status.code(), ErrorCode::OutOfMemory);
        EXPECT_NE(status.message().find("Relu"), std::string::npos) << status.message();
    }
}

}  // namespace
}  // namespace strobe
