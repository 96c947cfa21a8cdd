#include "kernels/cpu/simd_strided_copy.h"
#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase copyCase(const std::string& op, std::vector<KernelInput> inputs, DataType type = DataType::Float32) {
    KernelCase c;
    c.op = op;
    c.inputs = std::move(inputs);
    c.inputs[0].type = type;
    if (!isFloatingPoint(type)) {
        c.inputs[0].low = -100;
        c.inputs[0].high = 100;
    }
    return c;
}
KernelCase withInts(KernelCase c, const char* name, std::vector<int64_t> values) {
    c.attributes.set(name, std::move(values));
    return c;
}
KernelCase withInt(KernelCase c, const char* name, int64_t value) {
    c.attributes.set(name, value);
    return c;
}
const auto integers = KernelInput::integers;

TEST(SimdCopy, Transposes) {
    for (DataType type : {DataType::Float32, DataType::BFloat16, DataType::Int64, DataType::Int8})
        for (const std::vector<int64_t>& perm : {std::vector<int64_t>{0, 2, 1, 3},
                                                 {0, 2, 3, 1},
                                                 {0, 3, 1, 2},
                                                 {3, 2, 1, 0},
                                                 {1, 0, 2, 3},
                                                 {0, 1, 3, 2},
                                                 {0, 1, 2, 3},
                                                 {2, 3, 0, 1}})
            forEachSimdTarget([&] {
                expectMatchesReference(withInts(copyCase("Transpose", {{{2, 19, 13, 21}}}, type), "perm", perm),
                                       "simd.copy");
            });
    expectMatchesOnEachTarget(withInts(copyCase("Transpose", {{{131, 257}}}), "perm", {1, 0}), "simd.copy");
    expectMatchesReference(copyCase("Transpose", {{{5, 6, 7}}}), "simd.copy");
    expectMatchesReference(withInts(copyCase("Transpose", {{{300, 70, 2}}}), "perm", {1, 0, 2}), "simd.copy");
    expectMatchesReference(withInts(copyCase("Transpose", {{{3, 0, 2}}}), "perm", {1, 0, 2}), "simd.copy");
    expectMatchesReference(withInts(copyCase("Transpose", {{{}}}), "perm", {}), "simd.copy");
}

TEST(SimdCopy, Slices) {
    const KernelInput x{{2, 32, 9, 12}};
    expectMatchesReference(
        copyCase("Slice", {x, integers({0, 0}), integers({100, 100}), integers({2, 3}), integers({2, 2})}),
        "simd.copy");
    expectMatchesReference(
        copyCase("Slice", {x, integers({1, 1}), integers({100, 100}), integers({2, 3}), integers({2, 2})}),
        "simd.copy");
    expectMatchesReference(copyCase("Slice", {x, integers({16}), integers({32}), integers({1})}), "simd.copy");
    expectMatchesReference(copyCase("Slice", {x, integers({3}), integers({-5}), integers({-3})}), "simd.copy");
    expectMatchesReference(copyCase("Slice", {x, integers({-1}), integers({-100}), integers({3}), integers({-1})}),
                           "simd.copy");
    expectMatchesReference(copyCase("Slice", {x, integers({5}), integers({5}), integers({3})}), "simd.copy");
    expectMatchesReference(copyCase("Slice", {{{50}}, integers({5}), integers({45})}, DataType::Int64), "simd.copy");
}

TEST(SimdCopy, ConcatAndSplit) {
    for (int64_t axis : {0, 1, 2, -1}) {
        const std::vector<Dims> parts = axis == 0   ? std::vector<Dims>{{2, 16, 3, 5}, {1, 16, 3, 5}}
                                        : axis == 1 ? std::vector<Dims>{{2, 16, 3, 5}, {2, 32, 3, 5}, {2, 7, 3, 5}}
                                        : axis == 2 ? std::vector<Dims>{{2, 9, 3, 5}, {2, 9, 4, 5}}
                                                    : std::vector<Dims>{{2, 9, 3, 5}, {2, 9, 3, 1}};
        std::vector<KernelInput> inputs;
        for (const Dims& part : parts) inputs.push_back({part});
        expectMatchesReference(withInt(copyCase("Concat", inputs), "axis", axis), "simd.copy");
    }
    KernelCase split = withInt(copyCase("Split", {{{2, 48, 3, 5}}, integers({16, 32})}), "axis", 1);
    split.outputs = 2;
    EXPECT_EQ(expectMatchesReference(split, "simd.copy"), 4);
    KernelCase uneven = withInt(copyCase("Split", {{{2, 48, 3, 5}}, integers({13, 35})}), "axis", 1);
    uneven.outputs = 2;
    EXPECT_EQ(expectMatchesReference(uneven, "simd.copy"), 2);  // no channel blocks
}

