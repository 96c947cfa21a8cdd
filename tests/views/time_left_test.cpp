#include "views/models/time_left.h"

#include <gtest/gtest.h>

#include <cmath>

namespace strobe {
namespace {

TEST(TimeLeft, SaysNothingAtFirstNorWithoutAnEstimate) {
    TimeLeft left;
    EXPECT_LT(left.update(60, 0), 0);
    EXPECT_LT(left.update(55, 0.3), 0);
    EXPECT_GT(left.update(50, 0.6), 0);
    EXPECT_LT(left.update(-1, 0.7), 0);
    EXPECT_LT(left.update(50, 0.8), 0) << "a new estimate begins anew";
    EXPECT_LT(left.update(NAN, 2), 0);
}

TEST(TimeLeft, TrueEstimatesAreShownAsTheyAre) {
    TimeLeft left;
    for (double now = 0; now <= 30; now += 0.1) {
        const double shown = left.update(30 - now, now);
        if (now > 0.6) {
            ASSERT_NEAR(shown, 30 - now, 1e-9);
        }
    }
}

TEST(TimeLeft, JumpingEstimatesRunDownWithoutRising) {
    TimeLeft left;
    double last = 1e9, furthest = 0;
    for (int at = 0; at <= 300; ++at) {
        const double now = at * 0.1, truth = 30 - now;
        const double shown = left.update(truth * (at % 7 < 3 ? 0.75 : 1.25), now);  // every step thinks differently
        if (now < 0.6) continue;
        ASSERT_LE(shown, last) << "at " << now << " s";
        if (now > 5 && now < 25) furthest = std::max(furthest, std::abs(shown - truth) / truth);
        last = shown;
    }
    EXPECT_LT(furthest, 0.3);
}

TEST(TimeLeft, AWorkThatTakesMuchLongerIsAdmitted) {
    TimeLeft left;
    double shown = 0;
    for (double now = 0; now < 5; now += 0.1) shown = left.update(10 - now, now);
    EXPECT_NEAR(shown, 5, 0.2);
    for (double now = 5; now < 25; now += 0.1) shown = left.update(85 - now, now);
    EXPECT_NEAR(shown, 60, 15);
}

TEST(TimeLeft, NeverNegativeWhenTheWorkGoesOn) {
    TimeLeft left;
    for (double now = 0; now < 5; now += 0.1) left.update(0.2, now);
    EXPECT_GE(left.update(0, 6), 0);
}

}  // namespace
}  // namespace strobe
