#include "app/cli/verify_case.h"

#include "tests/app/cli_process.h"
#include "tests/support/fake_device.h"
#include "tests/support/onnx_builder.h"

namespace strobe::test {
namespace {

/// TensorProto: dims 1, 1; data_type FLOAT; raw_data 1.0f.
const std::string kOne("\x08\x01\x08\x01\x10\x01\x4a\x04\x00\x00\x80\x3f", 12);

/// A case of one Softmax over [1, 1], whose output is 1, with one data set.
std::string writeCase(const ScratchFolder& folder, const std::string& input) {
    OnnxBuilder b;
    b.input("x", {1, 1});
    b.node("Softmax", {"x"}, {"y"}, "soft");
    b.output("y");
    const std::string path = folder / "case";
    std::filesystem::create_directories(path + "/test_data_set_0");
    writeAll(path + "/model.onnx", b.bytes());
    writeAll(path + "/test_data_set_0/input_0.pb", input);
    writeAll(path + "/test_data_set_0/output_0.pb", kOne);
    return path;
}

class VerifyCase : public testing::Test {
protected:
    VerifyCase() {
        // No kernel of the CPU: the builder has the device's only.
        registerFakeDevice(
            m_kernels, "Softmax", [](const Problem&) { return Support::yes(); }, script);
    }
    cli::CaseOutcome verify(const std::string& input = kOne) {
        cli::Options options;
        options.builderOptimizationLevel = 0;
        options.threads = 1;
        options.device = "cuda:0";
        return cli::verifyCase(m_kernels, options, writeCase(m_folder, input));
    }
    FakeDeviceScript script;

private:
    const ScratchFolder m_folder;
    KernelRegistry m_kernels;
};

TEST_F(VerifyCase, ADeviceThatComputesRightPasses) {
    const cli::CaseOutcome outcome = verify();
    EXPECT_EQ(outcome.status, "pass") << outcome.message;
    EXPECT_GT(script.kernelsRun, 0);
}

TEST_F(VerifyCase, DataOfAnotherTypeIsNotRead) {
    const cli::CaseOutcome outcome = verify(std::string("\x08\x01\x08\x01\x10\x03\x4a\x01\x01", 9));  // INT8
    EXPECT_EQ(outcome.status, "wrong");
    EXPECT_NE(outcome.message.find("input 'x' is int8, the engine takes fp32"), std::string::npos) << outcome.message;
    EXPECT_EQ(script.kernelsRun, 0);
}

TEST_F(VerifyCase, AKernelThatFailsWhileRunningIsNoRefusal) {
    for (const Status& failure : {unsupported("cuDNN, running: launch failed"), internalError("launch failed")}) {
        script.runFailure = failure;
        const cli::CaseOutcome outcome = verify();
        EXPECT_EQ(outcome.status, "wrong");
        EXPECT_NE(outcome.message.find("run: "), std::string::npos) << outcome.message;
        EXPECT_NE(outcome.message.find("launch failed"), std::string::npos) << outcome.message;
    }
}

}  // namespace
}  // namespace strobe::test
