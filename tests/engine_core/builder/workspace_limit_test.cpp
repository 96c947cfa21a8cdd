#include <gtest/gtest.h>

#include <algorithm>

#include "engine_core/builder/builder.h"

namespace strobe {
namespace {

/// Does nothing: takes `bytesPerElement` of workspace.
class CountedTactic final : public Tactic {
public:
    CountedTactic(std::string name, size_t bytesPerElement) : m_name(std::move(name)), m_bytesPerElement(bytesPerElement) {}
    std::string_view name() const override { return m_name; }
    Support supports(const Problem&) const override { return Support::yes(); }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext&) const override {
        return std::unique_ptr<Kernel>(std::make_unique<CountedKernel>(static_cast<size_t>(elementCount(problem.outputs[0].dims)) * m_bytesPerElement));
    }

private:
    class CountedKernel final : public Kernel {
    public:
        explicit CountedKernel(size_t bytes) : m_bytes(bytes) {}
        size_t workspaceBytes() const override { return m_bytes; }
        Status run(const RunArguments&) const override { return Status::ok(); }

    private:
        size_t m_bytes;
    };
    std::string m_name;
    size_t m_bytesPerElement;
};

/// x[N,1024] → Abs, which becomes a Pointwise; the first tactic, which level 0 takes, needs 1 KiB a row, the second one none.
class WorkspaceLimit : public testing::Test {
protected:
    void SetUp() override {
        m_kernels.add(DeviceKind::Cpu, "Pointwise", std::make_unique<CountedTactic>("test.hungry", 1));
        m_config.optimizationLevel = 0;
        m_config.profiles = {{{{"x", {{1, 1024}, {2, 1024}, {8, 1024}}}}}};
    }
    void addFrugal() { m_kernels.add(DeviceKind::Cpu, "Pointwise", std::make_unique<CountedTactic>("test.frugal", 0)); }

    Result<BuildResult> build(size_t limit) {
        Network network;
        const TensorId x = network.addInput("x", DataType::Float32, {Dim::symbol("N"), 1024}), y = network.addTensor("y");
        network.addLayer("abs", OpRegistry::instance().get("Abs"), {}, {x}, {y});
        network.markOutput(y);
        EXPECT_TRUE(inferNetwork(network).isOk());
        m_config.workspaceLimit = limit;
        return Builder(m_kernels).build({std::make_shared<const Network>(std::move(network)), m_config, "abs.onnx", "", nullptr, {}, {}});
    }
    std::string chosen(size_t limit) {
        const auto built = build(limit);
        EXPECT_TRUE(built) << built.status().message();
        if (!built) return "";
        const EngineLayer& layer = built->engine->graph().layers.at(0);
        for (const CandidateRecord& record : layer.candidates) m_declined += record.tactic + ": " + record.declined + "\n";
        return layer.tactic;
    }

    KernelRegistry m_kernels;
    BuilderConfig m_config;
    std::string m_declined;
};

TEST_F(WorkspaceLimit, NoneTakesTheFirstTactic) {
    addFrugal();
    EXPECT_EQ(chosen(0), "test.hungry");
}

TEST_F(WorkspaceLimit, HoldsAtTheLargestShapesToo) {
    addFrugal();
    EXPECT_EQ(chosen(8 << 10), "test.hungry");
    EXPECT_EQ(chosen((8 << 10) - 1), "test.frugal");
    EXPECT_NE(m_declined.find("test.hungry: needs 8192 bytes of workspace for an output [8,1024], the limit is 8191 bytes"), std::string::npos) << m_declined;
}

TEST_F(WorkspaceLimit, WithoutAnyTacticLeftTheLayerIsNamed) {
    const auto built = build(1);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.status().code(), ErrorCode::Unsupported);
    for (const char* part : {"'abs'", "test.hungry", "workspace", "limit"}) EXPECT_NE(built.status().message().find(part), std::string::npos) << built.status().message();
}

}  // namespace
}  // namespace strobe
