#include "views/models/job_table_model.h"

#include <QColor>
#include <algorithm>

#include "views/widgets/number_format.h"
#include "views/widgets/table_roles.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

QString detailOf(const JobInfo& job) {
    if (!job.result.isOk() && isFinished(job.state)) return QString::fromStdString(job.result.message());
    if (job.state == JobState::Succeeded) return QString::fromStdString(job.outcome);
    if (job.state != JobState::Running) return {};
    QString text = QString::fromStdString(job.step);
    if (job.fraction > 0) text += QStringLiteral(" · ") + formatPercent(job.fraction);
    if (job.secondsLeft >= 0) text += QStringLiteral(" · ") + formatTimeLeft(job.secondsLeft);
    return text;
}

/// Jobs take milliseconds or minutes: each names its unit.
QString durationText(double seconds) {
    return seconds < 1 ? formatTime(seconds) : QStringLiteral("%1\u00a0s").arg(formatNumber(seconds));
}

}  // namespace

QString jobStateName(JobState state) {
    switch (state) {
        case JobState::Queued: return QObject::tr("Waiting");
        case JobState::Running: return QObject::tr("Running");
        case JobState::Succeeded: return QObject::tr("Done");
        case JobState::Failed: return QObject::tr("Failed");
        case JobState::Cancelled: break;
    }
    return QObject::tr("Cancelled");
}

JobTableModel::JobTableModel(QObject* parent) : ColumnTableModel(parent) {
    setColumns({{tr("State"), {}}, {tr("Job"), {}}, {tr("Duration"), {}, true}, {tr("What happened"), {}}});
}

void JobTableModel::setJobs(std::vector<JobInfo> jobs) {
    std::reverse(jobs.begin(), jobs.end());
    const bool isSameList = jobs.size() == m_jobs.size() &&
                            std::equal(jobs.begin(), jobs.end(), m_jobs.begin(), [](const auto& a, const auto& b) { return a.id == b.id; });
    if (isSameList) {
        m_jobs = std::move(jobs);
        if (!m_jobs.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, ColumnTotal - 1));
        return;
    }
    beginResetModel();
    m_jobs = std::move(jobs);
    setRowTotal(static_cast<int>(m_jobs.size()));
    endResetModel();
}

QVariant JobTableModel::cell(int row, int column, int role) const {
    const JobInfo& job = this->job(row);
    if (role == kSortRole && column == Duration) return job.secondsSpent;
    if (role == kSortRole && column == State) return static_cast<int>(job.state);
    if (role == kColourRole && column == State) {
        const ThemeColours& colours = Theme::instance().colours();
        switch (job.state) {
            case JobState::Succeeded: return colours.good;
            case JobState::Failed: return colours.bad;
            case JobState::Running: return colours.accent;
            default: return colours.secondary;
        }
    }
    if (role == Qt::ToolTipRole && column == Detail) return detailOf(job);
    if (role != Qt::DisplayRole && role != kSortRole) return {};
    switch (column) {
        case State: return jobStateName(job.state);
        case Title: return QString::fromStdString(job.title);
        case Duration: return job.state == JobState::Queued ? QStringLiteral("–") : durationText(job.secondsSpent);
        default: return detailOf(job);
    }
}

}  // namespace strobe
