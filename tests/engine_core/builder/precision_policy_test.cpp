#include "engine_core/builder/precision_policy.h"

#include <gtest/gtest.h>

#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

Network oneProduct() {
    NetworkBuilder b;
    b.output(b.layer("product", "MatMul", {b.input("x", {4, 8}), b.wave("w", {8, 8})}));
    return b.take();
}

LayerPrecision decide(PrecisionMode mode, const DeviceInfo& device, std::vector<PrecisionRule> rules = {}) {
    const Network network = oneProduct();
    BuilderConfig config;
    config.precision = mode;
    config.precisionRules = std::move(rules);
    std::vector<BuildNote> notes;
    return decidePrecision(network, config, device, notes)[static_cast<size_t>(network.topologicalOrder()[0])];
}

TEST(PrecisionPolicy, ADeviceWithTheArithmeticComputesInIt) {
    DeviceInfo gpu;
    gpu.kind = DeviceKind::Cuda;
    gpu.hasBf16 = gpu.hasFp16 = true;
    for (const auto& [mode, type] :
         {std::pair{PrecisionMode::Fp16, DataType::Float16}, {PrecisionMode::Bf16, DataType::BFloat16}}) {
        const LayerPrecision native = decide(mode, gpu);
        EXPECT_EQ(native.lower, type);
        EXPECT_FALSE(native.fp32);
        EXPECT_EQ(native.preview, DataType::Undefined);
        EXPECT_EQ(native.note, "");
    }
    EXPECT_EQ(decide(PrecisionMode::Fp32, gpu).lower, DataType::Undefined);
    EXPECT_EQ(decide(PrecisionMode::Fp32, gpu, {{"op:MatMul", DataType::Float16}}).lower, DataType::Float16);
}

TEST(PrecisionPolicy, WithoutItValuesAreRounded) {
    const LayerPrecision preview = decide(PrecisionMode::Fp16, DeviceInfo());
    EXPECT_EQ(preview.lower, DataType::Undefined);
    EXPECT_TRUE(preview.fp32);
    EXPECT_EQ(preview.preview, DataType::Float16);
    EXPECT_NE(preview.note.find("preview"), std::string::npos);
}

}  // namespace
}  // namespace strobe::test
