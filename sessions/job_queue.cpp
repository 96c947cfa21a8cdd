#include "sessions/job_queue.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "engine_core/base/exceptions.h"

namespace strobe {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kMinNotifyInterval = std::chrono::milliseconds(33);
constexpr size_t kMaxFinished = 20;

struct Job {
    JobInfo info;
    JobQueue::Work work;
    CancelToken cancel;
    Clock::time_point started;
};

}  // namespace

struct JobQueue::State {
    std::function<void()> changed;
    mutable std::mutex mutex;
    std::condition_variable wake, ended;
    std::deque<std::shared_ptr<Job>> jobs;
    JobId nextId = 1;
    bool stopping = false;
    Clock::time_point lastNotify;
    std::thread worker;

    std::shared_ptr<Job> find(JobId id) const {
        const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job->info.id == id; });
        return found == jobs.end() ? nullptr : *found;
    }
    /// A copy: the queue's end takes the listener away meanwhile.
    void notify() {
        std::function<void()> listener;
        {
            std::lock_guard lock(mutex);
            listener = changed;
        }
        if (listener) listener();
    }
    void loop();
    void runOne(const std::shared_ptr<Job>& job);
};

namespace {

class RunningJob final : public JobContext {
public:
    RunningJob(Job& job, std::function<void(const std::string&, double, double)> report) : m_job(job), m_report(std::move(report)) {}
    void progress(const std::string& step, double fraction, double secondsLeft) override { m_report(step, fraction, secondsLeft); }
    void outcome(const std::string& text) override { m_outcome = text; }
    const std::string& outcome() const { return m_outcome; }
    const CancelToken& cancelToken() const override { return m_job.cancel; }

private:
    Job& m_job;
    std::string m_outcome;
    std::function<void(const std::string&, double, double)> m_report;
};

}  // namespace

void JobQueue::State::runOne(const std::shared_ptr<Job>& job) {
    notify();
    RunningJob context(*job, [&](const std::string& step, double fraction, double secondsLeft) {
        {
            std::lock_guard lock(mutex);
            job->info.step = step;
            job->info.fraction = fraction;
            job->info.secondsLeft = secondsLeft;
            const auto now = Clock::now();
            if (now - lastNotify < kMinNotifyInterval) return;
            lastNotify = now;
        }
        notify();
    });
    const Status status =
        job->cancel.isCancelled() ? cancelled() : withoutExceptions([&] { return job->work(context); });
    {
        std::lock_guard lock(mutex);
        job->info.result = status;
        job->info.outcome = context.outcome();
        job->info.secondsSpent = std::chrono::duration<double>(Clock::now() - job->started).count();
        job->info.secondsLeft = 0;
        job->info.isCancelling = false;
        job->info.state = status.isOk() ? JobState::Succeeded : status.code() == ErrorCode::Cancelled ? JobState::Cancelled : JobState::Failed;
        if (status.isOk()) job->info.fraction = 1;
        job->work = nullptr;
        size_t finished = static_cast<size_t>(std::count_if(jobs.begin(), jobs.end(), [](const auto& j) { return isFinished(j->info.state); }));
        for (auto it = jobs.begin(); it != jobs.end() && finished > kMaxFinished;)
            if (isFinished((*it)->info.state) && *it != job) {  // its listener is yet to be told
                it = jobs.erase(it);
                --finished;
            } else {
                ++it;
            }
    }
    ended.notify_all();
    notify();
}

void JobQueue::State::loop() {
    for (;;) {
        std::shared_ptr<Job> job;
        {
            std::unique_lock lock(mutex);
            const auto next = [&] { return std::find_if(jobs.begin(), jobs.end(), [](const auto& j) { return j->info.state == JobState::Queued; }); };
            wake.wait(lock, [&] { return stopping || next() != jobs.end(); });
            if (stopping) return;
            job = *next();
            job->info.state = JobState::Running;
            job->started = Clock::now();
        }
        runOne(job);
    }
}

JobQueue::JobQueue(std::function<void()> changed) : m_state(std::make_unique<State>()) {
    m_state->changed = std::move(changed);
    m_state->worker = std::thread([this] { m_state->loop(); });
}

JobQueue::~JobQueue() {
    {
        std::lock_guard lock(m_state->mutex);
        m_state->stopping = true;
        m_state->changed = nullptr;
        for (const auto& job : m_state->jobs) job->cancel.cancel();
    }
    m_state->wake.notify_all();
    m_state->worker.join();
}

JobId JobQueue::submit(JobKind kind, std::string title, Work work) {
    JobId id = 0;
    {
        std::lock_guard lock(m_state->mutex);
        auto job = std::make_shared<Job>();
        id = job->info.id = m_state->nextId++;
        job->info.title = std::move(title);
        job->info.kind = kind;
        job->work = std::move(work);
        m_state->jobs.push_back(std::move(job));
    }
    m_state->wake.notify_one();
    m_state->notify();
    return id;
}

void JobQueue::cancel(JobId id) {
    bool dropped = false;
    {
        std::lock_guard lock(m_state->mutex);
        const auto job = m_state->find(id);
        if (!job || isFinished(job->info.state)) return;
        job->cancel.cancel();
        if (job->info.state == JobState::Queued) {
            job->info.state = JobState::Cancelled;
            job->info.result = cancelled();
            dropped = true;
        } else {
            job->info.isCancelling = true;
        }
    }
    if (dropped) m_state->ended.notify_all();
    m_state->notify();
}

void JobQueue::cancelAll() {
    for (const JobInfo& job : jobs()) cancel(job.id);
}

std::vector<JobInfo> JobQueue::jobs() const {
    std::lock_guard lock(m_state->mutex);
    std::vector<JobInfo> all;
    for (const auto& job : m_state->jobs) {
        all.push_back(job->info);
        if (job->info.state == JobState::Running) all.back().secondsSpent = std::chrono::duration<double>(Clock::now() - job->started).count();
    }
    return all;
}

std::optional<JobInfo> JobQueue::info(JobId id) const {
    for (const JobInfo& job : jobs())
        if (job.id == id) return job;
    return std::nullopt;
}

bool JobQueue::isIdle() const {
    const auto all = jobs();
    return std::all_of(all.begin(), all.end(), [](const JobInfo& job) { return isFinished(job.state); });
}

Status JobQueue::wait(JobId id) {
    std::unique_lock lock(m_state->mutex);
    const auto job = m_state->find(id);
    if (!job) return notFound("job " + std::to_string(id) + " does not exist");
    m_state->ended.wait(lock, [&] { return isFinished(job->info.state); });
    return job->info.result;
}

}  // namespace strobe
