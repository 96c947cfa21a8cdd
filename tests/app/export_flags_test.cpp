// The command that the Export page gives for building an engine again, read by the CLI's own parser.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <QProcess>

#include "app/cli/command_line.h"
#include "app/cli/shape_flags.h"
#include "kernels/cpu/register.h"
#include "views/models/export_text.h"

namespace strobe {
namespace {

using namespace cli;

class ExportFlags : public ::testing::Test {
protected:
    ExportFlags() {
        registerCpuKernels(m_kernels);
        m_session = std::make_unique<Session>(m_kernels);
        EXPECT_TRUE(m_session->openModelNow("resources/sample/digits.onnx").isOk());
        Settings settings = m_session->settings();
        settings.builder.optimizationLevel = 0;
        settings.builder.timingCachePath.clear();
        m_session->setSettings(settings, "test");
        const auto built = m_session->buildNow(false, {});
        EXPECT_TRUE(built.hasValue());
        m_build = *built;
    }

    /// What a shell makes of the command that builds with these settings, read as strobe-cli reads it.
    Settings again(const Settings& wanted) {
        Build build = *m_build;
        build.settings = wanted;
        const QString command = exportCommands(build, "resources/sample/digits.onnx", "a b.engine").back().command;
        EXPECT_TRUE(command.startsWith("strobe-cli build ")) << command.toStdString();
        QProcess shell;
        shell.start("/bin/sh", {"-c", "printf '%s\\n' " + command.mid(17)});
        EXPECT_TRUE(shell.waitForFinished());
        std::vector<std::string> words{"build"};
        for (const QString& word : QString::fromUtf8(shell.readAllStandardOutput()).split('\n', Qt::SkipEmptyParts))
            words.push_back(word.toStdString());
        std::vector<const char*> argv;
        for (const std::string& word : words) argv.push_back(word.c_str());
        CLI::App app;
        Options options;
        addBuildCommandFlags(app, options);
        const Status parsed = parseArguments(app, static_cast<int>(argv.size()), argv.data());
        EXPECT_TRUE(parsed.isOk()) << parsed.message() << command.toStdString();
        EXPECT_EQ(options.saveEngine, "a b.engine");
        auto settings = settingsFrom(options);
        EXPECT_TRUE(settings.hasValue()) << settings.status().message();
        SaidLines said;
        const Status shapes = takeShapes(options, *m_session->model(), {}, *settings, said);
        EXPECT_TRUE(shapes.isOk()) << shapes.message();
        // As every command does where no flag speaks of the cache.
        if (!options.noTimingCache && options.timingCacheFile.empty())
            settings->builder.timingCachePath = Session::defaultTimingCachePath();
        return *settings;
    }

    KernelRegistry m_kernels;
    std::unique_ptr<Session> m_session;
    std::shared_ptr<const Build> m_build;
};

OptimizationProfile profileOf(int64_t min, int64_t opt, int64_t max) {
    return {{{"image", {{min, 1, 8, 8}, {opt, 1, 8, 8}, {max, 1, 8, 8}}}}};
}

TEST_F(ExportFlags, SayEverySettingOfTheBuild) {
    const std::pair<const char*, void (*)(BuilderConfig&)> changes[] = {
        {"defaults", [](BuilderConfig&) {}},
        {"device", [](BuilderConfig& c) { c.device = "cuda:0"; }},
        {"precision", [](BuilderConfig& c) { c.precision = PrecisionMode::Best; }},
        {"precisionRules",
         [](BuilderConfig& c) {
             c.precisionRules = {{"op:Conv", DataType::BFloat16}, {"conv*", DataType::Float32}};
         }},
        {"one profile", [](BuilderConfig& c) { c.profiles = {profileOf(1, 4, 16)}; }},
        {"several profiles", [](BuilderConfig& c) { c.profiles = {profileOf(1, 1, 1), profileOf(2, 4, 8)}; }},
        {"default cache", [](BuilderConfig& c) { c.timingCachePath = Session::defaultTimingCachePath(); }},
        {"optimizationLevel", [](BuilderConfig& c) { c.optimizationLevel = 5; }},
        {"threads", [](BuilderConfig& c) { c.threads = 3; }},
        {"averageTimings", [](BuilderConfig& c) { c.averageTimings = 7; }},
        {"workspace in MiB", [](BuilderConfig& c) { c.workspaceLimit = size_t{48} << 20; }},
        {"workspace in bytes", [](BuilderConfig& c) { c.workspaceLimit = 123457; }},
        {"disabledPasses", [](BuilderConfig& c) { c.disabledPasses = {"ConstantFolding"}; }},
        {"bannedTactics",
         [](BuilderConfig& c) {
             c.bannedTactics = {"onednn.conv", "cpu.pointwise"};
         }},
        {"pinnedTactics",
         [](BuilderConfig& c) {
             c.pinnedTactics = {{"/body/conv:0", "onednn.conv"}, {"it's one", "a b"}};
         }},
        {"timingCachePath", [](BuilderConfig& c) { c.timingCachePath = "/tmp/my cache.timing"; }},
        {"errorOnTimingCacheMiss",
         [](BuilderConfig& c) {
             c.timingCachePath = "/tmp/t";
             c.errorOnTimingCacheMiss = true;
         }},
    };
    for (const auto& [name, change] : changes) {
        SCOPED_TRACE(name);
        Settings settings;
        change(settings.builder);
        EXPECT_EQ(again(settings).builder, settings.builder);
    }
}

TEST_F(ExportFlags, SayTheAccuracyLimitAndWhatItIsKeptOn) {
    Settings settings;
    settings.builder.precision = PrecisionMode::Bf16;
    settings.accuracyLimit = 0.0123;
    settings.seed = 77;
    const Settings random = again(settings);
    EXPECT_EQ(random.accuracyLimit, 0.0123);
    EXPECT_EQ(random.seed, 77u);
    EXPECT_EQ(random.inputFile, "");
    settings.inputFile = "resources/sample/digits_heldout.npz";
    const Settings real = again(settings);
    EXPECT_EQ(real.accuracyLimit, 0.0123);
    EXPECT_EQ(real.inputFile, settings.inputFile);
    settings.builder.precision = PrecisionMode::Fp32;  // nothing that a limit could keep
    EXPECT_EQ(again(settings).accuracyLimit, 0);
}

}  // namespace
}  // namespace strobe
