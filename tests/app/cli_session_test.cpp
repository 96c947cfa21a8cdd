// What strobe-cli measures and prints is what the session that it saves holds; and whose measured times a build takes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernels/cpu/register.h"
#include "sessions/session.h"
#include "tests/app/cli_process.h"

namespace strobe::test {
namespace {

using nlohmann::json;

const std::string kDigits = sample("digits.onnx");
const std::vector<std::string> kShort = {"--builderOptimizationLevel=0", "--duration=0", "--warmUp=0"};

CliResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), kShort.begin(), kShort.end());
    return runCli(arguments);
}
json parsed(const std::string& path) {
    const json value = json::parse(readAll(path), nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << path;
    return value;
}

/// A .npy of ones, [count, 1, 8, 8].
void writeImages(const std::string& path, int count) {
    std::string header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(count) + ", 1, 8, 8), }";
    header.resize(117, ' ');
    header += '\n';
    const std::vector<float> ones(static_cast<size_t>(count) * 64, 1.0f);
    writeAll(path, std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
                       std::string(reinterpret_cast<const char*>(ones.data()), ones.size() * sizeof(float)));
}

class CliSession : public testing::Test {
protected:
    CliSession() { registerCpuKernels(m_kernels); }
    void SetUp() override { writeImages(folder / "x.npy", 3); }
    void open() {
        const Status opened = session.openDocumentNow(document);
        ASSERT_TRUE(opened.isOk()) << opened.message();
    }
    const ScratchFolder folder;
    const std::string document = folder / "d.strobe", data = "image:" + folder / "x.npy";

private:
    KernelRegistry m_kernels;

protected:
    Session session{m_kernels};
};

TEST_F(CliSession, CompareSavesWhatItPrints) {
    const CliResult result = run({"compare", kDigits, "--noTimingCache", "--a=", "--b=--bf16", "--loadInputs=" + data,
                                  "--layers", "--json=" + folder / "c.json", "--saveSession=" + document});
    ASSERT_EQ(result.code, 0) << result.out << result.err;
    ASSERT_NO_FATAL_FAILURE(open());
    const json printed = parsed(folder / "c.json");
    ASSERT_EQ(session.comparisons().size(), 1u);
    ASSERT_EQ(session.builds().size(), 2u);
    const AccuracyReport& report = *session.comparisons()[0]->accuracy;
    EXPECT_EQ(session.settings().inputFile, data);
    EXPECT_EQ(report.inputFile, data);
    ASSERT_EQ(report.outputs.size(), printed["outputs"].size());
    EXPECT_DOUBLE_EQ(report.outputs[0].maxAbs, printed["outputs"][0]["maxAbs"].get<double>());
    EXPECT_DOUBLE_EQ(report.outputs[0].snrDb, printed["outputs"][0]["snrDb"].get<double>());
    ASSERT_EQ(report.layers.size(), printed["layers"].size());
    for (size_t side = 0; side < 2; ++side) {
        const auto& profile = session.builds()[side]->profile;
        ASSERT_TRUE(profile) << side;
        EXPECT_DOUBLE_EQ(profile->latency.median, printed[side ? "latencyMsB" : "latencyMsA"].get<double>());
        EXPECT_EQ(profile->shapes.at("image"), (Dims{3, 1, 8, 8}));
        EXPECT_GT(profile->layersSum, 0);
        EXPECT_EQ(session.builds()[side]->settings.inputFile, data);
    }
    double ms = 0;
    for (const Comparison::Row& row : session.comparisons()[0]->rows) ms += row.msB;
    EXPECT_NEAR(ms, session.builds()[1]->profile->layersSum, 1e-6 * ms) << "rows hold the times of the profiles";
}

TEST_F(CliSession, BenchSavesTheProfileThatItReports) {
    const CliResult result =
        run({"bench", kDigits, "--noTimingCache", "--loadInputs=" + data, "--iterations=20",
             "--exportTimes=" + folder / "times.json", "--exportProfile=" + folder / "profile.json",
             "--saveEngine=" + folder / "d.engine", "--saveSession=" + document});
    ASSERT_EQ(result.code, 0) << result.out << result.err;
    ASSERT_NO_FATAL_FAILURE(open());
    ASSERT_EQ(session.builds().size(), 1u);
    const Build& build = *session.builds()[0];
    EXPECT_EQ(build.id, 1) << "the build that was measured, and no other one";
    EXPECT_EQ(build.settings.inputFile, data);
    const json times = parsed(folder / "times.json"), profile = parsed(folder / "profile.json");
    ASSERT_TRUE(build.profile);
    EXPECT_EQ(build.profile->latency.count, static_cast<int>(times.size()));
    ASSERT_EQ(build.profile->layers.size() + 1, profile.size());
    for (size_t i = 0; i < build.profile->layers.size(); ++i)
        EXPECT_NEAR(build.profile->layers[i].milliseconds.median, profile[i + 1]["medianMs"].get<double>(), 1e-9);
    EXPECT_EQ(build.profile->shapes.at("image"), (Dims{3, 1, 8, 8}));
    const auto engine = build.engine->serialize();
    ASSERT_TRUE(engine);
    EXPECT_EQ(std::string(engine->begin(), engine->end()), readAll(folder / "d.engine"));
    // The window measures on the same data again.
    Settings settings = session.settings();
    settings.builder.timingCachePath.clear();
    session.setSettings(settings, "test");
    const auto again = session.buildNow(true, {});
    ASSERT_TRUE(again) << again.status().message();
    EXPECT_EQ((*again)->profile->shapes.at("image"), (Dims{3, 1, 8, 8}));
}

TEST_F(CliSession, SidesOfCompareShareNoTimes) {
    const std::string cache = folder / "a.cache";
    const auto compare = [&](const std::string& a, const std::string& b) {
        const CliResult result = runCli({"compare", kDigits, "--builderOptimizationLevel=1", "--duration=0",
                                         "--warmUp=0", "--a=" + a, "--b=" + b, "--saveSession=" + document});
        ASSERT_EQ(result.code, 0) << result.out << result.err;
        ASSERT_NO_FATAL_FAILURE(open());
        ASSERT_EQ(session.builds().size(), 2u);
    };
    compare("--noTimingCache", "--noTimingCache");
    for (const auto& build : session.builds()) {
        EXPECT_GT(build->report.timedCandidates, 0) << build->name;
        EXPECT_EQ(build->settings.builder.timingCachePath, "");
    }
    compare("--timingCacheFile=" + cache, "--noTimingCache");
    EXPECT_GT(session.builds()[1]->report.timedCandidates, 0);
    compare("--timingCacheFile=" + cache, "");
    EXPECT_EQ(session.builds()[0]->report.timedCandidates, 0) << "A's own file holds its times";
    EXPECT_EQ(session.builds()[1]->settings.builder.timingCachePath, Session::defaultTimingCachePath());
}

TEST_F(CliSession, EngineFilesMayHaveSpacesInTheirNames) {
    const std::string engines[] = {folder / "my a.engine", folder / "my b.engine"};
    for (const std::string& engine : engines)
        ASSERT_EQ(
            runCli({"build", kDigits, "--noTimingCache", "--builderOptimizationLevel=0", "--saveEngine=" + engine})
                .code,
            0);
    const std::vector<std::string> quick = {"--duration=0", "--warmUp=0"};
    const CliResult both = runCli({"compare", engines[0], engines[1], quick[0], quick[1]});
    EXPECT_EQ(both.code, 0) << both.err;
    EXPECT_NE(both.out.find("A: " + engines[0]), std::string::npos) << both.out;
    const CliResult flagged = runCli({"compare", "--a=" + engines[0], "--b=" + engines[1], quick[0], quick[1]});
    EXPECT_EQ(flagged.code, 0) << flagged.err;
    const CliResult missing = runCli({"compare", kDigits, "--a=", "--b=no such.engine", quick[0], quick[1]});
    EXPECT_EQ(missing.code, 2);
    EXPECT_NE(missing.err.find("no such.engine: no such file"), std::string::npos) << missing.err;
}

}  // namespace
}  // namespace strobe::test
