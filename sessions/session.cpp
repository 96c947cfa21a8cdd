#include "sessions/session.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/mapped_file.h"
#include "engine_core/base/stream_hash.h"
#include "sessions/document.h"
#include "sessions/limited_build.h"
#include "sessions/problems.h"
#include "sessions/samples.h"
#include "sessions/session_state.h"

namespace strobe {
namespace {

std::string nowIso() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

/// "digits_heldout.npz" beside "digits.onnx"; empty where there is none.
std::filesystem::path dataBeside(const std::filesystem::path& model) {
    const std::filesystem::path data = model.parent_path() / (model.stem().string() + "_heldout.npz");
    std::error_code error;
    return std::filesystem::is_regular_file(data, error) ? data : std::filesystem::path();
}

/// The file's own bytes are as they were, whatever its date says.
Result<bool> holdsSameBytes(const MappedFile& file, const Model& model, const CancelToken& cancel) {
    if (file.path() != model.path) return false;  // no hash of external data is known
    StreamHash hash;
    if (!hash.update(file.bytes(), &cancel)) return cancelled();
    return hashText(hash.digest()) == model.hash;
}

/// What became unreadable of the model since it was opened.
Result<LostWeights> lostWeights(const Model& model, const CancelToken& cancel) {
    LostWeights lost;
    for (const auto& file : model.imported->files) {
        const Status unchanged = file->checkUnchanged();
        if (unchanged.isOk()) continue;
        STROBE_ASSIGN(const bool same, holdsSameBytes(*file, model, cancel));
        if (!same) lost.ranges.push_back(file->bytes());
        if (!same) lost.reason = unchanged.message();
    }
    if (!lost.ranges.empty())
        lost.reason += "; the session keeps the model's path " + displayPath(model.path) + ", its size (" +
                       std::to_string(model.imported->fileBytes) + " bytes) and its hash (" + model.hash +
                       ") of before, and builds with their times but without the weights that lay in the file. Put the "
                       "old file back, or open the model itself and build anew";
    return lost;
}

/// Profiles as the build's settings say; `notes` gets what was done to the data.
Result<Profile> measure(const Build& build, std::vector<BuildNote>& notes, const Builder::ProgressCallback& progress,
                        const CancelToken& cancel) {
    const Settings& settings = build.settings;
    STROBE_ASSIGN(Samples samples,
                  loadSamples(*build.engine, settings.inputFile, settings.shapes, settings.seed, 1));
    for (const std::string& note : samples.notes)
        notes.push_back({BuildNote::Severity::Info, "", {}, settings.inputFile + ": " + note,
                         "save the data in the model's type"});
    ProfileOptions options;
    options.durationMs = settings.profileMs;
    options.warmUpMs = std::min(200.0, options.durationMs / 4);
    const auto report = [&](double f) {
        if (progress) progress({"Profiling", f, (1 - f) * settings.profileMs * 2.2e-3});
    };
    return profileEngine(*build.engine, samples.runs.front(), options, report, cancel);
}

}  // namespace

std::shared_ptr<const Model> makeModel(const std::string& path, ImportedModel imported, const CancelToken& cancel) {
    auto model = std::make_shared<Model>();
    model->path = path;
    model->name = std::filesystem::path(path).filename().string();
    model->hash = imported.fileHash;
    const auto shared = std::make_shared<const ImportedModel>(std::move(imported));
    model->imported = shared;
    model->parsed = std::shared_ptr<const Network>(shared, &shared->network);
    model->assumed = assumeExtents(*model->parsed, cancel);
    return model;
}

Session::Session(const KernelRegistry& kernels) : m_kernels(kernels), m_state(std::make_unique<State>()) {
    m_state->settings.builder.timingCachePath = defaultTimingCachePath();
    m_jobs = std::make_unique<JobQueue>([this] { m_state->notify({SessionChange::Jobs}); });
}
Session::~Session() { m_jobs.reset(); }

std::string Session::defaultTimingCachePath() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    if (!cache && !home) return {};
    const std::filesystem::path folder = std::filesystem::path(cache ? std::string(cache) : std::string(home) + "/.cache") / "strobe";
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    return (folder / "timing.cache").string();
}

