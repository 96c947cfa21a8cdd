#include "views/widgets/number_format.h"

#include <gtest/gtest.h>

#include <cmath>

namespace strobe {
namespace {

std::string plain(QString text) {
    return text.replace(QChar(0x00A0), ' ').toStdString();
}

TEST(NumberFormat, ThreeSignificantDigits) {
    EXPECT_EQ(plain(formatNumber(12.345)), "12.3");
    EXPECT_EQ(plain(formatNumber(1.2)), "1.20");
    EXPECT_EQ(plain(formatNumber(0.012345)), "0.0123");
    EXPECT_EQ(plain(formatNumber(9.996)), "10.0");
    EXPECT_EQ(plain(formatNumber(0.9996)), "1.00");
    EXPECT_EQ(plain(formatNumber(12345.6)), "12,346");
    EXPECT_EQ(plain(formatNumber(-3.14159)), "−3.14");
    EXPECT_EQ(plain(formatNumber(NAN)), "–");
}

TEST(NumberFormat, NeverBareZeroForWhatIsNotZero) {
    EXPECT_EQ(plain(formatNumber(0)), "0");
    EXPECT_EQ(plain(formatNumber(0.00001234)), "1.23e-5");
    for (double value = 1e-12; value < 1; value *= 3.7) {
        const std::string text = plain(formatNumber(value));
        EXPECT_NE(text.find_first_of("123456789"), std::string::npos) << text;
    }
    EXPECT_EQ(plain(formatPercent(0.0004)), "< 0.1 %");
    EXPECT_EQ(plain(formatPercent(0)), "0 %");
    EXPECT_EQ(plain(formatPercent(0.1234)), "12.3 %");
    EXPECT_EQ(plain(formatPercent(0.056)), "5.6 %");
}

TEST(NumberFormat, GroupsThousands) {
    EXPECT_EQ(plain(formatCount(999)), "999");
    EXPECT_EQ(plain(formatCount(1000)), "1,000");
    EXPECT_EQ(plain(formatCount(-1234567)), "-1,234,567");
}

TEST(NumberFormat, Times) {
    EXPECT_EQ(plain(formatTime(0.0123)), "12.3 ms");
    EXPECT_EQ(plain(formatTime(2.5e-5)), "25.0 µs");
    EXPECT_EQ(plain(formatTime(12.0)), "12.0 s");
    EXPECT_EQ(plain(formatTime(1.5)), "1,500 ms");
    EXPECT_EQ(plain(formatTimeSpread(0.01231, 0.00008)), "12.31 ms ± 0.08");
    EXPECT_EQ(plain(formatTimeSpread(0.00189, 0.0000091)), "1.890 ms ± 0.009");
    EXPECT_EQ(plain(formatTimeSpread(0.00189, 0.0000096)), "1.89 ms ± 0.01");
    EXPECT_EQ(plain(formatTimeSpread(0.000144, 0.00000048)), "144.0 µs ± 0.5");
    EXPECT_EQ(plain(formatTimeSpread(0.000144, 0.000025)), "144 µs ± 25");
    EXPECT_EQ(plain(formatTimeSpread(0.000144, 0)), "144.00 µs ± < 0.01");
    EXPECT_EQ(plain(formatTimeSpread(0.00189, NAN)), "1.89 ms");
}

TEST(NumberFormat, TimeLeftIsCoarse) {
    EXPECT_EQ(plain(formatTimeLeft(0.3)), "less than a second left");
    EXPECT_EQ(plain(formatTimeLeft(22)), "about 20 s left");
    EXPECT_EQ(plain(formatTimeLeft(200)), "about 3 min left");
    EXPECT_EQ(plain(formatTimeLeft(-1)), "time left unknown");
}

TEST(NumberFormat, Bytes) {
    EXPECT_EQ(plain(formatBytes(512)), "512 B");
    EXPECT_EQ(plain(formatBytes(4.48 * 1024 * 1024)), "4.48 MiB");
    EXPECT_EQ(plain(formatBytes(1023)), "0.999 KiB");
    EXPECT_EQ(plain(formatScaled(2.3e11, "FLOP/s")), "230 GFLOP/s");
}

TEST(NumberFormat, Signs) {
    EXPECT_EQ(plain(formatSigned(1.234)), "+1.23");
    EXPECT_EQ(plain(formatSigned(-0.4)), "−0.400");
    EXPECT_EQ(plain(formatSigned(0)), "0");
}

}  // namespace
}  // namespace strobe
