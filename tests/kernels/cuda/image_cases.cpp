// Deconvolution, resizing, data movement and attention on the device.
#include "tests/kernels/cuda/device_case.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;

KernelCase makeCase(const char* op, std::vector<KernelInput> inputs) {
    KernelCase c;
    c.op = op;
    c.inputs = std::move(inputs);
    return c;
}

struct DeconvParameters {
    const char* name;
    Dims x, w;
    Ints strides, pads, outputPadding, dilations;
    int64_t group = 1;
};

KernelCase makeDeconv(const DeconvParameters& p, std::string program = {}, std::vector<KernelInput> extra = {}) {
    KernelCase c =
        makeCase("ConvTranspose", {{p.x}, KernelInput::weights(p.w), KernelInput::weights({p.w[1] * p.group})});
    c.attributes.set("group", p.group);
    if (!p.strides.empty()) c.attributes.set("strides", p.strides);
    if (!p.pads.empty()) c.attributes.set("pads", p.pads);
    if (!p.outputPadding.empty()) c.attributes.set("output_padding", p.outputPadding);
    if (!p.dilations.empty()) c.attributes.set("dilations", p.dilations);
    c.program = std::move(program);
    c.inputs.insert(c.inputs.end(), extra.begin(), extra.end());
    return c;
}

const DeconvParameters kDeconvs[] = {
    {"k2s2", {2, 24, 10, 9}, {24, 16, 2, 2}, {2, 2}},
    {"k3s2", {1, 8, 7, 6}, {8, 12, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}},
    {"oneChannel", {1, 24, 16, 16}, {24, 1, 2, 2}, {2, 2}},
    {"groups", {1, 16, 5, 5}, {16, 4, 3, 3}, {2, 2}, {1, 1, 1, 1}, {}, {}, 4},
    {"dilated", {1, 8, 6, 7}, {8, 8, 3, 3}, {1, 1}, {0, 1, 2, 0}, {}, {2, 2}},
    {"line", {2, 8, 11}, {8, 6, 4}, {2}, {1, 1}},
};

