// strobe-cli as a user runs it: output in trtexec's language, files that it writes, exit codes.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "app/cli/comparison_report.h"
#include "kernels/cpu/register.h"
#include "sessions/npz.h"
#include "sessions/session.h"
#include "tests/app/cli_process.h"

namespace strobe::test {
namespace {

using nlohmann::json;

const std::string kModel = "--onnx=" + sample("digits.onnx");

/// Short and without timing; `more` comes last.
CliResult quick(std::vector<std::string> arguments, const std::vector<std::string>& more = {}) {
    const bool isMeasured = arguments[0] != "run" && arguments[0] != "build";
    for (const char* flag : {"--noTimingCache", "--builderOptimizationLevel=0"}) arguments.push_back(flag);
    if (isMeasured) arguments.insert(arguments.end(), {"--duration=0", "--warmUp=0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return runCli(arguments);
}

void expectLines(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

json parsed(const std::string& path) {
    const json value = json::parse(readAll(path), nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << path;
    return value;
}

/// As many digits as asked for, all of one value each.
std::string writeSamples(const ScratchFolder& folder, int count) {
    const int64_t size = 8 * 8;
    std::vector<float> values;
    for (int i = 0; i < count; ++i)
        values.insert(values.end(), static_cast<size_t>(size), 0.1f * static_cast<float>(i));
    const std::string path = folder / ("samples" + std::to_string(count) + ".npz");
    EXPECT_TRUE(writeNpz(path, {{"image", makeFloatWeights({count, 1, 8, 8}, values)}}).isOk());
    return path;
}

TEST(Cli, RunTakesEverySampleAndJoinsTheOutputs) {
    const ScratchFolder folder;
    const std::string data = writeSamples(folder, 8), all = folder / "all.npz", list = folder / "all.json";
    const CliResult run = quick({"run", kModel, "--loadInputs=" + data, "--exportOutput=" + all});
    ASSERT_EQ(run.code, 0) << run.err;
    expectLines(run.out, {"Runs: 8"});
    const auto outputs = readNpz(all);
    ASSERT_TRUE(outputs) << outputs.status().message();
    const WeightsPtr whole = outputs->begin()->second;
    ASSERT_EQ(whole->dims.front(), 8);
    // Row by row what one sample gives.
    const size_t width = whole->bytes / 8;
    const auto given = readNpz(data);
    for (int row : {0, 5}) {
        const std::string one = folder / "one.npz", out = folder / "one_out.npz";
        const float* values = static_cast<const float*>(given->begin()->second->data.get()) + row * 8 * 8;
        ASSERT_TRUE(writeNpz(one, {{"image", makeFloatWeights({1, 1, 8, 8}, {values, values + 8 * 8})}}).isOk());
        ASSERT_EQ(quick({"run", kModel, "--loadInputs=" + one, "--exportOutput=" + out}).code, 0);
        const auto single = readNpz(out);
        EXPECT_EQ(std::memcmp(static_cast<const uint8_t*>(whole->data.get()) + static_cast<size_t>(row) * width,
                              single->begin()->second->data.get(), width),
                  0)
            << row;
    }
    ASSERT_EQ(quick({"run", kModel, "--loadInputs=" + data, "--exportOutput=" + list}).code, 0);
    EXPECT_EQ(parsed(list)[0]["values"].size(), 8 * width / sizeof(float));
}

TEST(Cli, SamplesThatFillNoRunAreNamed) {
    const ScratchFolder folder;
    const CliResult run = quick({"run", kModel, "--shapes=image:3x1x8x8", "--loadInputs=" + writeSamples(folder, 8)});
    ASSERT_EQ(run.code, 0) << run.err;
    expectLines(run.out, {"the last 2 of 8 samples are left out", "Runs: 2"});
}

TEST(Cli, BenchSpeaksTrtexec) {
    const CliResult result = quick({kModel});
    ASSERT_EQ(result.code, 0) << result.err;
    expectLines(result.out, {"=== Device Information ===", "Engine built in", "Engine size", "Warmup completed", "Timing trace has", "=== Performance summary ===", "Throughput: ", " qps", "Latency: min = ",
                             "Enqueue Time: min = ", "Compute Time: min = ", "median = ", "percentile(90%) = ", "percentile(99%) = ", "Total Host Walltime: "});
}

/// 64 bytes are too little for most of oneDNN's kernels: others take over, and what was declined says why.
TEST(Cli, WorkspaceLimitDeclinesTacticsWithAReason) {
    const ScratchFolder folder;
    const CliResult limited = quick({kModel, "--memPoolSize=workspace:64B", "--exportLayerInfo=" + (folder / "layers.json")});
    ASSERT_EQ(limited.code, 0) << limited.err;
    expectLines(readAll(folder / "layers.json"), {"of workspace for an output", "the limit is 64 bytes"});
    for (const char* wrong : {"workspace", "workspace:", "workspace:-1", "workspace:nan", "workspace:1e30", "workspace:5X", "dlaSRAM:1"}) {
        const CliResult refused = quick({kModel, std::string("--memPoolSize=") + wrong});
        EXPECT_EQ(refused.code, 2) << wrong;
        EXPECT_NE(refused.err.find("--memPoolSize"), std::string::npos) << refused.err;
    }
}

TEST(Cli, DumpsTheProfileTable) {
    const CliResult result = quick({kModel, "--dumpProfile"});
    ASSERT_EQ(result.code, 0) << result.err;
    expectLines(result.out, {"Time(ms)", "Avg.(ms)", "Median(ms)", "Time(%)", "Layer", "Total"});
}

TEST(Cli, ExportsTimesProfileAndLayers) {
    const ScratchFolder folder;
    const CliResult result = quick({kModel, "--iterations=12", "--exportTimes=" + (folder / "times.json"), "--exportProfile=" + (folder / "profile.json"), "--exportLayerInfo=" + (folder / "layers.json")});
    ASSERT_EQ(result.code, 0) << result.err;
    const json times = parsed(folder / "times.json"), profile = parsed(folder / "profile.json"), layers = parsed(folder / "layers.json");
    EXPECT_GE(times.size(), 12u);
    for (const char* key : {"startEnqMs", "endEnqMs", "startH2dMs", "endH2dMs", "startComputeMs", "endComputeMs", "startD2hMs", "endD2hMs", "h2dMs", "computeMs", "d2hMs", "latencyMs"})
        EXPECT_TRUE(times[0].contains(key)) << key;
    EXPECT_NEAR(times[0]["latencyMs"].get<double>(), times[0]["h2dMs"].get<double>() + times[0]["computeMs"].get<double>() + times[0]["d2hMs"].get<double>(), 1e-6);
    EXPECT_GT(profile[0]["count"].get<int>(), 0);
    double percent = 0;
    for (size_t i = 1; i < profile.size(); ++i) {
        for (const char* key : {"name", "timeMs", "averageMs", "medianMs", "percentage"}) EXPECT_TRUE(profile[i].contains(key)) << key;
        percent += profile[i]["percentage"].get<double>();
    }
    EXPECT_NEAR(percent, 100.0, 1.0);
    EXPECT_EQ(layers["Layers"].size(), profile.size() - 1);
    EXPECT_EQ(layers["Bindings"].size(), 2u);
    for (const char* key : {"Name", "LayerType", "Inputs", "Outputs", "TacticName", "Metadata"}) EXPECT_TRUE(layers["Layers"][0].contains(key)) << key;
}

/// The held-out digits through a built engine and the same engine loaded: labels as measured with onnxruntime (447 of 450).
TEST(Cli, RunReadsTheDigitsAndTheLoadedEngineAgrees) {
    const ScratchFolder folder;
    const std::string data = "--loadInputs=" + sample("digits_heldout.npz"), engine = folder / "digits.engine";
    const CliResult built = quick({"run", kModel, "--shapes=image:450x1x8x8", data, "--saveEngine=" + engine, "--exportOutput=" + (folder / "a.npz")});
    ASSERT_EQ(built.code, 0) << built.err;
    const CliResult loaded = runCli({"run", "--loadEngine=" + engine, data, "--exportOutput=" + (folder / "b.npz")});
    ASSERT_EQ(loaded.code, 0) << loaded.err;
    const auto a = readNpz(folder / "a.npz"), b = readNpz(folder / "b.npz"), held = readNpz(sample("digits_heldout.npz"));
    ASSERT_TRUE(a && b && held);
    const Weights& probability = *a->at("probability");
    ASSERT_EQ(probability.dims, (Dims{450, 10}));
    const std::vector<float> p = toFloats(probability), q = toFloats(*b->at("probability"));
    EXPECT_EQ(p, q);
    const auto labels = toInt64s(*held->at("label"));
    ASSERT_TRUE(labels);
    int right = 0;
    for (size_t row = 0; row < 450; ++row) right += std::max_element(p.begin() + row * 10, p.begin() + row * 10 + 10) - (p.begin() + row * 10) == (*labels)[row];
    EXPECT_EQ(right, 447);
}

TEST(Cli, ExportOutputAsJson) {
    const ScratchFolder folder;
    ASSERT_EQ(quick({"run", kModel, "--exportOutput=" + (folder / "out.json")}).code, 0);
    const json outputs = parsed(folder / "out.json");
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0]["name"], "probability");
    EXPECT_EQ(outputs[0]["dimensions"], "1x10");
    double sum = 0;
    for (const auto& value : outputs[0]["values"]) sum += value.get<double>();
    EXPECT_NEAR(sum, 1.0, 1e-5);
}

TEST(Cli, CompareTellsRoundsAndSaysShapesOnce) {
    const CliResult result = quick({"compare", kModel, "--a=", "--b=--bf16"});
    ASSERT_EQ(result.code, 0) << result.err;
    expectLines(result.out, {"Rounds in turn: A ", " × as fast"});
    const size_t first = result.out.find("Shapes: ");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(result.out.find("Shapes: ", first + 1), std::string::npos) << result.out;
}

TEST(Cli, CompareWritesTheRoundsThatItPrints) {
    const ScratchFolder folder;
    const CliResult result =
        quick({"compare", kModel, "--a=", "--b=--bf16", "--iterations=10", "--json=" + folder / "c.json"});
    ASSERT_EQ(result.code, 0) << result.err;
    const json written = parsed(folder / "c.json");
    ASSERT_EQ(written["rounds"].size(), 3u);
    double lowest = 1e300, highest = 0;
    for (const json& round : written["rounds"]) {
        const double speedup = round["speedup"];
        EXPECT_DOUBLE_EQ(speedup, round["latencyMsA"].get<double>() / round["latencyMsB"].get<double>());
        lowest = std::min(lowest, speedup);
        highest = std::max(highest, speedup);
    }
    EXPECT_DOUBLE_EQ(written["speedupMin"], lowest);
    EXPECT_DOUBLE_EQ(written["speedupMax"], highest);
    EXPECT_EQ(written["isFasterDecided"], result.out.find("not decided") == std::string::npos);
    char range[64];
    std::snprintf(range, sizeof range, "; B is %.3g to %.3g × as fast", lowest, highest);
    expectLines(result.out, {range});
    for (const json& warning : written["warnings"])
        expectLines(result.out, {"Warning: " + warning["side"].get<std::string>() + ": " +
                                 warning["message"].get<std::string>() + "\n"});
}

TEST(Cli, CompareWarnsOfTheSideWhoseTimesAreUnsteady) {
    SpeedInTurn times;
    times.a = summarize(std::vector<double>{2, 2, 2, 2});
    times.b = summarize(std::vector<double>{1, 1, 1, 1, 1, 1, 1, 1, 1, 5});
    times.rounds = {{2, 1}, {2, 4}};
    const json written = json::parse(cli::comparisonJson(times, {}, {}));
    EXPECT_EQ(written["rounds"], json::parse(R"([{"latencyMsA": 2.0, "latencyMsB": 1.0, "speedup": 2.0},
                                                 {"latencyMsA": 2.0, "latencyMsB": 4.0, "speedup": 0.5}])"));
    EXPECT_EQ(written["isFasterDecided"], false);
    EXPECT_EQ(written["latencyVariationA"], 0.0);
    EXPECT_NEAR(written["latencyVariationB"], times.b.deviation / 1.4, 1e-9);
    ASSERT_EQ(written["warnings"].size(), 1u) << written["warnings"];
    EXPECT_EQ(written["warnings"][0]["side"], "B");
    const std::string message = written["warnings"][0]["message"];
    expectLines(message, {"the latency is unsteady", "go by the median"});
    testing::internal::CaptureStdout();
    cli::printTimes(times);
    expectLines(
        testing::internal::GetCapturedStdout(),
        {"B is 0.5 to 2 × as fast, so that which is faster is not decided\n", "\nWarning: B: " + message + "\n"});
}

TEST(Cli, CompareTellsByItsExitCode) {
    const CliResult same = quick({"compare", kModel, "--a=--noTimingCache", "--b=--noTimingCache --bf16"});
    EXPECT_EQ(same.code, 0) << same.out << same.err;
    expectLines(same.out,
                {"=== Comparison ===", "Latency: A median", "Accuracy over", "Accuracy holds: ", "bf16 is asked for"});
    const CliResult differs = quick({"compare", kModel, "--a=--noTimingCache", "--b=--noTimingCache --bf16", "--tolerance=1e-9"});
    EXPECT_EQ(differs.code, 1) << differs.out << differs.err;
    EXPECT_NE(differs.out.find("Accuracy fails: "), std::string::npos);
    EXPECT_NE(differs.out.find("the tolerance given allows 1e-09"), std::string::npos);
    for (const char* wrong : {"nan", "inf", "0", "-1", "x"}) {
        const CliResult refused = quick({"compare", kModel, "--a=", "--b=--bf16", std::string("--tolerance=") + wrong});
        EXPECT_EQ(refused.code, 2) << wrong;
        EXPECT_NE(refused.err.find("--tolerance"), std::string::npos) << refused.err;
    }
    EXPECT_EQ(quick({"compare", kModel, "--a=--bf61", "--b="}).code, 2);
    EXPECT_EQ(runCli({"compare"}).code, 2);
}

TEST(Cli, CompareWritesItsVerdict) {
    const ScratchFolder folder;
    const CliResult compared =
        quick({"compare", kModel, "--a=", "--b=--bf16", "--loadInputs=" + sample("digits_heldout.npz"),
               "--json=" + (folder / "compared.json")});
    ASSERT_EQ(compared.code, 0) << compared.out << compared.err;
    const json written = parsed(folder / "compared.json");
    EXPECT_EQ(written["verdict"], "holds");
    EXPECT_EQ(written["coarsest"], "bf16");
    EXPECT_NE(compared.out.find(written["reason"].get<std::string>()), std::string::npos);
    EXPECT_NE(written["reason"].get<std::string>().find("of labels right"), std::string::npos);
}

TEST(Cli, InspectShowsEachStage) {
    const CliResult model = runCli({"inspect", sample("digits.onnx")});
    ASSERT_EQ(model.code, 0) << model.err;
    expectLines(model.out, {"Opset: ai.onnx 17", "BatchNormalization", "input %image: fp32[", "block3/depthwise/conv"});
    const CliResult fused = runCli({"inspect", sample("digits.onnx"), "--stage=fused"});
    ASSERT_EQ(fused.code, 0) << fused.err;
    expectLines(fused.out, {"ConvBatchNormFusion", "Pass EpilogueFusion"});
    const ScratchFolder folder;
    ASSERT_EQ(quick({"build", kModel, "--saveEngine=" + (folder / "d.engine")}).code, 0);
    const CliResult engine = runCli({"inspect", folder / "d.engine"});
    ASSERT_EQ(engine.code, 0) << engine.err;
    expectLines(engine.out, {"Engine of digits.onnx", "Input: image fp32", "Output: probability fp32", "Profile 0: image min="});
    const CliResult text = runCli({"inspect", sample("digits.onnx"), "--json"});
    const json parsedText = json::parse(text.out, nullptr, false);
    ASSERT_FALSE(parsedText.is_discarded());
    EXPECT_GE(parsedText["layers"].size(), 60u);
    EXPECT_EQ(parsedText["layers"][0]["onnxNodes"].size(), 1u);
}

TEST(Cli, AnAccuracyLimitIsKeptOnTheDataGiven) {
    const std::string data = "--loadInputs=" + sample("digits_heldout.npz");
    const CliResult built = quick({"build", kModel, "--fp16", "--accuracyLimit=0.0001", data});
    ASSERT_EQ(built.code, 0) << built.err;
    EXPECT_NE((built.out + built.err).find("stay in FP32, to keep the accuracy limit of 0.01 %"), std::string::npos)
        << built.out << built.err;
    const CliResult compared = quick({"compare", kModel, "--a=", "--b=--fp16 --accuracyLimit=0.5", "--iterations=2"});
    EXPECT_EQ(compared.code, 0) << compared.err;
    EXPECT_NE(compared.out.find("B: FP16 within 50 %"), std::string::npos) << compared.out;
    const CliResult shared = quick({"compare", kModel, "--accuracyLimit=0.5", "--a=", "--b=--fp16", "--iterations=2"});
    EXPECT_EQ(shared.code, 0) << shared.err;
    EXPECT_NE(shared.out.find("A: FP32\nB: FP16 within 50 %"), std::string::npos) << shared.out;
}

TEST(Cli, SavedSessionOpensAgain) {
    const ScratchFolder folder;
    const CliResult result = quick({kModel, "--bf16", "--saveSession=" + (folder / "d.strobe")});
    ASSERT_EQ(result.code, 0) << result.err;
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    Session session(kernels);
    const Status opened = session.openDocumentNow(folder / "d.strobe");
    ASSERT_TRUE(opened.isOk()) << opened.message();
    ASSERT_EQ(session.builds().size(), 1u);
    EXPECT_EQ(session.settings().builder.precision, PrecisionMode::Bf16);
    EXPECT_TRUE(session.builds()[0]->engine);
    ASSERT_TRUE(session.builds()[0]->profile);
    EXPECT_GT(session.builds()[0]->profile->latency.median, 0.0);
}

TEST(Cli, FileNamesNeedNotBeUtf8) {
    const ScratchFolder folder;
    const std::string odd = folder / "d\xff", model = odd + ".onnx", data = odd + ".npz", engine = odd + ".engine";
    std::filesystem::copy_file(sample("digits.onnx"), model);
    std::filesystem::copy_file(sample("digits_heldout.npz"), data);
    ASSERT_EQ(
        runCli({"build", model, "--saveEngine=" + engine, "--builderOptimizationLevel=0", "--noTimingCache"}).code, 0);
    const CliResult ran = runCli({"run", engine, "--loadInputs=" + data, "--exportOutput=" + odd + ".json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    const CliResult benched =
        runCli({"bench", model, "--loadInputs=" + data, "--builderOptimizationLevel=0", "--duration=0", "--warmUp=0",
                "--timingCacheFile=" + odd + ".cache", "--saveSession=" + odd + ".strobe",
                "--exportProfile=" + odd + "p.json", "--exportLayerInfo=" + odd + "l.json"});
    EXPECT_EQ(benched.code, 0) << benched.err;
    const CliResult compared = runCli({"compare", model, "--b=--bf16", "--loadInputs=" + data,
                                       "--json=" + odd + "c.json", "--builderOptimizationLevel=0", "--noTimingCache"});
    EXPECT_EQ(compared.signal, 0) << compared.err;
    for (const char* stage : {"parsed", "fused", "engine"})
        EXPECT_EQ(runCli({"inspect", model, "--stage=" + std::string(stage), "--json"}).code, 0) << stage;
    EXPECT_EQ(runCli({"inspect", engine, "--json"}).code, 0);
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    Session session(kernels);
    const Status opened = session.openDocumentNow(odd + ".strobe");
    ASSERT_TRUE(opened.isOk()) << opened.message();
    EXPECT_EQ(session.settings().inputFile, data);
    EXPECT_EQ(session.settings().builder.timingCachePath, odd + ".cache");
    EXPECT_EQ(session.builds().front()->engine->parts().modelName, "d\xff.onnx");
}

TEST(Cli, HelpAndDevices) {
    const CliResult help = runCli({"--help"});
    EXPECT_EQ(help.code, 0);
    expectLines(help.out, {"run      run on all of the given data"});
    expectLines(runCli({"run", "--help"}).out, {"on all of the given data", "outputs of all runs"});
    expectLines(runCli({"bench", "--help"}).out, {"print the outputs of all runs", "so many seconds; default 3"});
    expectLines(runCli({"compare", "--help"}).out, {"so many seconds in all; default 1.5"});
    EXPECT_EQ(runCli({"verify", "--help"}).code, 0);
    const CliResult devices = runCli({"devices"});
    EXPECT_EQ(devices.code, 0);
    expectLines(devices.out, {"cpu ", "cores"});
}

}  // namespace
}  // namespace strobe::test
