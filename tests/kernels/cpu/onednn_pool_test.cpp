#include "kernels/cpu/onednn_support.h"
#include "tests/support/kernel_test.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;

KernelCase makePool(const std::string& op, Dims x, Ints kernel, Ints strides = {}, Ints pads = {}, bool ceil = false) {
    KernelCase c;
    c.op = op;
    if (!kernel.empty()) c.attributes.set("kernel_shape", kernel);
    if (!strides.empty()) c.attributes.set("strides", strides);
    if (!pads.empty()) c.attributes.set("pads", pads);
    if (ceil) c.attributes.set("ceil_mode", int64_t{1});
    c.inputs = {{std::move(x)}};
    return c;
}

void expectInBothPrecisions(KernelCase c) {
    expectMatchesReference(c, "onednn.pool");
    c.floatType = DataType::BFloat16;
    if (onednnHasBf16()) expectMatchesReference(c, "onednn.pool");
}

TEST(OnednnPool, WindowsStridesAndPads) {
    for (const char* op : {"MaxPool", "AveragePool"}) {
        expectInBothPrecisions(makePool(op, {1, 16, 12, 12}, {3, 3}, {2, 2}, {1, 1, 1, 1}));
        expectInBothPrecisions(makePool(op, {2, 5, 9, 11}, {2, 3}, {1, 2}, {0, 1, 1, 0}));
        expectInBothPrecisions(makePool(op, {1, 24, 7, 7}, {2, 2}, {2, 2}, {}, true));
        expectInBothPrecisions(makePool(op, {1, 6, 15}, {3}, {2}));
        expectInBothPrecisions(makePool(op, {1, 3, 6, 7, 8}, {2, 2, 2}, {2, 2, 2}));
    }
}

TEST(OnednnPool, AverageThatCountsPadding) {
    KernelCase c = makePool("AveragePool", {1, 7, 8, 8}, {3, 3}, {2, 2}, {1, 1, 1, 1});
    c.attributes.set("count_include_pad", int64_t{1});
    expectInBothPrecisions(c);
    c.attributes.set("ceil_mode", int64_t{1});
    expectDeclines(c, "onednn.pool", "ceil_mode");
}

TEST(OnednnPool, DilatedMaximum) {
    KernelCase c = makePool("MaxPool", {1, 4, 10, 10}, {3, 3});
    c.attributes.set("dilations", Ints{2, 2});
    expectMatchesReference(c, "onednn.pool");
}

TEST(OnednnPool, Global) {
    for (const char* op : {"GlobalMaxPool", "GlobalAveragePool"})
        for (const Dims& dims : {Dims{2, 19, 7, 5}, Dims{1, 32, 4, 4}, Dims{1, 3, 9}, Dims{1, 16, 1, 1}})
            expectInBothPrecisions(makePool(op, dims, {}));
}

TEST(OnednnPool, EpilogueIsAPassOfItsOwn) {
    KernelCase c = makePool("GlobalAveragePool", {2, 19, 7, 5}, {});
    c.program = "v1=HardSigmoid(v0;0.2,0.5); -> v1";
    expectDeclines(c, "onednn.pool", "epilogue");
    expectMatchesReference(c, "onednn.pool+epilogue");
}

TEST(OnednnPool, IndicesAreDeclined) {
    KernelCase c = makePool("MaxPool", {1, 4, 6, 6}, {2, 2});
    c.outputs = 2;
    expectDeclines(c, "onednn.pool");
}

TEST(OnednnSoftmax, EveryAxisAndLayout) {
    for (const char* op : {"Softmax", "LogSoftmax"})
        for (const Dims& dims : {Dims{5}, Dims{3, 17}, Dims{2, 3, 40}, Dims{2, 5, 4, 6}, Dims{1, 16, 3, 3}})
            for (size_t axis = 0; axis < dims.size(); ++axis) {
                KernelCase c;
                c.op = op;
                c.attributes.set("axis", static_cast<int64_t>(axis) - static_cast<int64_t>(dims.size()));
                c.inputs = {{dims, DataType::Float32, false, true, -20.0, 20.0}};
                expectMatchesReference(c, "onednn.softmax");
                c.floatType = DataType::BFloat16;
                if (onednnHasBf16()) expectMatchesReference(c, "onednn.softmax");
            }
}

}  // namespace
}  // namespace strobe
