#include "engine_core/builder/precision_policy.h"

#include <gtest/gtest.h>

#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

/// first · relu · second · scores · softmax: two products, and two layers behind them.
Network twoProducts() {
    NetworkBuilder b;
    const TensorId first = b.layer("first", "MatMul", {b.input("x", {4, 8}), b.wave("w", {8, 8})});
    const TensorId relu = b.layer("relu", "Relu", {first});
    const TensorId second = b.layer("second", "MatMul", {relu, b.wave("w2", {8, 8})});
    b.output(b.layer("softmax", "Softmax", {b.layer("scores", "Abs", {second})}));
    return b.take();
}

LayerPrecision decide(const Network& network, const std::string& layer, PrecisionMode mode, const DeviceInfo& device,
                      std::vector<PrecisionRule> rules = {}) {
    BuilderConfig config;
    config.precision = mode;
    config.precisionRules = std::move(rules);
    std::vector<BuildNote> notes;
    return decidePrecision(network, config, device, notes)[static_cast<size_t>(network.findLayer(layer))];
}

LayerPrecision decide(PrecisionMode mode, const DeviceInfo& device, std::vector<PrecisionRule> rules = {}) {
    return decide(twoProducts(), "first", mode, device, std::move(rules));
}

DeviceInfo deviceWithBf16() {
    DeviceInfo device;
    device.hasBf16 = true;
    return device;
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

TEST(PrecisionPolicy, BehindTheLastProductNothingIsLowered) {
    const Network network = twoProducts();
    for (const PrecisionMode mode : {PrecisionMode::Bf16, PrecisionMode::Best}) {
        for (const char* inside : {"first", "relu"}) {
            const LayerPrecision precision = decide(network, inside, mode, deviceWithBf16());
            EXPECT_EQ(precision.lower, DataType::BFloat16) << inside;
            EXPECT_FALSE(precision.fp32Result) << inside;
        }
        const LayerPrecision last = decide(network, "second", mode, deviceWithBf16());
        EXPECT_EQ(last.lower, DataType::BFloat16);
        EXPECT_TRUE(last.fp32Result);
        for (const char* tail : {"scores", "softmax"}) {
            const LayerPrecision precision = decide(network, tail, mode, deviceWithBf16());
            EXPECT_EQ(precision.lower, DataType::Undefined) << tail;
            EXPECT_NE(precision.note.find("behind the last product"), std::string::npos) << precision.note;
        }
    }
    EXPECT_EQ(decide(network, "softmax", PrecisionMode::Fp16, DeviceInfo()).preview, DataType::Undefined);
    // A preview rounds the last product's weights, as the real engine would.
    const LayerPrecision last = decide(network, "second", PrecisionMode::Fp16, DeviceInfo());
    EXPECT_EQ(last.preview, DataType::Float16);
    EXPECT_TRUE(last.fp32Result);
}

/// A search lowers the last product as the mode would: its result stays FP32; but leaves it no choice.
TEST(PrecisionPolicy, ASearchsRuleTakesOneOfTheModesChoices) {
    BuilderConfig config;
    config.precision = PrecisionMode::Best;
    config.precisionRules = {{"second", DataType::BFloat16, "lowered in a trial"}};
    const Network network = twoProducts();
    std::vector<BuildNote> notes;
    const auto decided = decidePrecision(network, config, deviceWithBf16(), notes);
    const LayerPrecision& second = decided[static_cast<size_t>(network.findLayer("second"))];
    EXPECT_EQ(second.lower, DataType::BFloat16);
    EXPECT_TRUE(second.fp32Result);
    EXPECT_FALSE(second.fp32);
    EXPECT_TRUE(notes.empty());
    config.precisionRules = {{"of another body", DataType::Float32, "found"}};
    decidePrecision(network, config, deviceWithBf16(), notes);
    EXPECT_TRUE(notes.empty()) << notes[0].message;
    config.precisionRules = {{"of another body", DataType::Float32}};
    decidePrecision(network, config, deviceWithBf16(), notes);
    EXPECT_EQ(notes.size(), 1u);
}

TEST(PrecisionPolicy, ReadingAShapeIsNoWayToTheOutputs) {
    NetworkBuilder b;
    const Dim n = Dim::symbol("N");
    const TensorId relu =
        b.layer("relu", "Relu", {b.layer("first", "MatMul", {b.input("x", {n, 8}), b.wave("w", {8, 8})})});
    const TensorId second = b.layer("second", "MatMul", {relu, b.wave("w2", {8, 8})});
    b.output(b.layer("back", "Reshape", {second, b.layer("shape", "Shape", {relu})}));
    const Network network = b.take();
    for (const char* inside : {"first", "relu"}) {
        const LayerPrecision precision = decide(network, inside, PrecisionMode::Bf16, deviceWithBf16());
        EXPECT_EQ(precision.lower, DataType::BFloat16) << inside;
        EXPECT_FALSE(precision.fp32Result) << inside;
    }
}

TEST(PrecisionPolicy, ARuleWithAReasonMeansOneLayer) {
    NetworkBuilder b;
    const TensorId first = b.layer("block", "MatMul", {b.input("x", {4, 8}), b.wave("w", {8, 8})});
    b.output(b.layer("block.1", "MatMul", {b.layer("relu", "Relu", {first}), b.wave("w2", {8, 8})}));
    b.network().layer(b.network().findLayer("block.1")).provenance = {0};  // as of a part of the first one's node
    const Network network = b.take();
    const auto lower = [&](const char* layer, const std::string& reason) {
        const PrecisionRule rule{"block", DataType::Float32, reason};
        return decide(network, layer, PrecisionMode::Bf16, deviceWithBf16(), {rule}).lower;
    };
    EXPECT_EQ(lower("block", "sensitive"), DataType::Undefined);
    EXPECT_EQ(lower("block.1", "sensitive"), DataType::BFloat16);
    EXPECT_EQ(lower("block.1", ""), DataType::Undefined);
}

TEST(PrecisionPolicy, ARuleLowersTheTailAllTheSame) {
    const Network network = twoProducts();
    const std::vector<PrecisionRule> all = {{"*", DataType::BFloat16}};
    for (const char* layer : {"second", "scores", "softmax"}) {
        const LayerPrecision precision = decide(network, layer, PrecisionMode::Bf16, deviceWithBf16(), all);
        EXPECT_EQ(precision.lower, DataType::BFloat16) << layer;
        EXPECT_FALSE(precision.fp32Result) << layer;
    }
}

TEST(PrecisionPolicy, ANetworkWithoutProductsHasNoTail) {
    NetworkBuilder b;
    b.output(b.layer("softmax", "Softmax", {b.layer("relu", "Relu", {b.input("x", {4, 8})})}));
    const Network network = b.take();
    for (const char* layer : {"relu", "softmax"})
        EXPECT_EQ(decide(network, layer, PrecisionMode::Bf16, deviceWithBf16()).lower, DataType::BFloat16) << layer;
}

TEST(PrecisionPolicy, ASecondOutputMakesALayerTail) {
    NetworkBuilder b;
    const TensorId first = b.layer("first", "MatMul", {b.input("x", {4, 8}), b.wave("w", {8, 8})});
    const TensorId relu = b.layer("relu", "Relu", {first});
    b.output(b.layer("second", "MatMul", {relu, b.wave("w2", {8, 8})}));
    b.output(relu);
    const Network network = b.take();
    EXPECT_TRUE(decide(network, "first", PrecisionMode::Bf16, deviceWithBf16()).fp32Result);
    EXPECT_EQ(decide(network, "relu", PrecisionMode::Bf16, deviceWithBf16()).lower, DataType::Undefined);
}

TEST(PrecisionPolicy, AReasonIsToldInPlaceOfTheRule) {
    const auto note = [](const PrecisionRule& rule) {
        return decide(PrecisionMode::Bf16, deviceWithBf16(), {rule}).note;
    };
    EXPECT_EQ(note({"first", DataType::Float32}), "set by rule 'first'");
    EXPECT_EQ(note({"first", DataType::Float32, "too sensitive"}), "too sensitive");
}

}  // namespace
}  // namespace strobe::test
