#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "engine_core/onnx/importer.h"
#include "tests/engine_core/passes/pass_test_support.h"
#include "tests/support/model_cache.h"
#include "tests/support/run_reference.h"

namespace strobe::test {
namespace {

std::string fileOf(const std::string& model) {
    return model + ".onnx";
}
std::string modelPath(const std::string& model) {
    return (modelCache() / fileOf(model)).string();
}

struct Expectation {
    const char* model;
    int mostLayers;  // after the passes
};

class RealModels : public testing::TestWithParam<Expectation> {};

TEST_P(RealModels, ShrinkToWhatMustBeComputed) {
    const auto [model, mostLayers] = GetParam();
    STROBE_NEEDS_CACHED(fileOf(model));
    auto imported = importOnnx(modelPath(model));
    ASSERT_TRUE(imported) << imported.status().message();
    Network network = std::move(imported->network);
    const int before = network.layerCount();
    auto report = PassManager::run(network, {}, referenceKernels());
    ASSERT_TRUE(report) << report.status().message();
    std::cout << model << ": " << network.sourceNodes().size() << " nodes, " << before << " layers -> "
              << network.layerCount() << " (with bodies " << report->runs.front().layersBefore << " -> "
              << report->runs.back().layersAfter << ")\n";
    if (std::getenv("STROBE_PRINT")) {
        std::cout << network.toString();
        for (const NearMiss& miss : report->nearMisses)
            std::cout << "near miss: " << miss.pass << " " << miss.layer << ": " << miss.reason << "\n";
        for (const PassRun& run : report->runs)
            std::cout << run.name << " " << run.milliseconds << " ms, " << run.rewrites << "\n";
    }
    EXPECT_LE(network.layerCount(), mostLayers);
    for (LayerId id : network.topologicalOrder())
        EXPECT_NE(network.layer(id).op->name, "Shape") << network.layer(id).name;
}

INSTANTIATE_TEST_SUITE_P(Cache, RealModels,
                         testing::Values(Expectation{"ocr_det", 130}, Expectation{"ocr_rec", 130},
                                         Expectation{"ocr_cls", 130}, Expectation{"detector", 140},
                                         Expectation{"magika", 60}, Expectation{"vad16", 60}, Expectation{"minilm", 70},
                                         Expectation{"light_resnet50", 80}, Expectation{"light_densenet121", 400},
                                         Expectation{"light_inception_v2", 120}, Expectation{"light_shufflenet", 150},
                                         Expectation{"light_squeezenet", 60}, Expectation{"light_vgg19", 40},
                                         Expectation{"vad", 60}),
                         [](const auto& instance) { return std::string(instance.param.model); });

struct NumberCase {
    const char* model;
    std::vector<Dims> inputs;
};

class RealNumbers : public testing::TestWithParam<NumberCase> {};

WeightsPtr inputFor(const Tensor& tensor, const Dims& dims, float seed) {
    if (isFloatingPoint(tensor.type)) return data(dims, seed);
    std::vector<int64_t> values(static_cast<size_t>(elementCount(dims)));
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = tensor.name == "attention_mask"   ? (i % 5 != 4)
                    : tensor.name == "token_type_ids" ? i % 2
                                                      : (i * 37) % 300;
    if (tensor.name == "sr") values = {16000};
    if (tensor.type == DataType::Int64) return makeInt64Weights(dims, values);
    const std::vector<int32_t> narrow(values.begin(), values.end());
    return makeWeights<int32_t>(tensor.type, dims, narrow);
}

TEST_P(RealNumbers, StayTheSame) {
    const auto& [model, inputDims] = GetParam();
    STROBE_NEEDS_CACHED(fileOf(model));
    auto imported = importOnnx(modelPath(model));
    ASSERT_TRUE(imported) << imported.status().message();
    Network fused = imported->network;
    const auto report = PassManager::run(fused, {}, referenceKernels());
    ASSERT_TRUE(report) << report.status().message();
    std::vector<WeightsPtr> inputs;
    for (size_t i = 0; i < inputDims.size(); ++i)
        inputs.push_back(inputFor(fused.tensor(fused.inputs()[i]), inputDims[i], static_cast<float>(i)));
    const auto before = runReference(imported->network, inputs), after = runReference(fused, inputs);
    ASSERT_TRUE(before) << before.status().message();
    ASSERT_TRUE(after) << after.status().message();
    for (size_t o = 0; o < before->size(); ++o) {
        const auto wanted = toFloats(*(*before)[o]), found = toFloats(*(*after)[o]);
        ASSERT_EQ((*before)[o]->dims, (*after)[o]->dims);
        float largest = 0, worst = 0;
        for (size_t i = 0; i < wanted.size(); ++i) {
            largest = std::max(largest, std::fabs(wanted[i]));
            worst = std::max(worst, std::fabs(wanted[i] - found[i]));
        }
        EXPECT_GT(largest, 0.0f);
        EXPECT_LE(worst, 2e-4f * largest) << "output " << o << ", largest " << largest;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cache, RealNumbers,
    testing::Values(NumberCase{"ocr_det", {{1, 3, 64, 32}}}, NumberCase{"ocr_rec", {{1, 3, 48, 32}}},
                    NumberCase{"ocr_cls", {{1, 3, 48, 192}}}, NumberCase{"minilm", {{2, 5}, {2, 5}, {2, 5}}},
                    NumberCase{"vad16", {{1, 576}, {2, 1, 128}}}, NumberCase{"magika", {{1, 2048}}},
                    NumberCase{"vad", {{1, 512}, {2, 1, 128}, {}}}),
    [](const auto& instance) { return std::string(instance.param.model); });

}  // namespace
}  // namespace strobe::test
