#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/inference_test.h"
#include "tests/support/reference_test.h"

namespace strobe {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

using Type = DataType;

std::vector<double> run(const std::string& op, const std::vector<WeightsPtr>& inputs, const Attributes& given = {}) {
    const ReferenceOutcome outcome = runReference(op, inputs, given);
    EXPECT_TRUE(outcome.status.isOk()) << op << ": " << outcome.status.message();
    return outcome.values.empty() ? std::vector<double>() : outcome.values[0];
}

TEST(Elementwise, IntegersWrapAround) {
    EXPECT_THAT(run("Add", {numbers(Type::Int8, {2}, {127, -128}), numbers(Type::Int8, {1}, {1})}),
                ElementsAre(-128, -127));
    EXPECT_THAT(run("Sub", {numbers(Type::UInt8, {1}, {0}), numbers(Type::UInt8, {1}, {1})}), ElementsAre(255));
    EXPECT_THAT(run("Mul", {numbers(Type::Int32, {1}, {65536}), numbers(Type::Int32, {1}, {65536})}), ElementsAre(0));
    EXPECT_THAT(
        run("Div", {numbers(Type::Int32, {4}, {-7, 7, 5, INT32_MIN}), numbers(Type::Int32, {4}, {2, -2, 0, -1})}),
        ElementsAre(-3, -3, 0, INT32_MIN));
    EXPECT_THAT(run("Abs", {numbers(Type::Int16, {2}, {-5, 5})}), ElementsAre(5, 5));
    EXPECT_THAT(run("Pow", {numbers(Type::Int64, {3}, {2, -3, 7}), numbers(Type::Int64, {3}, {10, 3, 0})}),
                ElementsAre(1024, -27, 1));
}

TEST(Elementwise, ModTakesTheSignOfTheDivisorOrDividend) {
    const auto a = numbers(Type::Int64, {4}, {-4, 7, 5, -7}), b = numbers(Type::Int64, {4}, {3, -3, 8, -3});
    EXPECT_THAT(run("Mod", {a, b}), ElementsAre(2, -2, 5, -1));
    EXPECT_THAT(run("Mod", {a, b}, attributes({{"fmod", int64_t{1}}})), ElementsAre(-1, 1, 5, -1));
    const auto x = numbers(Type::Float32, {2}, {-4.5, 7.5}), y = numbers(Type::Float32, {2}, {3, -3});
    EXPECT_THAT(run("Mod", {x, y}), ElementsAre(1.5, -1.5));
    EXPECT_THAT(run("Mod", {x, y}, attributes({{"fmod", int64_t{1}}})), ElementsAre(-1.5, 1.5));
}

TEST(Elementwise, ShiftsPastTheWidth) {
    const auto x = numbers(Type::UInt8, {3}, {16, 1, 255}), by = numbers(Type::UInt8, {3}, {1, 7, 9});
    EXPECT_THAT(run("BitShift", {x, by}, attributes({{"direction", std::string("LEFT")}})), ElementsAre(32, 128, 0));
    EXPECT_THAT(run("BitShift", {x, by}, attributes({{"direction", std::string("RIGHT")}})), ElementsAre(8, 0, 0));
}

TEST(Elementwise, DoublesKeepTheirDigits) {
    const double third = 1.0 / 3.0;
    EXPECT_THAT(run("Exp", {numbers(Type::Float64, {1}, {third})}), ElementsAre(std::exp(third)));
    EXPECT_THAT(run("Add", {numbers(Type::Float64, {1}, {third}), numbers(Type::Float64, {1}, {1e-12})}),
                ElementsAre(third + 1e-12));
}

TEST(Elementwise, BroadcastsAndCompares) {
    const auto column = numbers(Type::Float32, {2, 1}, {1, 2}), row = numbers(Type::Float32, {3}, {1, 2, 3});
    EXPECT_THAT(run("Add", {column, row}), ElementsAre(2, 3, 4, 3, 4, 5));
    EXPECT_THAT(run("GreaterOrEqual", {column, row}), ElementsAre(1, 0, 0, 1, 1, 0));
    EXPECT_THAT(run("Max", {column, row, numbers(Type::Float32, {}, {2})}), ElementsAre(2, 2, 3, 2, 2, 3));
    EXPECT_THAT(run("Mean", {column, row}), ElementsAre(1, 1.5, 2, 1.5, 2, 2.5));
    EXPECT_THAT(run("Where", {numbers(Type::Bool, {2, 1}, {1, 0}), row, numbers(Type::Float32, {}, {9})}),
                ElementsAre(1, 2, 3, 9, 9, 9));
    EXPECT_THAT(run("Xor", {numbers(Type::Bool, {2}, {1, 0}), numbers(Type::Bool, {1}, {1})}), ElementsAre(0, 1));
}

TEST(Elementwise, Activations) {
    const auto x = numbers(Type::Float32, {3}, {-2, 0, 2});
    EXPECT_THAT(run("LeakyRelu", {x}), ElementsAre(DoubleNear(-0.02, 1e-6), 0, 2));
    EXPECT_THAT(run("Clip", {x, numbers(Type::Float32, {}, {-1}), nullptr}), ElementsAre(-1, 0, 2));
    EXPECT_THAT(run("Clip", {x, numbers(Type::Float32, {}, {3}), numbers(Type::Float32, {}, {1})}),
                ElementsAre(1, 1, 1));
    EXPECT_THAT(run("Shrink", {x}, attributes({{"bias", 0.5f}, {"lambd", 1.5f}})), ElementsAre(-1.5, 0, 1.5));
    EXPECT_THAT(run("HardSwish", {x}), ElementsAre(DoubleNear(-1.0 / 3.0, 1e-6), 0, DoubleNear(5.0 / 3.0, 1e-6)));
    EXPECT_THAT(run("Swish", {x}, attributes({{"alpha", 2.0f}}))[2], DoubleNear(2.0 / (1.0 + std::exp(-4.0)), 1e-6));
    EXPECT_THAT(run("PRelu", {x, numbers(Type::Float32, {1}, {0.5})}), ElementsAre(-1, 0, 2));
    EXPECT_THAT(run("Round", {numbers(Type::Float32, {4}, {0.5, 1.5, 2.5, -0.5})}), ElementsAre(0, 2, 2, 0));
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_THAT(run("IsInf", {numbers(Type::Float32, {3}, {infinity, -infinity, 1})},
                    attributes({{"detect_negative", int64_t{0}}})),
                ElementsAre(1, 0, 0));
}

TEST(Elementwise, CastsSaturateOrNot) {
    const auto cast = [](WeightsPtr x, Type to, int64_t saturate = 1) {
        return run("Cast", {std::move(x)}, attributes({{"to", onnxTypeNumber(to)}, {"saturate", saturate}}));
    };
    const auto x = numbers(Type::Float32, {4}, {-1.7, 0, 1.7, 1000});
    EXPECT_THAT(cast(x, Type::Int32), ElementsAre(-1, 0, 1, 1000));
    EXPECT_THAT(cast(x, Type::Bool), ElementsAre(1, 0, 1, 1));
    EXPECT_THAT(cast(x, Type::Float8E4M3FN), ElementsAre(-1.75, 0, 1.75, 448));
    EXPECT_TRUE(std::isnan(cast(x, Type::Float8E4M3FN, 0)[3]));
    EXPECT_THAT(cast(numbers(Type::Int64, {2}, {300, -1}), Type::UInt8), ElementsAre(44, 255));
    EXPECT_THAT(cast(numbers(Type::Float32, {3}, {-3, 7, 2}), Type::Int4), ElementsAre(-3, 7, 2));
    const auto big = makeInt64Weights({1}, std::vector<int64_t>{(int64_t{1} << 53) + 1});
    const ReferenceOutcome same = runReference("Cast", {big}, attributes({{"to", onnxTypeNumber(Type::UInt64)}}));
    EXPECT_EQ(same.tensors[0]->copyAs<uint64_t>()[0], (uint64_t{1} << 53) + 1);
}

TEST(Elementwise, CastsToTextAndBack) {
    const Attributes toText = attributes({{"to", onnxTypeNumber(Type::String)}});
    const ReferenceOutcome text = runReference("Cast", {numbers(Type::Float64, {4}, {0.1, 3, -1e30, 0.5})}, toText);
    ASSERT_TRUE(text.status.isOk()) << text.status.message();
    const auto* strings = static_cast<const std::string*>(text.tensors[0]->data.get());
    EXPECT_EQ(strings[0], "0.1");
    EXPECT_EQ(strings[1], "3.0");
    EXPECT_EQ(strings[3], "0.5");
    const Attributes toDouble = attributes({{"to", onnxTypeNumber(Type::Float64)}});
    EXPECT_THAT(run("Cast", {text.tensors[0]}, toDouble), ElementsAre(0.1, 3, -1e30, 0.5));
    const auto words = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"twelve"});
    auto word = std::make_shared<Weights>();
    word->type = Type::String;
    word->dims = {1};
    word->data = std::shared_ptr<const void>(words, words->data());
    const ReferenceOutcome refused = runReference("Cast", {word}, toDouble);
    EXPECT_NE(refused.status.message().find("'twelve'"), std::string::npos) << refused.status.message();
}

TEST(Elementwise, PointwiseReadsBoolsAndStoresByType) {
    Attributes given = attributes({{"output_types", std::vector<int64_t>{static_cast<int64_t>(Type::Bool),
                                                                         static_cast<int64_t>(Type::Float32)}}});
    const auto program = PointwiseProgram::parse("v2=Add(v0,v1); v3=Greater(v2,v1); -> v3,v2", 2);
    ASSERT_TRUE(program);
    const ReferenceOutcome outcome = runReference(
        "Pointwise", {numbers(Type::Bool, {2}, {1, 0}), numbers(Type::Float32, {1}, {2.5})}, given, 2, &*program);
    ASSERT_TRUE(outcome.status.isOk()) << outcome.status.message();
    EXPECT_THAT(outcome.values[0], ElementsAre(1, 0));
    EXPECT_THAT(outcome.values[1], ElementsAre(3.5, 2.5));
}

}  // namespace
}  // namespace strobe
