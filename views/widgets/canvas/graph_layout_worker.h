// Runs one layout at a time off the GUI thread. Signals arrive on the thread of the worker object; results of a layout
// that was replaced or cancelled never arrive. Internal to the canvas.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <QTimer>
#include <atomic>
#include <memory>

#include "views/widgets/graph_layout.h"

namespace strobe::canvas {

class GraphLayoutWorker : public QObject {
    Q_OBJECT
public:
    explicit GraphLayoutWorker(QObject* parent = nullptr);
    ~GraphLayoutWorker() override;

    void start(LayoutInput input);
    void cancel();
    bool isRunning() const { return m_job != nullptr; }

signals:
    // `isFinal` is false for the coarse placement that precedes a slow layout.
    void placed(const std::shared_ptr<const strobe::LayoutResult>& result, bool isFinal);

private:
    struct Job {
        LayoutInput input;
        std::atomic<bool> cancel{false};
    };
    void run(const std::shared_ptr<Job>& job, bool coarse);
    void take(const std::shared_ptr<Job>& job, const std::shared_ptr<const LayoutResult>& result, bool coarse);

    std::shared_ptr<Job> m_job;
    QThreadPool m_pool;
    QTimer m_coarseTimer;
};

}  // namespace strobe::canvas
