// Slips of a newcomer on the command line: what is refused before any work, what is said, and what is taken for what
// was left out.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "app/cli/command_line.h"
#include "kernels/cpu/register.h"
#include "sessions/npz.h"
#include "tests/app/cli_process.h"
#include "tests/support/little_memory.h"
#include "tests/support/onnx_builder.h"

namespace strobe::test {
namespace {

const std::string kDigits = sample("digits.onnx");

/// No timing of candidates; bench and compare measure next to nothing.
const std::vector<std::string> kQuickBuild = {"--noTimingCache", "--builderOptimizationLevel=0"},
                               kQuickRun = {"--duration=0", "--warmUp=0", "--iterations=2"};

CliResult run(std::vector<std::string> arguments, const std::vector<std::string>& more = kQuickBuild) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return runCli(arguments);
}
CliResult bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), kQuickRun.begin(), kQuickRun.end());
    return run(arguments);
}

void expectSays(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}
void expectRefused(const CliResult& result, const std::vector<std::string>& parts) {
    EXPECT_EQ(result.code, 2) << result.out << result.err;
    expectSays(result.err, parts);
    EXPECT_EQ(result.out.find("Engine built"), std::string::npos) << "refused only after the work\n" << result.out;
}

/// x [N, 3, H, W]: a MatMul over 3·H features, so that H must be 48.
std::string writeHeight48(const ScratchFolder& folder) {
    OnnxBuilder b;
    b.input("x", {-1, 3, -1, -1});
    setInts(b.node("Transpose", {"x"}, {"rows"}, "rows"), "perm", {0, 3, 1, 2});
    b.ints("shape", {3}, {0, 0, -1});
    b.node("Reshape", {"rows", "shape"}, {"flat"}, "flat");
    b.floats("w", {144, 2}, std::vector<float>(288, 0.01f));
    b.node("MatMul", {"flat", "w"}, {"y"}, "head");
    b.output("y");
    writeAll(folder / "h48.onnx", b.bytes());
    return folder / "h48.onnx";
}

TEST(CliShapes, OpenExtentsAreAssumedAndSaid) {
    const ScratchFolder folder;
    const CliResult result = bench({writeHeight48(folder)});
    ASSERT_EQ(result.code, 0) << result.err;
    expectSays(result.out, {"x:1x3x48x224 assumed", "--shapes=x:1x3x48x224", "Throughput"});
    EXPECT_EQ(bench({"--onnx=" + folder / "h48.onnx", "--shapes=x:2x3x48x7"}).out.find("assumed"), std::string::npos);
}

TEST(CliShapes, WhatTheModelCannotTakeIsRefusedBeforeTheWork) {
    const ScratchFolder folder;
    const std::string model = writeHeight48(folder);
    expectRefused(run({"build", model, "--shapes=x:1x3x47x320"}),
                  {"input 'x', dim 2", "extent 47", "'head'", "48", "write --shapes=x:1x3x48x320"});
    expectRefused(
        run({"build", model, "--minShapes=x:0x3x48x320", "--optShapes=x:1x3x48x320", "--maxShapes=x:4x3x48x320"}),
        {"dim 0", "min extent 0", "it takes 1", "write --minShapes=x:1x3x48x320"});
    expectRefused(
        run({"build", model, "--maxShapes=x:1x3x64x320", "--minShapes=x:1x3x48x320", "--optShapes=x:1x3x48x320"}),
        {"max extent 64", "--maxShapes=x:1x3x48x320"});
    expectRefused(run({"build", model, "--shapes=x:1x4x48x320"}), {"dim 1", "is 4", "fixes it to 3", "x:1x3x48x320"});
    expectRefused(run({"build", model, "--shapes=x:1,3,48,320"}), {"--shapes", "'3'", "joined by x"});
    expectRefused(run({"build", model, "--shapes=y:1x3x48x320"}), {"--shapes", "no input 'y'", "its inputs are: x"});
    expectRefused(run({"build", model, "--shapes=x:1x3x48x320,x:1x3x48x320"}), {"'x' is given twice"});
    expectRefused(run({"build", model, "--shapes=x:99999x3x48x99999999"}), {"alone needs", "GiB", "smaller shapes"});
    const std::vector<std::string> wide = {"--minShapes=x:1x3x48x10", "--optShapes=x:1x3x48x20",
                                           "--maxShapes=x:2x3x48x30"};
    std::vector<std::string> outside = {"bench", model, "--shapes=x:1x3x48x31"};
    outside.insert(outside.end(), wide.begin(), wide.end());
    expectRefused(run(outside), {"--shapes", "dim 3 is 31", "10 to 30", "--maxShapes"});
}

