#include "engine_core/ops/resize.h"
#include "tests/kernels/cpu/simd_test.h"

namespace strobe {
namespace {

KernelCase resize(const Dims& x, std::vector<double> scales, const std::string& mode, const std::string& coordinates) {
    KernelCase c;
    c.op = "Resize";
    c.attributes.set("mode", mode);
    c.attributes.set("coordinate_transformation_mode", coordinates);
    KernelInput scale{{static_cast<int64_t>(scales.size())}, DataType::Float32, true};
    scale.values = std::move(scales);
    scale.keepType = true;
    c.inputs = {{x}, KernelInput::absent(), scale};
    c.tolerance = 4e-6;
    return c;
}

TEST(SimdResize, ModesAndCoordinates) {
    for (const char* mode : {"nearest", "linear"})
        for (const char* coordinates :
             {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"})
            for (const std::vector<double>& scales : {std::vector<double>{1, 1, 2, 2}, {1, 1, 0.6, 1.7}, {1, 1, 1, 3}})
                expectMatchesOnEachTarget(resize({2, 19, 5, 7}, scales, mode, coordinates), "simd.resize");
}

TEST(SimdResize, NarrowAndWholeTypes) {
    for (const char* mode : {"nearest", "linear"}) {
        KernelCase c = resize({1, 21, 6, 5}, {1, 1, 2, 2}, mode, "half_pixel");
        c.floatType = DataType::BFloat16;
        c.tolerance = 0.0;
        expectMatchesOnEachTarget(c, "simd.resize");
    }
    KernelCase bytes = resize({1, 3, 6, 5}, {1, 1, 2, 2}, "nearest", "asymmetric");
    bytes.inputs[0] = {{1, 3, 6, 5}, DataType::UInt8, false, true, 0, 255};
    expectMatchesReference(bytes, "simd.resize");
}

TEST(SimdResize, NearestModesAndSizes) {
    for (const char* nearest : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", kNearestByScale}) {
        KernelCase c = resize({1, 8, 4, 9}, {1, 1, 1.5, 0.5}, "nearest", "half_pixel");
        c.attributes.set("nearest_mode", std::string(nearest));
        expectMatchesReference(c, "simd.resize");
    }
    KernelCase sizes = resize({1, 8, 4, 9}, {}, "linear", "half_pixel");
    sizes.inputs[2] = KernelInput::absent();
    sizes.inputs.push_back(KernelInput::integers({1, 8, 7, 3}));
    expectMatchesReference(sizes, "simd.resize");
    expectMatchesReference(resize({2, 3, 10}, {1, 1, 2.5}, "linear", "half_pixel"), "simd.resize");
}

/// Sizes whose quotient, in FP32, gives back another length.
TEST(SimdResize, SizesAreExactLengths) {
    for (const char* coordinates : {"align_corners", "pytorch_half_pixel", "half_pixel_symmetric"})
        for (const char* mode : {"nearest", "linear"})
            for (const auto& [in, out] : {std::pair(41, 1), {7, 57}}) {
                KernelCase c = resize({1, 2, in, in}, {}, mode, coordinates);
                c.attributes.set("nearest_mode", std::string("floor"));
                c.inputs[2] = KernelInput::absent();
                c.inputs.push_back(KernelInput::integers({1, 2, out, out}));
                expectMatchesReference(c, "simd.resize");
            }
}

/// Two channels times 1.3 are two channels again, but both are the first one's.
TEST(SimdResize, DeclinesScaledChannels) {
    KernelCase c = resize({1, 2, 3, 3}, {1, 1.3, 2, 2}, "nearest", "asymmetric");
    c.attributes.set("nearest_mode", std::string("floor"));
    expectDeclines(c, "simd.resize", "channels are scaled");
    expectMatchesReference(resize({1, 1, 3, 3}, {1.2, 1.3, 2, 2}, "nearest", "asymmetric"), "simd.resize");
}

TEST(SimdResize, DeclinesCubic) {
    expectDeclines(resize({1, 3, 4, 4}, {1, 1, 2, 2}, "cubic", "half_pixel"), "simd.resize", "cubic");
}

}  // namespace
}  // namespace strobe
