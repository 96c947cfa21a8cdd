// Cancel ends a job of the largest model within 200 ms, whatever the job is doing: at moments spread over whole jobs. Prints a table.
// STROBE_CANCEL_MOMENTS sets how many moments a job is cancelled at.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <thread>

#include "tests/support/model_cache.h"
#include "tests/support/session_test.h"

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

class CancelTest : public test::SessionTest {
protected:
    void TearDown() override {
        for (const auto& [phase, row] : m_table) {
            std::printf("%-28s %3d cancelled, worst %5.0f ms, mean %5.0f ms; worst at \"%s\"\n", phase.c_str(), row.count, row.worstMs, row.sumMs / row.count, row.worstStep.c_str());
            RecordProperty(phase, static_cast<int>(row.worstMs));
        }
    }
    /// With a timing cache of the test's own.
    void openCached(const std::string& file) {
        Settings settings = m_session.settings();
        settings.builder.timingCachePath = path("timing.cache");
        settings.profileMs = 300;
        m_session.setSettings(settings, "test");
        open((modelCache() / file).string());
    }
    using Start = std::function<JobId()>;
    /// How long the job takes when it is left alone: the quickest of some times.
    double wholeMs(const Start& start, int times = 2) {
        double quickest = std::numeric_limits<double>::max();
        for (int i = 0; i < times; ++i) {
            const auto began = Clock::now();
            const JobId id = start();
            const Status status = m_session.jobs().wait(id);
            EXPECT_TRUE(status.isOk()) << status.message();
            const double taken = millisecondsSince(began);
            quickest = std::min(quickest, taken);
            std::printf("%s: %.0f ms as a whole\n", m_session.jobs().info(id)->title.c_str(), taken);
        }
        return quickest;
    }
    /// Cancels the job after `delayMs` and enters the time until it has ended; false when it had ended before.
    bool cancelAfter(double delayMs, const Start& start) {
        const JobId id = start();
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(delayMs));
        const JobInfo before = *m_session.jobs().info(id);
        const auto clicked = Clock::now();
        m_session.jobs().cancel(id);
        const Status status = m_session.jobs().wait(id);
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
    /// One moment in each of `count` equal parts of the job's time. A job may take less than the one that was timed, so
    /// some end before their moment; where most do, nothing was tested.
    void cancelEverywhere(int count, double wholeMs, const Start& start) {
        std::uniform_real_distribution<double> inPart(0, 1);
        int cancelled = 0;
        for (int i = 0; i < count; ++i) cancelled += cancelAfter((i + inPart(m_random)) * wholeMs / count, start);
        EXPECT_GE(cancelled, count / 2) << "of " << count << " jobs only " << cancelled
                                        << " were cancelled before their end";
    }

    struct Row {
        int count = 0;
        double worstMs = 0, sumMs = 0;
        std::string worstStep;
    };
    std::map<std::string, Row> m_table;
    std::mt19937 m_random{11};
};

TEST_F(CancelTest, BuildOfTheLargestModel) {
    STROBE_NEEDS_CACHED("light_vgg19.onnx");
    ASSERT_NO_FATAL_FAILURE(openCached("light_vgg19.onnx"));
    const Start build = [&] {
        EXPECT_TRUE(m_session.clearTimingCache().isOk());
        return m_session.buildAndProfile();
    };
    cancelEverywhere(momentsOf(8), wholeMs(build, 1), build);
}

TEST_F(CancelTest, SaveExportAndOpen) {
    STROBE_NEEDS_CACHED("light_vgg19.onnx");
    ASSERT_NO_FATAL_FAILURE(openCached("light_vgg19.onnx"));
    Settings settings = m_session.settings();
    settings.builder.optimizationLevel = 0;
    settings.profileMs = 10;
    m_session.setSettings(settings, "test");
    ASSERT_TRUE(m_session.jobs().wait(m_session.buildAndProfile()).isOk());
    const int build = m_session.builds().front()->id;
    const std::string engine = path("vgg19.engine"), document = path("vgg19.strobe");
    const int moments = momentsOf(8);
    const Start exporting = [&] { return m_session.exportEngine(build, engine); };
    cancelEverywhere(moments, wholeMs(exporting), exporting);
    const Start saving = [&] { return m_session.saveAs(document); };
    cancelEverywhere(moments, wholeMs(saving), saving);
    const Start opening = [&] { return m_session.openDocument(document); };
    cancelEverywhere(moments, wholeMs(opening), opening);
    size_t files = 0;
    for (const auto& entry : fs::directory_iterator(m_folder.path())) files += entry.path().extension() != ".cache";
    EXPECT_EQ(files, 2u) << "a cancelled job left a file behind";
}

TEST_F(CancelTest, Import) {
    STROBE_NEEDS_CACHED("light_resnet50_random.onnx");
    ASSERT_NO_FATAL_FAILURE(openCached("light_resnet50_random.onnx"));
    const Start importing = [&] { return m_session.openModel(m_session.model()->path); };
    cancelEverywhere(momentsOf(8), wholeMs(importing), importing);
}

}  // namespace
}  // namespace strobe