int Session::addListener(Listener listener) {
    std::lock_guard lock(m_state->mutex);
    m_state->listeners[m_state->nextListener] = std::move(listener);
    return m_state->nextListener++;
}
void Session::removeListener(int id) {
    std::lock_guard lock(m_state->mutex);
    m_state->listeners.erase(id);
}

std::shared_ptr<const Model> Session::model() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->model;
}
Settings Session::settings() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->settings;
}
std::vector<std::shared_ptr<const Build>> Session::builds() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->builds;
}
std::shared_ptr<const Build> Session::build(int id) const {
    for (const auto& b : builds())
        if (b->id == id) return b;
    return nullptr;
}
std::vector<std::shared_ptr<const Comparison>> Session::comparisons() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->comparisons;
}
std::vector<ProblemEntry> Session::problems() const {
    std::lock_guard lock(m_state->mutex);
    std::vector<ProblemEntry> problems = m_state->problems;
    // By the settings of now: what they say meanwhile is open no more.
    if (auto open = m_state->model ? openExtentsProblem(*m_state->model, m_state->settings) : std::nullopt)
        problems.insert(problems.begin(), std::move(*open));
    return problems;
}
bool Session::isModified() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->revision != m_state->savedRevision;
}
std::string Session::documentPath() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->documentPath;
}

std::vector<DeviceInfo> Session::devices() const {
    std::vector<DeviceInfo> devices = {cpuDeviceInfo()};
    for (const auto& provider : m_kernels.devices())
        for (DeviceInfo& device : provider->list()) devices.push_back(std::move(device));
    return devices;
}

void Session::setSettings(Settings settings, std::string label) {
    {
        std::lock_guard lock(m_state->mutex);
        if (settings == m_state->settings) return;
        m_state->undo.push_back({m_state->settings, std::move(label)});
        m_state->redo.clear();
        m_state->settings = std::move(settings);
        ++m_state->revision;
    }
    m_state->notify({SessionChange::Settings, SessionChange::Problems, SessionChange::Document});
}
bool Session::canUndo() const { return !undoLabel().empty(); }
bool Session::canRedo() const { return !redoLabel().empty(); }
std::string Session::undoLabel() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->undo.empty() ? std::string() : m_state->undo.back().label;
}
std::string Session::redoLabel() const {
    std::lock_guard lock(m_state->mutex);
    return m_state->redo.empty() ? std::string() : m_state->redo.back().label;
}

void Session::undo() {
    m_state->step(m_state->undo, m_state->redo);
}
void Session::redo() {
    m_state->step(m_state->redo, m_state->undo);
}

std::vector<std::string> Session::ignoredRequests() const {
    std::vector<std::string> reasons;
    const Settings now = settings();
    const auto builds = this->builds();
    for (auto b = builds.rbegin(); b != builds.rend(); ++b) {
        if (!((*b)->settings.builder == now.builder)) continue;
        for (const BuildNote& note : (*b)->report.notes) reasons.push_back(note.message);
        break;
    }
    return reasons;
}

Status Session::clearTimingCache() {
    m_state->timingCache.clear();
    const std::string path = settings().builder.timingCachePath;
    std::error_code error;
    if (!path.empty()) std::filesystem::remove(path, error);
    return error ? ioError(path + ": the timing cache cannot be removed: " + error.message()) : Status::ok();
}

Status Session::openModelNow(const std::string& path, const CancelToken& cancel) {
    ImportOptions options;
    options.allowUnsupported = true;
    options.cancel = cancel;
    STROBE_ASSIGN(ImportedModel imported, importOnnx(path, options));
    std::shared_ptr<const Model> model = makeModel(path, std::move(imported), cancel);
    if (cancel.isCancelled()) return cancelled();
    std::vector<ProblemEntry> problems = problemsOf(*model);
    const std::filesystem::path data = dataBeside(path);
    {
        std::lock_guard lock(m_state->mutex);
        if (!m_state->model || m_state->model->hash != model->hash) m_state->settleFor(data, m_state->model != nullptr);
        m_state->builds.clear();
        m_state->comparisons.clear();
        m_state->problems = std::move(problems);
        m_state->model = std::move(model);
        m_state->documentPath.clear();
        m_state->savedRevision = ++m_state->revision;
    }
    m_state->notify({SessionChange::Model, SessionChange::Builds, SessionChange::Comparisons, SessionChange::Problems, SessionChange::Settings, SessionChange::Document});
    return Status::ok();
}

