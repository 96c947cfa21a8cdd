#include "engine_core/builder/timing_samples.h"

#include <gtest/gtest.h>

#include <vector>

namespace strobe {
namespace {

int runsUntilEnough(TimingSamples& samples, const std::vector<double>& times) {
    size_t runs = 0;
    while (!samples.isEnough() && runs < times.size()) samples.add(times[runs++]);
    return static_cast<int>(runs);
}

TEST(TimingSamples, TheLeastCountsAndTwoThatAgreeAreEnough) {
    TimingSamples samples({4, 10, 1.0});
    EXPECT_EQ(runsUntilEnough(samples, std::vector<double>(20, 0.5)), 4);
    samples.add(0.25);
    EXPECT_EQ(samples.least(), 0.25);
}

TEST(TimingSamples, DisturbedRunsAreMeasuredLongerButNotForever) {
    std::vector<double> times = {9.0, 5.0, 7.0, 3.0, 1.0, 1.05};
    TimingSamples samples({3, 4, 8.0});
    EXPECT_EQ(runsUntilEnough(samples, times), 6);  // no two agree before
    EXPECT_EQ(samples.least(), 1.0);
    TimingSamples wild({3, 4, 8.0});
    EXPECT_EQ(runsUntilEnough(wild, {64.0, 32.0, 16.0, 8.0, 4.0, 2.0}), 3);  // six times the budget is spent
    TimingSamples hopeless({4, 10, 10.0});
    EXPECT_EQ(runsUntilEnough(hopeless, std::vector<double>(100, 250.0)), 1);
}

TEST(TimingSamples, RunnableTasksAreReadFromTheLoadAverage) {
    EXPECT_EQ(runnableTasks("1.78 1.75 1.54 2/133 8964\n"), 2);
    EXPECT_EQ(runnableTasks("0.00 0.01 0.05 17/1330 8964"), 17);
    for (const char* text : {"", "nonsense", "1/2", "1.0 2.0"}) EXPECT_EQ(runnableTasks(text), 0) << text;
}

}  // namespace
}  // namespace strobe
