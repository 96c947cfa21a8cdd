#include "engine_core/runtime/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "engine_core/builder/builder.h"
#include "engine_core/runtime/engine_file.h"
#include "engine_core/runtime/execution_context.h"
#include "tests/engine_core/runtime/engine_test_support.h"
#include "tests/support/network_builder.h"
#include "tests/support/run_reference.h"

namespace strobe {
namespace {

using test::cpuKernels;

/// x[N,4,H,W] → Conv 3×3 → Relu → Add(x) → y
Network residualBlock() {
    Network network;
    network.setName("block");
    const OpRegistry& ops = OpRegistry::instance();
    const TensorId x = network.addInput("x", DataType::Float32, {Dim::symbol("N"), 4, Dim::symbol("H"), 8});
    std::vector<float> weights(4 * 4 * 9);
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.01f * static_cast<float>(static_cast<int>(i % 17) - 8);
    const TensorId w = network.addConstant("w", makeFloatWeights({4, 4, 3, 3}, weights));
    Attributes attributes;
    attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
    const TensorId c = network.addTensor("c"), r = network.addTensor("r"), y = network.addTensor("y");
    network.addLayer("conv", ops.get("Conv"), attributes, {x, w}, {c});
    network.addLayer("relu", ops.get("Relu"), {}, {c}, {r});
    network.addLayer("add", ops.get("Add"), {}, {r, x}, {y});
    network.markOutput(y);
    EXPECT_TRUE(inferNetwork(network).isOk());
    return network;
}

BuilderConfig config() {
    BuilderConfig c = test::quickConfig();
    c.profiles = {{{{"x", {{1, 4, 4, 8}, {2, 4, 6, 8}, {4, 4, 16, 8}}}}}};
    return c;
}

std::shared_ptr<const Engine> buildEngine(const BuilderConfig& c, TimingCache* cache = nullptr) {
    return test::buildEngine(residualBlock(), c, cache);
}

std::vector<float> input(const Dims& dims) {
    std::vector<float> values(static_cast<size_t>(elementCount(dims)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.1f * static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
    return values;
}

/// relu(conv(x)) + x, written out.
std::vector<float> expected(const std::vector<float>& x, const Dims& d) {
    std::vector<float> y = x;
    const int64_t H = d[2], W = d[3];
    for (int64_t n = 0; n < d[0]; ++n)
        for (int64_t m = 0; m < 4; ++m)
            for (int64_t i = 0; i < H; ++i)
                for (int64_t j = 0; j < W; ++j) {
                    double sum = 0;
                    for (int64_t c = 0; c < 4; ++c)
                        for (int64_t k = 0; k < 9; ++k) {
                            const int64_t a = i + k / 3 - 1, b = j + k % 3 - 1;
                            if (a < 0 || b < 0 || a >= H || b >= W) continue;
                            const auto index = static_cast<int64_t>((m * 4 + c) * 9 + k);
                            sum += static_cast<double>(0.01f * static_cast<float>(static_cast<int>(index % 17) - 8)) * static_cast<double>(x[static_cast<size_t>(((n * 4 + c) * H + a) * W + b)]);
                        }
                    y[static_cast<size_t>(((n * 4 + m) * H + i) * W + j)] += static_cast<float>(std::max(sum, 0.0));
                }
    return y;
}

void expectRunsRight(const Engine& engine, const Dims& dims, float tolerance) {
    auto context = engine.createContext();
    ASSERT_TRUE(context.hasValue());
    const std::vector<float> x = input(dims);
    ASSERT_TRUE((*context)->setInput(0, x.data(), dims).isOk());
    const Status status = (*context)->run();
    ASSERT_TRUE(status.isOk()) << status.message();
    ASSERT_EQ(*(*context)->outputDims(0), dims);
    const auto* y = static_cast<const float*>((*context)->outputData(0));
    const std::vector<float> want = expected(x, dims);
    for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(y[i], want[i], tolerance) << "element " << i;
}

TEST(Engine, RunsEveryShapeInsideTheProfileAndRefusesOthers) {
    const auto engine = buildEngine(config());
    ASSERT_TRUE(engine);
    for (const Dims& dims : {Dims{1, 4, 4, 8}, Dims{2, 4, 6, 8}, Dims{4, 4, 16, 8}, Dims{3, 4, 5, 8}}) expectRunsRight(*engine, dims, 1e-4f);
    auto context = engine->createContext();
    ASSERT_TRUE((*context)->setInput(0, nullptr, {5, 4, 6, 8}).isOk());
    const Status outside = (*context)->run();
    EXPECT_EQ(outside.code(), ErrorCode::OutOfRange);
    EXPECT_NE(outside.message().find("[1, 4]"), std::string::npos) << outside.message();
}

/// Between shapes that fit, and of symbols that the model says nothing of, there are some that do not: kernels must not see them.
TEST(Engine, ShapesThatContradictEachOtherAreRefused) {
    const auto refused = [](const char* op, const std::vector<Shape>& shapes, const std::vector<Dims>& opt, const std::vector<Dims>& given, WeightsPtr weights = nullptr) {
        Network network;
        std::vector<TensorId> inputs;
        OptimizationProfile profile;
        for (size_t i = 0; i < shapes.size(); ++i) {
            const std::string name = "x" + std::to_string(i);
            inputs.push_back(network.addInput(name, DataType::Float32, shapes[i]));
            profile.inputs[name] = {opt[i], opt[i], Dims(opt[i].size(), 64)};
        }
        if (weights) inputs.push_back(network.addConstant("w", weights));
        const TensorId y = network.addTensor("y");
        network.addLayer("first", OpRegistry::instance().get(op), {}, inputs, {y});
        network.markOutput(y);
        EXPECT_TRUE(inferNetwork(network).isOk());
        BuilderConfig c = config();
        c.profiles = {profile};
        const auto built = Builder(cpuKernels()).build({std::make_shared<const Network>(std::move(network)), c, "m.onnx", "", nullptr, {}, {}});
        ASSERT_TRUE(built) << built.status().message();
        auto context = built->engine->createContext();
        std::vector<std::vector<float>> data;
        for (const Dims& dims : given) data.emplace_back(static_cast<size_t>(elementCount(dims)));
        for (size_t i = 0; i < given.size(); ++i) ASSERT_TRUE((*context)->setInput(static_cast<int>(i), data[i].data(), given[i]).isOk());
        const Status status = (*context)->run();
        EXPECT_FALSE(status.isOk()) << op;
        EXPECT_NE(status.message().find("layer 'first'"), std::string::npos) << status.message();
    };
    const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
    refused("Add", {{n}, {m}}, {{8}, {8}}, {{8}, {32}});
    refused("Concat", {{n, m}, {n, Dim::symbol("K")}}, {{2, 8}, {2, 8}}, {{2, 8}, {2, 32}});
    refused("MatMul", {{n, m}, {Dim::symbol("K"), n}}, {{4, 8}, {8, 4}}, {{4, 32}, {8, 4}});
    refused("Reshape", {{n, m}}, {{8, 8}}, {{9, 9}}, makeInt64Weights({2}, std::vector<int64_t>{-1, 8}));
}

/// What the engine of `network` gives for x and y, each of rows of four; profile `fewest` to 8 rows. Empty, and a failed test,
/// when it cannot.
std::vector<float> runOnRows(Network network, const std::vector<std::vector<float>>& inputs, int64_t fewest = 1) {
    BuilderConfig c = config();
    c.profiles = {{}};
    for (TensorId id : network.inputs()) c.profiles[0].inputs[network.tensor(id).name] = {{fewest, 4}, {2, 4}, {8, 4}};
    const auto engine = test::buildEngine(std::move(network), c);
    if (!engine) return {};
    auto context = engine->createContext();
    for (size_t i = 0; i < inputs.size(); ++i)
        EXPECT_TRUE(
            (*context)
                ->setInput(static_cast<int>(i), inputs[i].data(), {static_cast<int64_t>(inputs[i].size() / 4), 4})
                .isOk());
    const Status status = (*context)->run();
    EXPECT_TRUE(status.isOk()) << status.message();
    if (!status.isOk()) return {};
    const auto* y = static_cast<const float*>((*context)->outputData(0));
    return {y, y + elementCount(*(*context)->outputDims(0))};
}

const std::vector<float> kOneRow = {1, -2, 3, -4}, kThreeRows = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};

/// Two extents that the model does not call equal may differ where one of them is 1.
TEST(Engine, UnequalSymbolsBroadcast) {
    const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
    const auto graph = [&](bool expand) {
        test::NetworkBuilder b;
        const TensorId x = b.input("x", {n, 4}), y = b.input("y", {m, 4});
        const TensorId wide =
            expand ? b.layer("wide", "Expand", {x, b.layer("shape", "Shape", {y})}) : b.layer("sum", "Add", {x, y});
        const TensorId relu = b.layer("relu", "Relu", {wide});
        b.output(b.layer("out", "Add", {x, b.layer("product", "MatMul", {relu, b.wave("w", {4, 4})})}));
        return b.take();
    };
    for (const bool expand : {false, true}) {
        const auto expected = [&](const std::vector<float>& x, const std::vector<float>& y) {
            const auto run =
                runReference(graph(expand), {makeFloatWeights({static_cast<int64_t>(x.size()) / 4, 4}, x),
                                             makeFloatWeights({static_cast<int64_t>(y.size()) / 4, 4}, y)});
            EXPECT_TRUE(run) << run.status().message();
            return run ? toFloats(*(*run)[0]) : std::vector<float>();
        };
        for (const auto& [x, y] :
             {std::pair(kOneRow, kThreeRows), std::pair(kThreeRows, kOneRow), std::pair(kThreeRows, kThreeRows)}) {
            const std::vector<float> want = expected(x, y), got = runOnRows(graph(expand), {x, y});
            ASSERT_EQ(want.size(), 12u);
            ASSERT_EQ(got.size(), 12u);
            for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-3) << i;
        }
    }
}

/// No row against one makes none: the greater extent would be wrong.
TEST(Engine, NoRowsBroadcastToNoRows) {
    const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
    for (const bool expand : {false, true}) {
        const auto graph = [&] {
            test::NetworkBuilder b;
            const TensorId x = b.input("x", {n, 4}), y = b.input("y", {m, 4});
            const TensorId wide = expand ? b.layer("wide", "Expand", {x, b.layer("shape", "Shape", {y})})
                                         : b.layer("wide", "Add", {x, y});
            b.output(b.layer("sum", "ReduceSum", {wide, b.integers("axis", {0})}));
            return b.take();
        };
        EXPECT_EQ(runOnRows(graph(), {{}, kOneRow}, 0), (std::vector<float>{0, 0, 0, 0})) << expand;
        EXPECT_EQ(runOnRows(graph(), {kOneRow, {}}, 0), (std::vector<float>{0, 0, 0, 0})) << expand;
        EXPECT_EQ(runOnRows(graph(), {{}, {}}, 0), (std::vector<float>{0, 0, 0, 0})) << expand;
    }
}

/// The last five rows of fewer than five: a start of N − 5 counts from the back once it is negative.
TEST(Engine, AComputedSliceStartMayBeNegative) {
    const auto graph = [] {
        test::NetworkBuilder b;
        const TensorId x = b.input("x", {Dim::symbol("N"), 4});
        const TensorId rows = b.layer("rows", "Shape", {x}, test::attributes({{"end", int64_t{1}}}));
        const TensorId start = b.layer("start", "Sub", {rows, b.integers("five", {5})});
        b.output(b.layer("out", "Relu",
                         {b.layer("tail", "Slice", {x, start, b.integers("end", {1000}), b.integers("axis", {0})})}));
        return b.take();
    };
    for (const int64_t rows : {1, 2, 3, 4, 5, 6, 8}) {
        std::vector<float> x(static_cast<size_t>(rows * 4));
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
        const int64_t start = rows >= 5 ? rows - 5 : std::max<int64_t>(0, 2 * rows - 5);
        EXPECT_EQ(runOnRows(graph(), {x}), std::vector<float>(x.begin() + start * 4, x.end())) << rows;
    }
}

TEST(Engine, LowerPrecisionStaysClose) {
    for (const PrecisionMode mode : {PrecisionMode::Bf16, PrecisionMode::Fp16, PrecisionMode::Best}) {
        BuilderConfig c = config();
        c.precision = mode;
        const auto engine = buildEngine(c);
        ASSERT_TRUE(engine);
        expectRunsRight(*engine, {2, 4, 6, 8}, 0.03f);
    }
}

TEST(Engine, RuleKeepsALayerInFp32) {
    BuilderConfig c = config();
    c.precision = PrecisionMode::Fp16;
    c.precisionRules = {{"*", DataType::Float32}};
    expectRunsRight(*buildEngine(c), {2, 4, 6, 8}, 1e-4f);
}

TEST(Engine, OutputGoesToTheCallersMemory) {
    const auto engine = buildEngine(config());
    auto context = engine->createContext();
    const Dims dims = {1, 4, 4, 8};
    const std::vector<float> x = input(dims), want = expected(x, dims);
    std::vector<float> y(want.size(), -1);
    ASSERT_TRUE((*context)->setInput(0, x.data(), dims).isOk());
    ASSERT_TRUE((*context)->setOutput(0, y.data(), 4).isOk());
    EXPECT_EQ((*context)->run().code(), ErrorCode::OutOfRange);
    ASSERT_TRUE((*context)->setOutput(0, y.data(), y.size() * sizeof(float)).isOk());
    ASSERT_TRUE((*context)->run().isOk());
    EXPECT_EQ((*context)->outputData(0), y.data());
    EXPECT_NEAR(y[17], want[17], 1e-4f);
}

TEST(Engine, ManyContextsRunAtOnce) {
    const auto engine = buildEngine(config());
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            auto context = engine->createContext(1);
            const Dims dims = {1 + t % 4, 4, 4 + t, 8};
            const std::vector<float> x = input(dims), want = expected(x, dims);
            for (int run = 0; run < 20; ++run) {
                if (!(*context)->setInput(0, x.data(), dims).isOk() || !(*context)->run().isOk()) ++wrong;
                const auto* y = static_cast<const float*>((*context)->outputData(0));
                for (size_t i = 0; i < want.size(); ++i)
                    if (std::abs(y[i] - want[i]) > 1e-4f) ++wrong;
            }
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST(EngineFile, SameSettingsAndTimingCacheGiveTheSameBytes) {
    TimingCache cache;
    BuilderConfig c = config();
    c.optimizationLevel = 3;
    const auto first = buildEngine(c, &cache)->serialize();
    const auto second = buildEngine(c, &cache)->serialize();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first, *second);
}

TEST(EngineFile, LoadsAndRunsTheSame) {
    const auto built = buildEngine(config());
    const auto bytes = built->serialize();
    EXPECT_EQ(built->fileBytes(), bytes->size());
    auto [aligned, data] = allocateWeights(DataType::UInt8, {static_cast<int64_t>(bytes->size())});
    std::memcpy(data, bytes->data(), bytes->size());
    const auto loaded = Engine::loadBytes(aligned->data, {static_cast<const uint8_t*>(data), bytes->size()}, "memory", cpuKernels());
    ASSERT_TRUE(loaded) << loaded.status().message();
    EXPECT_EQ((*loaded)->parts().modelName, "block.onnx");
    expectRunsRight(**loaded, {3, 4, 7, 8}, 1e-4f);
}

/// Parts of an external file may overlap, and empty ones begin where others do.
TEST(EngineFile, KeepsWeightsThatShareAnAddress) {
    const std::vector<float> values = {1.0f, 2.0f, 3.0f, 4.0f};
    const auto shared = [&](Dims dims) {
        return std::make_shared<Weights>(borrowedWeights(DataType::Float32, std::move(dims), values.data()));
    };
    auto graph = std::make_shared<CompiledGraph>();
    const int64_t lengths[] = {0, 2, 4, 2};
    for (int64_t length : lengths) graph->network.markOutput(graph->network.addConstant("c", shared({length})));
    Engine::Parts parts;
    parts.graph = graph;
    const auto bytes = EngineFile::write(parts);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), EngineFile::size(parts));
    const auto read = EngineFile::read(std::make_shared<int>(0), *bytes, "memory");
    ASSERT_TRUE(read) << read.status().message();
    const Network& network = read->graph->network;
    for (size_t i = 0; i < std::size(lengths); ++i)
        EXPECT_EQ(network.tensor(network.outputs()[i]).constant->copyAs<float>(),
                  std::vector<float>(values.begin(), values.begin() + lengths[i]))
            << i;
}