/// trtexec's rule, and it is said.
TEST(CliShapes, MissingCornersAreTakenFromTheGivenOnes) {
    const ScratchFolder folder;
    const std::string model = writeHeight48(folder);
    const auto profile = [&](std::vector<std::string> flags) {
        flags.insert(flags.begin(), {"build", model, "--dumpOptimizationProfile"});
        const CliResult result = run(flags);
        EXPECT_EQ(result.code, 0) << result.err;
        return result.out;
    };
    expectSays(profile({"--minShapes=x:1x3x48x10"}),
               {"min=[1,3,48,10] opt=[1,3,48,10] max=[1,3,48,10]", "opt and max as --minShapes"});
    expectSays(profile({"--minShapes=x:1x3x48x10", "--maxShapes=x:4x3x48x30"}),
               {"min=[1,3,48,10] opt=[4,3,48,30] max=[4,3,48,30]", "opt as --maxShapes"});
    expectSays(profile({"--optShapes=x:1x3x48x20", "--maxShapes=x:4x3x48x30"}),
               {"min=[1,3,48,20] opt=[1,3,48,20] max=[4,3,48,30]", "min as --optShapes"});
    EXPECT_EQ(profile({"--shapes=x:1x3x48x20"}).find(" as --"), std::string::npos);
}

/// a [N, 4] and b [N, 4]: what the smallest N is, a alone says.
TEST(CliShapes, SharedExtentsNeedBeGivenOnce) {
    const ScratchFolder folder;
    OnnxBuilder b;
    for (const char* name : {"a", "b"}) {
        b.input(name, {-1, 4});
        b.graph()
            .mutable_input()
            ->rbegin()
            ->mutable_type()
            ->mutable_tensor_type()
            ->mutable_shape()
            ->mutable_dim(0)
            ->set_dim_param("N");
    }
    b.node("Add", {"a", "b"}, {"y"}, "sum");
    b.output("y");
    writeAll(folder / "shared.onnx", b.bytes());
    const CliResult result = run({"build", folder / "shared.onnx", "--dumpOptimizationProfile", "--minShapes=a:1x4",
                                  "--optShapes=a:2x4,b:2x4", "--maxShapes=b:8x4"});
    ASSERT_EQ(result.code, 0) << result.err;
    expectSays(result.out, {"a min=[1,4] opt=[2,4] max=[8,4]", "b min=[1,4] opt=[2,4] max=[8,4]"});
    EXPECT_EQ(result.out.find("assumed"), std::string::npos) << result.out;
}

TEST(CliShapes, DataSaysWhatToBuildFor) {
    const ScratchFolder folder;
    const std::string model = writeHeight48(folder), data = folder / "data.npz";
    ASSERT_TRUE(
        writeNpz(data, {{"x", makeFloatWeights({2, 3, 48, 11}, std::vector<float>(2 * 3 * 48 * 11, 1.0f))}}).isOk());
    const CliResult result = run({"run", model, "--loadInputs=" + data});
    ASSERT_EQ(result.code, 0) << result.err;
    expectSays(result.out, {"Shapes: x:1x3x48x11, as the data", "Runs: 2", "Output y: fp32[2,11,2]"});
    expectRefused(run({"run", model, "--loadInputs=" + data, "--shapes=x:1x3x48x12"}),
                  {"'x' is [2,3,48,11]", "takes 12 in dim 3", "--shapes=x:2x3x48x11"});
    expectRefused(run({"run", model, "--loadInputs=y:" + data + "y"}), {"no such file", "did you mean", "data.npz"});
}

/// Two commands of one process, as a program that links the command line runs them.
TEST(CliShapes, EachCommandSaysWhatItTook) {
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const char* arguments[] = {"build", kDigits.c_str(), "--noTimingCache", "--builderOptimizationLevel=0"};
    for (int call = 1; call <= 2; ++call) {
        testing::internal::CaptureStdout();
        EXPECT_EQ(cli::buildCommand(kernels, 4, arguments), 0);
        EXPECT_NE(testing::internal::GetCapturedStdout().find("Shapes: image:"), std::string::npos) << call;
    }
}

