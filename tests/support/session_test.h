#pragma once
#include <gtest/gtest.h>

#include "sessions/session.h"
#include "tests/support/cpu_kernels.h"
#include "tests/support/scratch_folder.h"

namespace strobe::test {

inline constexpr const char* kSampleModel = "resources/sample/digits.onnx";

/// A session on the CPU and a folder for what it writes.
class SessionTest : public testing::Test {
protected:
    std::string path(const std::string& name) const { return m_folder / name; }
    void open(const std::string& model) {
        const Status opened = m_session.openModelNow(model);
        ASSERT_TRUE(opened.isOk()) << opened.message();
    }
    /// Settings that build soon and leave no timing cache.
    void setQuick(double profileMs, PrecisionMode precision = PrecisionMode::Fp32) {
        Settings settings = m_session.settings();
        settings.builder.precision = precision;
        settings.builder.timingCachePath.clear();
        settings.builder.optimizationLevel = 0;
        settings.profileMs = profileMs;
        m_session.setSettings(settings, "test");
    }
    /// Built quickly, with a profile.
    std::shared_ptr<const Build> build(PrecisionMode precision = PrecisionMode::Fp32) {
        setQuick(10, precision);
        const auto built = m_session.buildNow(true, {});
        EXPECT_TRUE(built) << built.status().message();
        return built ? *built : nullptr;
    }

    ScratchFolder m_folder;
    Session m_session{cpuKernels()};
};

}  // namespace strobe::test