Result<std::shared_ptr<const Build>> Session::buildNow(bool profile, const Builder::ProgressCallback& progress, const CancelToken& cancel) {
    return makeBuild(model(), settings(), profile, progress, cancel);
}

Result<std::shared_ptr<const Build>> Session::makeBuild(const std::shared_ptr<const Model>& model, Settings settings,
                                                        bool profile, const Builder::ProgressCallback& progress,
                                                        const CancelToken& cancel) {
    if (!model) return invalidArgument("no model is open; open an ONNX file first");
    auto build = std::make_shared<Build>();
    build->settings = std::move(settings);
    build->createdAt = nowIso();
    const std::string cachePath = build->settings.builder.timingCachePath;
    TimingCache ofThisBuild;
    TimingCache& timingCache = cachePath.empty() ? ofThisBuild : m_state->timingCache;
    if (!cachePath.empty() && cachePath != m_state->timingCachePath) {
        timingCache.clear();  // times of one file must not get into another
        if (const auto warning = timingCache.load(cachePath))
            build->notes.push_back({BuildNote::Severity::Warning, "", {}, *warning, "nothing to do"});
        m_state->timingCachePath = cachePath;
    }
    Builder::Request request;
    request.parsed = model->parsed;
    request.config = build->settings.builder;
    request.modelName = model->name;
    request.modelHash = model->hash;
    request.timingCache = &timingCache;
    request.cancel = cancel;
    const double buildShare = profile ? 0.8 : 1.0;
    request.progress = [&](const BuildProgress& p) {
        if (progress) progress({p.step, p.fraction * buildShare, p.secondsLeft < 0 ? -1 : p.secondsLeft + (profile ? build->settings.profileMs * 2.2e-3 : 0)});
    };
    STROBE_ASSIGN(BuildResult result, buildAsAsked(build->settings, Builder(m_kernels), request, build->notes));
    if (!cachePath.empty() && result.report.timedCandidates > 0)
        if (const Status saved = timingCache.save(cachePath); !saved.isOk())
            build->notes.push_back(
                {BuildNote::Severity::Warning, "", {}, saved.message(), "choose a writable timing cache"});
    build->engine = result.engine;
    build->report = std::move(result.report);
    build->engineBytes = build->engine->fileBytes();
    if (profile) {
        const auto report = [&](const BuildProgress& p) {
            if (progress) progress({p.step, buildShare + (1 - buildShare) * p.fraction, p.secondsLeft});
        };
        STROBE_ASSIGN(Profile measured, measure(*build, build->notes, report, cancel));
        build->profile = std::make_shared<const Profile>(std::move(measured));
    }
    STROBE_RETURN_IF_ERROR(checkModelFiles());
    STROBE_RETURN_IF_ERROR(takeBuild(model, build));
    return std::shared_ptr<const Build>(build);
}

Status Session::takeBuild(const std::shared_ptr<const Model>& model, const std::shared_ptr<Build>& build) {
    {
        std::lock_guard lock(m_state->mutex);
        if (m_state->model != model) return Status(ErrorCode::Cancelled, "another model was opened meanwhile");
        build->id = m_state->nextBuild++;
        build->name = m_state->buildName(build->settings);
        m_state->setProblems(problemSource(*build), problemsOf(*build));
        m_state->builds.push_back(build);
        ++m_state->revision;
    }
    m_state->notify({SessionChange::Builds, SessionChange::Problems, SessionChange::Document});
    return Status::ok();
}

