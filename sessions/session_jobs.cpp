#include <filesystem>

#include "engine_core/base/exceptions.h"
#include "sessions/job_outcome.h"
#include "sessions/session_state.h"

namespace strobe {
namespace {

/// `now` has the number of the build that was asked for; is it that one still?
Status checkSame(const std::shared_ptr<const Build>& asked, const std::shared_ptr<const Build>& now) {
    if (!asked || (now && now->engine == asked->engine)) return Status::ok();
    return Status(ErrorCode::Cancelled, "build '" + asked->name + "' is no longer open");
}

}  // namespace

JobId Session::openModel(std::string path) {
    const std::string name = std::filesystem::path(path).filename().string();
    return m_jobs->submit(JobKind::Open, "Open " + name, [this, path = std::move(path)](JobContext& job) {
        STROBE_RETURN_IF_ERROR(openModelNow(path, job.cancelToken()));
        if (const auto opened = model()) job.outcome(outcomeOf(*opened));
        return Status::ok();
    });
}
JobId Session::buildAndProfile(bool profile) {
    if (const auto pending = pendingBuild(profile)) return *pending;
    const auto model = this->model();
    AskedBuild asked{0, model ? model->hash : std::string(), settings(), profile};
    const std::string title = "Build " + buildTitle(asked.settings);
    asked.job = m_jobs->submit(JobKind::Build, title, [this, title, asked](JobContext& job) {
        const auto now = this->model();
        Settings wanted = asked.settings;
        if (now && now->hash != asked.modelHash) takeModelsOwn(wanted, settings());  // opened meanwhile
        const auto report = [&](const BuildProgress& p) { job.progress(p.step, p.fraction, p.secondsLeft); };
        const Status ended = withoutExceptions([&]() -> Status {
            STROBE_ASSIGN(const auto built, makeBuild(now, wanted, asked.profile, report, job.cancelToken()));
            job.outcome(outcomeOf(*built));
            return Status::ok();
        });
        const bool isKnown = now && !now->imported->unsupported.empty();  // why it fails
        m_state->tellOfBuild(title, isKnown ? Status::ok() : ended);
        return ended;
    });
    const JobId id = asked.job;
    std::lock_guard lock(m_state->mutex);
    m_state->asked.push_back(std::move(asked));
    return id;
}
std::optional<JobId> Session::pendingBuild(bool profile) const {
    const auto model = this->model();
    const Settings settings = this->settings();
    JobId opening = 0;
    for (const JobInfo& job : m_jobs->jobs())
        if (job.kind == JobKind::Open && !isFinished(job.state)) opening = job.id;
    std::lock_guard lock(m_state->mutex);
    std::erase_if(m_state->asked, [&](const AskedBuild& asked) {
        const auto job = m_jobs->info(asked.job);
        return !job || isFinished(job->state) || job->isCancelling;
    });
    for (const AskedBuild& asked : m_state->asked)
        // What is built before a file is opened again is gone with it.
        if (asked.job > opening && model && asked.modelHash == model->hash && asked.profile == profile &&
            asked.settings == settings)
            return asked.job;
    return std::nullopt;
}
JobId Session::profileAgain(int id) {
    const auto chosen = build(id);
    const std::string title = "Measure " + (chosen ? chosen->name : "build " + std::to_string(id)) + " again";
    for (const JobInfo& job : m_jobs->jobs())
        if (job.kind == JobKind::Profile && job.title == title && !isFinished(job.state) && !job.isCancelling)
            return job.id;
    return m_jobs->submit(JobKind::Profile, title, [this, id, chosen](JobContext& job) {
        STROBE_RETURN_IF_ERROR(checkSame(chosen, build(id)));
        const auto report = [&](const BuildProgress& p) { job.progress(p.step, p.fraction, p.secondsLeft); };
        STROBE_ASSIGN(const auto measured, profileNow(id, report, job.cancelToken()));
        job.outcome(measuredText(*measured));
        return Status::ok();
    });
}
JobId Session::compare(int buildA, int buildB) {
    const auto a = build(buildA), b = build(buildB);
    const std::string title = a && b ? "Compare " + b->name + " against " + a->name : "Compare";
    return m_jobs->submit(JobKind::Compare, title, [this, a, b, buildA, buildB](JobContext& job) {
        STROBE_RETURN_IF_ERROR(checkSame(a, build(buildA)));
        STROBE_RETURN_IF_ERROR(checkSame(b, build(buildB)));
        const auto report = [&](double f) {
            job.progress(f < kAccuracyShare ? "Comparing samples" : "Measuring both in turn", f, -1);
        };
        report(0);
        STROBE_ASSIGN(const auto compared, compareNow(buildA, buildB, report, job.cancelToken()));
        job.outcome(outcomeOf(*compared));
        return Status::ok();
    });
}
JobId Session::exportEngine(int id, std::string path) {
    return m_jobs->submit(JobKind::Export, "Export " + std::filesystem::path(path).filename().string(),
                          [this, id, path, chosen = build(id)](JobContext& job) {
                              STROBE_RETURN_IF_ERROR(checkSame(chosen, build(id)));
                              return exportEngineNow(id, path, job.cancelToken());
                          });
}
JobId Session::saveAs(std::string path) {
    return m_jobs->submit(JobKind::Save, "Save " + std::filesystem::path(path).filename().string(),
                          [this, path](JobContext& job) { return saveNow(path, job.cancelToken()); });
}
JobId Session::openDocument(std::string path) {
    return m_jobs->submit(JobKind::Open, "Open " + std::filesystem::path(path).filename().string(),
                          [this, path](JobContext& job) { return openDocumentNow(path, job.cancelToken()); });
}

}  // namespace strobe