/// The two slips of everyone who saves an image with NumPy, and data for another engine.
TEST(CliShapes, DataOfAnotherLayoutIsRefusedWithWhatToDo) {
    const ScratchFolder folder;
    const std::string model = writeHeight48(folder), data = folder / "data.npz", engine = folder / "h48.engine";
    const auto save = [&](const std::string& name, const Dims& dims) {
        const std::vector<float> zeros(static_cast<size_t>(elementCount(dims)));
        ASSERT_TRUE(writeNpz(data, {{name, makeFloatWeights(dims, zeros)}}).isOk());
    };
    save("x", {1, 48, 20, 3});
    expectRefused(run({"run", model, "--loadInputs=" + data}),
                  {"'x' is [1,48,20,3]", "channels come last", "transpose(0, 3, 1, 2)"});
    save("x", {3, 48, 20});
    expectRefused(run({"run", model, "--loadInputs=" + data}), {"'x' is [3,48,20]", "batch is missing"});
    save("image", {1, 3, 48, 20});
    expectRefused(run({"run", model, "--loadInputs=" + data}), {"holds arrays image", "(x)", "name them so"});
    save("x", {1, 3, 48, 20});
    ASSERT_EQ(run({"build", model, "--shapes=x:1x3x48x10", "--saveEngine=" + engine}).code, 0);
    expectRefused(runCli({"run", engine, "--loadInputs=" + data}),
                  {"takes 10 in dim 3", "build the engine again", "--shapes=x:1x3x48x20"});
    expectRefused(runCli({"run", engine, "--shapes=y:1x3x48x10"}), {"no input 'y'", "its inputs are: x"});
    expectRefused(runCli({"run", engine, "--shapes=x:1x3x48x11"}), {"--shapes", "dim 3 is 11", "[10, 10]"});
}

TEST(CliOutputs, AreTriedBeforeTheWork) {
    const ScratchFolder folder;
    const std::string there = folder / "there.engine";
    writeAll(there, "old");
    for (const char* flag :
         {"saveEngine", "saveSession", "exportTimes", "exportProfile", "exportLayerInfo", "timingCacheFile"})
        expectRefused(
            runCli({"bench", kDigits, "--builderOptimizationLevel=0", std::string("--") + flag + "=/nonexistent/file"}),
            {std::string("--") + flag, "/nonexistent/file", "make the folder"});
    expectRefused(bench({"bench", kDigits, "--exportOutput=/nonexistent/o.npz"}),
                  {"--exportOutput", "/nonexistent/o.npz"});
    expectRefused(bench({"bench", kDigits, "--exportOutput=o.txt"}), {"'o.txt'", ".npz or .json"});
    expectRefused(run({"build", kDigits, "--saveEngine=" + testing::TempDir()}), {"it is a folder"});
    expectRefused(run({"build", kDigits, "--saveEngine=" + there, "--exportLayerInfo=" + there}),
                  {"--saveEngine and --exportLayerInfo both name"});
    expectRefused(runCli({"compare", kDigits, "--b=--bf16", "--json=/nonexistent/c.json"}),
                  {"--json", "/nonexistent/c.json"});
    expectRefused(runCli({"verify", "/none", "--json=/nonexistent/v.json"}), {"--json", "/nonexistent/v.json"});
    EXPECT_EQ(readAll(there), "old") << "refused or not, an existing file stays until there is a new one";
}

TEST(CliOutputs, EachFileIsNamedOnce) {
    const ScratchFolder folder;
    const std::string engine = folder / "d.engine", layers = folder / "l.json", times = folder / "t.json",
                      output = folder / "o.npz";
    const CliResult result = bench({kDigits, "--saveEngine=" + engine, "--exportLayerInfo=" + layers,
                                    "--exportTimes=" + times, "--exportOutput=" + output});
    ASSERT_EQ(result.code, 0) << result.err;
    for (const std::string& path : {engine, layers, times, output}) {
        const size_t at = result.out.find("Wrote " + path + " (");
        ASSERT_NE(at, std::string::npos) << result.out;
        EXPECT_EQ(result.out.find("Wrote " + path, at + 1), std::string::npos);
    }
}