Result<std::shared_ptr<const Comparison>> Session::compareNow(int a, int b, const std::function<void(double)>& progress, const CancelToken& cancel) {
    const auto buildA = build(a), buildB = build(b);
    if (!buildA || !buildB) return notFound("build " + std::to_string(buildA ? b : a) + " does not exist");
    for (const auto& side : {buildA, buildB})
        if (!side->weightsLost.empty()) return weightsLostError(*side);
    const Settings compared = settings();
    STROBE_ASSIGN(const Samples samples,
                  loadSamples(*buildA->engine, compared.inputFile, compared.shapes, compared.seed, kMaxRunsCompared));
    AccuracyOptions options;
    options.labels = samples.labels;
    const auto part = [&](double from, double share) {
        return [&progress, from, share](double f) { progress ? progress(from + share * f) : void(); };
    };
    STROBE_ASSIGN(AccuracyReport report, compareAccuracy(*buildA->engine, *buildB->engine, samples.runs, options,
                                                         part(0, kAccuracyShare), cancel));
    report.inputFile = compared.inputFile;
    STROBE_ASSIGN(SpeedInTurn speed, measureInTurn(*buildA->engine, *buildB->engine, samples.runs.front(),
                                                   compared.profileMs, part(kAccuracyShare, 1 - kAccuracyShare), cancel));
    STROBE_RETURN_IF_ERROR(checkModelFiles());
    STROBE_ASSIGN(auto comparison, takeComparison(buildA, buildB, std::move(report), std::move(speed)));
    m_state->tellOfData(compared.inputFile, samples.notes);
    return comparison;
}

Result<std::shared_ptr<const Build>> Session::profileNow(int id, const Builder::ProgressCallback& progress,
                                                         const CancelToken& cancel) {
    const auto chosen = build(id);
    if (!chosen) return notFound("build " + std::to_string(id) + " does not exist");
    if (!chosen->weightsLost.empty()) return weightsLostError(*chosen);
    std::vector<BuildNote> notes;
    STROBE_ASSIGN(Profile profile, measure(*chosen, notes, progress, cancel));
    STROBE_RETURN_IF_ERROR(checkModelFiles());
    if (chosen->profile) notes.clear();  // its first measurement told of the data
    return keepProfile(id, std::move(profile), std::move(notes));
}

Result<std::shared_ptr<const Build>> Session::keepProfile(int id, Profile profile, std::vector<BuildNote> notes) {
    std::shared_ptr<Build> measured;
    {
        std::lock_guard lock(m_state->mutex);
        auto& builds = m_state->builds;
        const auto found = std::find_if(builds.begin(), builds.end(), [&](const auto& b) { return b->id == id; });
        if (found == builds.end()) return notFound("build " + std::to_string(id) + " does not exist");
        measured = std::make_shared<Build>(**found);
        measured->profile = std::make_shared<const Profile>(std::move(profile));
        measured->notes.insert(measured->notes.end(), notes.begin(), notes.end());
        *found = measured;
        m_state->setProblems(problemSource(*measured), problemsOf(*measured));
        m_state->realignComparisonsOf(id);
        ++m_state->revision;
    }
    m_state->notify(
        {SessionChange::Builds, SessionChange::Comparisons, SessionChange::Problems, SessionChange::Document});
    return std::shared_ptr<const Build>(measured);
}

Result<std::shared_ptr<const Comparison>> Session::keepComparison(int a, int b, AccuracyReport report,
                                                                  std::optional<SpeedInTurn> speed) {
    const auto buildA = build(a), buildB = build(b);
    if (!buildA || !buildB) return notFound("build " + std::to_string(buildA ? b : a) + " does not exist");
    return takeComparison(buildA, buildB, std::move(report), std::move(speed));
}

Result<std::shared_ptr<const Comparison>> Session::takeComparison(const std::shared_ptr<const Build>& a,
                                                                  const std::shared_ptr<const Build>& b,
                                                                  AccuracyReport report,
                                                                  std::optional<SpeedInTurn> speed) {
    auto comparison = std::make_shared<Comparison>();
    comparison->a = a->id;
    comparison->b = b->id;
    comparison->accuracy = std::make_shared<const AccuracyReport>(std::move(report));
    comparison->speed = std::move(speed);
    comparison->rows = alignBuilds(*a, *b, comparison->accuracy.get());
    {
        std::lock_guard lock(m_state->mutex);
        for (const auto& side : {a, b})
            if (!m_state->lists(side))
                return Status(ErrorCode::Cancelled, "build '" + side->name + "' was removed meanwhile");
        comparison->id = m_state->nextComparison++;
        auto& all = m_state->comparisons;
        std::erase_if(all, [&](const auto& c) { return c->a == a->id && c->b == b->id; });
        all.push_back(comparison);
        ++m_state->revision;
    }
    m_state->notify({SessionChange::Comparisons, SessionChange::Document});
    return std::shared_ptr<const Comparison>(comparison);
}

