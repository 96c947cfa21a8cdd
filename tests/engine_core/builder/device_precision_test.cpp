// Which device a lower precision is looked for on.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine_core/builder/builder.h"
#include "kernels/cpu/register.h"
#include "tests/support/fake_device.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

Support oneTypeOnDevice(const Problem& problem) {
    if (problem.inputs[0].format.memory != MemoryKind::Device) return Support::no("on the host");
    return problem.inputs[0].format.type == problem.outputs[0].format.type ? Support::yes() : Support::no("two types");
}

class DevicePrecision : public testing::Test {
protected:
    DevicePrecision() {
        m_script.hasBf16 = true;
        registerCpuKernels(m_kernels);
        registerFakeDevice(m_kernels, "MatMul", oneTypeOnDevice, m_script);
        NetworkBuilder b;
        const TensorId first = b.layer("first", "MatMul", {b.input("x", {16, 32}), b.wave("w1", {32, 32})});
        b.output(b.layer("m", "MatMul", {first, b.wave("w", {32, 16})}));
        m_request.parsed = std::make_shared<const Network>(b.take());
        m_request.config.device = "cuda:0";
        m_request.config.optimizationLevel = 0;
        m_request.config.precision = PrecisionMode::Bf16;
    }
    /// The product's layer in a build of the request; null where that failed.
    const EngineLayer* buildProduct() {
        auto built = Builder(m_kernels).build(m_request);
        EXPECT_TRUE(built) << built.status().message();
        if (!built) return nullptr;
        m_engine = built->engine;
        for (const EngineLayer& layer : m_engine->graph().layers)
            if (m_engine->graph().network.layer(layer.layer).name == "m") return &layer;
        return nullptr;
    }

    FakeDeviceScript m_script;
    KernelRegistry m_kernels;
    Builder::Request m_request;
    std::shared_ptr<const Engine> m_engine;
};

/// The CPU may write the last product's FP32 sums; a device that cannot is asked for BF16 all the same.
TEST_F(DevicePrecision, TheLastProductIsLookedForOnTheDeviceThatWasAskedFor) {
    const EngineLayer* product = buildProduct();
    ASSERT_NE(product, nullptr);
    EXPECT_TRUE(std::any_of(product->candidates.begin(), product->candidates.end(), [](const CandidateRecord& record) {
        return record.tactic == "fake.op" && record.declined.empty() && record.formats.find("bf16") == 0;
    }));
}

TEST_F(DevicePrecision, TheLastProductsNoteSaysWhatTheChosenKernelDoes) {
    m_request.config.pinnedTactics["m"] = "fake.op";
    const EngineLayer* product = buildProduct();
    ASSERT_NE(product, nullptr);
    ASSERT_EQ(product->outputs[0].type, DataType::BFloat16);
    EXPECT_EQ(product->precisionNote.find("its result is rounded"), 0u) << product->precisionNote;
    if (!cpuDeviceInfo().hasBf16) GTEST_SKIP() << "no BF16 arithmetic here";
    m_request.config.pinnedTactics.clear();
    m_request.config.device = "cpu";
    product = buildProduct();
    ASSERT_NE(product, nullptr);
    ASSERT_EQ(product->inputs[0].type, DataType::BFloat16);
    ASSERT_EQ(product->outputs[0].type, DataType::Float32);
    EXPECT_EQ(product->precisionNote.find("its result stays fp32"), 0u) << product->precisionNote;
}

}  // namespace
}  // namespace strobe::test
