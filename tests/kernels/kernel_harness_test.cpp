#include <gtest/gtest-spi.h>

#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

int failuresOf(const KernelCase& kernelCase) {
    testing::TestPartResultArray results;
    {
        testing::ScopedFakeTestPartResultReporter reporter(
            testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
        expectMatchesReference(kernelCase, "reference.Conv");
    }
    return results.size();
}

KernelCase smallConv() {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("pads", std::vector<int64_t>{1, 0, 1, 2});
    c.inputs = {{{2, 3, 5, 6}}, KernelInput::weights({4, 3, 3, 3}), KernelInput::weights({4})};
    return c;
}

TEST(KernelHarness, ReferenceMatchesItself) {
    EXPECT_EQ(expectMatchesReference(smallConv(), "reference.Conv"), 1);
}

TEST(KernelHarness, NarrowFloatsAreComparedWithFp32OnRoundedInputs) {
    KernelCase c = smallConv();
    c.floatType = DataType::BFloat16;
    EXPECT_EQ(expectMatchesReference(c, "reference.Conv"), 1);
    c.tolerance = 1e-5;
    EXPECT_EQ(failuresOf(c), 2);  // aligned and unaligned
}

TEST(KernelHarness, UnsupportedFormatMustGiveAReason) {
    KernelCase c = smallConv();
    const Format nhwc{DataType::Float32, Layout::ChannelsLast}, plain{DataType::Float32};
    c.formats = {{{nhwc, plain, plain}, {nhwc}}};
    expectDeclines(c, "reference.Conv", "plain host tensors");
    EXPECT_EQ(failuresOf(c), 1);
}

TEST(KernelHarness, LayoutsRoundTripAndPadWithZeros) {
    const Dims dims{2, 5, 3};
    std::vector<double> values(30);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
    for (Layout layout : {Layout::Plain, Layout::ChannelsLast, Layout::Blocked8, Layout::Blocked16}) {
        const auto stored = toFormat(values, dims, {DataType::Float32, layout});
        EXPECT_EQ(fromFormat(stored.data(), dims, {DataType::Float32, layout}), values);
    }
    const auto nhwc = toFormat(values, dims, {DataType::Float32, Layout::ChannelsLast});
    EXPECT_EQ(reinterpret_cast<const float*>(nhwc.data())[1], 3.0f);  // channel 1 of the first position
    const auto blocked = toFormat(values, dims, {DataType::Float32, Layout::Blocked8});
    ASSERT_EQ(blocked.size(), 2u * 8 * 3 * sizeof(float));
    EXPECT_EQ(reinterpret_cast<const float*>(blocked.data())[8], 1.0f);  // channel 0 of the second position
    EXPECT_EQ(reinterpret_cast<const float*>(blocked.data())[5], 0.0f);
}

}  // namespace
}  // namespace strobe
