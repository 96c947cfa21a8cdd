// The strip at the bottom: machine, model, latency with its spread, how much the layers explain, running jobs.
#pragma once

#include <QWidget>

#include "sessions/job_queue.h"

namespace strobe {

class ProgressStrip;
class StatusStrip;
class WorkbenchContext;

class StatusFigures : public QWidget {
    Q_OBJECT
public:
    explicit StatusFigures(WorkbenchContext& context, QWidget* parent = nullptr);

private:
    void showFigures();
    void showJobs();

    WorkbenchContext& m_context;
    StatusStrip* m_strip;
    ProgressStrip* m_progress;
    JobId m_shown = 0, m_cancelled = 0;
};

}  // namespace strobe
