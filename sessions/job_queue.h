#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine_core/base/cancel.h"
#include "engine_core/base/status.h"

namespace strobe {

using JobId = int;
enum class JobState : uint8_t { Queued, Running, Succeeded, Failed, Cancelled };
inline bool isFinished(JobState state) {
    return state != JobState::Queued && state != JobState::Running;
}
/// What a job does: a later success of the same kind makes up for a failure.
enum class JobKind : uint8_t { Other, Open, Build, Profile, Compare, Export, Save };

struct JobInfo {
    JobId id = 0;
    std::string title;           // "Build BF16"
    JobState state = JobState::Queued;
    std::string step;            // "timing block2/conv (12 of 71)"
    double fraction = 0;
    double secondsLeft = -1;     // −1: unknown
    double secondsSpent = 0;
    Status result;               // of a finished job
    std::string outcome;         // "95 layers, 1.74 ms", of one that succeeded; may be empty
    JobKind kind = JobKind::Other;
    bool isCancelling = false;  // it runs, and was asked to stop
};

/// What a running job may do.
class JobContext {
public:
    virtual ~JobContext() = default;
    virtual void progress(const std::string& step, double fraction, double secondsLeft) = 0;
    virtual void outcome(const std::string& text) = 0;
    virtual const CancelToken& cancelToken() const = 0;
};

/// One worker thread that runs jobs in order. Thread-safe. The listener is called from the worker or the caller, outside any lock,
/// at most about 30 times a second for progress.
class JobQueue {
public:
    /// An exception that leaves it fails the job: std::bad_alloc as OutOfMemory, any other as Internal.
    using Work = std::function<Status(JobContext&)>;
    explicit JobQueue(std::function<void()> changed);
    ~JobQueue();  // cancels everything and joins

    JobId submit(JobKind kind, std::string title, Work work);
    JobId submit(std::string title, Work work) { return submit(JobKind::Other, std::move(title), std::move(work)); }
    void cancel(JobId id);
    void cancelAll();
    /// Unfinished jobs and up to 20 finished ones, oldest first.
    std::vector<JobInfo> jobs() const;
    /// None for an id that never was, or of a job that ended so long ago that it is no longer among jobs().
    std::optional<JobInfo> info(JobId id) const;
    bool isIdle() const;
    /// Blocks until the job has ended (tests, CLI); never call from a GUI thread.
    Status wait(JobId id);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace strobe
