// What a user can get wrong, as strobe-cli answers it: one clear message, exit code 2, within 2 s, never a crash.
#include <gtest/gtest.h>

#include <random>

#include "kernels/cpu/register.h"
#include "sessions/session.h"
#include "tests/app/cli_process.h"
#include "tests/support/onnx_builder.h"

namespace strobe::test {
namespace {

const std::vector<std::string> kFast = {"--noTimingCache", "--builderOptimizationLevel=0"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more = kFast) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

/// Refused as it should be, with every part in the message.
void expectRefused(const std::vector<std::string>& arguments, const std::vector<std::string>& parts) {
    const CliResult result = runCli(arguments);
    SCOPED_TRACE(testing::PrintToString(arguments) + "\n" + result.err);
    EXPECT_EQ(result.signal, 0);
    EXPECT_EQ(result.code, 2);
    EXPECT_LT(result.seconds, 2.0);
    EXPECT_EQ(result.err.rfind("strobe-cli: ", 0), 0u);
    for (const std::string& part : parts) EXPECT_NE(result.err.find(part), std::string::npos) << part;
}

void expectModelRefused(const OnnxBuilder& model, const std::vector<std::string>& parts) {
    const ScratchFolder folder;
    writeAll(folder / "model.onnx", model.bytes());
    std::vector<std::string> all = parts;
    all.push_back("model.onnx");
    expectRefused(with({"build", "--onnx=" + (folder / "model.onnx")}), all);
}

OnnxBuilder oneNode(const std::string& op) {
    OnnxBuilder b;
    b.input("x", {1, 4});
    b.node(op, {"x"}, {"y"}, "first");
    b.output("y");
    return b;
}

/// Four images at most.
void buildSampleEngine(const std::string& path) {
    const CliResult built = runCli(with({"build", "--onnx=" + sample("digits.onnx"), "--optShapes=image:1x1x8x8", "--maxShapes=image:4x1x8x8", "--minShapes=image:1x1x8x8", "--saveEngine=" + path}));
    ASSERT_EQ(built.code, 0) << built.err;
}

TEST(BadInput, FilesThatAreNoModel) {
    const ScratchFolder folder;
    writeAll(folder / "empty.onnx", "");
    writeAll(folder / "text.onnx", "dummy\n");
    expectRefused({"--onnx=" + (folder / "empty.onnx")}, {"empty.onnx", "the file is empty", "give an ONNX model"});
    expectRefused({"--onnx=" + (folder / "text.onnx")}, {"text.onnx", "looks like text", "give the binary .onnx file"});
    expectRefused({"--onnx=" + (folder / "none.onnx")}, {"none.onnx: no such file", "check the path"});
    expectRefused({"--onnx=" + (folder / "\xff\xfe.onnx")}, {"\\xff\\xfe.onnx", "no such file"});
}

TEST(BadInput, TruncatedAnywhere) {
    const ScratchFolder folder;
    const std::string whole = readAll(sample("digits.onnx"));
    ASSERT_GT(whole.size(), 100000u);
    for (size_t i = 0; i < 200; ++i) {
        writeAll(folder / "cut.onnx", whole.substr(0, i * whole.size() / 200));
        expectRefused({"inspect", folder / "cut.onnx"}, {"cut.onnx"});
    }
}

TEST(BadInput, WrongWireType) {
    const ScratchFolder folder;
    writeAll(folder / "wire.onnx", std::string("\x0a\x01\x01", 3));
    expectRefused({"--onnx=" + (folder / "wire.onnx")}, {"wire.onnx", "ModelProto.ir_version at byte 0", "wire type"});
}

TEST(BadInput, ExternalDataMissingOrOutsideTheFolder) {
    for (const char* location : {"weights.bin", "../weights.bin", "/etc/passwd", "a/../../b"}) {
        OnnxBuilder b;
        b.input("x", {1, 4});
        strobe_onnx::TensorProto& w = b.floats("w", {4}, std::vector<float>(4, 1.0f));
        w.clear_float_data();
        w.clear_raw_data();
        w.set_data_location(1);  // external
        auto* entry = w.add_external_data();
        entry->set_key("location");
        entry->set_value(location);
        b.node("Add", {"x", "w"}, {"y"}, "sum");
        b.output("y");
        expectModelRefused(b, {"'w'", location});
    }
}

TEST(BadInput, UnknownOpsAreAllListed) {
    OnnxBuilder b = oneNode("Frobnicate");
    b.node("Relux", {"y"}, {"z"}, "second");
    expectModelRefused(b, {"2 nodes", "'first'", "'Frobnicate'", "'second'", "'Relux'", "Relu"});
}

TEST(BadInput, GraphsThatMakeNoSense) {
    OnnxBuilder cycle;
    cycle.input("x", {1, 4});
    cycle.node("Add", {"x", "b"}, {"a"}, "one");
    cycle.node("Relu", {"a"}, {"b"}, "two");
    cycle.output("b");
    expectModelRefused(cycle, {"cycle", "one"});

    OnnxBuilder twice = oneNode("Relu");
    twice.node("Neg", {"x"}, {"y"}, "second");
    expectModelRefused(twice, {"'y'", "second"});

    OnnxBuilder attribute = oneNode("Softmax");
    auto* axis = attribute.graph().mutable_node(0)->add_attribute();
    axis->set_name("axis");
    axis->set_type(1);  // FLOAT
    axis->set_f(1.0f);
    expectModelRefused(attribute, {"'first'", "'axis'"});

    OnnxBuilder declared;
    declared.input("x", {1, 4});
    declared.node("Relu", {"x"}, {"y"}, "first");
    declared.output("y", {1, 5}, true);
    expectModelRefused(declared, {"'y'", "5", "4"});
}

TEST(BadInput, Profiles) {
    const std::string model = "--onnx=" + sample("digits.onnx");
    expectRefused(with({"build", model, "--minShapes=image:4x1x8x8", "--optShapes=image:2x1x8x8", "--maxShapes=image:8x1x8x8"}), {"'image'", "dim 0", "min 4, opt 2, max 8"});
    expectRefused(with({"build", model, "--shapes=imag:1x1x8x8"}), {"'imag'", "its inputs are: image"});
    expectRefused(with({"build", model, "--shapes=image:-1x1x8x8"}), {"--shapes", "image:-1x1x8x8"});
    const ScratchFolder folder;
    buildSampleEngine(folder / "digits.engine");
    expectRefused({"run", "--loadEngine=" + (folder / "digits.engine"), "--shapes=image:9x1x8x8"}, {"'image'", "dim 0 is 9", "[1, 4]", "rebuild with a wider profile"});
}

TEST(BadInput, DamagedEngines) {
    const ScratchFolder folder;
    buildSampleEngine(folder / "digits.engine");
    const std::string whole = readAll(folder / "digits.engine");
    const std::string damaged = folder / "damaged.engine";
    std::mt19937 random(7);
    for (int i = 0; i < 1000; ++i) {
        std::string bytes = whole;
        // A third in the header, where versions and sizes stand.
        const size_t bit = i % 3 == 0 ? random() % (64 * 8) : random() % (bytes.size() * 8);
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        writeAll(damaged, bytes);
        expectRefused({"inspect", damaged}, {"damaged.engine"});
        if (testing::Test::HasFailure()) FAIL() << "flipped bit " << bit;
    }
    writeAll(damaged, whole.substr(0, whole.size() / 2));
    expectRefused({"run", "--loadEngine=" + damaged}, {"damaged.engine"});
    expectRefused({"run", "--loadEngine=" + sample("digits.onnx")}, {"is not a Strobe engine"});
}

TEST(BadInput, OutputsThatCannotBeWritten) {
    const std::string model = "--onnx=" + sample("digits.onnx");
    expectRefused(with({"build", model, "--saveEngine=/nonexistent/y.engine"}), {"/nonexistent/y.engine"});
    expectRefused(with({"run", model, "--exportOutput=/nonexistent/y.npz"}), {"/nonexistent/y.npz"});
    expectRefused(with({"run", model, "--exportOutput=out.txt"}), {"'out.txt'", ".npz or .json"});
    const ScratchFolder folder;
    std::filesystem::copy_file(sample("digits.onnx"), folder / "own.onnx");
    expectRefused(with({"build", "--onnx=" + (folder / "own.onnx"), "--saveEngine=" + (folder / "own.onnx")}), {"own.onnx", "written over"});
    EXPECT_EQ(readAll(folder / "own.onnx"), readAll(sample("digits.onnx")));
}

TEST(BadInput, CommandLine) {
    const std::string model = "--onnx=" + sample("digits.onnx");
    expectRefused({"--onx=a.onnx"}, {"unknown flag '--onx'", "did you mean --onnx?"});
    expectRefused({model, "--iteratons=3"}, {"did you mean --iterations?"});
    expectRefused({"biuld"}, {"unknown command 'biuld'", "build"});
    expectRefused({model, "--iterations=-1"}, {"--iterations", "-1"});
    for (const char* value : {"nan", "1e999", "-3", "soon"}) expectRefused({model, std::string("--duration=") + value}, {"--duration", value});
    expectRefused({model, "--bf16", "--fp16"}, {"exclude each other"});
    expectRefused({model, "--device=cuda:77"}, {"'cuda:77'"});
    expectRefused(with({"run", model, "--loadInputs=/none.npz"}), {"/none.npz"});
    expectRefused({"verify", "/none"}, {"'/none'"});
}

TEST(BadInput, DamagedSessionDocuments) {
    const ScratchFolder folder;
    const std::string path = folder / "whole.strobe";
    const CliResult saved = runCli(with({"bench", "--onnx=" + sample("digits.onnx"), "--duration=0", "--warmUp=0", "--saveSession=" + path}));
    ASSERT_EQ(saved.code, 0) << saved.err;
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    const std::string whole = readAll(path);
    const auto open = [&](const std::string& bytes) {
        const std::string damaged = folder / "damaged.strobe";
        writeAll(damaged, bytes);
        Session session(kernels);
        return session.openDocumentNow(damaged);
    };
    ASSERT_TRUE(open(whole).isOk());
    for (size_t length : {size_t{0}, size_t{50}, whole.size() / 2, whole.size() - 1}) {
        const Status status = open(whole.substr(0, length));
        EXPECT_FALSE(status.isOk()) << "cut to " << length;
        EXPECT_NE(status.message().find("damaged.strobe"), std::string::npos) << status.message();
    }
    const auto flipped = [&](size_t at, int bit) {
        std::string bytes = whole;
        bytes[at] ^= static_cast<char>(1 << bit);
        return bytes;
    };
    for (const char* held : {"\"profileMs\"", "model_path", "digits.onnx", "onednn."})  // settings, model, engine, layers
        for (size_t at = whole.find(held); at != std::string::npos; at = whole.find(held, at + 1)) {
            const Status status = open(flipped(at + 1, 1));
            EXPECT_NE(status.message().find("damaged.strobe: the session is damaged"), std::string::npos) << held << " at " << at << ": " << status.message();
        }
    std::mt19937 random(3);
    for (int i = 0; i < 60; ++i) {  // never a crash; only a flip in free space goes unseen
        const size_t at = random() % whole.size();
        const Status status = open(flipped(at, static_cast<int>(random() % 8)));
        EXPECT_EQ(status.isOk(), status.message().empty());
    }
}

}  // namespace
}  // namespace strobe::test