/// x [N, 2, 3]: `rows` as it is, `steps` time-major, `sum` of all, and `places` of what is not 0, so many as there are.
std::string writeTimeMajor(const ScratchFolder& folder) {
    OnnxBuilder b;
    b.input("x", {-1, 2, 3});
    b.node("Relu", {"x"}, {"rows"}, "relu");
    setInts(b.node("Transpose", {"x"}, {"steps"}, "transpose"), "perm", {1, 0, 2});
    setInt(b.node("ReduceSum", {"x"}, {"sum"}, "sum"), "keepdims", 0);
    b.node("NonZero", {"x"}, {"places"}, "nonzero");
    for (const char* name : {"rows", "steps", "sum", "places"}) b.output(name);
    writeAll(folder / "time.onnx", b.bytes());
    return folder / "time.onnx";
}
std::string writeCounting(const ScratchFolder& folder, int64_t count, bool hasZero) {
    std::vector<float> values;
    for (int i = 0; i < count * 6; ++i) values.push_back(static_cast<float>(i + (hasZero ? 0 : 1)));
    EXPECT_TRUE(writeNpz(folder / "x.npz", {{"x", makeFloatWeights({count, 2, 3}, values)}}).isOk());
    return folder / "x.npz";
}

TEST(CliOutputs, RunsAreJoinedAlongTheBatchAndStackedWithoutOne) {
    const ScratchFolder folder;
    const std::string model = writeTimeMajor(folder), data = writeCounting(folder, 4, false), out = folder / "out.npz";
    const auto expectWhole = [&](const CliResult& result) {
        ASSERT_EQ(result.code, 0) << result.err;
        expectSays(result.out, {"output 'steps' is [2,1,3] a run and does not begin with the batch of 1",
                                "the 4 runs are stacked along a new first dim, [4,2,1,3]"});
        EXPECT_EQ(result.out.find("'rows'"), std::string::npos) << result.out;
        const auto outputs = readNpz(out);
        ASSERT_TRUE(outputs) << outputs.status().message();
        EXPECT_EQ(outputs->at("rows")->dims, (Dims{4, 2, 3}));
        EXPECT_EQ(outputs->at("steps")->dims, (Dims{4, 2, 1, 3}));
        EXPECT_EQ(outputs->at("sum")->dims, (Dims{4}));
        EXPECT_EQ(outputs->at("places")->dims, (Dims{4, 3, 6}));
        EXPECT_EQ(toFloats(*outputs->at("sum")), (std::vector<float>{21, 57, 93, 129}));
        EXPECT_EQ(toFloats(*outputs->at("steps")), toFloats(*outputs->at("rows"))) << "of one row each";
    };
    expectWhole(run({"run", model, "--loadInputs=" + data, "--exportOutput=" + out}));
    expectWhole(bench({"bench", model, "--loadInputs=" + data, "--exportOutput=" + out}));
    const CliResult pairs = run({"run", model, "--shapes=x:2x2x3", "--loadInputs=" + data, "--exportOutput=" + out});
    expectSays(pairs.out,
               {"Runs: 2", "Output rows: fp32[4,2,3]", "Output sum: fp32[2]", "Output places: int64[2,3,12]"});
}

TEST(CliOutputs, RunsOfDifferentShapesAreNotExported) {
    const ScratchFolder folder;
    const std::string model = writeTimeMajor(folder), data = writeCounting(folder, 3, true), out = folder / "out.npz",
                      session = folder / "s.strobe";
    const std::string why =
        "output 'places' is [3,5] in run 1 and [3,6] in run 2, which do not fit into one array; "
        "run and export one sample at a time";
    const CliResult printed = run({"run", model, "--loadInputs=" + data});
    EXPECT_EQ(printed.code, 0) << printed.err;
    expectSays(printed.out, {"Note: " + why, "Output rows: fp32[3,2,3]"});
    for (const CliResult& result :
         {run({"run", model, "--loadInputs=" + data, "--exportOutput=" + out}),
          bench({"bench", model, "--loadInputs=" + data, "--exportOutput=" + out, "--saveSession=" + session})}) {
        EXPECT_EQ(result.code, 2) << result.out;
        expectSays(result.err, {"--exportOutput=" + out + ": " + why});
    }
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_TRUE(std::filesystem::exists(session)) << "what was measured is kept";
}

