// Cancel ends a job of a real model within 200 ms, wherever the job stands: from the click until the window is idle again.
#include <QElapsedTimer>
#include <QPushButton>
#include <QTest>
#include <random>

#include "tests/app/gui_support.h"
#include "tests/app/window_user.h"
#include "views/pages/graph/graph_page.h"
#include "views/pages/start/start_page.h"

using namespace strobe;
using strobe::testing::WindowFixture;
using strobe::testing::WindowUser;

namespace {
constexpr qint64 kLimitMs = 200;
}

class CancelTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<WindowFixture> m_fixture;
    std::unique_ptr<WindowUser> m_user;
    std::mt19937 m_random{7};

    MainWindow& window() { return m_fixture->window(); }
    Session& session() { return m_fixture->session(); }
    QWidget& progress() { return *window().findChild<QWidget*>("jobProgress"); }

    void use(PrecisionMode precision, int level) {
        Settings settings = session().settings();
        settings.builder.precision = precision;
        settings.builder.optimizationLevel = level;
        settings.shapes["x"] = {1, 3, 640, 640};
        settings.builder.profiles = {{{{"x", {{1, 3, 640, 640}, {1, 3, 640, 640}, {1, 3, 640, 640}}}}}};
        session().setSettings(settings, "test");
    }
    /// Starts a job, cancels it after `delayMs` and says how long the window took; −1 when the job had ended before.
    qint64 cancelAfter(int delayMs, const std::function<void()>& start) {
        start();
        if (!QTest::qWaitFor([&] { return progress().isVisible(); }, 2000)) return -1;
        QTest::qWait(delayMs);
        if (!progress().isVisible()) return -1;
        QString step;
        for (const JobInfo& job : session().jobs().jobs())
            if (job.state == JobState::Running) step = QString::fromStdString(job.title + ": " + job.step);
        QElapsedTimer clock;
        clock.start();
        m_user->click(progress().findChild<QPushButton*>());
        if (!QTest::qWaitFor([&] { return session().jobs().isIdle() && !progress().isVisible(); }, 20000)) return 20000;
        const qint64 taken = clock.elapsed();
        qInfo("cancelled after %d ms, at “%s”: idle after %d ms", delayMs, qPrintable(step), static_cast<int>(taken));
        return taken;
    }
    void cancelRepeatedly(int times, int longestMs, const std::function<void()>& start) {
        int counted = 0;
        for (int i = 0; i < 3 * times && counted < times; ++i) {
            const qint64 taken = cancelAfter(static_cast<int>(m_random() % static_cast<unsigned>(longestMs)), start);
            if (taken < 0) {
                QVERIFY(m_fixture->waitForJobs());
                continue;
            }
            ++counted;
            QVERIFY2(taken <= kLimitMs, qPrintable(QStringLiteral("%1 ms").arg(taken)));
        }
        QVERIFY(counted >= times / 2);
    }

private slots:
    void initTestCase() {
        STROBE_QT_NEEDS_CACHED("ocr_det.onnx");
        const QString model = testing::cachedModel("ocr_det.onnx");
        m_fixture = std::make_unique<WindowFixture>();
        m_user = std::make_unique<WindowUser>(window());
        window().resize(1500, 950);
        window().show();
        QVERIFY(QTest::qWaitForWindowActive(&window()));
        m_user->answerFileDialog(model, [&] { m_user->click(window().startPage().findChild<QPushButton*>("openModel")); });
        QVERIFY(QTest::qWaitFor([&] { return window().context().model() != nullptr; }, 10000));
    }
    void cleanupTestCase() {
        m_user.reset();
        m_fixture.reset();
    }

    void buildIsCancelled_data() {
        QTest::addColumn<int>("precision");
        QTest::addColumn<int>("level");
        QTest::addColumn<int>("times");
        QTest::newRow("FP32") << static_cast<int>(PrecisionMode::Fp32) << 3 << 7;
        QTest::newRow("BF16") << static_cast<int>(PrecisionMode::Bf16) << 3 << 7;
        QTest::newRow("FP32, exhaustive") << static_cast<int>(PrecisionMode::Fp32) << 5 << 4;
    }
    void buildIsCancelled() {
        QFETCH(const int, precision);
        QFETCH(const int, level);
        QFETCH(const int, times);
        use(static_cast<PrecisionMode>(precision), level);
        cancelRepeatedly(times, level > 3 ? 2000 : 3500, [&] {
            QVERIFY(session().clearTimingCache().isOk());  // so that each build times its candidates anew
            m_user->press(Qt::Key_B, Qt::ControlModifier);
        });
    }

    void comparisonIsCancelled() {
        for (const PrecisionMode precision : {PrecisionMode::Fp32, PrecisionMode::Bf16}) {
            use(precision, 0);
            m_user->press(Qt::Key_B, Qt::ControlModifier | Qt::ShiftModifier);
            QVERIFY(m_fixture->waitForJobs());
        }
        QVERIFY(session().builds().size() >= 2);
        cancelRepeatedly(5, 600, [&] { m_user->press(Qt::Key_D, Qt::ControlModifier); });
    }
};

QTEST_MAIN(CancelTest)
#include "gui_cancel_test.moc"
