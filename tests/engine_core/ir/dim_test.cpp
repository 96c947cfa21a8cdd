#include "engine_core/ir/dim.h"

#include <gtest/gtest.h>

namespace strobe {
namespace {

const Dim N = Dim::symbol("N"), H = Dim::symbol("H");

TEST(Dim, EqualExpressionsCompareEqual) {
    EXPECT_EQ((N + Dim(1)) * H, H + N * H);
    EXPECT_NE(N * H, N + H);
    EXPECT_EQ(N - N, Dim(0));
}

TEST(Dim, DividesExactly) {
    EXPECT_EQ(Dim::floorDiv(N * H * Dim(6), N * Dim(3)), H * Dim(2));
    EXPECT_EQ(Dim::floorDiv((N + Dim(1)) * H, N + Dim(1)), H);
    EXPECT_EQ(Dim::floorDiv(N * Dim(4) + Dim(3), Dim(4)), N);
    EXPECT_EQ(Dim::floorDiv(Dim::floorDiv(H, Dim(2)), Dim(3)), Dim::floorDiv(H, Dim(6)));
}

TEST(Dim, FloorsTowardsMinusInfinity) {
    EXPECT_EQ(Dim::floorDiv(Dim(-3), Dim(2)), Dim(-2));
    EXPECT_EQ(*Dim::ceilDiv(H, Dim(2)).evaluate({{"H", 5}}), 3);
    EXPECT_EQ(*Dim::mod(H, Dim(4)).evaluate({{"H", 7}}), 3);
}

TEST(Dim, EvaluateReportsWhatItCannotKnow) {
    EXPECT_FALSE((N * H).evaluate({{"N", 2}}).has_value());
    EXPECT_FALSE((N * N).evaluate({{"N", INT64_MAX}}).has_value());
    EXPECT_FALSE(Dim::floorDiv(N, H).evaluate({{"N", 2}, {"H", 0}}).has_value());
}

TEST(Dim, TextRoundTrips) {
    const Dim dims[] = {Dim(7), Dim(-7), Dim(INT64_MAX), N, N * Dim(2) - H + Dim(1), Dim::floorDiv(H - Dim(1), Dim(2)) * N, Dim::max(N, H), Dim::min(N * H, Dim(64))};
    for (const Dim& dim : dims) {
        const auto parsed = Dim::parse(dim.toString());
        ASSERT_TRUE(parsed) << dim.toString() << ": " << parsed.status().message();
        EXPECT_EQ(*parsed, dim) << dim.toString();
    }
    EXPECT_FALSE(Dim::parse("9223372036854775808").hasValue());
    EXPECT_FALSE(Dim::parse("N+").hasValue());
    EXPECT_FALSE(Dim::parse("foo(N,1)").hasValue());
}

TEST(Dim, SumsOfHugeConstantsSaturate) {
    EXPECT_GT((N + Dim(INT64_MAX) + Dim(7)).lowerBound(), INT64_MAX / 8);
}

TEST(Dim, TheLeastIntegerHasNoNegative) {
    EXPECT_GT(Dim::floorDiv(Dim(INT64_MIN), Dim(-1)).constant(), 0);
    const Dim least = N * Dim(INT64_MIN) + Dim(INT64_MIN);
    EXPECT_NE(Dim::floorDiv(least, N * Dim(-1)).toString(), "");
    EXPECT_NE((least * (N + Dim(1)) * Dim(-1)).toString(), "");
    EXPECT_TRUE(Dim::parse("floordiv(-9223372036854775807-1,-1)").hasValue());
}

TEST(Dim, BoundsFromBelow) {
    EXPECT_EQ(N.lowerBound(), 0);
    EXPECT_EQ((N * H + Dim(3)).lowerBound(), 3);
    EXPECT_EQ(Dim::max(N - Dim(5), Dim(2)).lowerBound(), 2);
    EXPECT_FALSE((N - H).lowerBound().has_value());
    EXPECT_EQ((N - Dim::floorDiv(N, Dim(2))).lowerBound(), 0);
    EXPECT_EQ((H - Dim::min(N, H)).lowerBound(), 0);
    EXPECT_FALSE((N - Dim::floorDiv(N, H)).lowerBound().has_value());
}

TEST(Dim, SubstitutesSymbols) {
    const Dim extent = Dim::floorDiv(H + Dim(1), Dim(2)) * N;
    EXPECT_EQ(extent.substitute({{"H", Dim(9)}, {"N", H}}), H * Dim(5));
}

TEST(Dim, ChainsOfMaximaAreSetsOfOperands) {
    const Dim a = Dim::symbol("a"), b = Dim::symbol("b"), c = Dim::symbol("c");
    const Dim all = Dim::max(c, Dim::max(b, a));
    EXPECT_EQ(all.toString(), "max(a,max(b,c))");
    EXPECT_EQ(Dim::max(Dim::max(c, a), Dim::max(a, b)), all);
    EXPECT_EQ(Dim::max(a, all), all);
    EXPECT_EQ(Dim::max(all, a + Dim(2)).toString(), "max(a+2,max(b,c))");
    EXPECT_EQ(Dim::min(Dim::min(b, a), b).toString(), "min(a,b)");
    EXPECT_EQ(*Dim::parse(all.toString()), all);
    EXPECT_EQ(all.evaluate({{"a", 1}, {"b", 7}, {"c", 3}}), 7);
}

TEST(Dim, BroadcastsAreSetsOfOperandsAndKeepZero) {
    const Dim a = Dim::symbol("a"), b = Dim::symbol("b"), c = Dim::symbol("c");
    const Dim all = Dim::broadcast(Dim::broadcast(c, a), Dim::broadcast(b, a));
    EXPECT_EQ(all.toString(), "broadcast(a,broadcast(b,c))");
    EXPECT_EQ(*Dim::parse(all.toString()), all);
    EXPECT_EQ(Dim::broadcast(a, Dim(1)), a);
    EXPECT_EQ(Dim::broadcast(Dim(0), a), Dim(0));
    EXPECT_EQ(all.evaluate({{"a", 1}, {"b", 7}, {"c", 1}}), 7);
    EXPECT_EQ(all.evaluate({{"a", 0}, {"b", 1}, {"c", 1}}), 0);
    EXPECT_EQ(all.evaluate({{"a", 1}, {"b", 1}, {"c", 0}}), 0);
    EXPECT_EQ(all.substitute({{"a", Dim(1)}, {"c", Dim(1)}}), b);
    EXPECT_EQ(all.lowerBound(), 0);
}

TEST(Dim, LargeProductsAreNotMultipliedOut) {
    Dim n = Dim::symbol("a") + Dim::symbol("b") + Dim(1);
    for (int i = 0; i < 6; ++i) n = n * n;
    EXPECT_LT(n.toString().size(), 20'000u);
    EXPECT_EQ(n.evaluate({{"a", 0}, {"b", 0}}), 1);
    EXPECT_EQ(n.evaluate({{"a", 1}, {"b", 0}}), std::nullopt) << "2^64";
    EXPECT_EQ(n.substitute({{"a", Dim(-1)}}).evaluate({{"b", 1}}), 1);
    EXPECT_EQ(n.lowerBound(), 1);
    EXPECT_EQ(*Dim::parse(n.toString()), n);
}

}  // namespace
}  // namespace strobe