TEST(EngineFile, NeedsOnlyWhatItsTypesUse) {
    Engine::Parts parts = buildEngine(config())->parts();
    parts.device.features = {"amx_bf16", "amx_int8", "avx2", "avx512_bf16", "avx512_fp16", "avx512_vnni"};
    EXPECT_EQ(neededFeatures(parts), std::vector<std::string>{"avx2"});
    DeviceInfo plain = parts.device;
    plain.features = {"avx2"};
    EXPECT_EQ(EngineFile::whyNotHere(parts, plain), "");
    plain.features = {};
    EXPECT_NE(EngineFile::whyNotHere(parts, plain).find("uses avx2"), std::string::npos);
    auto graph = std::make_shared<CompiledGraph>(*parts.graph);
    graph->layers.front().outputs.front().type = DataType::BFloat16;
    parts.graph = graph;
    EXPECT_EQ(neededFeatures(parts), (std::vector<std::string>{"amx_bf16", "avx2", "avx512_bf16"}));
}

TEST(EngineFile, AnyFlippedBitAndAnyTruncationIsFound) {
    const auto bytes = buildEngine(config())->serialize();
    std::vector<uint8_t> copy = *bytes;
    const auto owner = std::make_shared<int>(0);
    const auto load = [&](size_t size) { return Engine::loadBytes(owner, {copy.data(), size}, "memory", cpuKernels()); };
    ASSERT_TRUE(load(copy.size()));
    const size_t bits = copy.size() * 8;
    for (size_t i = 0; i < 1000; ++i) {
        const size_t bit = i < 512 ? i : i * 2654435761u % bits;
        copy[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
        EXPECT_FALSE(load(copy.size())) << "bit " << bit;
        copy[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    }
    for (size_t i = 0; i < 200; ++i) EXPECT_FALSE(load(copy.size() * i / 200)) << i;
}

TEST(EngineFile, AStructureIsReadWithoutItsWeights) {
    Network network;
    const OpRegistry& ops = OpRegistry::instance();
    const TensorId x = network.addInput("x", DataType::Float32, {2, 6});
    const std::vector<int64_t> wanted = {3, 4};
    const TensorId shape = network.addConstant("shape", makeInt64Weights({2}, wanted)), y = network.addTensor("y");
    network.addLayer("reshape", ops.get("Reshape"), {}, {x, shape}, {y});
    network.markOutput(y);
    ASSERT_TRUE(inferNetwork(network).isOk());
    const auto read = parseStructure(serializeStructure(network));
    ASSERT_TRUE(read) << read.status().message();
    const Tensor& constant = read->tensor(read->findTensor("shape"));
    ASSERT_TRUE(constant.constant);
    EXPECT_EQ(constant.constant->data, nullptr);
    EXPECT_EQ(constant.constant->dims, (Dims{2}));
    ASSERT_TRUE(constant.values);  // what shapes follow from is kept
    EXPECT_EQ((*constant.values)[1], Dim(4));
}

TEST(EngineFile, CancelledSavesLeaveNoFile) {
    const auto engine = buildEngine(config());
    const std::string path = testing::TempDir() + "engine_test_cancelled.engine";
    const CancelToken cancel;
    cancel.cancel();
    EXPECT_EQ(engine->save(path, &cancel).code(), ErrorCode::Cancelled);
    EXPECT_FALSE(std::filesystem::exists(path));
    ASSERT_TRUE(engine->save(path).isOk());
    EXPECT_EQ(std::filesystem::file_size(path), engine->fileBytes());
    EXPECT_TRUE(Engine::load(path, test::cpuKernels()));
    std::filesystem::remove(path);
}

TEST(EngineFile, APlanThatWasCancelledIsMadeAnew) {
    const auto engine = buildEngine(config());
    const auto context = engine->createContext();
    ASSERT_TRUE(context);
    const std::vector<float> x(2 * 4 * 6 * 8, 1.0f);
    ASSERT_TRUE((*context)->setInput(0, x.data(), {2, 4, 6, 8}).isOk());
    const CancelToken cancel;
    cancel.cancel();
    EXPECT_EQ((*context)->run(nullptr, cancel).code(), ErrorCode::Cancelled);
    expectRunsRight(*engine, {2, 4, 6, 8}, 1e-4f);
}

TEST(Builder, RefusesAMalformedProfileWithTheDim) {
    BuilderConfig c = config();
    c.profiles[0].inputs["x"].min[2] = 9;
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(residualBlock());
    request.config = c;
    const auto built = Builder(cpuKernels()).build(request);
    ASSERT_FALSE(built);
    EXPECT_NE(built.status().message().find("dim 2 has min 9, opt 6"), std::string::npos) << built.status().message();
}

TEST(Builder, CancelStopsTheBuild) {
    Builder::Request request;
    request.parsed = std::make_shared<const Network>(residualBlock());
    request.config = config();
    request.cancel.cancel();
    EXPECT_EQ(Builder(cpuKernels()).build(request).status().code(), ErrorCode::Cancelled);
}

}  // namespace
}  // namespace strobe
