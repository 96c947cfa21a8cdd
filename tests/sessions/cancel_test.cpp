// Cancel ends a job of the largest model within 200 ms, whatever the job is doing: at moments spread over whole jobs. Prints a table.
// STROBE_CANCEL_MOMENTS sets how many moments a job is cancelled at.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "kernels/cpu/register.h"
#include "sessions/session.h"
#include "tests/support/model_cache.h"

namespace strobe {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;
constexpr double kLimitMs = 200;

double millisecondsSince(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

int momentsOf(int usual) {
    const char* asked = std::getenv("STROBE_CANCEL_MOMENTS");
    return asked ? std::max(1, std::atoi(asked)) : usual;
}

/// "Timing conv1_1 (3 of 40)" is the phase "Timing".
std::string phaseOf(const JobInfo& job) {
    const std::string step = job.step.empty() ? "start" : job.step.substr(0, job.step.find(' '));
    return job.title.substr(0, job.title.find(' ')) + ": " + step;
}

class CancelTest : public testing::Test {
protected:
    void SetUp() override {
        m_folder = fs::path(testing::TempDir()) / ("cancel_test_" + std::to_string(::getpid()));
        fs::create_directories(m_folder);
        registerCpuKernels(m_kernels);
        m_session = std::make_unique<Session>(m_kernels);
    }
    void TearDown() override {
        m_session.reset();
        fs::remove_all(m_folder);
        for (const auto& [phase, row] : m_table) {
            std::printf("%-28s %3d cancelled, worst %5.0f ms, mean %5.0f ms; worst at \"%s\"\n", phase.c_str(), row.count, row.worstMs, row.sumMs / row.count, row.worstStep.c_str());
            RecordProperty(phase, static_cast<int>(row.worstMs));
        }
    }
    /// False, with the reason, when the model is not there.
    bool open(const std::string& file) {
        m_model = modelCache() / file;
        if (!fs::exists(m_model)) return false;
        Settings settings = m_session->settings();
        settings.builder.timingCachePath = (m_folder / "timing.cache").string();
        settings.profileMs = 300;
        m_session->setSettings(settings, "test");
        const Status opened = m_session->openModelNow(m_model.string());
        EXPECT_TRUE(opened.isOk()) << opened.message();
        return opened.isOk();
    }
    using Start = std::function<JobId()>;
    /// How long the job takes when it is left alone, the second time.
    double wholeMs(const Start& start) {
        double taken = 0;
        for (int i = 0; i < 2; ++i) {
            const auto began = Clock::now();
            const JobId id = start();
            const Status status = m_session->jobs().wait(id);
            EXPECT_TRUE(status.isOk()) << status.message();
            taken = millisecondsSince(began);
            std::printf("%s: %.0f ms as a whole\n", m_session->jobs().info(id).title.c_str(), taken);
        }
        return taken;
    }
    /// Cancels the job after `delayMs` and enters the time until it has ended; false when it had ended before.
    bool cancelAfter(double delayMs, const Start& start) {
        const JobId id = start();
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(delayMs));
        const JobInfo before = m_session->jobs().info(id);
        const auto clicked = Clock::now();
        m_session->jobs().cancel(id);
        const Status status = m_session->jobs().wait(id);
        const double taken = millisecondsSince(clicked);
        if (status.code() != ErrorCode::Cancelled) {
            EXPECT_TRUE(status.isOk()) << status.message();
            return false;
        }
        Row& row = m_table[phaseOf(before)];
        ++row.count;
        row.sumMs += taken;
        if (taken >= row.worstMs) row.worstMs = taken, row.worstStep = before.step + " after " + std::to_string(static_cast<int>(delayMs)) + " ms";
        EXPECT_LE(taken, kLimitMs) << "cancelled after " << delayMs << " ms at \"" << before.title << ": " << before.step << "\"";
        return true;
    }
    /// One moment in each of `count` equal parts of the job's time.
    void cancelEverywhere(int count, double wholeMs, const Start& start) {
        std::uniform_real_distribution<double> inPart(0, 1);
        for (int i = 0; i < count; ++i) cancelAfter((i + inPart(m_random)) * wholeMs / count, start);
    }

    struct Row {
        int count = 0;
        double worstMs = 0, sumMs = 0;
        std::string worstStep;
    };
    fs::path m_folder, m_model;
    KernelRegistry m_kernels;
    std::unique_ptr<Session> m_session;
    std::map<std::string, Row> m_table;
    std::mt19937 m_random{11};
};

#define STROBE_OPEN_OR_SKIP(file)                                                                                   \
    if (!open(file)) {                                                                                              \
        if (std::getenv("CI")) FAIL() << file << " is not in the model cache; run tests/support/models.py";          \
        GTEST_SKIP() << file << " is not in the model cache; run tests/run with a network";                          \
    }

TEST_F(CancelTest, BuildOfTheLargestModel) {
    STROBE_OPEN_OR_SKIP("light_vgg19.onnx");
    const Start build = [&] {
        EXPECT_TRUE(m_session->clearTimingCache().isOk());
        return m_session->buildAndProfile();
    };
    cancelEverywhere(momentsOf(12), wholeMs(build), build);
}

TEST_F(CancelTest, SaveExportAndOpen) {
    STROBE_OPEN_OR_SKIP("light_vgg19.onnx");
    Settings settings = m_session->settings();
    settings.builder.optimizationLevel = 0;
    settings.profileMs = 10;
    m_session->setSettings(settings, "test");
    ASSERT_TRUE(m_session->jobs().wait(m_session->buildAndProfile()).isOk());
    const int build = m_session->builds().front()->id;
    const std::string engine = (m_folder / "vgg19.engine").string(), document = (m_folder / "vgg19.strobe").string();
    const int moments = momentsOf(8);
    const Start exporting = [&] { return m_session->exportEngine(build, engine); };
    cancelEverywhere(moments, wholeMs(exporting), exporting);
    const Start saving = [&] { return m_session->saveAs(document); };
    cancelEverywhere(moments, wholeMs(saving), saving);
    const Start opening = [&] { return m_session->openDocument(document); };
    cancelEverywhere(moments, wholeMs(opening), opening);
    size_t files = 0;
    for (const auto& entry : fs::directory_iterator(m_folder)) files += entry.path().extension() != ".cache";
    EXPECT_EQ(files, 2u) << "a cancelled job left a file behind";
}

TEST_F(CancelTest, Import) {
    STROBE_OPEN_OR_SKIP("light_resnet50_random.onnx");
    const Start importing = [&] { return m_session->openModel(m_model.string()); };
    cancelEverywhere(momentsOf(8), wholeMs(importing), importing);
}

}  // namespace
}  // namespace strobe
