// Several profiles in one engine, as a user builds, inspects and runs them with strobe-cli.
#include <gtest/gtest.h>

#include "sessions/npz.h"
#include "tests/app/cli_process.h"

namespace strobe::test {
namespace {

const std::string kDigits = sample("digits.onnx");
const std::vector<std::string> kQuick = {"--noTimingCache", "--builderOptimizationLevel=0"};
/// Batches of 1 to 4, and of 32.
const std::vector<std::string> kTwoProfiles = {
    "--profile=0", "--minShapes=image:1x1x8x8", "--optShapes=image:2x1x8x8", "--maxShapes=image:4x1x8x8",
    "--profile=1", "--optShapes=image:32x1x8x8"};

CliResult run(std::vector<std::string> arguments, const std::vector<std::string>& more,
              const std::vector<std::string>& quick = kQuick) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), quick.begin(), quick.end());
    return runCli(arguments);
}
void expectSays(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}
void expectRefused(const CliResult& result, const std::vector<std::string>& parts) {
    EXPECT_EQ(result.code, 2) << result.out << result.err;
    expectSays(result.err, parts);
    EXPECT_EQ(result.out.find("Engine built"), std::string::npos) << "refused only after the work\n" << result.out;
}

class CliProfiles : public testing::Test {
protected:
    void SetUp() override {
        const CliResult built = run({"build", kDigits, "--saveEngine=" + engine}, kTwoProfiles);
        ASSERT_EQ(built.code, 0) << built.err;
        expectSays(built.out, {"--profile=1: Shapes of image: min [32,1,8,8]", "min and max as --optShapes"});
    }
    const ScratchFolder folder;
    const std::string engine = folder / "two.engine";
};

TEST_F(CliProfiles, InspectShowsAll) {
    const std::string lines[] = {"Profile 0: image min=[1,1,8,8] opt=[2,1,8,8] max=[4,1,8,8]",
                                 "Profile 1: image min=[32,1,8,8] opt=[32,1,8,8] max=[32,1,8,8]"};
    expectSays(runCli({"inspect", engine}).out, {lines[0], lines[1]});
    const CliResult exchanged = run({"build", kDigits, "--dumpOptimizationProfile"},
                                    {"--profile=1", "--optShapes=image:32x1x8x8", "--profile=0",
                                     "--maxShapes=image:4x1x8x8", "--minShapes=image:1x1x8x8"});
    expectSays(exchanged.out, {"Profile 0: image min=[1,1,8,8] opt=[4,1,8,8] max=[4,1,8,8]", lines[1]});
}

TEST_F(CliProfiles, TheRuntimeTakesTheOneThatFits) {
    expectSays(runCli({"run", engine}).out, {"Output probability: fp32[2,10]"});
    for (const char* shapes : {"3x1x8x8", "32x1x8x8"})
        EXPECT_EQ(runCli({"run", engine, std::string("--shapes=image:") + shapes}).code, 0) << shapes;
    expectRefused(runCli({"run", engine, "--shapes=image:8x1x8x8"}), {"profile 0: ", "profile 1: ", "dim 0 is 8"});
    expectRefused(run({"run", kDigits, "--shapes=image:8x1x8x8"}, kTwoProfiles),
                  {"--shapes: profile 0: ", "1 to 4", "profile 1: ", "32 to 32"});
    EXPECT_EQ(run({"run", kDigits, "--shapes=image:32x1x8x8"}, kTwoProfiles).code, 0);
}

