#include "engine_core/runtime/loop_values.h"

#include <gtest/gtest.h>

#include <cstring>

#include "engine_core/ir/weights.h"
#include "engine_core/runtime/graph_executor.h"
#include "tests/engine_core/runtime/engine_test_support.h"
#include "tests/support/onnx_builder.h"

namespace strobe {
namespace {

TEST(GatheredSlices, AreJoinedAlongAnyAxisInBothDirections) {
    GatheredSlices slices;
    for (float first : {0.0f, 10.0f, 20.0f}) {
        const float slice[] = {first, first + 1};
        ASSERT_TRUE(slices.append(slice, {2}, DataType::Float32).isOk());
    }
    std::vector<float> joined(6);
    slices.join(0, false, sizeof(float), joined.data());
    EXPECT_EQ(joined, (std::vector<float>{0, 1, 10, 11, 20, 21}));
    EXPECT_EQ(slices.joinedDims(0), (Dims{3, 2}));
    slices.join(1, true, sizeof(float), joined.data());
    EXPECT_EQ(joined, (std::vector<float>{20, 10, 0, 21, 11, 1}));
    EXPECT_EQ(slices.joinedDims(1), (Dims{2, 3}));
    const auto cut = GatheredSlices::cut(joined.data(), {2, 3}, 1, sizeof(float));
    ASSERT_TRUE(cut);
    EXPECT_EQ(std::memcmp(cut->slice(1), std::vector<float>{10, 11}.data(), 8), 0);
    const float other[] = {1, 2, 3};
    EXPECT_EQ(slices.append(other, {3}, DataType::Float32).code(), ErrorCode::InvalidModel);
}

/// Loops without an end, whose values would take the machine's memory.
TEST(LoopMemory, IsOneForAllThatLoopsKeep) {
    LoopMemory memory(1000);
    GatheredSlices first(&memory), second(&memory);
    const std::vector<float> slice(25);
    const auto append = [&](GatheredSlices& to) { return to.append(slice.data(), {25}, DataType::Float32); };
    Status status;
    while ((status = append(first)).isOk() && (status = append(second)).isOk()) {}
    EXPECT_EQ(status.code(), ErrorCode::OutOfMemory);
    EXPECT_NE(status.message().find("a scan output after 5 iterations"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("1000 are allowed"), std::string::npos) << status.message();
    EXPECT_EQ(first.count(), 5) << "what is there stays";
    EXPECT_EQ(second.count(), 5);
    EXPECT_EQ(memory.usedBytes(), 1000u);
    CarriedValue late(memory);
    EXPECT_EQ(late.assign(slice.data(), {1}, DataType::Float32).code(), ErrorCode::OutOfMemory);
}

TEST(LoopMemory, CarriedValuesCountAndGiveBack) {
    LoopMemory memory(1000);
    const std::vector<float> data(200);
    {
        CarriedValue carried(memory);
        ASSERT_TRUE(carried.assign(data.data(), {100}, DataType::Float32).isOk());
        EXPECT_EQ(memory.usedBytes(), 800u) << "the body holds one, too";
        const Status status = carried.assign(data.data(), {200}, DataType::Float32);
        EXPECT_EQ(status.code(), ErrorCode::OutOfMemory);
        EXPECT_NE(status.message().find("a carried value of shape [200]"), std::string::npos) << status.message();
        EXPECT_EQ(carried.dims(), Dims{100});
        EXPECT_TRUE(carried.assign(data.data(), {10}, DataType::Float32).isOk());
        GatheredSlices slices(&memory);
        EXPECT_TRUE(slices.append(data.data(), {50}, DataType::Float32).isOk());
        EXPECT_FALSE(slices.append(data.data(), {50}, DataType::Float32).isOk());
    }
    EXPECT_EQ(memory.usedBytes(), 0u);
}

/// Runs an engine's graph with little memory for loops.
Status runWith(LoopMemory& memory, const Engine& engine) {
    PackedWeightsCache packed;
    PlanCache plans;
    ExecutorEnvironment environment;
    environment.plan = {&test::cpuKernels(), &packed, nullptr};
    environment.plans = &plans;
    GraphExecutor executor(engine.graph(), environment);
    const float x = 1.0f;
    executor.setInput(0, &x, {1});
    return executor.run({memory, nullptr, {}, 0});
}

/// Adds a loop to `graph` that never ends. Its body returns "again", a Concat of the carried value with itself where
/// `grows`, and so many slices.
strobe_onnx::GraphProto& endlessLoop(strobe_onnx::GraphProto& graph, const std::string& name, bool grows, int slices) {
    std::vector<std::string> outputs = {name};
    for (int k = 0; k < slices; ++k) outputs.push_back(name + "_slices" + std::to_string(k));
    auto& body = setGraph(addNode(graph, "Loop", {"", "", "x"}, outputs), "body");
    const std::string p = name + "_";
    addValue(*body.mutable_input(), p + "i", DataType::Int64, {});
    addValue(*body.mutable_input(), p + "cond", DataType::Bool, {});
    addValue(*body.mutable_input(), p + "v", DataType::Float32, {1}, false);
    addNode(body, "Identity", {p + "cond"}, {p + "again"});
    addValue(*body.mutable_output(), p + "again", DataType::Bool, {});
    if (grows)
        setInt(addNode(body, "Concat", {p + "v", p + "v"}, {p + "next"}), "axis", 0);
    else
        addNode(body, "Relu", {p + "v"}, {p + "next"});
    addValue(*body.mutable_output(), p + "next", DataType::Float32, {}, false);
    for (int k = 0; k < slices; ++k) {
        addNode(body, "Neg", {p + "i"}, {p + "s" + std::to_string(k)});
        addValue(*body.mutable_output(), p + "s" + std::to_string(k), DataType::Int64, {});
    }
    return body;
}

TEST(LoopMemory, EndsLoopsThatDoNot) {
    const auto expectEnds = [](bool grows, int slices, bool nested, const char* part) {
        OnnxBuilder b;
        b.input("x", {1});
        auto& body = endlessLoop(b.graph(), "outer", grows && !nested, nested ? 1 : slices);
        if (nested) {
            endlessLoop(body, "inner", grows, slices);
            addNode(body, "Size", {"inner_slices0"}, {"size"});
            body.mutable_node(2)->set_input(0, "size");  // the outer loop's slice
        }
        b.output("outer");
        if (slices > 0) b.output("outer_slices0");
        auto model = b.import();
        ASSERT_TRUE(model) << model.status().message();
        const auto engine = test::buildEngine(std::move(model->network), test::quickConfig());
        ASSERT_TRUE(engine);
        LoopMemory memory(1000);
        const Status status = runWith(memory, *engine);
        EXPECT_EQ(status.code(), ErrorCode::OutOfMemory) << status.message();
        EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
        EXPECT_EQ(memory.usedBytes(), 0u);
    };
    expectEnds(true, 0, false, "a carried value of shape [128]");
    // 8 bytes each an iteration, beside a carried value of 4, twice.
    expectEnds(false, 1, false, "a scan output after 124 iterations");
    expectEnds(false, 2, false, "a scan output after 62 iterations");
    expectEnds(false, 2, true, "a scan output after 61 iterations");
}

TEST(LoopValues, MemoryThatCannotBeHadIsAStatus) {
    const Dims absurd = {int64_t{1} << 40, int64_t{1} << 20};
    LoopMemory memory(size_t{1} << 63);
    CarriedValue carried(memory);
    EXPECT_EQ(carried.assign(nullptr, absurd, DataType::Float32).code(), ErrorCode::OutOfMemory);
    EXPECT_EQ(GatheredSlices::cut(nullptr, absurd, 0, sizeof(float)).status().code(), ErrorCode::OutOfMemory);
    EXPECT_EQ(tryAllocateWeights(DataType::Float32, absurd).status().code(), ErrorCode::OutOfMemory);
}

}  // namespace
}  // namespace strobe
