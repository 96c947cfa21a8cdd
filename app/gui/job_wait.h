// Waiting for one job before the window may go on: to be closed after a save, say. GUI thread.
#pragma once

#include <optional>

#include "sessions/job_queue.h"

class QWidget;

namespace strobe {

class WorkbenchContext;

/// Returns when the job has ended, however long that takes, with how it ended; none when the queue no longer knows it.
/// The window takes no input meanwhile; after a moment a dialog shows the job's progress, and its Cancel cancels the
/// job.
std::optional<JobInfo> waitForJob(WorkbenchContext& context, JobId id, QWidget& window);

}  // namespace strobe