class DeviceDeconv : public testing::TestWithParam<DeconvParameters> {};
TEST_P(DeviceDeconv, Fp32) {
    SKIP_WITHOUT_DEVICE();
    expectMatchesOnDevice(makeDeconv(GetParam()), "cudnn.deconv");
}
TEST_P(DeviceDeconv, SixteenBits) {
    SKIP_WITHOUT_DEVICE();
    expectInSixteenBits(makeDeconv(GetParam()), "cudnn.deconv");
}
INSTANTIATE_TEST_SUITE_P(Shapes, DeviceDeconv, testing::ValuesIn(kDeconvs),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(DeviceDeconvEpilogue, NodesAndPasses) {
    SKIP_WITHOUT_DEVICE();
    for (const char* program : {"v1=Relu(v0); -> v1", "v1=Sigmoid(v0); -> v1", "v1=HardSwish(v0); -> v1"}) {
        expectMatchesOnDevice(makeDeconv(kDeconvs[0], program), "cudnn.deconv");
        expectInSixteenBits(makeDeconv(kDeconvs[0], program), "cudnn.deconv");
    }
    expectMatchesOnDevice(makeDeconv(kDeconvs[0], "v2=Add(v0,v1); -> v2", {{{2, 16, 20, 18}}}), "cudnn.deconv");
}

TEST(DeviceResize, NearestAndLinear) {
    SKIP_WITHOUT_DEVICE();
    for (const char* mode : {"nearest", "linear"})
        for (const char* coordinates : {"asymmetric", "half_pixel", "align_corners"})
            for (const Ints& size : {Ints{2, 5, 12, 18}, Ints{2, 5, 4, 5}}) {
                KernelCase c = makeCase(
                    "Resize",
                    {{{2, 5, 6, 9}}, KernelInput::absent(), KernelInput::absent(), KernelInput::integers(size)});
                c.attributes.set("mode", std::string(mode));
                c.attributes.set("coordinate_transformation_mode", std::string(coordinates));
                EXPECT_EQ(expectMatchesOnDevice(c, "cuda.resize"), 2);
                EXPECT_EQ(expectMatchesOnDevice(inBf16(c), "cuda.resize"), 2);
                EXPECT_EQ(expectMatchesOnDevice(inFp16(c), "cuda.resize"), 2);
            }
    KernelCase line = makeCase(
        "Resize", {{{2, 3, 7}}, KernelInput::absent(), KernelInput::absent(), KernelInput::integers({2, 3, 20})});
    line.attributes.set("mode", std::string("linear"));
    EXPECT_EQ(expectMatchesOnDevice(line, "cuda.resize"), 2);
}

TEST(DeviceMove, Concat) {
    SKIP_WITHOUT_DEVICE();
    for (const int64_t axis : {1, 2, 3}) {
        Dims first = {2, 8, 6, 4}, second = first;
        second[static_cast<size_t>(axis)] = 3;
        KernelCase c = makeCase("Concat", {{first}, {second}, KernelInput::weights(first)});
        c.attributes.set("axis", axis);
        EXPECT_EQ(expectMatchesOnDevice(c, "cuda.move"), 2);
        EXPECT_EQ(expectMatchesOnDevice(inBf16(c), "cuda.move"), 2);
        EXPECT_EQ(expectMatchesOnDevice(inFp16(c), "cuda.move"), 2);
    }
    KernelCase integers = makeCase("Concat", {{{3, 5}, DataType::Int64}, {{4, 5}, DataType::Int64}});
    integers.attributes.set("axis", int64_t{0});
    expectMatchesOnDevice(integers, "cuda.move");
}

TEST(DeviceMove, SliceWithStepsAndBackwards) {
    SKIP_WITHOUT_DEVICE();
    const auto slice = [](Ints starts, Ints ends, Ints axes, Ints steps) {
        return makeCase("Slice", {{{2, 6, 9, 8}},
                                  KernelInput::integers(starts),
                                  KernelInput::integers(ends),
                                  KernelInput::integers(axes),
                                  KernelInput::integers(steps)});
    };
    for (const KernelCase& c :
         {slice({0}, {100}, {2}, {2}), slice({1, 1}, {9, 8}, {2, 3}, {2, 2}), slice({2}, {5}, {1}, {1}),
          slice({-1, 4}, {-100, 8}, {3, 1}, {-1, 1}), slice({0}, {1}, {0}, {1})}) {
        EXPECT_EQ(expectMatchesOnDevice(c, "cuda.move"), 2);
        EXPECT_EQ(expectMatchesOnDevice(inBf16(c), "cuda.move"), 2);
        EXPECT_EQ(expectMatchesOnDevice(inFp16(c), "cuda.move"), 2);
    }
}

TEST(DeviceMove, SplitPadExpandTileAndBlocks) {
    SKIP_WITHOUT_DEVICE();
    KernelCase split = makeCase("Split", {{{2, 12, 5, 3}}, KernelInput::integers({4, 8})});
    split.attributes.set("axis", int64_t{1});
    split.outputs = 2;
    EXPECT_EQ(expectMatchesOnDevice(split, "cuda.move"), 2);
    KernelCase pad = makeCase("Pad", {{{2, 3, 5, 4}}, KernelInput::integers({0, 0, 1, 2, 0, 0, 3, 1})});
    EXPECT_EQ(expectMatchesOnDevice(pad, "cuda.move"), 2);
    KernelInput value = KernelInput::weights({});
    value.values = {1.5};
    pad.inputs.push_back(value);
    EXPECT_EQ(expectMatchesOnDevice(pad, "cuda.move"), 2);
    pad.inputs.pop_back();
    pad.attributes.set("mode", std::string("reflect"));
    EXPECT_EQ(expectMatchesOnDevice(pad, "cuda.move"), 2);
    EXPECT_GE(
        expectMatchesOnDevice(makeCase("Expand", {{{3, 1, 5}}, KernelInput::integers({2, 3, 4, 5})}), "cuda.move"), 1);
    EXPECT_GE(expectMatchesOnDevice(makeCase("Tile", {{{3, 2}}, KernelInput::integers({2, 3})}), "cuda.move"), 1);
    for (const char* op : {"DepthToSpace", "SpaceToDepth"}) {
        KernelCase c = makeCase(op, {{{2, 8, 4, 6}}});
        c.attributes.set("blocksize", int64_t{2});
        EXPECT_EQ(expectMatchesOnDevice(c, "cuda.move"), 2);
    }
}

TEST(DeviceGather, RowsAndColumnsByIndicesOfBothSigns) {
    SKIP_WITHOUT_DEVICE();
    for (const int64_t axis : {0, 1, -1})
        for (const DataType type : {DataType::Int64, DataType::Int32}) {
            KernelInput indices{{2, 3}, type};
            indices.values = {0, 2, -1, 1, -3, 2};
            KernelCase c = makeCase("Gather", {{{4, 5, 6}}, indices});
            c.attributes.set("axis", axis);
            expectMatchesOnDevice(c, "cuda.gather");
            expectInSixteenBits(c, "cuda.gather");
            c.inputs[0] = KernelInput::weights({4, 5, 6});
            expectMatchesOnDevice(c, "cuda.gather");
        }
}

TEST(DeviceAttention, HeadsMasksAndCausality) {
    SKIP_WITHOUT_DEVICE();
    KernelCase four = makeCase("Attention", {{{2, 4, 5, 16}}, {{2, 4, 7, 16}}, {{2, 4, 7, 24}}});
    expectMatchesOnDevice(four, "cuda.attention");
    expectInSixteenBits(four, "cuda.attention");
    four.inputs.push_back({{2, 1, 1, 7}});
    expectMatchesOnDevice(four, "cuda.attention");
    KernelCase flat = makeCase("Attention", {{{1, 300, 64}}, {{1, 300, 32}}, {{1, 300, 32}}});
    flat.attributes.set("q_num_heads", int64_t{4});
    flat.attributes.set("kv_num_heads", int64_t{2});
    flat.attributes.set("is_causal", int64_t{1});
    flat.attributes.set("scale", 0.3f);
    expectMatchesOnDevice(flat, "cuda.attention");
    KernelInput allowed{{300, 300}, DataType::Bool};
    allowed.low = 0;
    allowed.high = 1;
    flat.inputs.push_back(allowed);
    expectMatchesOnDevice(flat, "cuda.attention");
}

}  // namespace
}  // namespace strobe
