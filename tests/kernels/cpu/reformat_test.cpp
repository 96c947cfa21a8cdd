#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

constexpr Layout kLayouts[] = {Layout::Plain, Layout::ChannelsLast, Layout::Blocked8, Layout::Blocked16};

KernelCase makeReformat(const Dims& dims, DataType from, DataType to) {
    KernelCase c;
    c.op = "Reformat";
    c.inputs = {{dims, from}};
    if (from != to) c.attributes.set("to_type", static_cast<int64_t>(to));
    for (Layout source : kLayouts)
        for (Layout destination : kLayouts) c.formats.push_back({{{from, source}}, {{to, destination}}});
    return c;
}

const Dims kShapes[] = {{2, 5, 7, 9},     {1, 64, 8, 8}, {1, 3, 33, 70}, {3, 24, 5},
                        {1, 17, 3, 4, 5}, {2, 1, 6, 6},  {0, 4, 4}};

TEST(Reformat, EveryPairOfLayouts) {
    for (const Dims& dims : kShapes) {
        EXPECT_EQ(expectMatchesReference(makeReformat(dims, DataType::Float32, DataType::Float32), "cpu.reformat"), 16);
        EXPECT_EQ(
            expectMatchesReference(makeReformat(dims, DataType::Float32, DataType::Float32), "reference.Reformat"), 16);
        expectMatchesReference(makeReformat(dims, DataType::Float32, DataType::Float32), "onednn.reorder");
    }
}

TEST(Reformat, TypesChangeWithLayouts) {
    for (const auto& [from, to] :
         {std::pair(DataType::Float32, DataType::BFloat16), std::pair(DataType::BFloat16, DataType::Float32),
          std::pair(DataType::Float32, DataType::Float16), std::pair(DataType::Float16, DataType::Float32)}) {
        KernelCase c = makeReformat({2, 19, 6, 7}, from, to);
        c.tolerance = to == DataType::BFloat16 ? 4e-3 : to == DataType::Float16 ? 5e-4 : 1e-7;
        EXPECT_EQ(expectMatchesReference(c, "cpu.reformat"), 16);
        EXPECT_EQ(expectMatchesReference(c, "reference.Reformat"), 16);
        if (from != DataType::Float16 && to != DataType::Float16) {
            EXPECT_GE(expectMatchesReference(c, "onednn.reorder"), 10);
        }
    }
}

TEST(Reformat, FewChannelsAndOnePosition) {
    for (const Dims& dims : {Dims{1, 3, 33, 70}, Dims{2, 4, 50, 31}, Dims{1, 1, 40, 41}, Dims{3, 2, 1200}, Dims{2, 3, 1, 5}, Dims{2, 37, 1, 1}})
        for (const auto& [from, to] : {std::pair(DataType::Float32, DataType::BFloat16), std::pair(DataType::BFloat16, DataType::Float32),
                                       std::pair(DataType::BFloat16, DataType::BFloat16), std::pair(DataType::Float32, DataType::Float32)}) {
            KernelCase c = makeReformat(dims, from, to);
            c.tolerance = from == to ? 0.0 : to == DataType::BFloat16 ? 4e-3 : 1e-7;
            EXPECT_EQ(expectMatchesReference(c, "cpu.reformat"), 16);
        }
    KernelCase bytes = makeReformat({2, 4, 9, 9}, DataType::Int8, DataType::Int8);
    bytes.inputs[0].low = 0;
    bytes.inputs[0].high = 100;
    EXPECT_EQ(expectMatchesReference(bytes, "cpu.reformat"), 16);
}

TEST(Reformat, IntegersMoveUnchanged) {
    for (DataType type : {DataType::Int8, DataType::Bool, DataType::Int32, DataType::Int64}) {
        KernelCase c = makeReformat({1, 11, 4, 4}, type, type);
        c.inputs[0].low = 0;
        c.inputs[0].high = type == DataType::Bool ? 1 : 100;
        EXPECT_EQ(expectMatchesReference(c, "cpu.reformat"), 16);
    }
}

TEST(Reformat, LowRanksStayPlain) {
    for (const Dims& dims : {Dims{}, Dims{7}, Dims{3, 300}}) {
        KernelCase c = makeReformat(dims, DataType::Float32, DataType::BFloat16);
        c.formats = {{{{DataType::Float32}}, {{DataType::BFloat16}}}};
        EXPECT_EQ(expectMatchesReference(c, "cpu.reformat"), 1);
        EXPECT_EQ(expectMatchesReference(c, "onednn.reorder"), 1);
        c.formats = {{{{DataType::Float32}}, {{DataType::BFloat16, Layout::ChannelsLast}}}};
        expectDeclines(c, "cpu.reformat", "rank 3");
    }
}

TEST(Reformat, UnrelatedTypesAreDeclined) {
    expectDeclines(makeReformat({1, 4, 4}, DataType::Int64, DataType::Float32), "cpu.reformat",
                   "no conversion from int64 to fp32");
    expectDeclines(makeReformat({1, 4, 4}, DataType::Int64, DataType::Float32), "reference.Reformat", "floating-point");
}

}  // namespace
}  // namespace strobe
