#include <gtest/gtest.h>

#include "kernels/cuda/reformat_source.h"

namespace strobe {
namespace {

TensorDesc tensor(DataType type, Layout layout, MemoryKind memory, Dims dims = {2, 20, 3, 3}) {
    return {true, {type, layout, memory}, std::move(dims), nullptr, {}};
}

TEST(ReformatPlan, EqualFormatsAreOneCopy) {
    const auto plan = planReformat(tensor(DataType::Int64, Layout::Plain, MemoryKind::Host),
                                   tensor(DataType::Int64, Layout::Plain, MemoryKind::Device));
    ASSERT_TRUE(plan.hasValue());
    EXPECT_FALSE(plan->convert);
    EXPECT_EQ(plan->stagingBytes(), 0u);
    EXPECT_EQ(plan->fromBytes, 2u * 20 * 9 * 8);
}

TEST(ReformatPlan, ConversionsAcrossTheBusAreStagedOnTheDevice) {
    const auto in = planReformat(tensor(DataType::Float32, Layout::Blocked16, MemoryKind::Host),
                                 tensor(DataType::BFloat16, Layout::ChannelsLast, MemoryKind::Device));
    ASSERT_TRUE(in.hasValue()) << in.status().message();
    EXPECT_EQ(in->stagingBytes(), 2u * 32 * 9 * 4);
    // stored elements, channels, pixels, blocks and groups of both sides
    EXPECT_EQ(in->geometry, (std::vector<uint64_t>{360, 20, 9, 16, 20, 2, 1}));
    const auto out = planReformat(tensor(DataType::BFloat16, Layout::ChannelsLast, MemoryKind::Device),
                                  tensor(DataType::Float32, Layout::Plain, MemoryKind::Host));
    EXPECT_EQ(out->stagingBytes(), 2u * 20 * 9 * 4);
}

TEST(ReformatPlan, DeclinesWithAReason) {
    const TensorDesc f32 = tensor(DataType::Float32, Layout::Plain, MemoryKind::Device);
    EXPECT_NE(planReformat(f32, tensor(DataType::Float64, Layout::Plain, MemoryKind::Device))
                  .status()
                  .message()
                  .find("fp16 and bf16"),
              std::string::npos);
    EXPECT_NE(planReformat(tensor(DataType::Float32, Layout::Plain, MemoryKind::Host),
                           tensor(DataType::Float32, Layout::ChannelsLast, MemoryKind::Host))
                  .status()
                  .message()
                  .find("host"),
              std::string::npos);
    EXPECT_NE(planReformat(tensor(DataType::String, Layout::Plain, MemoryKind::Host),
                           tensor(DataType::String, Layout::Plain, MemoryKind::Device))
                  .status()
                  .message()
                  .find("strings"),
              std::string::npos);
}

}  // namespace
}  // namespace strobe
