// Plans that take long to make are waited for by those who want them, and by nobody else.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "engine_core/runtime/execution_context.h"
#include "tests/engine_core/runtime/engine_test_support.h"
#include "tests/support/network_builder.h"

namespace strobe::test {
namespace {

using namespace std::chrono_literals;

/// A gate that preparing a long tensor waits at.
struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool isOpen = false;
    int arrived = 0;

    void pass() {
        std::unique_lock lock(mutex);
        ++arrived;
        changed.notify_all();
        changed.wait(lock, [&] { return isOpen; });
    }
    void awaitArrival() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return arrived > 0; });
    }
    void open() {
        std::lock_guard lock(mutex);
        isOpen = true;
        changed.notify_all();
    }
};

class CopyKernel final : public Kernel {
public:
    Status run(const RunArguments& arguments) const override {
        const TensorView& x = arguments.inputs[0];
        std::copy_n(x.as<const float>(), elementCount(*x.dims), arguments.outputs[0].as<float>());
        return Status::ok();
    }
};

class SlowTactic final : public Tactic {
public:
    explicit SlowTactic(Gate& gate) : m_gate(gate) {}
    std::string_view name() const override { return "slow.softmax"; }
    Support supports(const Problem&) const override { return Support::yes(); }
    Result<std::unique_ptr<Kernel>> prepare(const Problem& problem, const PrepareContext& context) const override {
        if (problem.inputs[0].dims[0] > 4) m_gate.pass();
        if (isCancelled(context.cancel)) return cancelled();
        return std::unique_ptr<Kernel>(std::make_unique<CopyKernel>());
    }

private:
    Gate& m_gate;
};

class PlanCacheTest : public testing::Test {
protected:
    void SetUp() override {
        m_kernels.add(DeviceKind::Cpu, "Softmax", std::make_unique<SlowTactic>(m_gate));
        NetworkBuilder b;
        b.output(b.layer("soft", "Softmax", {b.input("x", {Dim::symbol("N")})}));
        Builder::Request request;
        request.parsed = std::make_shared<const Network>(b.take());
        request.config.optimizationLevel = 0;
        request.config.threads = 1;
        request.config.profiles = {{{{"x", {{1}, {2}, {8}}}}}};
        auto built = Builder(m_kernels).build(request);
        ASSERT_TRUE(built) << built.status().message();
        m_engine = built->engine;
    }
    void TearDown() override { m_gate.open(); }

    /// Runs x[length] in a context of its own.
    std::future<Status> run(int64_t length, const CancelToken& cancel = {}) {
        return std::async(std::launch::async, [this, length, cancel] {
            auto context = m_engine->createContext(1);
            if (!context) return context.status();
            const std::vector<float> x(static_cast<size_t>(length), 1.0f);
            STROBE_RETURN_IF_ERROR((*context)->setInput(0, x.data(), {length}));
            return (*context)->run(nullptr, cancel);
        });
    }

    Gate m_gate;
    KernelRegistry m_kernels;
    std::shared_ptr<const Engine> m_engine;
};

TEST_F(PlanCacheTest, OtherShapesDoNotWait) {
    ASSERT_TRUE(run(2).get().isOk());
    auto slow = run(8);
    m_gate.awaitArrival();
    for (const int64_t length : {2, 3}) {  // one that is cached, one that is not
        auto other = run(length);
        EXPECT_EQ(other.wait_for(10s), std::future_status::ready) << length;
        if (other.wait_for(0s) != std::future_status::ready) m_gate.open();
        EXPECT_TRUE(other.get().isOk());
    }
    m_gate.open();
    EXPECT_TRUE(slow.get().isOk());
}

TEST_F(PlanCacheTest, WhoeverWaitsForAPlanCanBeCancelled) {
    auto slow = run(8);
    m_gate.awaitArrival();
    const CancelToken cancel;
    auto waiting = run(8, cancel), patient = run(8);
    EXPECT_EQ(waiting.wait_for(50ms), std::future_status::timeout);
    cancel.cancel();
    EXPECT_EQ(waiting.wait_for(10s), std::future_status::ready);
    if (waiting.wait_for(0s) != std::future_status::ready) m_gate.open();
    EXPECT_EQ(waiting.get().code(), ErrorCode::Cancelled);
    m_gate.open();
    EXPECT_TRUE(slow.get().isOk());
    EXPECT_TRUE(patient.get().isOk());
    EXPECT_EQ(m_gate.arrived, 1) << "one plan is made once";
}

TEST_F(PlanCacheTest, APlanWhoseMakerWasCancelledIsMadeByWhoWaits) {
    const CancelToken cancel;
    auto maker = run(8, cancel);
    m_gate.awaitArrival();
    auto waiting = run(8);
    EXPECT_EQ(waiting.wait_for(50ms), std::future_status::timeout);
    cancel.cancel();
    m_gate.open();
    EXPECT_EQ(maker.get().code(), ErrorCode::Cancelled);
    EXPECT_TRUE(waiting.get().isOk());
    EXPECT_EQ(m_gate.arrived, 2);
}

}  // namespace
}  // namespace strobe::test
