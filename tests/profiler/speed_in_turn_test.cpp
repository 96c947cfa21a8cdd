#include "profiler/speed_in_turn.h"

#include <gtest/gtest.h>

#include "engine_core/builder/builder.h"
#include "tests/support/cpu_kernels.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

TEST(SpeedInTurn, SidesTakeTurnsAndRoundsAreKeptApart) {
    std::vector<std::pair<int, int>> order;
    const auto speed = measureInTurn([&](int side, int round) -> Result<std::vector<double>> {
        order.emplace_back(side, round);
        const double slow = round == 1 ? 3 : 1;  // a disturbance that hits both
        return std::vector<double>(5, side == 0 ? 4 * slow : 2 * slow);
    });
    ASSERT_TRUE(speed);
    EXPECT_EQ(order, (std::vector<std::pair<int, int>>{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 2}, {1, 2}}));
    EXPECT_DOUBLE_EQ(speed->speedup(), 2);
    EXPECT_DOUBLE_EQ(speed->rangeOfSpeedup().min, 2);
    EXPECT_DOUBLE_EQ(speed->rangeOfSpeedup().max, 2);
    EXPECT_DOUBLE_EQ(speed->rangeA().max, 12);
    EXPECT_DOUBLE_EQ(speed->rangeB().min, 2);
    EXPECT_EQ(speed->a.count, 15);
    EXPECT_TRUE(speed->isDecided());
}

TEST(SpeedInTurn, RoundsThatDisagreeDecideNothing) {
    const auto speed = measureInTurn([](int side, int round) -> Result<std::vector<double>> {
        return std::vector<double>(3, side == 0 ? 1.0 : round == 2 ? 1.1 : 0.9);
    });
    ASSERT_TRUE(speed);
    EXPECT_FALSE(speed->isDecided());
    const auto failed = measureInTurn([](int, int) -> Result<std::vector<double>> { return invalidArgument("no"); });
    EXPECT_EQ(failed.status().message(), "no");
}

TEST(SpeedInTurn, RunsEnginesAndNamesWhatTheyMiss) {
    NetworkBuilder b;
    b.output(b.layer("s", "Softmax", {b.input("x", Shape{Dim(4), Dim(64)})}));
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(b.take());
    request.config.optimizationLevel = 0;
    const auto built = Builder(cpuKernels()).build(request);
    ASSERT_TRUE(built) << built.status().message();
    const Engine& engine = *built->engine;
    const auto inputs = completeInputs(engine, {}, {}, 1);
    ASSERT_TRUE(inputs);
    double last = -1;
    const auto speed = measureInTurn(engine, engine, *inputs, 6, [&](double f) {
        EXPECT_GE(f, last);
        last = f;
    });
    ASSERT_TRUE(speed) << speed.status().message();
    EXPECT_EQ(last, 1);
    EXPECT_GE(speed->a.count, 9);
    EXPECT_GT(speed->b.median, 0);
    EXPECT_EQ(speed->shapes.at("x"), (Dims{4, 64}));
    EXPECT_NE(measureInTurn(engine, engine, {}, 1).status().message().find("'x'"), std::string::npos);
    CancelToken cancel;
    cancel.cancel();
    EXPECT_EQ(measureInTurn(engine, engine, *inputs, 1000, {}, cancel).status().code(), ErrorCode::Cancelled);
}

}  // namespace
}  // namespace strobe::test
