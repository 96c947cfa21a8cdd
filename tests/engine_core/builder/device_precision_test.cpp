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

/// The CPU may write the last product's FP32 sums; a device that cannot is asked for BF16 all the same.
TEST(DevicePrecision, TheLastProductIsLookedForOnTheDeviceThatWasAskedFor) {
    FakeDeviceScript script;
    script.hasBf16 = true;
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    registerFakeDevice(kernels, "MatMul", oneTypeOnDevice, script);
    NetworkBuilder b;
    b.output(b.layer("m", "MatMul", {b.input("x", {16, 32}), b.wave("w", {32, 16})}));
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(b.take());
    request.config.device = "cuda:0";
    request.config.optimizationLevel = 0;
    request.config.precision = PrecisionMode::Bf16;
    const auto built = Builder(kernels).build(request);
    ASSERT_TRUE(built) << built.status().message();
    const auto& layers = built->engine->graph().layers;
    const auto offersBf16 = [](const CandidateRecord& record) {
        return record.tactic == "fake.op" && record.declined.empty() && record.formats.find("bf16") == 0;
    };
    EXPECT_TRUE(std::any_of(layers.begin(), layers.end(), [&](const EngineLayer& layer) {
        return std::any_of(layer.candidates.begin(), layer.candidates.end(), offersBf16);
    }));
}

}  // namespace
}  // namespace strobe::test
