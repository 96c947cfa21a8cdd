// The strip at the bottom: machine, model, latency with its spread, how much the layers explain, running jobs, and what
// was just done.
#pragma once

#include <QTimer>
#include <QWidget>

#include "sessions/job_queue.h"

namespace strobe {

class ElidedLabel;
class ProgressStrip;
class StatusStrip;
class WorkbenchContext;

class StatusFigures : public QWidget {
    Q_OBJECT
public:
    explicit StatusFigures(WorkbenchContext& context, QWidget* parent = nullptr);
    /// Shows for a while what an action did that may show nowhere else.
    void say(const QString& what);

private:
    void showFigures();
    void showJobs();

    WorkbenchContext& m_context;
    StatusStrip* m_strip;
    ProgressStrip* m_progress;
    ElidedLabel* m_said;
    QTimer m_forget;
    JobId m_shown = 0;
    bool m_isBusy = false;
};

}  // namespace strobe
