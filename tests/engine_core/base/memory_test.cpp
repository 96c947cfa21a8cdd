#include "engine_core/base/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace strobe {
namespace {

bool isAligned(const void* p, uintptr_t alignment) {
    return reinterpret_cast<uintptr_t>(p) % alignment == 0;
}

TEST(Memory, AlignsSmallAndLargeBlocks) {
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{100}, size_t{4} << 20, (size_t{5} << 20) + 3}) {
        const auto block = allocateAligned(bytes);
        ASSERT_NE(block, nullptr);
        EXPECT_TRUE(isAligned(block.get(), 64));
        std::memset(block.get(), 1, bytes);
    }
    EXPECT_TRUE(isAligned(allocateAligned(size_t{8} << 20).get(), 2u << 20)) << "huge pages begin at their own size";
}

TEST(Memory, ZeroedBlocksAreZeroAlsoWhereMemoryWasUsedBefore) {
    for (const size_t bytes : {size_t{3000}, size_t{5} << 20, (size_t{40} << 20) + 5})
        for (int i = 0; i < 3; ++i) {
            const auto block = allocateZeroed(bytes);
            ASSERT_NE(block, nullptr);
            EXPECT_TRUE(isAligned(block.get(), 64));
            auto* values = static_cast<unsigned char*>(block.get());
            for (const size_t at : {size_t{0}, bytes / 2, bytes - 1}) EXPECT_EQ(values[at], 0);
            std::memset(values, 7, bytes);
        }
}

TEST(Memory, ImpossibleSizesGiveNothing) {
    for (const int shift : {0, 1}) {
        volatile size_t bytes = std::numeric_limits<size_t>::max() >> shift;  // the compiler would warn of a constant
        EXPECT_EQ(allocateAligned(bytes), nullptr) << bytes;
    }
}

TEST(MemoryPool, BuffersAreApartAndOutliveThePool) {
    std::vector<std::shared_ptr<void>> buffers;
    {
        MemoryPool pool;
        for (int i = 0; i < 40; ++i) {
            buffers.push_back(pool.allocate(size_t{1} << 20));
            ASSERT_NE(buffers.back(), nullptr);
            EXPECT_TRUE(isAligned(buffers.back().get(), 64));
            std::memset(buffers.back().get(), i, size_t{1} << 20);
        }
        buffers.push_back(pool.allocate(size_t{20} << 20));
        std::memset(buffers.back().get(), 99, size_t{20} << 20);
    }
    for (int i = 0; i < 40; ++i) {
        const auto* bytes = static_cast<const unsigned char*>(buffers[static_cast<size_t>(i)].get());
        EXPECT_EQ(bytes[0], i);
        EXPECT_EQ(bytes[(1u << 20) - 1], i);
    }
}

}  // namespace
}  // namespace strobe
