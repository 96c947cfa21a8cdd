// Opens the real window on the real session for tests and the tour.
#pragma once

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "app/gui/main_window.h"
#include "kernels/cpu/register.h"
#include "tests/app/event_watch.h"
#include "tests/support/model_cache.h"
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

/// A model of the cache. To be asked before a WindowFixture moves the caches.
inline QString cachedModel(const char* file) {
    return QString::fromStdString((modelCache() / file).string());
}

}  // namespace strobe::testing