TEST(SimdCopy, BroadcastsAndRepeats) {
    expectMatchesReference(copyCase("Expand", {{{3, 1, 5}}, integers({2, 3, 4, 5})}), "simd.copy");
    expectMatchesReference(copyCase("Expand", {{{1}}, integers({7, 9})}, DataType::BFloat16), "simd.copy");
    expectMatchesReference(copyCase("Tile", {{{3, 2, 5}}, integers({2, 1, 3})}), "simd.copy");
    expectMatchesReference(copyCase("Tile", {{{3, 2, 5}}, integers({1, 0, 3})}), "simd.copy");
}

TEST(SimdCopy, Pads) {
    expectMatchesReference(copyCase("Pad", {{{2, 20, 5, 6}}, integers({0, 0, 1, 2, 0, 0, 3, 0})}), "simd.copy");
    expectMatchesReference(copyCase("Pad", {{{2, 20, 5, 6}}, integers({0, 0, -1, 2, 0, 0, 3, -2})}), "simd.copy");
    KernelInput value{{}};
    value.values = {2.5};
    expectMatchesReference(copyCase("Pad", {{{4, 5}}, integers({1, 1}), value, integers({-1})}), "simd.copy");
}

TEST(SimdCopy, PadsWithWhatIsThere) {
    for (const char* mode : {"reflect", "edge", "wrap"}) {
        SCOPED_TRACE(mode);
        const auto pad = [&](Dims dims, std::vector<int64_t> pads) {
            KernelCase c = copyCase("Pad", {{std::move(dims)}, integers(std::move(pads))});
            c.attributes.set("mode", std::string(mode));
            return c;
        };
        expectMatchesReference(pad({1, 512}, {0, 0, 0, 64}), "simd.copy");
        expectMatchesReference(pad({2, 3, 5, 6}, {0, 0, 1, 2, 0, 0, 4, 5}), "simd.copy");
        expectMatchesReference(pad({4, 5}, {3, -1, -2, 2}), "simd.copy");
    }
    KernelCase far = copyCase("Pad", {{{3}}, integers({3, 0})});
    far.attributes.set("mode", std::string("reflect"));
    expectDeclines(far, "simd.copy", "longer");
}

TEST(SimdCopy, BlocksOfPixels) {
    for (const char* mode : {"DCR", "CRD"}) {
        KernelCase c = withInt(copyCase("DepthToSpace", {{{2, 12, 3, 5}}}), "blocksize", 2);
        c.attributes.set("mode", std::string(mode));
        EXPECT_EQ(expectMatchesReference(c, "simd.copy"), 4);
    }
    expectMatchesReference(withInt(copyCase("SpaceToDepth", {{{2, 3, 6, 9}}}), "blocksize", 3), "simd.copy");
}

TEST(SimdCopy, ChannelShuffles) {
    for (DataType type : {DataType::Float32, DataType::BFloat16, DataType::Int8})
        for (const Dims& dims : {Dims{2, 12, 3, 5}, Dims{1, 136, 7, 4}, Dims{3, 24}, Dims{2, 8, 9}})
            for (int64_t group : {1, 2, 4}) {
                const int formats = dims.size() < 3 ? 1 : 2;
                EXPECT_EQ(expectMatchesReference(withInt(copyCase("ChannelShuffle", {{dims}}, type), "group", group), "simd.copy"), formats);
            }
}

TEST(SimdCopy, RenamesRunInPlace) {
    expectMatchesReference(copyCase("Identity", {{{2, 19, 5, 6}}}), "simd.copy");
    expectMatchesReference(copyCase("Reshape", {{{2, 20, 6}}, integers({4, -1})}), "simd.copy");
    expectMatchesReference(withInt(copyCase("Flatten", {{{2, 20, 6}}}, DataType::Int8), "axis", 1), "simd.copy");
}

TEST(SimdCopy, Casts) {
    // With ONNX's numbers, which the attribute holds.
    const std::pair<DataType, int64_t> types[] = {
        {DataType::Float32, 1}, {DataType::Float64, 11}, {DataType::BFloat16, 16}, {DataType::Float16, 10},
        {DataType::Bool, 9},    {DataType::Int8, 3},     {DataType::UInt8, 2},     {DataType::Int32, 6},
        {DataType::Int64, 7},   {DataType::UInt64, 13}};
    for (const auto& from : types)
        for (const auto& to : types) {
            const bool isBool = from.first == DataType::Bool, isUnsigned = isBool || from.first == DataType::UInt64;
            KernelCase c;
            c.op = "Cast";
            c.attributes.set("to", to.second);
            c.inputs = {{{2, 19, 5, 6}, from.first, false, true, isUnsigned ? 0.0 : -100.0, isBool ? 1.0 : 100.0}};
            expectMatchesReference(c, "simd.cast");
        }
    KernelCase far;
    far.op = "Cast";
    far.attributes.set("to", int64_t{6});
    far.inputs = {{{6}}};
    far.inputs[0].values = {3e9, -3e9, 1e20, -1e20, 0.99, -0.99};
    expectMatchesReference(far, "simd.cast");
}

}  // namespace
}  // namespace strobe
