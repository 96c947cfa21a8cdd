// What is asked for while something else runs: builds around a reload, measurements, what the log says of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "sessions/npz.h"
#include "sessions/problems.h"
#include "tests/support/session_test.h"

namespace strobe {
namespace {

class SessionJobs : public test::SessionTest {
protected:
    void SetUp() override {
        open(test::kSampleModel);
        setQuick(5);
    }
    ~SessionJobs() override { m_released = true; }

    /// Keeps the queue busy until release().
    void hold() {
        m_session.jobs().submit("Hold", [this](JobContext&) {
            while (!m_released) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return Status::ok();
        });
    }
    void release() { m_released = true; }
    Status finish(JobId job) { return m_session.jobs().wait(job); }

private:
    std::atomic<bool> m_released = false;
};

TEST_F(SessionJobs, ABuildOfAModelThatIsReadAnewIsNoAnswerToTheNextOne) {
    hold();
    const JobId before = m_session.buildAndProfile();
    EXPECT_EQ(m_session.pendingBuild(), before);
    m_session.openModel(test::kSampleModel);
    EXPECT_FALSE(m_session.pendingBuild());
    const JobId after = m_session.buildAndProfile();
    EXPECT_NE(after, before);
    EXPECT_EQ(m_session.buildAndProfile(), after);
    release();
    EXPECT_TRUE(finish(after).isOk());
    EXPECT_EQ(m_session.builds().size(), 1u);
}

TEST_F(SessionJobs, ABuildKeepsWhatItWasAskedForWithWhenTheSameBytesAreReadAnew) {
    hold();
    m_session.openModel(test::kSampleModel);
    m_session.buildAndProfile();
    setQuick(5, PrecisionMode::Bf16);
    const JobId last = m_session.buildAndProfile();
    release();
    ASSERT_TRUE(finish(last).isOk());
    ASSERT_EQ(m_session.builds().size(), 2u);
    EXPECT_EQ(m_session.builds()[0]->name, "FP32");
    EXPECT_EQ(m_session.builds()[1]->name, "BF16");
}

TEST_F(SessionJobs, BuildsOfOneTitleAreToldApartByWhatDiffers) {
    const auto nameWith = [&](auto change) {
        Settings settings = m_session.settings();
        change(settings);
        m_session.setSettings(settings, "test");
        const auto built = m_session.buildNow(false, {});
        return built ? (*built)->name : built.status().message();
    };
    EXPECT_EQ(nameWith([](Settings&) {}), "FP32");
    EXPECT_EQ(nameWith([](Settings&) {}), "FP32 (2)");
    EXPECT_EQ(nameWith([](Settings& s) { s.builder.optimizationLevel = 1; }), "FP32 level 1");
    EXPECT_EQ(nameWith([](Settings&) {}), "FP32 level 1 (2)");
    EXPECT_EQ(nameWith([](Settings& s) { s.builder.optimizationLevel = 0, s.builder.threads = 1; }), "FP32 1 thread");
    EXPECT_EQ(nameWith([](Settings& s) { s.builder.threads = 0, s.shapes = {{"image", {1, 1, 8, 8}}}; }),
              "FP32 at image:1x1x8x8");
    EXPECT_EQ(nameWith([](Settings& s) { s.shapes.clear(), s.inputFile.clear(); }), "FP32 on random input");
    setQuick(5);
    Settings settings = m_session.settings();
    settings.builder.precisionRules = {{"op:Conv", DataType::Float32}};
    m_session.setSettings(settings, "test");
    hold();
    EXPECT_EQ(m_session.jobs().info(m_session.buildAndProfile())->title, "Build FP32 + 1 rule");
    release();
}

TEST_F(SessionJobs, WhatWasAskedOfABuildIsNotDoneToAnotherOfItsNumber) {
    const auto built = m_session.buildNow(false, {});
    ASSERT_TRUE(built);
    const std::string document = path("same.strobe"), engine = path("wrong.engine");
    ASSERT_TRUE(m_session.saveNow(document).isOk());
    hold();
    m_session.openDocument(document);
    const JobId exported = m_session.exportEngine((*built)->id, engine);
    const JobId measured = m_session.profileAgain((*built)->id);
    release();
    EXPECT_EQ(finish(exported).code(), ErrorCode::Cancelled);
    EXPECT_EQ(finish(measured).code(), ErrorCode::Cancelled);
    EXPECT_FALSE(std::filesystem::exists(engine));
    EXPECT_TRUE(finish(m_session.exportEngine((*built)->id, engine)).isOk());
}

TEST_F(SessionJobs, ABuildThatFailedIsAProblemUntilAnotherEnds) {
    const auto failures = [&] {
        const auto problems = m_session.problems();
        return std::count_if(problems.begin(), problems.end(), [](const ProblemEntry& problem) {
            return problem.source == "build" && problem.severity == ProblemSeverity::Error;
        });
    };
    Settings settings = m_session.settings();
    settings.builder.device = "cuda:99";
    m_session.setSettings(settings, "test");
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(finish(m_session.buildAndProfile(false)).isOk());
    ASSERT_EQ(failures(), 1);
    const ProblemEntry told = m_session.problems().back();
    EXPECT_EQ(told.message.rfind("Build FP32 @cuda:99 failed: device 'cuda:99'", 0), 0u) << told.message;
    settings.builder.device = "cpu";
    m_session.setSettings(settings, "test");
    EXPECT_TRUE(finish(m_session.buildAndProfile(false)).isOk());
    EXPECT_EQ(failures(), 0);
}

TEST_F(SessionJobs, OneMeasurementOfABuildWaitsAtATime) {
    const JobId built = m_session.buildAndProfile();
    ASSERT_TRUE(finish(built).isOk());
    const auto outcome = m_session.jobs().info(built)->outcome;
    EXPECT_NE(outcome.find(" layers, "), std::string::npos) << outcome;
    EXPECT_NE(outcome.find(" ms"), std::string::npos) << outcome;
    hold();
    const int id = m_session.builds()[0]->id;
    const JobId first = m_session.profileAgain(id);
    EXPECT_EQ(m_session.profileAgain(id), first);
    EXPECT_EQ(m_session.jobs().info(first)->kind, JobKind::Profile);
    release();
    EXPECT_TRUE(finish(first).isOk());
    EXPECT_NE(m_session.profileAgain(id), first);
}

TEST_F(SessionJobs, TheFirstMeasurementTellsWhatWasDoneToTheData) {
    const std::vector<uint8_t> grey(64, 128);
    const auto image = makeWeights<uint8_t>(DataType::UInt8, {1, 1, 8, 8}, grey);
    ASSERT_TRUE(writeNpz(path("grey.npz"), {{"image", image}}).isOk());
    Settings settings = m_session.settings();
    settings.inputFile = path("grey.npz");
    m_session.setSettings(settings, "test");
    const auto built = m_session.buildNow(false, {});
    ASSERT_TRUE(built);
    const auto told = [&] {
        int count = 0;
        for (const ProblemEntry& problem : m_session.problems())
            count += problem.message.find("divided by 255") != std::string::npos ? 1 : 0;
        return count;
    };
    EXPECT_EQ(told(), 0);
    for (int times = 0; times < 2; ++times) {
        ASSERT_TRUE(m_session.profileNow((*built)->id, {}));
        EXPECT_EQ(told(), 1);
    }
}

/// Times of kernels that were chosen at other shapes say nothing of a busy machine.
TEST_F(SessionJobs, LayersThatTookLongerThanWhenChosenAreOnlyDoubtedAtTheSameShapes) {
    Settings settings = m_session.settings();
    settings.builder.optimizationLevel = 2;
    settings.builder.profiles = {{{{"image", {{1, 1, 8, 8}, {1, 1, 8, 8}, {64, 1, 8, 8}}}}}};
    m_session.setSettings(settings, "test");
    const auto built = m_session.buildNow(true, {});
    ASSERT_TRUE(built) << built.status().message();
    Build build = **built;
    Profile profile = *build.profile;
    for (LayerProfile& layer : profile.layers)
        layer.milliseconds.median = 10 * build.engine->graph().layers[static_cast<size_t>(layer.layer)].buildMilliseconds + 1;
    profile.latency.p25 = profile.latency.p75 = profile.instrumented.median = profile.latency.median;
    ASSERT_EQ(profile.disturbance(), "");
    build.profile = std::make_shared<const Profile>(profile);
    EXPECT_NE(disturbanceOf(build).find("times as long"), std::string::npos) << disturbanceOf(build);
    profile.shapes["image"] = {64, 1, 8, 8};
    build.profile = std::make_shared<const Profile>(profile);
    EXPECT_EQ(disturbanceOf(build), "");
}

}  // namespace
}  // namespace strobe