TEST_F(CliProfiles, UseProfileRunsAtItsOptAndHoldsShapesAndDataToIt) {
    const std::string data = folder / "data.npz";
    ASSERT_TRUE(writeNpz(data, {{"image", makeFloatWeights({64, 1, 8, 8}, std::vector<float>(64 * 64, 0.5f))}}).isOk());
    for (const std::string& file : {engine, kDigits}) {
        const auto used = [&](std::vector<std::string> flags) {
            flags.insert(flags.begin(), {"run", file});
            return file == engine ? runCli(flags) : run(flags, kTwoProfiles);
        };
        expectSays(used({"--useProfile=1"}).out, {"Output probability: fp32[32,10]"});
        expectSays(used({"--useOptimizationProfile=1"}).out, {"Output probability: fp32[32,10]"});
        expectSays(used({"--useProfile=0"}).out, {"Output probability: fp32[2,10]"});
        expectSays(used({"--useProfile=1", "--loadInputs=" + data}).out, {"Runs: 2", "Output probability: fp32[64,10]"});
        expectSays(used({"--useProfile=0", "--shapes=image:4x1x8x8"}).out, {"Output probability: fp32[4,10]"});
        expectRefused(used({"--useProfile=0", "--shapes=image:32x1x8x8"}), {"--useProfile=0", "dim 0 is 32"});
        expectRefused(used({"--useProfile=2"}), {"--useProfile=2", "2 profiles, counted from 0"});
    }
    EXPECT_EQ(run({"bench", kDigits, "--useProfile=1", "--duration=0", "--warmUp=0"}, kTwoProfiles).code, 0);
}

TEST(CliProfileFlags, GapsDuplicatesAndStrayShapesAreRefused) {
    const auto refused = [](const std::vector<std::string>& flags, const std::vector<std::string>& parts) {
        expectRefused(run({"build", kDigits}, flags), parts);
    };
    const std::string one = "--optShapes=image:1x1x8x8", four = "--optShapes=image:4x1x8x8";
    refused({"--profile=0", one, "--profile=2", four}, {"--profile=2 is given, but no --profile=1"});
    refused({"--profile=1", one}, {"no --profile=0"});
    refused({"--profile=0", one, "--profile=0", four}, {"--profile=0 is given twice"});
    refused({one, "--profile=0", four}, {one, "before the first --profile"});
    refused({"--profile=0", one, four}, {"--optShapes is given twice for --profile=0", "image:4x1x8x8"});
    refused({one, four}, {"--optShapes is given twice", "--profile=0, --profile=1"});
    refused({"--profile=0", one, "--profile=1"}, {"--profile=1 has no shapes"});
    refused({"--profile=x", one}, {"'x' is no number of a profile"});
    refused({"--profile=0", one, "--profile=1", "--minShapes=image:8x1x8x8", four},
            {"--profile=1: ", "min 8, opt 4", "min ≤ opt ≤ max"});
    refused({"--profile=0", one, "--profile=1", "--optShapes=imag:4x1x8x8"},
            {"--profile=1 --optShapes", "did you mean 'image'?"});
    expectRefused(runCli({"build", kDigits, "--useProfile=0"}), {"'--useProfile' has no effect", "bench, run"});
}

/// A range for both, and what each is tuned for; or profiles of its own.
TEST(CliProfileFlags, ASideOfCompareHasItsOwn) {
    const auto compare = [](const std::string& b) {
        const CliResult result =
            run({"compare", kDigits, "--a=", "--b=" + b}, {"--minShapes=image:1x1x8x8", "--maxShapes=image:8x1x8x8"},
                {"--builderOptimizationLevel=0", "--duration=0", "--warmUp=0", "--noTimingCache"});
        EXPECT_EQ(result.code, 0) << result.err;
        return result.out;
    };
    const std::string completed = "opt as --maxShapes";
    const std::string joined = compare("--optShapes=image:8x1x8x8");
    EXPECT_EQ(joined.find(completed), joined.rfind(completed)) << "only A's opt is filled in\n" << joined;
    expectSays(compare("--profile=0 --optShapes=image:8x1x8x8 --profile=1 --optShapes=image:2x1x8x8"),
               {"--profile=1: Shapes of image: min [2,1,8,8]"});
}

}  // namespace
}  // namespace strobe::test
