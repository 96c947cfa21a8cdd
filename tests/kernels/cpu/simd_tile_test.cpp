#include "kernels/cpu/simd_tile.h"

#include <cmath>
#include <limits>
#include <vector>

#include "engine_core/base/float_formats.h"
#include "kernels/cpu/simd_pointwise.h"
#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

/// Values over many magnitudes, and the special ones.
std::vector<float> argumentsOver(float low, float high) {
    std::vector<float> values = {0.0f,
                                 -0.0f,
                                 1.0f,
                                 -1.0f,
                                 0.5f,
                                 -0.5f,
                                 std::numeric_limits<float>::infinity(),
                                 -std::numeric_limits<float>::infinity(),
                                 std::numeric_limits<float>::quiet_NaN(),
                                 1e-30f,
                                 -1e-30f,
                                 3e38f,
                                 -3e38f,
                                 1e-40f};
    for (int i = 0; i <= 4001; ++i) values.push_back(low + (high - low) * static_cast<float>(i) / 4001.0f);
    for (float v = 1e-7f; v < 80.0f; v *= 1.13f) {
        values.push_back(v);
        values.push_back(-v);
    }
    return values;
}

void expectAccurate(PointwiseOp op, double relative, double absolute, float low = -20.0f, float high = 20.0f) {
    const std::vector<float> x = argumentsOver(low, high);
    PointwiseInstruction in{op};
    in.alpha = 0.7f;
    in.beta = 1.3f;
    std::vector<float> y(x.size());
    tileFunction(op)(in, x.data(), nullptr, nullptr, y.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const float expected = evaluatePointwise(in, x[i], 0.0f, 0.0f);
        if (std::isnan(expected)) {
            EXPECT_TRUE(std::isnan(y[i])) << pointwiseOpName(op) << '(' << x[i] << ") is " << y[i];
        } else if (std::isinf(expected)) {
            EXPECT_EQ(y[i], expected) << pointwiseOpName(op) << '(' << x[i] << ')';
        } else {
            const double error = std::fabs(static_cast<double>(y[i]) - static_cast<double>(expected));
            EXPECT_LE(error, relative * std::fabs(static_cast<double>(expected)) + absolute)
                << pointwiseOpName(op) << '(' << x[i] << ") is " << y[i] << ", not " << expected;
        }
    }
}

TEST(SimdTile, FunctionsAgreeWithScalarOnes) {
    forEachSimdTarget([] {
        using enum PointwiseOp;
        for (PointwiseOp op :
             {Abs, Neg, Sqrt, Floor, Ceil, Round, Sign, Not, IsNaN, Relu, LeakyRelu, ThresholdedRelu, Clip})
            expectAccurate(op, 0.0, 0.0);
        for (PointwiseOp op : {Rsqrt, Reciprocal, Erf, Tanh, Sin, Cos, Softsign}) expectAccurate(op, 4e-7, 1e-37);
        for (PointwiseOp op : {Sigmoid, Silu, Softplus, Elu, Selu}) expectAccurate(op, 5e-7, 1e-37);
        for (PointwiseOp op : {HardSigmoid, HardSwish, Celu}) expectAccurate(op, 5e-7, 3e-7);
        for (PointwiseOp op : {Gelu, GeluTanh, Mish}) expectAccurate(op, 1e-6, 1e-6, -8.0f, 20.0f);
        expectAccurate(Exp, 3e-7, 1e-44, -110.0f, 95.0f);
        expectAccurate(Log, 3e-7, 1e-44, 0.0f, 4.0f);
    });
}

TEST(SimdTile, EveryLengthTouchesOnlyItsElements) {
    forEachSimdTarget([] {
        for (size_t n = 0; n < 40; ++n) {
            std::vector<float> a(n, 2.0f), b(n, 3.0f), out(n + 1, -1.0f);
            tileFunction(PointwiseOp::Mul)({PointwiseOp::Mul}, a.data(), b.data(), nullptr, out.data(), n);
            for (size_t i = 0; i < n; ++i) EXPECT_EQ(out[i], 6.0f);
            EXPECT_EQ(out[n], -1.0f);
        }
    });
}

// The processor's own instruction makes zero of subnormal numbers.
TEST(SimdTile, BFloat16IsRoundedToNearestEven) {
    forEachSimdTarget([] {
        std::vector<float> values = argumentsOver(-3.0f, 3.0f);
        values.push_back(std::bit_cast<float>(0x3f808000u));  // halfway, even below
        values.push_back(std::bit_cast<float>(0x3f818000u));  // halfway, even above
        std::vector<BFloat16> stored(values.size());
        storeTile(DataType::BFloat16, values.data(), stored.data(), 0, values.size());
        std::vector<float> back(values.size());
        loadTile(DataType::BFloat16, stored.data(), 0, 1, back.data(), back.size());
        for (size_t i = 0; i < values.size(); ++i) {
            const bool flushed = std::fpclassify(values[i]) == FP_SUBNORMAL && (stored[i].bits & 0x7fffu) == 0;
            if (!flushed) {
                EXPECT_EQ(stored[i].bits, floatToBFloat16(values[i])) << values[i];
            }
            if (!std::isnan(values[i])) {
                EXPECT_EQ(back[i], bfloat16ToFloat(stored[i].bits));
            }
        }
    });
}

TEST(SimdTile, IntegersStayInRange) {
    const std::vector<float> values = {
        -1e20f, -1.7f, 0.4f, 1.7f, 300.0f, 1e20f, std::numeric_limits<float>::quiet_NaN()};
    std::vector<uint8_t> bytes(values.size()), bools(values.size());
    std::vector<int64_t> longs(values.size());
    storeTile(DataType::UInt8, values.data(), bytes.data(), 0, values.size());
    storeTile(DataType::Int64, values.data(), longs.data(), 0, values.size());
    storeTile(DataType::Bool, values.data(), bools.data(), 0, values.size());
    EXPECT_EQ(bytes, (std::vector<uint8_t>{0, 0, 0, 1, 255, 255, 0}));
    EXPECT_EQ(longs, (std::vector<int64_t>{INT64_MIN, -1, 0, 1, 300, INT64_MAX, 0}));
    EXPECT_EQ(bools, (std::vector<uint8_t>{1, 1, 1, 1, 1, 1, 1}));
}

TEST(SimdPointwise, EpilogueOfATile) {
    const auto program = PointwiseProgram::parse("v2=Add(v0,v1); v3=Relu(v2); -> v3", 2);
    ASSERT_TRUE(program);
    const PointwiseTensor image{{DataType::Float32, Layout::ChannelsLast}, {1, 5, 4, 3}},
        bias{{DataType::Float32}, {1, 5, 1, 1}};
    const std::vector<PointwiseTensor> inputs = {image, bias};
    const SimdPointwise chainOfTile(*program, inputs, std::span(&image, 1), true);
    const std::vector<float> biases = {-1.0f, 0.0f, 1.0f, 2.0f, 3.0f}, tile(10, 0.5f);
    std::vector<float> out(60, 7.0f);
    std::vector<char> scratch(chainOfTile.scratchBytes());
    const std::vector<const void*> from = {tile.data(), biases.data()};
    void* to = out.data();
    chainOfTile.runRange(from, std::span<void* const>(&to, 1), 15, 25, scratch.data());
    for (size_t i = 0; i < out.size(); ++i)
        EXPECT_EQ(out[i], i < 15 || i >= 25 ? 7.0f : std::max(0.0f, 0.5f + biases[i % 5])) << i;
}

}  // namespace
}  // namespace strobe
