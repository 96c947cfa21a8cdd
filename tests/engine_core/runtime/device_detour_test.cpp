// Layers that were built for a device and meet shapes that no kernel of the device serves.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "engine_core/runtime/execution_context.h"
#include "kernels/reference/reference_kernel.h"
#include "tests/support/fake_device.h"
#include "tests/support/network_builder.h"

namespace {
int g_alignedBlocks = 0;  // that were asked for as tensor memory is
}

void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    ++g_alignedBlocks;
    void* memory = nullptr;
    return ::posix_memalign(&memory, static_cast<std::size_t>(alignment), bytes) == 0 ? memory : nullptr;
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

namespace strobe::test {
namespace {

/// Softmax over x[N,8], built for N = 2 on the fake device.
class DeviceDetour : public testing::Test {
protected:
    std::vector<float> softmaxOf(int64_t rows, std::function<Support(const Problem&)> serves) {
        KernelRegistry kernels;
        registerReferenceKernels(kernels);
        registerFakeDevice(kernels, "Softmax", std::move(serves), script);
        NetworkBuilder b;
        b.output(b.layer("soft", "Softmax", {b.input("x", {Dim::symbol("N"), 8})}));
        const auto engine = buildWithFakeDevice(kernels, b.take(), {{{{"x", {{1, 8}, {2, 8}, {4, 8}}}}}});
        EXPECT_TRUE(engine) << engine.status().message();
        if (!engine) return {};
        auto context = (*engine)->createContext(1);
        EXPECT_TRUE(context) << context.status().message();
        std::vector<float> x(static_cast<size_t>(rows) * 8);
        for (size_t i = 0; i < x.size(); ++i) x[i] = i % 8 == i / 8 ? 1.0f : 0.0f;
        EXPECT_TRUE((*context)->setInput(0, x.data(), {rows, 8}));
        script.kernelsRun = 0;
        const Status status = (*context)->run();
        EXPECT_TRUE(status) << status.message();
        const int before = g_alignedBlocks, kernels1 = script.kernelsRun;
        EXPECT_TRUE((*context)->run().isOk());
        EXPECT_EQ(g_alignedBlocks, before) << "a run after the first takes memory";
        script.kernelsRun = kernels1;
        const auto* y = static_cast<const float*>((*context)->outputData(0));
        return status.isOk() ? std::vector<float>(y, y + x.size()) : std::vector<float>();
    }
    static void expectSoftmax(const std::vector<float>& y, size_t rows) {
        ASSERT_EQ(y.size(), rows * 8);
        const float one = std::exp(1.0f) / (std::exp(1.0f) + 7), rest = 1 / (std::exp(1.0f) + 7);
        for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], i % 8 == i / 8 ? one : rest, 1e-6f) << i;
    }
    FakeDeviceScript script;
};

Support onDevice(const Problem& problem) {
    return problem.inputs[0].format.memory == MemoryKind::Device ? Support::yes() : Support::no("on the host");
}

TEST_F(DeviceDetour, NoneWhereTheDeviceServes) {
    expectSoftmax(softmaxOf(3, onDevice), 3);
    EXPECT_EQ(script.kernelsRun, 3);  // there, softmax, back
}

TEST_F(DeviceDetour, ThroughTheHostWhereTheDeviceDoesNot) {
    const auto onlyTwoRows = [](const Problem& p) {
        return p.inputs[0].dims[0] == 2 ? onDevice(p) : Support::no("two rows only");
    };
    expectSoftmax(softmaxOf(3, onlyTwoRows), 3);
    EXPECT_EQ(script.kernelsRun, 4);  // the layer's own copies to and from the host, within the engine's
    expectSoftmax(softmaxOf(2, onlyTwoRows), 2);
    EXPECT_EQ(script.kernelsRun, 3);
}

TEST(DeviceEngine, WithoutItsDeviceItSaysSo) {
    FakeDeviceScript script;
    KernelRegistry kernels, none;
    registerReferenceKernels(kernels);
    registerReferenceKernels(none);
    registerFakeDevice(kernels, "Softmax", onDevice, script);
    NetworkBuilder b;
    b.output(b.layer("soft", "Softmax", {b.input("x", {2, 8})}));
    const auto engine = buildWithFakeDevice(kernels, b.take());
    ASSERT_TRUE(engine) << engine.status().message();
    const auto bytes = (*engine)->serialize();
    ASSERT_TRUE(bytes) << bytes.status().message();
    EXPECT_TRUE(Engine::loadBytes(nullptr, *bytes, "soft.engine", kernels));
    const Status status = Engine::loadBytes(nullptr, *bytes, "soft.engine", none).status();
    EXPECT_NE(status.message().find("the engine is for device cuda:0"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace strobe::test
