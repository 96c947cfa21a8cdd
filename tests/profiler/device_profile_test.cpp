#include <gtest/gtest.h>

#include <algorithm>

#include "engine_core/builder/builder.h"
#include "kernels/reference/reference_kernel.h"
#include "profiler/accuracy.h"
#include "profiler/profile.h"
#include "profiler/transfer_times.h"
#include "profiler/trtexec_report.h"
#include "tests/support/fake_device.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

TEST(DeviceTimes, ActivitiesAddUpByRunAndLayer) {
    DeviceTimes times(3);
    EXPECT_FALSE(times.any());
    times.add({{"a", 1000, 3000, 7, 1, times.tag(0, 1)},
               {"b", 2000, 5000, 7, 2, times.tag(0, 1)},  // overlaps by 1 µs
               {"stray", 0, 9000, 7, 3, 0},
               {"a", 10000, 11000, 7, 4, times.tag(1, 1)},
               {"b", 12000, 16000, 7, 5, times.tag(1, 1)},
               {"c", 20000, 20500, 7, 6, times.tag(1, 2)}});
    EXPECT_TRUE(times.any());
    EXPECT_TRUE(times.milliseconds(0).empty());
    ASSERT_EQ(times.milliseconds(1).size(), 2u);
    EXPECT_DOUBLE_EQ(times.milliseconds(1)[0], 0.004);
    EXPECT_DOUBLE_EQ(times.milliseconds(1)[1], 0.005);
    ASSERT_EQ(times.milliseconds(2).size(), 1u);
    EXPECT_DOUBLE_EQ(times.milliseconds(2)[0], 0.0005);
    const auto kernels = times.kernels(1);
    ASSERT_EQ(kernels.size(), 2u);
    EXPECT_EQ(kernels[0].name, "a");
    EXPECT_DOUBLE_EQ(kernels[0].milliseconds, 0.0015);
    EXPECT_EQ(kernels[1].name, "b");
    EXPECT_DOUBLE_EQ(kernels[1].milliseconds, 0.0035);
}

/// Softmax alone on the fake device, whose every kernel takes 0.25 ms, copies included.
TEST(TransferTimes, CopiesOfInputsAndOutputsAreTimed) {
    FakeDeviceScript script;
    KernelRegistry kernels;
    registerReferenceKernels(kernels);
    registerFakeDevice(kernels, "Softmax", [](const Problem&) { return Support::yes(); }, script);
    NetworkBuilder b;
    b.output(b.layer("soft", "Softmax", {b.input("x", {4, 8})}));
    const auto built = buildWithFakeDevice(kernels, b.take());
    ASSERT_TRUE(built) << built.status().message();
    const Engine& engine = **built;
    const auto inputs = completeInputs(engine, {}, {}, 1);
    auto context = engine.createContext();
    ASSERT_TRUE(inputs && context);
    ASSERT_TRUE((*context)->setInput(0, inputs->at("x")->data.get(), {4, 8}).isOk());
    auto times = TransferTimes::create(engine);
    ASSERT_TRUE(times && *times);
    for (int run = 0; run < 2; ++run) {
        ASSERT_TRUE((*context)->run(times->get()).isOk());
        const auto copies = (*times)->take();
        ASSERT_TRUE(copies) << copies.status().message();
        EXPECT_DOUBLE_EQ(copies->toDevice, 0.25);
        EXPECT_DOUBLE_EQ(copies->toHost, 0.25);
    }
    script.hasNoEvents = true;
    EXPECT_EQ(TransferTimes::create(engine).status().code(), ErrorCode::Unsupported);
}