TEST(CliBuild, SaysWhenTheEngineIsNotKept) {
    const ScratchFolder folder;
    expectSays(run({"build", kDigits}).out, {"not kept", "--saveEngine=digits.engine"});
    EXPECT_EQ(run({"build", kDigits, "--saveEngine=" + (folder / "d.engine")}).out.find("not kept"), std::string::npos);
}

TEST(CliFlags, ThoseThatACommandIgnoresAreRefused) {
    const ScratchFolder folder;
    const std::string engine = folder / "d.engine";
    ASSERT_EQ(run({"build", kDigits, "--saveEngine=" + engine}).code, 0);
    expectRefused(runCli({"run", engine, "--bf16", "--noTimingCache"}),
                  {"--bf16, --noTimingCache have no effect", "when it is built"});
    expectRefused(runCli({"bench", "--loadEngine=" + engine, "--device=cuda:0"}), {"--device=cuda:0", "is for cpu"});
    expectRefused(runCli({"bench", engine, "--saveSession=" + (folder / "s.strobe")}), {"--saveSession needs a model"});
    EXPECT_EQ(runCli({"bench", engine, "--device=cpu", "--duration=0", "--warmUp=0"}).code, 0);
    expectRefused(run({"build", kDigits, "--iterations=5"}),
                  {"'--iterations' has no effect in 'strobe-cli build'", "bench and compare"});
    expectRefused(bench({"bench", kDigits, "--skipInference", "--dumpProfile"}),
                  {"--dumpProfile has no effect", "--skipInference"});
    expectRefused(runCli({"inspect", engine, "--fp16"}), {"--fp16 has no effect on a loaded engine"});
    expectRefused(runCli({"inspect", kDigits, "--fp16"}), {"--fp16", "--stage=fused"});
    expectRefused(runCli({"build", engine}), {"is an engine already"});
    const CliResult help = runCli({"build", "--help"});
    expectSays(help.out, {"--saveEngine", "--minShapes"});
    for (const char* foreign : {"--iterations", "--exportOutput", "--exportTimes", "--loadEngine"})
        EXPECT_EQ(help.out.find(foreign), std::string::npos) << foreign;
}

/// Root may start any number of threads; stacks that fill the addresses stop it too.
void allowFewThreads() {
    for (const auto& [what, most] : {std::pair{RLIMIT_STACK, rlim_t{1} << 30}, {RLIMIT_AS, rlim_t{8} << 30}}) {
        rlimit limit{};
        ::getrlimit(what, &limit);
        limit.rlim_cur = most;
        ::setrlimit(what, &limit);
    }
}

TEST(CliFlags, StreamsThatTheSystemRefusesAreAnError) {
    if (!kCanLimitMemory) GTEST_SKIP() << "the address sanitizer needs all addresses";
    std::vector<std::string> arguments = {"bench", kDigits, "--cpuThreads=1", "--infStreams=64"};
    for (const auto& more : {kQuickBuild, kQuickRun}) arguments.insert(arguments.end(), more.begin(), more.end());
    const CliResult result = runCli(arguments, allowFewThreads);
    EXPECT_EQ(result.signal, 0) << result.err;
    EXPECT_EQ(result.code, 2) << result.out << result.err;
    expectSays(result.err, {"--infStreams=64: the system refuses the thread of stream ", "give fewer streams"});
}

