// How late does the GUI thread handle events, and which event held it up?
#pragma once

#include <time.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QMetaEnum>
#include <QString>
#include <QThread>
#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace strobe::testing {

/// Another thread posts a stamped event to this thread every few milliseconds, as input does; the worst time until one was handled counts.
class EventWatch : public QObject {
public:
    EventWatch() {
        m_clock.start();
        m_poster = std::thread([this] {
            while (!m_stopping) {
                if (!m_pending.exchange(true)) QCoreApplication::postEvent(this, new Stamped(m_clock.nsecsElapsed()));
                std::this_thread::sleep_for(std::chrono::milliseconds(kPeriodMs));
            }
        });
    }
    ~EventWatch() override {
        m_stopping = true;
        m_poster.join();
    }
    int worstMs() const { return static_cast<int>(m_worst / 1'000'000); }

protected:
    bool event(QEvent* event) override {
        if (event->type() != QEvent::User) return QObject::event(event);
        m_worst = std::max(m_worst, m_clock.nsecsElapsed() - static_cast<Stamped*>(event)->at);
        m_pending = false;
        return true;
    }

private:
    static constexpr int kPeriodMs = 3;
    struct Stamped : QEvent {
        explicit Stamped(qint64 when) : QEvent(QEvent::User), at(when) {}
        qint64 at;
    };
    QElapsedTimer m_clock;
    qint64 m_worst = 0;
    std::atomic<bool> m_pending{false}, m_stopping{false};
    std::thread m_poster;
};

/// Remembers the event that took longest, to say what to mend when EventWatch complains. Events that ran a loop of their own (dialogs,
/// menus) do not count.
class WatchedApplication : public QApplication {
public:
    using QApplication::QApplication;

    bool notify(QObject* receiver, QEvent* event) override {
        if (QThread::currentThread() != thread()) return QApplication::notify(receiver, event);
        const size_t level = static_cast<size_t>(QThread::currentThread()->loopLevel());
        if (m_depth.size() <= level) m_depth.resize(level + 1, 0);
        std::fill(m_ranLoop.begin(), m_ranLoop.begin() + static_cast<std::ptrdiff_t>(std::min(level, m_ranLoop.size())), true);
        if (m_ranLoop.size() <= level) m_ranLoop.resize(level + 1, false);
        if (m_depth[level]++ > 0) {
            const bool done = QApplication::notify(receiver, event);
            --m_depth[level];
            return done;
        }
        m_ranLoop[level] = false;
        const QString what = QStringLiteral("%1 of %2 %3").arg(QMetaEnum::fromType<QEvent::Type>().valueToKey(event->type()), receiver->metaObject()->className(), receiver->objectName());
        QElapsedTimer clock;
        clock.start();
        const double cpu = threadCpuMs();
        const bool done = QApplication::notify(receiver, event);
        --m_depth[level];
        if (!m_ranLoop[level] && clock.elapsed() > m_slowestMs) {
            m_slowestMs = clock.elapsed();
            m_slowest = QStringLiteral("%1: %2 ms, %3 ms of them computing").arg(what).arg(m_slowestMs).arg(threadCpuMs() - cpu, 0, 'f', 0);
        }
        return done;
    }
    void forgetSlowest() { m_slowestMs = 0, m_slowest.clear(); }
    QString slowest() const { return m_slowest; }
    static WatchedApplication* watched() { return dynamic_cast<WatchedApplication*>(instance()); }

private:
    static double threadCpuMs() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
    }
    std::vector<int> m_depth;      // of notify() by loop level
    std::vector<bool> m_ranLoop;   // by loop level: the event being handled there ran a loop
    qint64 m_slowestMs = 0;
    QString m_slowest;
};

}  // namespace strobe::testing
