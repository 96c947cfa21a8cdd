#include "tests/kernels/cuda/device_case.h"

namespace strobe {
namespace {

using Ints = std::vector<int64_t>;

struct ConvParameters {
    const char* name;
    Dims x, w;
    Ints strides, pads, dilations;
    int64_t group = 1;
    bool bias = true;
};

KernelCase makeConv(const ConvParameters& p, std::string program = {}, std::vector<KernelInput> extra = {}) {
    KernelCase c;
    c.op = "Conv";
    c.attributes.set("group", p.group);
    if (!p.strides.empty()) c.attributes.set("strides", p.strides);
    if (!p.pads.empty()) c.attributes.set("pads", p.pads);
    if (!p.dilations.empty()) c.attributes.set("dilations", p.dilations);
    c.inputs = {{p.x}, KernelInput::weights(p.w), p.bias ? KernelInput::weights({p.w[0]}) : KernelInput::absent()};
    c.program = std::move(program);
    c.inputs.insert(c.inputs.end(), extra.begin(), extra.end());
    return c;
}

const ConvParameters kConvs[] = {
    {"k3", {2, 16, 14, 14}, {32, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"k3NoBias", {2, 16, 14, 14}, {32, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 1, false},
    {"oddChannels", {2, 5, 9, 11}, {7, 5, 3, 3}, {1, 1}, {1, 1, 1, 1}},
    {"k1", {2, 24, 7, 5}, {40, 24, 1, 1}},
    {"image", {1, 3, 64, 64}, {16, 3, 7, 7}, {2, 2}, {3, 3, 3, 3}},
    {"dilated", {1, 16, 20, 20}, {16, 16, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}},
    {"depthwise", {2, 32, 12, 12}, {32, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 32},
    {"groups", {1, 16, 8, 8}, {32, 4, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 4},
    {"line", {2, 8, 17}, {16, 8, 5}, {2}, {2, 2}},
    {"volume", {1, 8, 5, 6, 7}, {8, 8, 3, 3, 3}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}},
    {"asymmetric", {1, 8, 10, 9}, {8, 8, 3, 2}, {2, 1}, {0, 1, 2, 0}},
};

class DeviceConv : public testing::TestWithParam<ConvParameters> {};
TEST_P(DeviceConv, Fp32) {
    SKIP_WITHOUT_DEVICE();
    expectMatchesOnDevice(makeConv(GetParam()), "cudnn.conv");
}
TEST_P(DeviceConv, SixteenBits) {
    SKIP_WITHOUT_DEVICE();
    expectInSixteenBits(makeConv(GetParam()), "cudnn.conv");
}
INSTANTIATE_TEST_SUITE_P(Shapes, DeviceConv, testing::ValuesIn(kConvs),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(DeviceConvEpilogue, NodesAndPasses) {
    SKIP_WITHOUT_DEVICE();
    const KernelInput residual{{2, 32, 14, 14}};
    for (const char* program :
         {"v1=Relu(v0); -> v1", "v1=Clip(v0;0,6); -> v1", "v1=LeakyRelu(v0;0.1,0); -> v1", "v1=Silu(v0); -> v1",
          "v1=Gelu(v0); -> v1", "v1=Sigmoid(v0); -> v1", "v1=HardSwish(v0); -> v1",
          "v1=Constant(;0.5,0); v2=Mul(v0,v1); v3=Tanh(v2); -> v3", "v1=Sigmoid(v0); v2=Mul(v0,v1); -> v2"}) {
        expectMatchesOnDevice(makeConv(kConvs[0], program), "cudnn.conv");
        expectInSixteenBits(makeConv(kConvs[0], program), "cudnn.conv");
    }
    for (const char* program : {"v2=Add(v0,v1); v3=Relu(v2); -> v3", "v2=Relu(v0); v3=Add(v1,v2); -> v3"}) {
        expectMatchesOnDevice(makeConv(kConvs[0], program, {residual}), "cudnn.conv");
        expectInSixteenBits(makeConv(kConvs[0], program, {residual}), "cudnn.conv");
    }
}

KernelCase matMul(Dims a, KernelInput b, bool bias, std::string program = {}, std::vector<KernelInput> extra = {}) {
    KernelCase c;
    c.op = "MatMul";
    const int64_t n = b.dims.back();
    c.inputs = {{std::move(a)}, std::move(b), bias ? KernelInput::weights({n}) : KernelInput::absent()};
    c.program = std::move(program);
    c.inputs.insert(c.inputs.end(), extra.begin(), extra.end());
    return c;
}

TEST(DeviceMatMul, ShapesAndBatches) {
    SKIP_WITHOUT_DEVICE();
    for (const KernelCase& c :
         {matMul({4, 7, 16}, KernelInput::weights({16, 32}), true),
          matMul({65, 33}, KernelInput::weights({33, 17}), false),
          matMul({1, 256}, KernelInput::weights({256, 1000}), true), matMul({2, 3, 5, 8}, {{2, 3, 8, 6}}, false),
          matMul({3, 5, 8}, {{8, 6}}, false), matMul({5, 8}, {{3, 8, 6}}, false)}) {
        expectMatchesOnDevice(c, "cublaslt.matmul");
        expectInSixteenBits(c, "cublaslt.matmul");
    }
}

TEST(DeviceMatMul, TransposedAndScaled) {
    SKIP_WITHOUT_DEVICE();
    KernelCase a = matMul({2, 8, 5}, {{2, 8, 6}}, false);
    a.attributes.set("transA", int64_t{1});
    KernelCase b = matMul({2, 12, 64}, {{2, 20, 64}}, false);
    b.attributes.set("transB", int64_t{1});
    b.attributes.set("alpha", 0.125f);
    for (const KernelCase& c : {a, b}) {
        expectMatchesOnDevice(c, "cublaslt.matmul");
        expectInSixteenBits(c, "cublaslt.matmul");
    }
}

TEST(DeviceMatMul, EpiloguesFusedAndPassed) {
    SKIP_WITHOUT_DEVICE();
    for (const char* program : {"v1=Relu(v0); -> v1", "v1=GeluTanh(v0); -> v1", "v1=Gelu(v0); -> v1"})
        for (const bool bias : {false, true}) {
            expectMatchesOnDevice(matMul({32, 64}, KernelInput::weights({64, 48}), bias, program), "cublaslt.matmul");
            expectMatchesOnDevice(inBf16(matMul({32, 64}, KernelInput::weights({64, 48}), bias, program)),
                                  "cublaslt.matmul");
            expectMatchesOnDevice(inFp16(matMul({32, 64}, KernelInput::weights({64, 48}), bias, program)),
                                  "cublaslt.matmul");
        }
    expectMatchesOnDevice(
        matMul({4, 8, 64}, KernelInput::weights({64, 48}), true, "v2=Add(v0,v1); -> v2", {{{4, 8, 48}}}),
        "cublaslt.matmul");
}

KernelCase chain(std::vector<KernelInput> inputs, std::string program) {
    KernelCase c;
    c.op = "Pointwise";
    c.inputs = std::move(inputs);
    c.program = std::move(program);
    return c;
}

TEST(DevicePointwise, EveryFunction) {
    SKIP_WITHOUT_DEVICE();
    for (int op = 0; op <= static_cast<int>(PointwiseOp::Where); ++op) {
        PointwiseProgram program{3, {{static_cast<PointwiseOp>(op), 0, 1, 2, 0.4f, 0.9f}}, {3}};
        const int operands = pointwiseOperandCount(program.instructions[0].op);
        if (operands < 3) program.instructions[0].c = -1;
        if (operands < 2) program.instructions[0].b = -1;
        if (operands < 1) program.instructions[0].a = -1;
        if (operands < 3) program.instructions.push_back({PointwiseOp::Where, 2, 3, 3});
        if (operands < 3) program.results = {4};
        SCOPED_TRACE(program.toString());
        KernelInput a{{3, 37}}, b{{3, 37}}, c{{3, 37}};
        a.low = static_cast<PointwiseOp>(op) == PointwiseOp::Acosh ? 1.0 : 0.05;
        a.high = static_cast<PointwiseOp>(op) == PointwiseOp::Acosh ? 3.0 : 0.95;
        KernelCase kernelCase = chain({a, b, c}, program.toString());
        expectMatchesOnDevice(kernelCase, "cuda.pointwise");
    }
}

TEST(DevicePointwise, BroadcastsLayoutsAndTypes) {
    SKIP_WITHOUT_DEVICE();
    const KernelInput x{{2, 12, 5, 7}};
    for (const KernelInput& other :
         {KernelInput{{2, 12, 5, 7}}, KernelInput{{12, 1, 1}}, KernelInput::weights({1, 12, 1, 1}), KernelInput{{1}},
          KernelInput{{7}}, KernelInput{{2, 1, 5, 1}}}) {
        const KernelCase c = chain({x, other}, "v2=Add(v0,v1); v3=Relu(v2); -> v3");
        EXPECT_GE(expectMatchesOnDevice(c, "cuda.pointwise"), 2);
        EXPECT_GE(expectMatchesOnDevice(inBf16(c), "cuda.pointwise"), 2);
        EXPECT_GE(expectMatchesOnDevice(inFp16(c), "cuda.pointwise"), 2);
    }
    expectMatchesOnDevice(chain({{{1000003}}, {{1000003}}}, "v2=Mul(v0,v1); -> v2"), "cuda.pointwise");
}

TEST(DeviceTranspose, Permutations) {
    SKIP_WITHOUT_DEVICE();
    for (const Ints& permutation : {Ints{0, 2, 1, 3}, Ints{3, 1, 0, 2}, Ints{0, 1, 2, 3}}) {
        KernelCase c;
        c.op = "Transpose";
        c.attributes.set("perm", permutation);
        c.inputs = {{{2, 5, 7, 9}}};
        expectMatchesOnDevice(c, "cuda.transpose");
        expectInSixteenBits(c, "cuda.transpose");
    }
}

TEST(DeviceRows, SoftmaxNormalisationAndReductions) {
    SKIP_WITHOUT_DEVICE();
    for (const char* op : {"Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "ReduceMean", "ReduceSum",
                           "ReduceMax", "ReduceMin"})
        for (const int64_t columns : {int64_t{1}, int64_t{37}, int64_t{1000}}) {
            KernelCase c;
            c.op = op;
            c.inputs = {{{3, 5, columns}}};
            const std::string name = op;
            if (name.find("Norm") != std::string::npos) c.inputs.push_back(KernelInput::weights({columns}));
            if (name == "LayerNormalization") c.inputs.push_back(KernelInput::weights({columns}));
            if (name.rfind("Reduce", 0) == 0) c.inputs.push_back(KernelInput::integers({-1}));
            expectMatchesOnDevice(c, "cuda.rows");
            expectInSixteenBits(c, "cuda.rows");
        }
}

TEST(DeviceRows, WithoutAxesAllGoOrNone) {
    SKIP_WITHOUT_DEVICE();
    KernelCase c;
    c.op = "ReduceSum";
    c.inputs = {{{3, 5, 7}}};
    expectMatchesOnDevice(c, "cuda.rows");
    c.attributes.set("noop_with_empty_axes", int64_t{1});
    expectMatchesOnDevice(c, "cuda.rows");
}

TEST(DevicePool, Windows) {
    SKIP_WITHOUT_DEVICE();
    for (const char* op : {"MaxPool", "AveragePool"}) {
        KernelCase c;
        c.op = op;
        c.inputs = {{{2, 9, 15, 13}}};
        c.attributes.set("kernel_shape", Ints{3, 3});
        c.attributes.set("strides", Ints{2, 2});
        c.attributes.set("pads", Ints{1, 1, 0, 1});
        EXPECT_EQ(expectMatchesOnDevice(c, "cuda.pool"), 2);
        EXPECT_EQ(expectMatchesOnDevice(inBf16(c), "cuda.pool"), 2);
        EXPECT_EQ(expectMatchesOnDevice(inFp16(c), "cuda.pool"), 2);
        if (std::string(op) != "AveragePool") continue;
        c.attributes.set("count_include_pad", int64_t{1});
        c.attributes.set("ceil_mode", int64_t{1});
        expectMatchesOnDevice(c, "cuda.pool");
    }
}

TEST(DevicePool, GlobalInParts) {
    SKIP_WITHOUT_DEVICE();
    for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"})
        for (const Dims& x : {Dims{2, 9, 15, 13}, Dims{1, 96, 80, 81}, Dims{1, 33, 1, 1}, Dims{3, 1, 200}}) {
            KernelCase c;
            c.op = op;
            c.inputs = {{x}};
            EXPECT_EQ(expectMatchesOnDevice(c, "cuda.globalpool"), 2);
            EXPECT_EQ(expectMatchesOnDevice(inBf16(c), "cuda.globalpool"), 2);
            EXPECT_EQ(expectMatchesOnDevice(inFp16(c), "cuda.globalpool"), 2);
        }
}

TEST(DeviceCopy, AcrossTheBusAndOnTheDevice) {
    SKIP_WITHOUT_DEVICE();
    constexpr auto kHost = MemoryKind::Host, kDevice = MemoryKind::Device;
    for (const DataType from : {DataType::Float32, DataType::Float16, DataType::BFloat16})
        for (const DataType to : {DataType::Float32, DataType::Float16, DataType::BFloat16}) {
            KernelCase c;
            c.op = "Reformat";
            c.floatType = from;
            c.attributes.set("to_type", static_cast<int64_t>(to));
            c.inputs = {{{2, 20, 5, 3}}};
            for (const Layout a : {Layout::Plain, Layout::ChannelsLast, Layout::Blocked16})
                for (const Layout b : {Layout::Plain, Layout::ChannelsLast, Layout::Blocked8})
                    for (const auto& [source, target] :
                         {std::pair{kHost, kDevice}, std::pair{kDevice, kHost}, std::pair{kDevice, kDevice}})
                        c.formats.push_back({{{from, a, source}}, {{to, b, target}}});
            EXPECT_EQ(expectMatchesOnDevice(c, "cuda.copy"), 27);
        }
}

TEST(DeviceCopy, Reshape) {
    SKIP_WITHOUT_DEVICE();
    KernelCase c;
    c.op = "Reshape";
    c.inputs = {{{2, 6, 5}}, KernelInput::integers({4, 15})};
    expectMatchesOnDevice(c, "cuda.reshape");
}

}  // namespace
}  // namespace strobe