TEST(CliFlags, NamesAndHabitsFromElsewhere) {
    expectRefused(run({"build", kDigits, "--precision=bf16"}), {"'--precision'", "--bf16, --fp16 or --best"});
    expectRefused(run({"bench", kDigits, "--batch=4"}), {"'--batch'", "--shapes=x:8x"});
    expectRefused(run({"bench", kDigits, "--onnx=other.onnx"}), {"two files", "other.onnx", "digits.onnx"});
    expectRefused(run({"build", kDigits, "--saveEngine="}), {"--saveEngine= has no value"});
    expectRefused(runCli({"build", kDigits, "--saveEngine"}), {"--saveEngine takes one value"});
    expectRefused(runCli({"bench", kDigits, "--threads=4"}), {"--threads takes no value", "--cpuThreads=N"});
    expectRefused(runCli({"bench", "--onnx=~/model.onnx"}), {"no such file", "$HOME"});
    expectRefused(runCli({"inspect", "session.strobe"}), {"is a session document"});
    expectRefused(runCli({"build", kDigits, "--errorOnTimingCacheMiss", "--noTimingCache"}), {"needs a timing cache"});
    expectSays(runCli({"--version"}).out, {"strobe-cli "});
    expectRefused(run({"bnech", kDigits}), {"unknown command 'bnech'", "did you mean bench?"});
    expectRefused(run({"build", kDigits, "--device=gpu"}), {"'gpu'", "usable here: cpu"});
    EXPECT_EQ(run({"build", kDigits, "--device=gpu"}).err.find("usable here: cpu, cuda"), std::string::npos);
    expectRefused(runCli({sample("digit.onnx")}), {"no such file", "did you mean", "digits.onnx'?"});
    const CliResult positional = bench({kDigits, "--noDataTransfers", "--avgRuns=2"});
    EXPECT_EQ(positional.code, 0) << positional.err;
    expectSays(positional.out, {"--noDataTransfers changes nothing on the CPU", "Average on 2 runs", "Throughput"});
    EXPECT_EQ(positional.out.find("H2D"), std::string::npos);
}

TEST(CliFlags, AnAccuracyLimitIsForLowerPrecisions) {
    expectRefused(run({"build", kDigits, "--accuracyLimit=0.01"}), {"--accuracyLimit", "--bf16"});
    for (const char* wrong : {"0", "-1", "2", "nan", "3%"})
        expectRefused(run({"build", kDigits, "--bf16", std::string("--accuracyLimit=") + wrong}), {"--accuracyLimit"});
    const CliResult inspect = run({"inspect", kDigits, "--bf16", "--accuracyLimit=0.01"});
    EXPECT_EQ(inspect.code, 2) << inspect.err;
}

TEST(CliFlags, NamesInRulesMustMeanSomething) {
    expectRefused(run({"build", kDigits, "--layerPrecisions=op:Convv:fp32"}),
                  {"'op:Convv' matches no layer", "did you mean 'op:Conv'?"});
    expectRefused(run({"build", kDigits, "--layerPrecisions=block3/depthwise/convv:bf16"}),
                  {"matches no layer", "did you mean 'block3/depthwise/conv'?"});
    EXPECT_EQ(run({"build", kDigits, "--layerPrecisions=block?/*:bf16"}).code, 0);
    expectRefused(run({"build", kDigits, "--disablePasses=ConvBatchNormFusio"}),
                  {"did you mean 'ConvBatchNormFusion'?"});
    expectRefused(run({"build", kDigits, "--banTactics=onednn.convv"}), {"--banTactics", "'onednn.convv'"});
    expectRefused(run({"build", kDigits, "--pinTactics=nolayer:onednn.conv"}), {"--pinTactics", "'nolayer'"});
}

TEST(CliCompare, SidesAreReadAsMeant) {
    const auto compare = [](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"compare", kDigits});
        arguments.push_back("--duration=0.1");
        return run(arguments);
    };
    expectRefused(compare({"--a", "--b="}), {"--a needs a value"});
    expectRefused(compare({}), {"give what to compare"});
    expectRefused(compare({"--b=--bf61"}), {"--b=\"--bf61\"", "did you mean --bf16?"});
    expectRefused(compare({"--b=--iterations=3"}), {"--b=", "'--iterations'", "give it to compare itself"});
    expectRefused(compare({"--a=fp32", "--b=bf16"}), {"--a=\"fp32\"", "--a=--bf16"});
    expectRefused(compare({"--b=--layerPrecisions=nolayer:bf16"}), {"--b: ", "'nolayer' matches no layer"});
    const CliResult missing = compare({"--b=none.engine"});
    expectRefused(missing, {"none.engine: no such file"});
    const CliResult spaced = compare({"--a=", "--b", "--bf16"});
    EXPECT_EQ(spaced.code, 0) << spaced.err;
    expectSays(spaced.out, {"A: FP32", "B: BF16"});
}