/// MatMul on the CPU, Softmax on the fake device, MatMul on the CPU.
class DeviceProfile : public testing::Test {
protected:
    std::shared_ptr<const Engine> build(const std::string& device) {
        if (m_kernels.devices().empty()) {
            registerReferenceKernels(m_kernels);
            registerFakeDevice(
                m_kernels, "Softmax",
                [](const Problem& p) {
                    return p.inputs[0].format.memory == MemoryKind::Device ? Support::yes()
                                                                           : Support::no("on the host");
                },
                script);
        }
        NetworkBuilder b;
        const TensorId x = b.input("x", {4, 8});
        const TensorId first = b.layer("first", "MatMul", {x, b.wave("w", {8, 8})});
        b.output(b.layer("second", "MatMul", {b.layer("soft", "Softmax", {first}), b.wave("v", {8, 8})}));
        const auto built = buildWithFakeDevice(m_kernels, b.take(), {}, device);
        EXPECT_TRUE(built) << built.status().message();
        return built ? *built : nullptr;
    }
    Profile profile(const Engine& engine) {
        const auto inputs = completeInputs(engine, {}, {}, 1);
        EXPECT_TRUE(inputs) << inputs.status().message();
        ProfileOptions options;
        options.warmUpMs = 1;
        options.durationMs = 5;
        auto measured = profileEngine(engine, *inputs, options);
        EXPECT_TRUE(measured) << measured.status().message();
        return measured ? *measured : Profile();
    }
    static const LayerProfile& layerOf(const Profile& profile, const std::string& tactic) {
        for (const LayerProfile& layer : profile.layers)
            if (layer.tactic == tactic) return layer;
        ADD_FAILURE() << "no layer runs " << tactic;
        return profile.layers.front();
    }
    FakeDeviceScript script;

private:
    KernelRegistry m_kernels;
};

TEST_F(DeviceProfile, LayersOnTheDeviceAreTimedByItsRecords) {
    const auto engine = build("cuda:0");
    ASSERT_TRUE(engine);
    const Profile measured = profile(*engine);
    EXPECT_TRUE(measured.deviceRecords);
    EXPECT_EQ(measured.deviceRecordsUnavailable, "");
    const LayerProfile& soft = layerOf(measured, "fake.op");
    EXPECT_NEAR(soft.milliseconds.median, 0.25, 1e-9);
    EXPECT_EQ(soft.milliseconds.count, measured.instrumented.count);
    ASSERT_EQ(soft.kernels.size(), 1u);
    EXPECT_EQ(soft.kernels[0].name, "fake.op");
    EXPECT_NEAR(layerOf(measured, "fake.copy").milliseconds.median, 0.25, 1e-9);
    // The CPU's layers keep the CPU's clock.
    EXPECT_LT(layerOf(measured, "reference.MatMul").milliseconds.median, 0.25);
    EXPECT_GT(layerOf(measured, "reference.MatMul").milliseconds.median, 0);
    EXPECT_TRUE(layerOf(measured, "reference.MatMul").kernels.empty());
    EXPECT_NE(profileTable(measured).find("from its own records"), std::string::npos);
    EXPECT_NE(profileJson(measured).find("\"kernels\""), std::string::npos);
}

/// Each traced run keeps a record for every kernel: a million iterations would take all memory.
TEST_F(DeviceProfile, RecordsAreKeptOfABoundedNumberOfRuns) {
    const auto engine = build("cuda:0");
    ASSERT_TRUE(engine);
    const auto inputs = completeInputs(*engine, {}, {}, 1);
    ASSERT_TRUE(inputs);
    ProfileOptions options;
    options.warmUpMs = 0;
    options.durationMs = 0;
    options.minIterations = 3 * kLayerRuns;
    const auto measured = profileEngine(*engine, *inputs, options);
    ASSERT_TRUE(measured) << measured.status().message();
    EXPECT_EQ(measured->latency.count, 3 * kLayerRuns);
    EXPECT_TRUE(measured->deviceRecords);
    EXPECT_EQ(measured->instrumented.count, kLayerRuns);
    EXPECT_EQ(layerOf(*measured, "fake.op").milliseconds.count, kLayerRuns);
}

TEST_F(DeviceProfile, WhatWasMeasuredAlreadyIsNotMeasuredAgain) {
    const auto engine = build("cpu");
    ASSERT_TRUE(engine);
    const auto inputs = completeInputs(*engine, {}, {}, 1);
    ASSERT_TRUE(inputs);
    ProfileOptions options;
    options.latency = summarize(std::vector<double>{7, 8, 9});
    options.warmUpMs = options.durationMs = 0;
    const auto measured = profileEngine(*engine, *inputs, options);
    ASSERT_TRUE(measured) << measured.status().message();
    EXPECT_EQ(measured->latency.median, 8);
    EXPECT_EQ(measured->iterations, 3);
}

