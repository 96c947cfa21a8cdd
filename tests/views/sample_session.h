// The sample model, opened and built without timing: real provenance in a fraction of a second.
#pragma once

#include <memory>
#include <stdexcept>

#include "kernels/cpu/register.h"
#include "sessions/session.h"

namespace strobe::testing {

class SampleSession {
public:
    SampleSession() {
        registerCpuKernels(m_kernels);
        m_session = std::make_unique<Session>(m_kernels);
        Settings settings = m_session->settings();
        settings.builder.timingCachePath.clear();
        settings.builder.optimizationLevel = 0;
        m_session->setSettings(settings, "test");
    }
    Session& operator*() const { return *m_session; }
    Session* operator->() const { return m_session.get(); }
    void open() const { require(m_session->openModelNow("resources/sample/digits.onnx")); }
    std::shared_ptr<const Build> build() const {
        auto built = m_session->buildNow(false, {});
        require(built.status());
        return *built;
    }

private:
    static void require(const Status& status) {
        if (!status.isOk()) throw std::runtime_error(status.message());
    }
    KernelRegistry m_kernels;
    std::unique_ptr<Session> m_session;
};

}  // namespace strobe::testing
