#include "engine_core/base/nearest_name.h"

#include <gtest/gtest.h>

namespace strobe {
namespace {

TEST(NearestName, FewestChangedLettersWinCaseAside) {
    const std::vector<std::string_view> known = {"Conv", "ConvTranspose", "Concat", "Cos"};
    EXPECT_EQ(nearestName("conv", known, 3), "Conv");
    EXPECT_EQ(nearestName("Concta", known, 3), "Concat");
    EXPECT_EQ(nearestName("ConvTrnspose", known, 3), "ConvTranspose");
}

TEST(NearestName, NothingNearIsNoName) {
    EXPECT_EQ(nearestName("FrobnicateTensor", {"Conv", "Relu"}, 3), "");
    EXPECT_EQ(nearestName("", {"Conv", "Relu"}, 3), "");
    EXPECT_EQ(nearestName("Conv", {}, 3), "");
}

TEST(NearestName, BytesOutsideAsciiAndLongNamesAreTaken) {
    EXPECT_EQ(nearestName("R\xc3\xa9lu", {"Relu"}, 3), "Relu");
    EXPECT_EQ(nearestName(std::string(1 << 20, 'x'), {"Relu"}, 3), "");
}

}  // namespace
}  // namespace strobe
