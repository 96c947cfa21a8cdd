// Opens the real window on the real session for tests and the tour.
#pragma once

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <algorithm>
#include <memory>

#include "app/gui/main_window.h"
#include "kernels/cpu/register.h"
#include "views/widgets/theme.h"

namespace strobe::testing {

/// A window with settings and caches of its own, so that runs do not see each other.
class WindowFixture {
public:
    WindowFixture() {
        qputenv("XDG_CACHE_HOME", m_folder.filePath("cache").toUtf8());
        qputenv("XDG_CONFIG_HOME", m_folder.filePath("config").toUtf8());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath("config"));
        Theme::instance().install();
        registerCpuKernels(m_kernels);
        m_session = std::make_unique<Session>(m_kernels);
        reopen();
    }
    ~WindowFixture() {
        m_window.reset();
        m_session.reset();
    }

    void reopen() {
        m_window.reset();
        m_window = std::make_unique<MainWindow>(*m_session, samplePath());
    }
    MainWindow& window() const { return *m_window; }
    Session& session() const { return *m_session; }
    QString path(const QString& name) const { return m_folder.filePath(name); }
    static QString samplePath() { return QStringLiteral("resources/sample/digits.onnx"); }

    /// Runs the event loop until all jobs have ended and their results have arrived.
    bool waitForJobs(int timeoutMs = 120000) const {
        const bool idle = QTest::qWaitFor([this] { return m_session->jobs().isIdle(); }, timeoutMs);
        QCoreApplication::processEvents();
        return idle;
    }

private:
    QTemporaryDir m_folder;
    KernelRegistry m_kernels;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;
};

/// The longest time that the event loop of this thread took to get round to a timer of 10 ms.
class LatencyMeter {
public:
    LatencyMeter() {
        m_timer.setTimerType(Qt::PreciseTimer);
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] {
            m_worst = std::max(m_worst, m_clock.restart() - kPeriodMs);
        });
        m_clock.start();
        m_timer.start(kPeriodMs);
    }
    qint64 worstMs() const { return m_worst; }

private:
    static constexpr int kPeriodMs = 10;
    QTimer m_timer;
    QElapsedTimer m_clock;
    qint64 m_worst = 0;
};

}  // namespace strobe::testing