constexpr int64_t kOnnxFloat = 1, kOnnxInt64 = 7;  // TensorProto's types

/// Builds <name>.engine of a model of x [1, 64]: `outputs` are x doubled or negated, in this order.
class CliCompareEngines : public testing::Test {
protected:
    struct Form {
        DataType input = DataType::Float32;
        int64_t output = kOnnxFloat;
        std::vector<std::string> outputs = {"twice", "minus"};
        bool hasSecondInput = false;
    };
    std::string build(const std::string& name, const Form& form) {
        OnnxBuilder b;
        b.input("x", {1, 64}, form.input);
        if (form.hasSecondInput) b.input("z", {1, 64});
        setInt(b.node("Cast", {"x"}, {"f"}, "cast"), "to", kOnnxFloat);
        b.node("Add", {"f", form.hasSecondInput ? "z" : "f"}, {"sum"}, "sum");
        setInt(b.node("Cast", {"sum"}, {"twice"}, "result"), "to", form.output);
        b.node("Neg", {"f"}, {"minus"}, "minus");
        for (const std::string& output : form.outputs) b.output(output);
        writeAll(folder / (name + ".onnx"), b.bytes());
        const std::string engine = folder / (name + ".engine");
        const CliResult built = run({"build", folder / (name + ".onnx"), "--saveEngine=" + engine});
        EXPECT_EQ(built.code, 0) << built.err;
        return engine;
    }
    CliResult compare(const std::string& a, const std::string& b) {
        return runCli({"compare", a, b, "--duration=0", "--warmUp=0"});
    }
    const ScratchFolder folder;
};

TEST_F(CliCompareEngines, EnginesOfTwoModelsAreNamedWhenTheyDoNotFit) {
    const std::string digits = folder / "digits.engine";
    ASSERT_EQ(run({"build", kDigits, "--saveEngine=" + digits}).code, 0);
    const std::string plain = build("plain", {}), bytes = build("bytes", {.input = DataType::Int8}),
                      two = build("two", {.hasSecondInput = true}), one = build("one", {.outputs = {"twice"}}),
                      whole = build("whole", {.output = kOnnxInt64});
    const std::tuple<std::string, std::string, const char*> cases[] = {
        {digits, plain, "A has an input 'image', B has not"},      {bytes, plain, "input 'x' is int8 in A, fp32 in B"},
        {plain, bytes, "input 'x' is fp32 in A, int8 in B"},       {plain, two, "B has an input 'z', A has not"},
        {plain, whole, "output 'twice' is fp32 in A, int64 in B"}, {plain, one, "A has an output 'minus', B has not"},
        {one, plain, "B has an output 'minus', A has not"}};
    for (const auto& [a, b, why] : cases) {
        const CliResult result = compare(a, b);
        EXPECT_EQ(result.code, 2) << why << result.out;
        expectSays(result.err, {"two different models cannot be compared: A (" + a + ") is of the model ",
                                "B (" + b + ") is of the model ", why, "; give two builds of one model, or export"});
    }
}

TEST_F(CliCompareEngines, OutputsAreComparedByTheirNames) {
    const CliResult result = compare(build("one", {}), build("other", {.outputs = {"minus", "twice"}}));
    EXPECT_EQ(result.code, 0) << result.out << result.err;
    expectSays(result.out, {"Note: two models are compared: A (", "one.onnx", "other.onnx", "Accuracy holds"});
    const size_t first = result.out.find("max abs 0,");
    ASSERT_NE(first, std::string::npos) << result.out;
    EXPECT_NE(result.out.find("max abs 0,", first + 1), std::string::npos) << result.out;
}

/// Half of what NumPy writes is float64: it is converted, and that is said.
TEST(CliInputs, ConversionsAreSaid) {
    const ScratchFolder folder;
    const std::string data = folder / "d.npz";
    ASSERT_TRUE(
        writeNpz(data, {{"image", makeWeights<double>(DataType::Float64, {1, 1, 8, 8}, std::vector<double>(64, 0.5))}})
            .isOk());
    const CliResult result = run({"run", kDigits, "--loadInputs=" + data});
    ASSERT_EQ(result.code, 0) << result.err;
    expectSays(result.out, {"Note: array 'image' is fp64, converted to fp32"});
}

}  // namespace
}  // namespace strobe::test