TEST_F(DeviceProfile, WithoutARecorderTheClockServesAndTheReasonIsTold) {
    const auto engine = build("cuda:0");
    ASSERT_TRUE(engine);
    script.startFailure = unsupported("CUPTI is not allowed here");
    Profile measured = profile(*engine);
    EXPECT_FALSE(measured.deviceRecords);
    EXPECT_EQ(measured.deviceRecordsUnavailable, "CUPTI is not allowed here");
    EXPECT_GT(layerOf(measured, "fake.op").milliseconds.median, 0);
    EXPECT_LT(layerOf(measured, "fake.op").milliseconds.median, 0.25);
    EXPECT_NE(profileTable(measured).find("CUPTI is not allowed here"), std::string::npos);
    script.startFailure.reset();
    script.recordsNothing = true;
    measured = profile(*engine);
    EXPECT_FALSE(measured.deviceRecords);
    EXPECT_NE(measured.deviceRecordsUnavailable.find("recorded nothing"), std::string::npos)
        << measured.deviceRecordsUnavailable;
    EXPECT_EQ(measured.layers.size(), engine->graph().layers.size());
}

TEST_F(DeviceProfile, ProgressNeverGoesBackAlsoWhereTheRecordsFail) {
    const auto engine = build("cuda:0");
    ASSERT_TRUE(engine);
    const auto inputs = completeInputs(*engine, {}, {}, 1);
    ASSERT_TRUE(inputs);
    ProfileOptions options;
    options.warmUpMs = 1;
    options.durationMs = 20;
    for (const bool fails : {false, true}) {
        script.recordsNothing = fails;
        std::vector<double> reported;
        ASSERT_TRUE(profileEngine(*engine, *inputs, options, [&](double f) { reported.push_back(f); }));
        ASSERT_FALSE(reported.empty());
        EXPECT_TRUE(std::is_sorted(reported.begin(), reported.end())) << fails;
        EXPECT_DOUBLE_EQ(reported.back(), 1) << fails;
    }
}

TEST_F(DeviceProfile, AFailedWaitForTheDeviceIsTold) {
    const auto engine = build("cuda:0");
    ASSERT_TRUE(engine);
    const auto inputs = completeInputs(*engine, {}, {}, 1);
    ASSERT_TRUE(inputs);
    script.startFailure = unsupported("no recorder");
    script.waitFailure = ioError("the device fell off the bus");
    const auto measured = profileEngine(*engine, *inputs, {1, 1, 5});
    ASSERT_FALSE(measured);
    EXPECT_NE(measured.status().message().find("the device fell off the bus"), std::string::npos) << measured.status().message();
}

TEST_F(DeviceProfile, TheCpuNeedsNoRecords) {
    const auto engine = build("cpu");
    ASSERT_TRUE(engine);
    const Profile measured = profile(*engine);
    EXPECT_FALSE(measured.deviceRecords);
    EXPECT_EQ(measured.deviceRecordsUnavailable, "");
}

TEST_F(DeviceProfile, TensorsOnTheDeviceAreCompared) {
    const auto onCpu = build("cpu"), onDevice = build("cuda:0");
    ASSERT_TRUE(onCpu && onDevice);
    const auto inputs = completeInputs(*onCpu, {}, {}, 1);
    ASSERT_TRUE(inputs) << inputs.status().message();
    const auto report = compareAccuracy(*onCpu, *onDevice, {*inputs}, {});
    ASSERT_TRUE(report) << report.status().message();
    bool found = false;
    for (const LayerDifference& layer : report->layers) {
        found = found || layer.difference.tensor == "soft";
        EXPECT_EQ(layer.difference.maxAbs, 0) << layer.difference.tensor;
        EXPECT_GT(layer.difference.count, 0) << layer.difference.tensor;
    }
    EXPECT_TRUE(found);
}

}  // namespace
}  // namespace strobe::test
