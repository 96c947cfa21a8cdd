// Whole networks built for the device, with the CPU's reference kernels for what it lacks.
#include <cmath>
#include <set>

#include "engine_core/builder/builder.h"
#include "engine_core/runtime/execution_context.h"
#include "tests/kernels/cuda/device_case.h"
#include "tests/support/network_builder.h"

namespace strobe {
namespace {

Attributes pads() {
    Attributes attributes;
    attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    return attributes;
}

/// Convolutions with a residual, pooling, a classifier; CumSum has no kernel on the device.
Network smallNetwork() {
    test::NetworkBuilder b;
    const TensorId x = b.input("x", {2, 16, 12, 12});
    const TensorId c1 = b.layer("conv1", "Conv", {x, b.wave("w1", {16, 16, 3, 3}), b.wave("b1", {16})}, pads());
    const TensorId r1 = b.layer("relu1", "Relu", {c1});
    const TensorId c2 = b.layer("conv2", "Conv", {r1, b.wave("w2", {16, 16, 3, 3}, 3.0f)}, pads());
    const TensorId sum = b.layer("sum", "Add", {c2, x});
    const TensorId r2 = b.layer("relu2", "Relu", {sum});
    const TensorId pooled = b.layer("pool", "GlobalAveragePool", {r2});
    const TensorId flat = b.layer("flat", "Flatten", {pooled});
    const TensorId product = b.layer("product", "MatMul", {flat, b.wave("w3", {16, 10}, 5.0f)});
    const TensorId running = b.layer("running", "CumSum", {product, b.integers("axis", {1})});
    b.output(b.layer("probabilities", "Softmax", {running}));
    return b.take();
}

std::shared_ptr<const Engine> build(const std::string& device, PrecisionMode precision) {
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(smallNetwork());
    request.config.device = device;
    request.config.precision = precision;
    request.config.optimizationLevel = device == "cpu" ? 0 : 2;
    request.config.threads = 2;
    auto built = Builder(deviceUnderTest().kernels).build(request);
    EXPECT_TRUE(built.hasValue()) << built.status().message();
    return built ? built->engine : nullptr;
}

std::vector<float> run(const Engine& engine, const std::vector<float>& input, StepObserver* observer = nullptr) {
    auto context = engine.createContext(2);
    EXPECT_TRUE(context.hasValue()) << context.status().message();
    if (!context) return {};
    EXPECT_TRUE((*context)->setInput(0, input.data(), {2, 16, 12, 12}).isOk());
    const Status status = (*context)->run(observer);
    EXPECT_TRUE(status.isOk()) << status.message();
    const auto* values = static_cast<const float*>((*context)->outputData(0));
    return status.isOk() ? std::vector<float>(values, values + 20) : std::vector<float>();
}

std::vector<float> input() {
    std::vector<float> values(2 * 16 * 144);
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.2f * std::sin(0.37f * static_cast<float>(i));
    return values;
}

std::set<std::string> tacticsOf(const Engine& engine) {
    std::set<std::string> names;
    for (const EngineLayer& layer : engine.graph().layers) names.insert(layer.tactic);
    return names;
}

class DeviceNetwork : public testing::TestWithParam<PrecisionMode> {};

TEST_P(DeviceNetwork, GivesTheCpusAnswer) {
    SKIP_WITHOUT_DEVICE();
    const auto onCpu = build("cpu", PrecisionMode::Fp32), onDevice = build(deviceUnderTest().info.id, GetParam());
    ASSERT_TRUE(onCpu && onDevice);
    const auto tactics = tacticsOf(*onDevice);
    EXPECT_TRUE(tactics.count("cudnn.conv")) << testing::PrintToString(tactics);
    EXPECT_TRUE(tactics.count("cuda.copy")) << testing::PrintToString(tactics);
    EXPECT_TRUE(tactics.count("reference.CumSum")) << testing::PrintToString(tactics);
    const auto expected = run(*onCpu, input()), actual = run(*onDevice, input());
    ASSERT_EQ(expected.size(), actual.size());
    const float tolerance = GetParam() == PrecisionMode::Fp32 ? 1e-4f : 5e-2f;
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(expected[i], actual[i], tolerance) << i;
}
INSTANTIATE_TEST_SUITE_P(Precisions, DeviceNetwork,
                         testing::Values(PrecisionMode::Fp32, PrecisionMode::Fp16, PrecisionMode::Bf16),
                         [](const auto& test) { return std::string(precisionModeName(test.param)); });

/// Tags all that a layer starts with its number + 1.
class Tagger final : public StepObserver {
public:
    explicit Tagger(DeviceTraceRecorder& recorder) : m_recorder(recorder) {}
    void stepStarted(const StepView& step) override {
        EXPECT_TRUE(m_recorder.enter(static_cast<uint64_t>(step.index) + 1).isOk());
    }
    void stepFinished(const StepView&) override { EXPECT_TRUE(m_recorder.leave().isOk()); }

private:
    DeviceTraceRecorder& m_recorder;
};

TEST(DeviceTrace, KernelsAreTaggedWithTheirLayers) {
    SKIP_WITHOUT_DEVICE();
    const auto engine = build(deviceUnderTest().info.id, PrecisionMode::Fp32);
    ASSERT_TRUE(engine);
    auto recorder = deviceUnderTest().device->createTraceRecorder();
    ASSERT_TRUE(recorder.hasValue()) << recorder.status().message();
    const Status started = (*recorder)->start();
    ASSERT_TRUE(started.isOk()) << started.message();
    Tagger tagger(**recorder);
    run(*engine, input(), &tagger);
    const auto activities = (*recorder)->stop();
    ASSERT_TRUE(activities.hasValue()) << activities.status().message();
    std::set<uint64_t> tagged;
    for (const DeviceActivity& activity : *activities) {
        EXPECT_GE(activity.end, activity.start) << activity.name;
        if (activity.tag > 0) tagged.insert(activity.tag);
    }
    for (size_t i = 0; i < engine->graph().layers.size(); ++i)
        if (engine->graph().layers[i].tactic == "cudnn.conv") {
            EXPECT_TRUE(tagged.count(i + 1)) << "layer " << i << " of " << activities->size() << " activities";
        }
}

}  // namespace
}  // namespace strobe
