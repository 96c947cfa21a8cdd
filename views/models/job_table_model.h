#pragma once

#include "sessions/job_queue.h"
#include "views/models/column_table_model.h"

namespace strobe {

QString jobStateName(JobState state);  // "Failed"

// What the session did and does, newest first.
class JobTableModel : public ColumnTableModel {
    Q_OBJECT
public:
    enum ColumnId { State, Title, Duration, Detail, ColumnTotal };

    explicit JobTableModel(QObject* parent = nullptr);
    // Oldest first, as JobQueue::jobs() gives them. Resets only when jobs came or went.
    void setJobs(std::vector<JobInfo> jobs);
    const JobInfo& job(int row) const { return m_jobs[static_cast<size_t>(row)]; }

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<JobInfo> m_jobs;  // newest first
};

}  // namespace strobe
