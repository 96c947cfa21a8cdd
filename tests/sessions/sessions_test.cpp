#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "kernels/cpu/register.h"
#include "sessions/npz.h"
#include "sessions/session.h"

namespace strobe {
namespace {

const KernelRegistry& kernels() {
    static const auto* registry = [] {
        auto* r = new KernelRegistry;
        registerCpuKernels(*r);
        return r;
    }();
    return *registry;
}

std::string scratch(const std::string& name) { return testing::TempDir() + "sessions_test_" + std::to_string(::getpid()) + "_" + name; }

TEST(JobQueue, RunsInOrderAndReportsResults) {
    std::vector<int> order;
    JobQueue queue([] {});
    std::vector<JobId> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(queue.submit("job", [&order, i](JobContext& context) {
            context.progress("step " + std::to_string(i), 0.5, -1);
            order.push_back(i);
            return i == 3 ? invalidArgument("three") : Status::ok();
        }));
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(queue.wait(ids[i]).isOk(), i != 3);
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(queue.info(ids[3]).state, JobState::Failed);
    EXPECT_EQ(queue.info(ids[3]).result.message(), "three");
    EXPECT_EQ(queue.info(ids[4]).state, JobState::Succeeded);
    EXPECT_TRUE(queue.isIdle());
}

TEST(JobQueue, CancelsRunningAndWaitingJobs) {
    JobQueue queue([] {});
    std::atomic<bool> started = false, secondRan = false;
    const JobId running = queue.submit("endless", [&](JobContext& context) {
        started = true;
        while (!context.cancelToken().isCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return cancelled();
    });
    const JobId waiting = queue.submit("second", [&](JobContext&) {
        secondRan = true;
        return Status::ok();
    });
    while (!started) std::this_thread::yield();
    queue.cancel(waiting);
    queue.cancel(running);
    EXPECT_EQ(queue.wait(running).code(), ErrorCode::Cancelled);
    EXPECT_EQ(queue.wait(waiting).code(), ErrorCode::Cancelled);
    EXPECT_EQ(queue.info(running).state, JobState::Cancelled);
    EXPECT_EQ(queue.info(waiting).state, JobState::Cancelled);
    EXPECT_FALSE(secondRan);
}

TEST(Settings, UndoAndRedo) {
    Session session(kernels());
    const Settings first = session.settings();
    Settings second = first, third = first;
    second.builder.precision = PrecisionMode::Bf16;
    third.seed = 7;
    session.setSettings(second, "precision");
    session.setSettings(third, "seed");
    EXPECT_EQ(session.undoLabel(), "seed");
    session.undo();
    EXPECT_EQ(session.settings(), second);
    EXPECT_EQ(session.redoLabel(), "seed");
    session.undo();
    EXPECT_EQ(session.settings(), first);
    EXPECT_FALSE(session.canUndo());
    session.redo();
    EXPECT_EQ(session.settings(), second);
    session.setSettings(third, "again");
    EXPECT_FALSE(session.canRedo());  // a new edit ends the old future
    const std::string path = scratch("undone.strobe");
    ASSERT_TRUE(session.saveNow(path).isOk());
    EXPECT_FALSE(session.isModified());
    session.undo();
    EXPECT_TRUE(session.isModified());  // the file still holds what was undone
    std::filesystem::remove(path);
}

TEST(Npz, RoundTripKeepsTypesDimsAndBytes) {
    const std::string path = scratch("round.npz");
    const std::map<std::string, WeightsPtr> arrays = {{"floats", makeFloatWeights({2, 2}, std::vector<float>{1, -2, 3.5f, 0})},
                                                      {"ints", makeInt64Weights({3}, std::vector<int64_t>{-1, 0, int64_t{1} << 40})},
                                                      {"scalar", makeFloatWeights({}, std::vector<float>{9})},
                                                      {"none", makeFloatWeights({0, 4}, {})}};
    ASSERT_TRUE(writeNpz(path, arrays).isOk());
    const auto read = readNpz(path);
    ASSERT_TRUE(read) << read.status().message();
    ASSERT_EQ(read->size(), arrays.size());
    for (const auto& [name, array] : arrays) {
        EXPECT_EQ(read->at(name)->type, array->type) << name;
        EXPECT_EQ(read->at(name)->dims, array->dims) << name;
        EXPECT_EQ(toDoubles(*read->at(name)), toDoubles(*array)) << name;
    }
    std::filesystem::remove(path);
}

std::string npy(const std::string& header, const std::string& data) {
    std::string text = header;
    text += '\n';
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(text.size() & 255) + static_cast<char>(text.size() >> 8) + text + data;
}

Result<WeightsPtr> parse(const std::string& bytes) { return parseNpy({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "a.npy"); }

TEST(Npy, MalformedBytesAreRefusedByName) {
    const std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", std::string(8, '\0'));
    ASSERT_TRUE(parse(good)) << parse(good).status().message();
    for (size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(parse(good.substr(0, length))) << length;
    for (const char* header : {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", "{}", ""}) {
        const auto result = parse(npy(header, std::string(8, '\0')));
        EXPECT_FALSE(result) << header;
        EXPECT_NE(result.status().message().find("a.npy"), std::string::npos) << result.status().message();
    }
}

TEST(Npz, DamagedArchives) {
    const std::string path = scratch("bad.npz");
    for (const char* content : {"", "no archive", "PK\x03\x04 cut"}) {
        std::ofstream(path, std::ios::binary) << content;
        const auto result = readNpz(path);
        EXPECT_FALSE(result);
        EXPECT_NE(result.status().message().find("bad.npz"), std::string::npos) << result.status().message();
    }
    std::filesystem::remove(path);
    EXPECT_FALSE(readNpz(path));
}

class SampleModel : public testing::Test {
protected:
    void SetUp() override {
        const Status opened = m_session.openModelNow("resources/sample/digits.onnx");
        ASSERT_TRUE(opened.isOk()) << opened.message();
    }
    std::shared_ptr<const Build> build(PrecisionMode precision) {
        Settings settings = m_session.settings();
        settings.builder.precision = precision;
        settings.builder.timingCachePath.clear();
        settings.builder.optimizationLevel = 0;
        settings.profileMs = 20;
        m_session.setSettings(settings, "test");
        const auto built = m_session.buildNow(true, {});
        EXPECT_TRUE(built) << built.status().message();
        return built ? *built : nullptr;
    }
    Session m_session{kernels()};
};

TEST_F(SampleModel, AlignmentCoversEveryLayerOnce) {
    const auto a = build(PrecisionMode::Fp32), b = build(PrecisionMode::Bf16);
    ASSERT_TRUE(a && b);
    const auto rows = alignBuilds(*a, *b, nullptr);
    std::multiset<int> layersA, layersB;
    double msA = 0;
    for (const Comparison::Row& row : rows) {
        layersA.insert(row.layersA.begin(), row.layersA.end());
        layersB.insert(row.layersB.begin(), row.layersB.end());
        msA += row.msA;
    }
    EXPECT_EQ(layersA.size(), a->engine->graph().layers.size());
    EXPECT_EQ(std::set<int>(layersA.begin(), layersA.end()).size(), layersA.size());
    EXPECT_EQ(layersB.size(), b->engine->graph().layers.size());
    EXPECT_EQ(std::set<int>(layersB.begin(), layersB.end()).size(), layersB.size());
    EXPECT_NEAR(msA, a->profile->layersSum, 1e-9 + 1e-6 * msA);
}

TEST_F(SampleModel, DocumentRoundTrip) {
    const auto a = build(PrecisionMode::Fp32), b = build(PrecisionMode::Bf16);
    ASSERT_TRUE(a && b);
    ASSERT_TRUE(m_session.compareNow(a->id, b->id, {}));
    const std::string path = scratch("round.strobe");
    const Status saved = m_session.saveNow(path);
    ASSERT_TRUE(saved.isOk()) << saved.message();
    EXPECT_FALSE(m_session.isModified());
    Session other(kernels());
    const Status opened = other.openDocumentNow(path);
    ASSERT_TRUE(opened.isOk()) << opened.message();
    EXPECT_EQ(other.settings(), m_session.settings());
    EXPECT_EQ(other.model()->hash, m_session.model()->hash);
    ASSERT_EQ(other.builds().size(), 2u);
    EXPECT_EQ(other.builds()[1]->name, b->name);
    EXPECT_EQ(*other.builds()[1]->engine->serialize(), *b->engine->serialize());
    EXPECT_EQ(other.builds()[0]->profile->layers.size(), a->profile->layers.size());
    EXPECT_DOUBLE_EQ(other.builds()[0]->profile->latency.median, a->profile->latency.median);
    ASSERT_EQ(other.comparisons().size(), 1u);
    EXPECT_EQ(other.comparisons()[0]->accuracy->outputs.size(), 1u);
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace strobe
