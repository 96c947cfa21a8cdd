#include "views/widgets/canvas/graph_layout_worker.h"

#include <exception>

namespace strobe::canvas {

namespace {
constexpr int kCoarseAfterMs = 300;
}

GraphLayoutWorker::GraphLayoutWorker(QObject* parent) : QObject(parent) {
    m_pool.setMaxThreadCount(2);
    m_coarseTimer.setSingleShot(true);
    m_coarseTimer.setInterval(kCoarseAfterMs);
    connect(&m_coarseTimer, &QTimer::timeout, this, [this] {
        if (m_job != nullptr) run(m_job, true);
    });
}

GraphLayoutWorker::~GraphLayoutWorker() {
    cancel();
    m_pool.waitForDone();
}

void GraphLayoutWorker::start(LayoutInput input) {
    cancel();
    m_job = std::make_shared<Job>();
    m_job->input = std::move(input);
    m_coarseTimer.start();
    run(m_job, false);
}

void GraphLayoutWorker::cancel() {
    if (m_job != nullptr) m_job->cancel = true;
    m_job.reset();
    m_coarseTimer.stop();
}

void GraphLayoutWorker::run(const std::shared_ptr<Job>& job, bool coarse) {
    m_pool.start([this, job, coarse] {
        LayoutOptions options;
        options.coarse = coarse;
        options.cancel = &job->cancel;
        std::shared_ptr<const LayoutResult> result;
        try {
            result = std::make_shared<const LayoutResult>(layoutGraph(job->input, options));
        } catch (const std::exception& error) {
            qWarning("the graph cannot be laid out: %s", error.what());  // an exception must not leave the thread
        }
        if (result && result->cancelled) return;
        // The destructor waits for the pool, so `this` outlives the call; Qt drops the event if it comes too late.
        QMetaObject::invokeMethod(
            this, [this, job, result, coarse] { take(job, result, coarse); }, Qt::QueuedConnection);
    });
}

void GraphLayoutWorker::take(const std::shared_ptr<Job>& job, const std::shared_ptr<const LayoutResult>& result,
                             bool coarse) {
    if (m_job != job) return;
    if (!coarse) {
        m_job.reset();
        m_coarseTimer.stop();
    }
    if (result) emit placed(result, !coarse);
}

}  // namespace strobe::canvas
