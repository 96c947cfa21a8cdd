#include "engine_core/runtime/loop_values.h"

#include <gtest/gtest.h>

#include <cstring>

#include "engine_core/ir/weights.h"

namespace strobe {
namespace {

TEST(GatheredSlices, AreJoinedAlongAnyAxisInBothDirections) {
    GatheredSlices slices;
    for (float first : {0.0f, 10.0f, 20.0f}) {
        const float slice[] = {first, first + 1};
        ASSERT_TRUE(slices.append(slice, {2}, DataType::Float32).isOk());
    }
    std::vector<float> joined(6);
    slices.join(0, false, sizeof(float), joined.data());
    EXPECT_EQ(joined, (std::vector<float>{0, 1, 10, 11, 20, 21}));
    EXPECT_EQ(slices.joinedDims(0), (Dims{3, 2}));
    slices.join(1, true, sizeof(float), joined.data());
    EXPECT_EQ(joined, (std::vector<float>{20, 10, 0, 21, 11, 1}));
    EXPECT_EQ(slices.joinedDims(1), (Dims{2, 3}));
    const auto cut = GatheredSlices::cut(joined.data(), {2, 3}, 1, sizeof(float));
    ASSERT_TRUE(cut);
    EXPECT_EQ(std::memcmp(cut->slice(1), std::vector<float>{10, 11}.data(), 8), 0);
    const float other[] = {1, 2, 3};
    EXPECT_EQ(slices.append(other, {3}, DataType::Float32).code(), ErrorCode::InvalidModel);
}

/// A loop without an end, whose scan output would take the machine's memory.
TEST(GatheredSlices, EndAtTheirLimit) {
    GatheredSlices slices(1000);
    const std::vector<float> slice(25);
    Status status;
    int64_t iterations = 0;
    while ((status = slices.append(slice.data(), {25}, DataType::Float32)).isOk()) ++iterations;
    EXPECT_EQ(iterations, 10);
    EXPECT_EQ(status.code(), ErrorCode::OutOfMemory);
    EXPECT_NE(status.message().find("1000 bytes after 10 iterations"), std::string::npos) << status.message();
    EXPECT_EQ(slices.count(), 10) << "what is there stays";
}

TEST(LoopValues, MemoryThatCannotBeHadIsAStatus) {
    const Dims absurd = {int64_t{1} << 40, int64_t{1} << 20};
    CarriedValue carried;
    EXPECT_EQ(carried.assign(nullptr, absurd, DataType::Float32).code(), ErrorCode::OutOfMemory);
    EXPECT_EQ(GatheredSlices::cut(nullptr, absurd, 0, sizeof(float)).status().code(), ErrorCode::OutOfMemory);
    EXPECT_EQ(tryAllocateWeights(DataType::Float32, absurd).status().code(), ErrorCode::OutOfMemory);
}

}  // namespace
}  // namespace strobe
