#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "engine_core/ops/op_definition.h"
#include "tests/support/onnx_builder.h"

namespace strobe {
namespace {

using testing::TempDir;

OnnxBuilder smallModel() {
    OnnxBuilder b;
    b.input("x", {1, 4});
    b.floats("w", {4, 3}, std::vector<float>(12, 0.5f));
    b.node("MatMul", {"x", "w"}, {"h"}, "product");
    b.node("Relu", {"h"}, {"y"}, "relu");
    b.output("y", {1, 3}, true);
    return b;
}

/// The message of a refusal; a test fails when there is none.
std::string refusal(const Result<ImportedModel>& result) {
    EXPECT_FALSE(result.hasValue());
    return result ? "imported" : result.status().message();
}
#define EXPECT_REFUSED(result, part) EXPECT_NE(refusal(result).find(part), std::string::npos) << refusal(result)

TEST(HostileOnnx, SmallModelIsFineToBeginWith) {
    const auto model = smallModel().import();
    ASSERT_TRUE(model) << model.status().message();
    EXPECT_EQ(model->network.layerCount(), 2);
}

TEST(HostileOnnx, OtherFilesAreNamed) {
    EXPECT_REFUSED(OnnxBuilder::importText(""), "the file is empty");
    EXPECT_REFUSED(OnnxBuilder::importText("dummy"), "looks like text (\"dummy\")");
    EXPECT_REFUSED(OnnxBuilder::importText("PK\x03\x04rest of it"), "zip archive");
    EXPECT_REFUSED(OnnxBuilder::importText("<!DOCTYPE html><p>"), "HTML page");
    EXPECT_REFUSED(OnnxBuilder::importText("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull");
    EXPECT_REFUSED(importOnnx("/no/such/model.onnx"), "no such file");
}

TEST(HostileOnnx, TruncationAnywhereIsRefusedOrHarmless) {
    const std::string whole = smallModel().bytes();
    for (size_t i = 0; i < 200; ++i) {
        const size_t length = i * whole.size() / 200;
        const auto model = OnnxBuilder::importText(whole.substr(0, length));
        EXPECT_FALSE(model.hasValue()) << "cut to " << length << " of " << whole.size();
    }
}

TEST(HostileOnnx, BitFlipsNeverCrash) {
    const std::string whole = smallModel().bytes();
    int refused = 0;
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        const auto model = OnnxBuilder::importText(damaged);
        if (model) continue;
        ++refused;
        EXPECT_FALSE(model.status().message().empty());
    }
    EXPECT_GT(refused, 0);
}

TEST(HostileOnnx, WireDamageIsLocated) {
    EXPECT_REFUSED(OnnxBuilder::importText(std::string("\x0a\x01\x01", 3)),
                   "ModelProto.ir_version at byte 0 has wire type length-delimited");
    EXPECT_REFUSED(OnnxBuilder::importText(std::string("\x08\x08\x3a\xff\xff\x03", 6)),
                   "states 65535 bytes, only 0 follow");
    EXPECT_REFUSED(OnnxBuilder::importText(std::string("\x08\x08\x3b\x01", 4)), "group start");
    EXPECT_REFUSED(OnnxBuilder::importText(std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12)),
                   "more than 10 bytes");
}

TEST(HostileOnnx, HeaderIsChecked) {
    OnnxBuilder b = smallModel();
    b.model.set_ir_version(999);
    EXPECT_REFUSED(b.import(), "ir_version is 999");
    b.model.set_ir_version(0);
    EXPECT_REFUSED(b.import(), "ir_version is 0");
    b.model.clear_ir_version();
    EXPECT_REFUSED(b.import(), "no ir_version");
    b = smallModel();
    b.model.mutable_opset_import(0)->set_version(999);
    EXPECT_REFUSED(b.import(), "opset 999");
    b.model.mutable_opset_import(0)->set_version(0);
    EXPECT_REFUSED(b.import(), "version 0");
    b.model.clear_opset_import();
    EXPECT_REFUSED(b.import(), "no opset_import");
    b = smallModel();
    b.model.add_opset_import()->set_version(11);
    EXPECT_REFUSED(b.import(), "two opset versions");
    b = smallModel();
    b.model.clear_graph();
    EXPECT_REFUSED(b.import(), "no graph");
}

TEST(HostileOnnx, UnknownOpsAreListedAllAtOnce) {
    OnnxBuilder b = smallModel();
    b.node("Reluu", {"y"}, {"z"}, "first");
    b.node("Mystery", {"y"}, {"q"}, "second").set_domain("com.example");
    const auto result = b.import();
    EXPECT_REFUSED(result, "node 'first': op 'Reluu', domain 'ai.onnx' version 28; nearest known op: Relu");
    EXPECT_REFUSED(result, "node 'second': op 'Mystery', domain 'com.example'");
    ImportOptions options;
    options.allowUnsupported = true;
    const auto partial = b.import(options);
    ASSERT_TRUE(partial) << partial.status().message();
    EXPECT_EQ(partial->unsupported.size(), 2u);
    EXPECT_EQ(partial->network.layerCount(), 4);
    EXPECT_EQ(partial->network.layer(partial->network.findLayer("first")).op->name, "Unsupported");
}

TEST(HostileOnnx, GraphDefectsAreNamed) {
    OnnxBuilder cycle;
    cycle.input("x", {1});
    cycle.node("Add", {"x", "b"}, {"a"}, "one");
    cycle.node("Relu", {"a"}, {"b"}, "two");
    cycle.output("b");
    const auto cyclic = cycle.import();
    EXPECT_REFUSED(cyclic, "cycle");
    EXPECT_REFUSED(cyclic, "'one'");
    EXPECT_REFUSED(cyclic, "'two'");

    OnnxBuilder twice = smallModel();
    twice.node("Relu", {"h"}, {"y"}, "again");
    EXPECT_REFUSED(twice.import(), "tensor 'y' is an output of both node 'relu' and node 'again'");

    OnnxBuilder dangling = smallModel();
    dangling.node("Relu", {"nowhere"}, {"z"}, "lost");
    EXPECT_REFUSED(dangling.import(), "node 'lost' (Relu) reads 'nowhere'");

    OnnxBuilder kind = smallModel();
    setFloat(kind.node("Softmax", {"y"}, {"z"}, "soft"), "axis", 1.0f);
    EXPECT_REFUSED(kind.import(), "attribute 'axis' is float, int is needed");

    OnnxBuilder declared = smallModel();
    declared.graph()
        .mutable_output(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(1)
        ->set_dim_value(5);
    EXPECT_REFUSED(declared.import(), "output 'y' is declared as fp32[1,5], shape inference gives fp32[1,3]");
}

TEST(HostileOnnx, TensorDefectsAreNamed) {
    OnnxBuilder b = smallModel();
    b.graph().mutable_initializer(0)->set_raw_data("1234");
    EXPECT_REFUSED(b.import(), "tensor 'w': has 4 bytes of raw_data, fp32[4,3] needs 48");
    b = smallModel();
    b.graph().mutable_initializer(0)->set_data_type(77);
    EXPECT_REFUSED(b.import(), "element type 77 is unknown");
    b = smallModel();
    b.graph().mutable_initializer(0)->set_dims(0, -4);
    EXPECT_REFUSED(b.import(), "negative extent");
    b = smallModel();
    b.graph().mutable_initializer(0)->set_dims(0, int64_t{1} << 62);
    EXPECT_REFUSED(b.import(), "more than 2^40 elements");
    b = smallModel();
    b.graph().mutable_input(0)->mutable_type()->mutable_sequence_type();
    EXPECT_REFUSED(b.import(), "is a sequence");
    b = smallModel();
    b.floats("w", {1}, {1.0f});
    EXPECT_REFUSED(b.import(), "tensor 'w' is an initializer twice");
}

TEST(HostileOnnx, NamesFromTheFileAreShownSafely) {
    OnnxBuilder b = smallModel();
    b.node("Relu", {std::string("bad\0\xff name", 10)}, {"z"}, "n\n");
    EXPECT_REFUSED(b.import(), "node 'n\\x0a' (Relu) reads 'bad\\x00\\xff name'");
    OnnxBuilder longName = smallModel();
    longName.node("Relu", {std::string(1 << 20, 'a')}, {"z"});
    EXPECT_LT(refusal(longName.import()).size(), 1000u);
}

TEST(HostileOnnx, DeepNestingIsRefused) {
    for (int depth : {33, 1000}) {
        OnnxBuilder b = smallModel();
        b.graph().add_initializer()->set_name("c");
        auto& c = *b.graph().mutable_initializer(1);
        c.set_data_type(9);
        c.add_int32_data(1);
        strobe_onnx::GraphProto* graph = &b.graph();
        for (int i = 0; i < depth; ++i) {
            auto& node = addNode(*graph, "If", {"c"}, {"out"});
            setGraph(node, "else_branch").add_output()->set_name("h");
            graph = &setGraph(node, "then_branch");
            graph->add_output()->set_name("out");
        }
        addNode(*graph, "Relu", {"h"}, {"out"});
        EXPECT_REFUSED(b.import(), "nested more than 32 deep");
    }
}

TEST(HostileOnnx, OurOwnOpsAreNotTheFiles) {
    for (const char* op : {"Pointwise", "Reformat", "ChannelShuffle"}) {
        OnnxBuilder b;
        b.input("x", {1, 4});
        setInts(b.node(op, {"x"}, {"y"}), "output_types", {1000});
        b.output("y");
        EXPECT_REFUSED(b.import(), std::string("op '") + op + "'");
    }
}

TEST(HostileOnnx, GapsInListsOfInputsAreRefused) {
    for (const char* op : {"Sum", "Max", "Concat"}) {
        OnnxBuilder b;
        b.input("x", {1, 4});
        setInt(b.node(op, {"x", "", "x"}, {"y"}), "axis", 0);
        b.output("y");
        EXPECT_REFUSED(b.import(), "leaves out input 1");
    }
}

/// An attribute of another kind than its op's is refused, not read as the default, also where lifting takes it away.
TEST(HostileOnnx, AttributesOfAnotherKindAreRefusedAtEveryOpset) {
    struct Case {
        const char* op;
        int64_t opset;
        const char* attribute;
        char kind;
        const char* message;
    };
    const Case cases[] = {{"Clip", 6, "min", 'i', "'min' is int, float is needed"},
                          {"Clip", 6, "max", 's', "'max' is string, float is needed"},
                          {"Squeeze", 11, "axes", 'i', "'axes' is int, ints is needed"},
                          {"Unsqueeze", 11, "axes", 'f', "'axes' is float, ints is needed"},
                          {"ReduceMean", 13, "axes", 'i', "'axes' is int, ints is needed"},
                          {"Slice", 9, "starts", 'i', "'starts' is int, ints is needed"},
                          {"Slice", 9, "axes", 's', "'axes' is string, ints is needed"},
                          {"Softmax", 11, "axis", 'f', "'axis' is float, int is needed"},
                          {"TopK", 9, "k", 'f', "'k' is float, int is needed"},
                          {"Pad", 10, "pads", 'i', "'pads' is int, ints is needed"},
                          {"Pad", 10, "value", 'i', "'value' is int, float is needed"},
                          {"Split", 11, "split", 'i', "'split' is int, ints is needed"},
                          {"Upsample", 7, "scales", 'f', "'scales' is float, floats is needed"},
                          {"Upsample", 8, "mode", 'i', "'mode' is int, string is needed"},
                          {"GridSample", 16, "mode", 'i', "'mode' is int, string is needed"},
                          {"BatchNormalization", 7, "spatial", 'f', "'spatial' is float, int is needed"},
                          {"BatchNormalization", 15, "training_mode", 'f', "'training_mode' is float, int is needed"},
                          {"DFT", 17, "axis", 'f', "'axis' is float, int is needed"},
                          {"Add", 6, "broadcast", 'f', "'broadcast' is float, int is needed"},
                          {"Cast", 5, "to", 'i', "'to' is int, string is needed"},
                          {"LpPool", 1, "p", 's', "'p' is string, int is needed"}};
    for (const Case& c : cases) {
        OnnxBuilder b(c.opset);
        b.input("x", {1, 4});
        auto& node = b.node(c.op, {"x", "x"}, {"y"});
        if (c.kind == 'i') setInt(node, c.attribute, 1);
        if (c.kind == 'f') setFloat(node, c.attribute, 1.0f);
        if (c.kind == 's') setString(node, c.attribute, "linear");
        b.output("y");
        EXPECT_REFUSED(b.import(), c.message) << c.op;
    }
}

/// n, n², n⁴ …, of which each has twice the terms of the one before.
TEST(HostileOnnx, PolynomialsOfExtentsStaySmall) {
    OnnxBuilder b;
    b.input("x", {-1, -1});
    b.ints("one", {1}, {1});
    b.node("Shape", {"x"}, {"shape"});
    b.node("ReduceSum", {"shape"}, {"sum"});
    b.node("Add", {"sum", "one"}, {"n0"});
    constexpr int kSteps = 20;
    for (int i = 0; i < kSteps; ++i) {
        const std::string n = "n" + std::to_string(i), next = "n" + std::to_string(i + 1);
        b.node("Mul", {n, n}, {next});
        b.node("Expand", {"one", n}, {"wide" + std::to_string(i)});
        b.node("Concat", {"wide" + std::to_string(i), "wide" + std::to_string(i)}, {"y" + std::to_string(i)});
        setInt(*b.graph().mutable_node(b.graph().node_size() - 1), "axis", 0);
        b.output("y" + std::to_string(i));
    }
    const auto model = b.import();
    ASSERT_TRUE(model) << model.status().message();
    const Network& network = model->network;
    for (TensorId id = 0; id < network.tensorCount(); ++id) {
        const Tensor& t = network.tensor(id);
        for (const Dim& dim : t.shape) EXPECT_LE(dim.toString().size(), 2048u) << t.name;
        for (const Dim& value : t.values.value_or(std::vector<Dim>()))
            EXPECT_LE(value.toString().size(), 2048u) << t.name;
    }
    EXPECT_TRUE(network.tensor(network.findTensor("n1")).values.has_value());
    EXPECT_FALSE(network.tensor(network.findTensor("n20")).values.has_value());
}

TEST(HostileOnnx, ControlFlowWithoutBodiesIsRefused) {
    OnnxBuilder b;
    b.input("c", {}, DataType::Bool);
    b.node("If", {"c"}, {"y"});
    b.output("y");
    EXPECT_REFUSED(b.import(), "'else_branch' (graph) is missing");
}

class ExternalData : public testing::Test {
protected:
    void SetUp() override {
        m_folder = std::filesystem::path(TempDir()) / "strobe_external";
        std::filesystem::remove_all(m_folder);
        std::filesystem::create_directories(m_folder / "model/sub");
        std::ofstream(m_folder / "secret.bin") << std::string(48, 's');
        std::ofstream(m_folder / "model/w.bin") << std::string(64, 'w');
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }

    Result<ImportedModel> import(const std::string& location, const std::string& offset = {},
                                 const std::string& length = {}) {
        OnnxBuilder b = smallModel();
        auto& w = *b.graph().mutable_initializer(0);
        w.clear_raw_data();
        w.set_data_location(1);
        for (const auto& [key, value] :
             {std::pair{"location", location}, std::pair{"offset", offset}, std::pair{"length", length}}) {
            if (value.empty() && std::string(key) != "location") continue;
            auto& entry = *w.add_external_data();
            entry.set_key(key);
            entry.set_value(value);
        }
        return OnnxBuilder::importText(b.bytes(), {}, (m_folder / "model").string());
    }
    std::filesystem::path m_folder;
};

TEST_F(ExternalData, IsMappedFromTheModelsFolder) {
    const auto model = import("w.bin", "16", "48");
    ASSERT_TRUE(model) << model.status().message();
    const Tensor& w = model->network.tensor(model->network.findTensor("w"));
    EXPECT_EQ(static_cast<const char*>(w.constant->data.get())[47], 'w');
}

TEST_F(ExternalData, EscapesAndDefectsAreRefused) {
    EXPECT_REFUSED(import("../secret.bin"), "'..' is not allowed");
    EXPECT_REFUSED(import("sub/../../secret.bin"), "'..' is not allowed");
    EXPECT_REFUSED(import((m_folder / "secret.bin").string()), "absolute path is not allowed");
    EXPECT_REFUSED(import(""), "empty location");
    EXPECT_REFUSED(import("missing.bin"), "is missing in");
    EXPECT_REFUSED(import("sub"), "not a regular file");
    std::filesystem::create_symlink(m_folder / "secret.bin", m_folder / "model/link.bin");
    EXPECT_REFUSED(import("link.bin"), "link out of the model's folder");
    std::filesystem::create_directory_symlink(m_folder, m_folder / "model/up");
    EXPECT_REFUSED(import("up/secret.bin"), "link out of the model's folder");
    ASSERT_EQ(::mkfifo((m_folder / "model/fifo").c_str(), 0600), 0);
    EXPECT_REFUSED(import("fifo"), "not a regular file");
    EXPECT_REFUSED(import("w.bin", "-1"), "offset '-1'");
    EXPECT_REFUSED(import("w.bin", "x"), "offset 'x'");
    EXPECT_REFUSED(import("w.bin", "9223372036854775807", "48"), "past the end");
    EXPECT_REFUSED(import("w.bin", "32"), "past the end");
    EXPECT_REFUSED(import("w.bin", "0", "12"), "states length 12");
}

}  // namespace
}  // namespace strobe