void Session::removeBuild(int id) {
    {
        std::lock_guard lock(m_state->mutex);
        auto& builds = m_state->builds;
        const auto removed = std::find_if(builds.begin(), builds.end(), [&](const auto& b) { return b->id == id; });
        if (removed == builds.end()) return;
        m_state->setProblems(problemSource(**removed), {});
        builds.erase(removed);
        m_state->dropComparisonsOf(id);
        ++m_state->revision;
    }
    m_state->notify(
        {SessionChange::Builds, SessionChange::Comparisons, SessionChange::Problems, SessionChange::Document});
}

Status Session::checkModelFiles() const {
    const std::shared_ptr<const Model> open = model();
    return open ? open->imported->checkFiles() : Status::ok();
}

Status Session::saveNow(const std::string& path, const CancelToken& cancel) {
    SessionSnapshot snapshot;
    uint64_t revision = 0;
    {
        std::lock_guard lock(m_state->mutex);
        snapshot = {m_state->model, m_state->settings, m_state->builds, m_state->comparisons, {}};
        revision = m_state->revision;
    }
    LostWeights lost;
    if (snapshot.model) {
        STROBE_ASSIGN(lost, lostWeights(*snapshot.model, cancel));
    }
    STROBE_RETURN_IF_ERROR(saveDocument(path, snapshot, lost, cancel));
    std::vector<ProblemEntry> problems;
    if (!lost.reason.empty()) problems.push_back({ProblemSeverity::Warning, "save", {}, "", lost.reason, "put the old file back, or build anew"});
    {
        std::lock_guard lock(m_state->mutex);
        m_state->documentPath = path;
        m_state->savedRevision = revision;
        m_state->setProblems("save", std::move(problems));
    }
    m_state->notify({SessionChange::Document, SessionChange::Problems});
    return Status::ok();
}

Status Session::exportEngineNow(int id, const std::string& path, const CancelToken& cancel) {
    const auto chosen = build(id);
    if (!chosen) return notFound("build " + std::to_string(id) + " does not exist");
    if (!chosen->weightsLost.empty()) return weightsLostError(*chosen);
    STROBE_RETURN_IF_ERROR(checkModelFiles());
    return chosen->engine->save(path, &cancel);
}

Status Session::openDocumentNow(const std::string& path, const CancelToken& cancel) {
    STROBE_ASSIGN(SessionSnapshot snapshot, loadDocument(path, m_kernels, cancel));
    {
        std::lock_guard lock(m_state->mutex);
        m_state->model = snapshot.model;
        m_state->settings = snapshot.settings;
        m_state->builds = snapshot.builds;
        m_state->comparisons = snapshot.comparisons;
        m_state->problems = snapshot.model ? problemsOf(*snapshot.model) : std::vector<ProblemEntry>();
        for (const std::string& note : snapshot.notes)
            m_state->problems.push_back({ProblemSeverity::Warning, "open", {}, "", note, "save the session again"});
        for (const auto& build : m_state->builds) {
            m_state->nextBuild = std::max(m_state->nextBuild, build->id + 1);
            m_state->setProblems(problemSource(*build), problemsOf(*build));
        }
        for (const auto& comparison : m_state->comparisons) m_state->nextComparison = std::max(m_state->nextComparison, comparison->id + 1);
        m_state->undo.clear();
        m_state->redo.clear();
        m_state->documentPath = path;
        m_state->savedRevision = ++m_state->revision;
    }
    m_state->notify({SessionChange::Model, SessionChange::Settings, SessionChange::Builds, SessionChange::Comparisons, SessionChange::Problems, SessionChange::Document});
    return Status::ok();
}

}  // namespace strobe
